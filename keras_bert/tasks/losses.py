"""Losses and per-example metrics of all tasks."""

import keras
from keras import ops

from keras_bert.ops import cross_entropy, is_correct


class WeightedMean(keras.losses.Loss):
    """Base class of losses that are the weighted mean of per-example values.

    A subclass implements `call(y_true, y_pred)`, which returns one float32 value per example. If all weights are 0, the
    mean is 0.

    Args:
        name: name in Keras logs.
    """

    def __init__(self, name):
        super().__init__(name=name, reduction="mean_with_sample_weight")

    def get_config(self):
        return {"name": self.name}  # the reduction is fixed

    def __call__(self, y_true, y_pred, sample_weight=None):
        losses = self.call(y_true, y_pred)
        if sample_weight is None:
            return keras.ops.mean(losses)
        weights = keras.ops.cast(sample_weight, losses.dtype)
        return keras.ops.divide_no_nan(keras.ops.sum(losses * weights), keras.ops.sum(weights))


@keras.saving.register_keras_serializable(package="keras_bert")
class MeanCrossEntropy(WeightedMean):
    """Weighted mean of the cross-entropy, -log softmax(logits)[class] in nats, computed in float32.

    `keras.losses.SparseCategoricalCrossentropy` first casts logits and class ids to one dtype. Under a mixed policy
    that copies the logits at twice their size, and logits over a vocabulary are the largest tensor of a training step.

    Args:
        name: name in Keras logs.

    Call arguments:
        y_true: int `[…]`, class ids.
        y_pred: float `[…, C]`, logits.
        sample_weight: float `[…]`, or None for equal weights.

    Returns:
        A float32 scalar.

    Example:

    >>> import numpy as np
    >>> round(float(MeanCrossEntropy()(np.array([1, 0]), np.zeros((2, 4), "float32"), np.array([1.0, 0.0]))), 4)
    1.3863

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1 and appendix A.2.
    """

    def __init__(self, name="cross_entropy"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        return cross_entropy(y_true, y_pred)  # [...]


@keras.saving.register_keras_serializable(package="keras_bert")
class MeanBinaryCrossEntropy(WeightedMean):
    """Binary cross-entropy in nats: the mean over C labels, each of which applies or not, then over examples.

    Args:
        name: name in Keras logs.

    Call arguments:
        y_true: 0 or 1, `[B, C]`.
        y_pred: float `[B, C]`, logits.
        sample_weight: float `[B]`, or None for equal weights.

    Returns:
        A float32 scalar.
    """

    def __init__(self, name="binary_cross_entropy"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        logits, labels = ops.cast(y_pred, "float32"), ops.cast(y_true, "float32")  # [B, C]
        # max(x, 0) - x y + log(1 + exp(-|x|)) cannot overflow.
        losses = ops.maximum(logits, 0) - logits * labels + ops.log1p(ops.exp(-ops.abs(logits)))  # [B, C]
        return ops.mean(losses, -1)  # [B]


@keras.saving.register_keras_serializable(package="keras_bert")
class MeanSquaredError(WeightedMean):
    """Squared error: the mean over C numbers, then over examples.

    Args:
        name: name in Keras logs.

    Call arguments:
        y_true: float `[B, C]`.
        y_pred: float `[B, C]`.
        sample_weight: float `[B]`, or None for equal weights.

    Returns:
        A float32 scalar.
    """

    def __init__(self, name="squared_error"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        return ops.mean((ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")) ** 2, -1)  # [B]


@keras.saving.register_keras_serializable(package="keras_bert")
class TopOneAccuracy(keras.metrics.Mean):
    """Fraction of examples whose class has the highest logit. A tie counts as wrong.

    Args:
        name: name in Keras logs.
        dtype: as in `keras.metrics.Mean`.

    Example:

    >>> import numpy as np
    >>> accuracy = TopOneAccuracy()
    >>> accuracy.update_state(np.array([1, 0]), np.array([[0.0, 2.0], [0.0, 1.0]], "float32"))
    >>> float(accuracy.result())
    0.5
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add examples: `y_true` int `[…]`, `y_pred` float `[…, C]`, `sample_weight` float `[…]` or None."""
        return super().update_state(is_correct(y_true, y_pred), sample_weight)


@keras.saving.register_keras_serializable(package="keras_bert")
class MeanOf(keras.metrics.Mean):
    """Keras metric: the weighted mean of a per-example function.

    Args:
        function: function of targets and outputs that returns one value per example. A saved model can be loaded if
            the function is registered with `keras.saving.register_keras_serializable`.
        name: name in Keras logs.
        dtype: as in `keras.metrics.Mean`.
    """

    def __init__(self, function, name: str, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.function = function

    def get_config(self):
        """Return the arguments of the constructor."""
        return {**super().get_config(), "function": keras.saving.serialize_keras_object(self.function)}

    @classmethod
    def from_config(cls, config):
        """Create the metric from the result of `get_config`."""
        return cls(**{**config, "function": keras.saving.deserialize_keras_object(config["function"])})

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add examples; `sample_weight` has the shape of the function's values, or is None."""
        return super().update_state(self.function(y_true, y_pred), sample_weight)


@keras.saving.register_keras_serializable(package="keras_bert")
def label_accuracy(labels, logits):
    """Compute the fraction of correctly predicted labels of each example. A logit above 0 predicts a label.

    Args:
        labels: 0 or 1, `[B, C]`.
        logits: float `[B, C]`.

    Returns:
        float32 `[B]`, in [0, 1].
    """
    predicted = ops.cast(logits > 0, "float32")  # [B, C]
    return ops.mean(ops.cast(predicted == ops.cast(labels, "float32"), "float32"), -1)


@keras.saving.register_keras_serializable(package="keras_bert")
def absolute_error(labels, outputs):
    """Compute the mean absolute error of each example.

    Args:
        labels: float `[B, C]`.
        outputs: float `[B, C]`.

    Returns:
        float32 `[B]`.
    """
    return ops.mean(ops.abs(ops.cast(outputs, "float32") - ops.cast(labels, "float32")), -1)


PER_EXAMPLE_FNS = {"loss": cross_entropy, "accuracy": is_correct}  # loss and metric of pretraining
