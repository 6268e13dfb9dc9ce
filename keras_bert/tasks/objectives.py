"""The objectives of the tasks: a loss, and the metric that is logged with it.

They are functions, because Keras is imported with a loss, and a task predicts without one.
"""


def class_objective() -> tuple:
    """Return the cross-entropy of one class per example or token, and its accuracy."""
    from keras_bert.ops import is_correct
    from keras_bert.tasks.losses import MeanCrossEntropy

    return MeanCrossEntropy(), ("accuracy", is_correct)


def label_objective() -> tuple:
    """Return the binary cross-entropy of labels that each apply or not, and their accuracy."""
    from keras_bert.tasks.losses import MeanBinaryCrossEntropy, label_accuracy

    return MeanBinaryCrossEntropy(), ("accuracy", label_accuracy)


def number_objective() -> tuple:
    """Return the squared error of numbers, and their mean absolute error."""
    from keras_bert.tasks.losses import MeanSquaredError, absolute_error

    return MeanSquaredError(), ("mean_absolute_error", absolute_error)
