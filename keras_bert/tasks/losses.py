"""What training minimises and what it counts as right, from logits and class numbers."""

import keras

from keras_bert import ops


class WeightedMean(keras.losses.Loss):
    """The mean of `call`'s numbers over what has weight; all weights 0 give 0."""

    def __init__(self, name):
        super().__init__(name=name, reduction="mean_with_sample_weight")

    def get_config(self):
        return {"name": self.name}  # a mean, always

    def __call__(self, y_true, y_pred, sample_weight=None):
        losses = self.call(y_true, y_pred)
        if sample_weight is None:
            return keras.ops.mean(losses)
        weights = keras.ops.cast(sample_weight, losses.dtype)
        return keras.ops.divide_no_nan(keras.ops.sum(losses * weights), keras.ops.sum(weights))


@keras.saving.register_keras_serializable(package="keras_bert")
class MeanCrossEntropy(WeightedMean):
    """-log softmax(logits)[class], in nats: the mean over what has weight, computed in float32.

    `keras.losses.SparseCategoricalCrossentropy` would cast logits and classes to one dtype first: the logits of a
    mixed policy would be copied at twice their size, which over a whole vocabulary is more than any other tensor.

    Call arguments:
        y_true: int `[…]`.
        y_pred: float `[…, C]` logits.
        sample_weight: float `[…]`, or None for all alike. All 0 gives 0.

    Returns:
        A float32 scalar.

    Example:

    >>> import numpy as np
    >>> round(float(MeanCrossEntropy()(np.array([1, 0]), np.zeros((2, 4), "float32"), np.array([1.0, 0.0]))), 4)
    1.3863

    Source: Devlin et al. 2018, section 3.1 and appendix A.2.
    """

    def __init__(self, name="cross_entropy"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        return ops.cross_entropy(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_bert")
class TopOneAccuracy(keras.metrics.Mean):
    """The share of rows whose class has the highest logit; a tie is not right.

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
        """Count rows: `y_true` int `[…]`, `y_pred` float `[…, C]`, `sample_weight` float `[…]` or None."""
        return super().update_state(ops.is_correct(y_true, y_pred), sample_weight)


class MeanOf(keras.metrics.Mean):
    """The mean of a function's numbers, one for each prediction.

    Args:
        function: of targets and outputs.
        name: what it is called in logs.
    """

    def __init__(self, function, name: str):
        super().__init__(name=name)
        self.function = function

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count predictions; `sample_weight` as the function's numbers, or None."""
        return super().update_state(self.function(y_true, y_pred), sample_weight)


MEASURES = {"loss": ops.cross_entropy, "accuracy": ops.is_correct}  # for `ops.train_on_batch`
