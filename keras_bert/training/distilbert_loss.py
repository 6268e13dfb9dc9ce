"""DistilBERT's three losses, as one model of a student and its frozen teacher."""

import keras
from keras import ops

from keras_bert.ops import cross_entropy
from keras_bert.tasks.losses import WeightedMean

SOFT, MASKED, COSINE = "soft", "masked", "cosine"


def distillation_model(teacher, student, temperature: float, loss_weights) -> keras.Model:
    """Build a model that computes the three losses of a student and its teacher on the same inputs.

    Only the student's weights are weights of the model.

    Args:
        teacher, student: `BertPretrainer` models.
        temperature: divides the logits in the soft loss.
        loss_weights: factors of the soft, masked and cosine losses.

    Returns:
        A model with the encoder's three inputs and `masked_lm_positions` and `masked_lm_ids`, int `[B, P]`. Its outputs
        are a dict of the weighted losses, float32: `soft` and `masked` `[B, P]`, `cosine` `[B, T]`.

    Source: Sanh et al. 2019 (arXiv:1910.01108), section 2.
    """
    positions = keras.Input((None,), dtype="int32", name="masked_lm_positions")  # [B, P]
    labels = keras.Input((None,), dtype="int32", name="masked_lm_ids")  # [B, P]
    ids = student.encoder.input
    teacher_states, teacher_logits = _FrozenTeacher(teacher, name="teacher")(ids, positions)  # [B, T, H], [B, P, V]
    states = student.encoder(ids)["sequence_output"]  # [B, T, H]
    logits = student.mlm_head(states, positions)  # [B, P, V]
    losses = _DistilBertLosses(temperature, loss_weights, name="losses")
    soft, masked, cosine = losses(states, teacher_states, logits, teacher_logits, labels)
    outputs = {SOFT: soft, MASKED: masked, COSINE: cosine}
    return keras.Model({**ids, "masked_lm_positions": positions, "masked_lm_ids": labels}, outputs)


class _FrozenTeacher(keras.layers.Layer):
    """A layer that runs the teacher without dropout and without gradients."""

    def __init__(self, teacher, **kwargs):
        super().__init__(**kwargs)
        # Keras does not track what a function returns, so the teacher's weights are not weights of this layer: they are
        # neither trained nor saved in checkpoints.
        self.get_teacher = lambda: teacher
        self.built = True

    def call(self, ids, positions):
        teacher = self.get_teacher()
        states = teacher.encoder(ids, training=False)["sequence_output"]  # [B, T, H]
        logits = teacher.mlm_head(states, positions)  # [B, P, V]
        return ops.stop_gradient(states), ops.stop_gradient(logits)

    def compute_output_spec(self, ids, positions):
        config, shape = self.get_teacher().encoder.config, ids["input_word_ids"].shape
        return (
            keras.KerasTensor((*shape, config.hidden_size), dtype=self.compute_dtype),  # [B, T, H]
            keras.KerasTensor((*positions.shape, config.vocab_size), dtype=self.compute_dtype),  # [B, P, V]
        )


class _DistilBertLosses(keras.layers.Layer):
    """A layer that computes the three losses per position in float32, each multiplied by its weight."""

    def __init__(self, temperature: float, loss_weights, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.temperature, self.loss_weights = temperature, tuple(loss_weights)
        self.built = True

    def call(self, states, teacher_states, logits, teacher_logits, labels):
        scale = 1 / self.temperature
        teacher = ops.softmax(ops.cast(teacher_logits, "float32") * scale)  # [B, P, V]
        log_student = ops.log_softmax(ops.cast(logits, "float32") * scale)  # [B, P, V]
        # Kullback-Leibler divergence. The factor T^2 keeps the size of the gradients (Hinton et al. 2015, section 2).
        log_teacher = ops.log(ops.maximum(teacher, 1e-30))  # [B, P, V]
        soft = ops.sum(teacher * (log_teacher - log_student), -1) * self.temperature**2  # [B, P]
        masked = cross_entropy(labels, logits)  # [B, P]
        states, teacher_states = (ops.cast(x, "float32") for x in (states, teacher_states))  # [B, T, H]
        norms = ops.sqrt(ops.sum(states**2, -1) * ops.sum(teacher_states**2, -1))  # [B, T]
        cosine = 1 - ops.sum(states * teacher_states, -1) / ops.maximum(norms, 1e-12)  # [B, T]
        losses = (soft, masked, cosine)
        return tuple(weight * loss for weight, loss in zip(self.loss_weights, losses, strict=True))


class PrecomputedLoss(WeightedMean):
    """Loss of a model whose outputs already are per-position losses: their weighted mean."""

    def __init__(self, name="precomputed_loss"):
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        """Return the outputs in float32; `y_true` is not used."""
        return ops.cast(y_pred, "float32")
