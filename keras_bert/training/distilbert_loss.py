"""DistilBERT's three losses as one model: a student and its teacher on the same rows."""

import keras
from keras import ops

from keras_bert.tasks.losses import WeightedMean, cross_entropy

SOFT, MASKED, COSINE = "soft", "masked", "cosine"


def student_and_teacher(teacher, student, temperature: float, weights) -> keras.Model:
    """Both models on one input, and the three losses at each position: the student learns, the teacher is asked.

    Args:
        teacher, student: `BertPretrainer`s.
        temperature: of the soft loss.
        weights: of the three losses.

    Returns:
        A model of the encoder's three inputs, `masked_lm_positions` and `masked_lm_ids`, int `[B, P]`, to a dict of
        `soft` and `masked` `[B, P]` and `cosine` `[B, T]`, float32.

    Source: Sanh et al. 2019 (arXiv:1910.01108), section 2.
    """
    positions = keras.Input((None,), dtype="int32", name="masked_lm_positions")
    words = keras.Input((None,), dtype="int32", name="masked_lm_ids")
    ids = student.encoder.input
    asked = _Asked(teacher, name="teacher")
    theirs, their_logits = asked(ids, positions)  # [B, T, H], [B, P, V]
    ours = student.encoder(ids)["sequence_output"]  # [B, T, H]
    our_logits = student.mlm_head(ours, positions)  # [B, P, V]
    soft, masked, cosine = _Losses(temperature, weights, name="losses")(ours, theirs, our_logits, their_logits, words)
    outputs = {SOFT: soft, MASKED: masked, COSINE: cosine}
    return keras.Model({**ids, "masked_lm_positions": positions, "masked_lm_ids": words}, outputs)


class _Asked(keras.layers.Layer):
    """A model that is asked and not trained: no weight of it is a weight of this."""

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        object.__setattr__(self, "model", model)  # past Keras's tracking, so that it is neither trained nor saved
        self.built = True

    def call(self, ids, positions):
        states = self.model.encoder(ids, training=False)["sequence_output"]  # [B, T, H]
        logits = self.model.mlm_head(states, positions)  # [B, P, V]
        return ops.stop_gradient(states), ops.stop_gradient(logits)

    def compute_output_spec(self, ids, positions):
        config, shape = self.model.encoder.config, ids["input_word_ids"].shape
        return (
            keras.KerasTensor((*shape, config.hidden_size), dtype=self.compute_dtype),
            keras.KerasTensor((*positions.shape, config.vocab_size), dtype=self.compute_dtype),
        )


class _Losses(keras.layers.Layer):
    """The three losses, each at its positions and times its weight, float32."""

    def __init__(self, temperature: float, weights, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.temperature, self.weights_of = temperature, tuple(weights)
        self.built = True

    def call(self, ours, theirs, our_logits, their_logits, words):
        soften = 1 / self.temperature
        taught = ops.softmax(ops.cast(their_logits, "float32") * soften)  # [B, P, V]
        said = ops.log_softmax(ops.cast(our_logits, "float32") * soften)
        # Kullback-Leibler: gradients shrink by T^2, which is put back (Hinton et al., section 2).
        told = ops.sum(taught * (ops.log(ops.maximum(taught, 1e-30)) - said), -1) * self.temperature**2  # [B, P]
        masked = cross_entropy(words, our_logits)  # [B, P]
        ours, theirs = (ops.cast(x, "float32") for x in (ours, theirs))
        norms = ops.sqrt(ops.sum(ours**2, -1) * ops.sum(theirs**2, -1))
        apart = 1 - ops.sum(ours * theirs, -1) / ops.maximum(norms, 1e-12)  # [B, T]
        return tuple(weight * loss for weight, loss in zip(self.weights_of, (told, masked, apart), strict=True))


class MeanOfOutput(WeightedMean):
    """The mean of what a model gives as losses already."""

    def __init__(self, name="mean_of_output"):
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        return ops.cast(y_pred, "float32")
