"""Keras metrics of probabilities for models that return logits."""

import keras

ACTIVATIONS = {"sigmoid": keras.ops.sigmoid, "softmax": keras.ops.softmax, "linear": lambda x: x}


@keras.saving.register_keras_serializable(package="keras_bert")
class FromLogits(keras.metrics.Metric):
    """Keras metric that gets probabilities in place of a model's logits.

    The models of this package return logits. Thresholds of `keras.metrics.F1Score`, `BinaryAccuracy` or `Precision` are
    probabilities, so these metrics need this wrapper in `compile`. `kb.finetune` adds it automatically.

    Args:
        metric: a `keras.metrics.Metric` of probabilities.
        activation: `"sigmoid"` for binary and multi-label classifiers, `"softmax"` for one of C classes, or `"linear"`
            to pass the outputs unchanged.
        name: name in Keras logs. Default: that of the metric.
        dtype: as in `keras.metrics.Metric`.

    Call arguments:
        y_true: the targets, in the form that the metric takes.
        y_pred: float `[B, C]`, logits.
        sample_weight: float `[B]`, or None.

    Example:

    >>> import numpy as np
    >>> accuracy = FromLogits(keras.metrics.BinaryAccuracy())
    >>> accuracy.update_state(np.array([[1.0], [1.0]]), np.array([[0.2], [-0.2]], "float32"))
    >>> float(accuracy.result())
    0.5

    Source: the argument `from_logits` of `keras.metrics.AUC`, for the metrics that have none.
    """

    def __init__(self, metric, activation="sigmoid", name=None, dtype=None):
        super().__init__(name=name or metric.name, dtype=dtype)
        self.metric = metric
        self.activation = activation
        self.keeps_state = False  # in `kb.finetune`, where Keras resets the metrics before each batch

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add examples to the metric, with the probabilities in place of the logits."""
        probabilities = ACTIVATIONS[self.activation](keras.ops.cast(y_pred, "float32"))
        return self.metric.update_state(y_true, probabilities, sample_weight=sample_weight)

    def result(self):
        """Return the value of the metric."""
        return self.metric.result()

    def reset_state(self):
        """Reset the metric."""
        if not self.keeps_state:
            self.metric.reset_state()

    def get_config(self):
        """Return the arguments of the constructor."""
        metric = keras.saving.serialize_keras_object(self.metric)
        return {**super().get_config(), "metric": metric, "activation": self.activation}

    @classmethod
    def from_config(cls, config):
        """Create the metric from the result of `get_config`."""
        return cls(**{**config, "metric": keras.saving.deserialize_keras_object(config["metric"])})
