"""Losses between the hidden states, the self-attention relations and the pooled outputs of two encoders."""

import keras
from keras import ops

from keras_bert.errors import InputError
from keras_bert.models import BertPretrainer
from keras_bert.ops import cross_entropy

HIDDEN, RELATIONS, POOLED, MASKED = "hidden", "relations", "pooled", "masked"


def encoder_distillation_model(teacher, student, loss_weights: dict[str, float], relation_heads: int) -> keras.Model:
    """Build a model that computes the losses of a student and its frozen teacher on aligned rows.

    The states of the tokens of a word are averaged, so that both models have one state per word.

    - hidden: the squared error between the last hidden states, mean over the units. If the widths differ, a dense layer
      first maps the student's states to the teacher's width.
    - relations: the Kullback-Leibler divergence between the relations of teacher and student: softmax of the scaled
      dot products of the queries of all words, of their keys, and of their values, in the last layer. Queries, keys and
      values are concatenated over the attention heads and split into `relation_heads`, so that the numbers of heads
      and the widths may differ.
    - pooled: the squared error between the pooled outputs, mean over the units, for models of one width with a pooler.
    - masked: the cross-entropy of masked LM, for a student with a masked-LM head.

    Args:
        teacher: a `BertEncoder`.
        student: a `BertEncoder`, or a `BertPretrainer` without sentence task.
        loss_weights: factors by name; losses that are not named are left out.
        relation_heads: number of relation heads.

    Returns:
        A model of the inputs of `AlignedBatches`. Its outputs are a dict of the weighted losses, float32: `hidden` and
        `relations` `[B, W]`, `pooled` `[B, 1]`, `masked` `[B, P]`. Only the student's weights and the dense layer are
        its weights.

    Raises:
        InputError: a loss is unknown, `masked` is given for a student without a masked-LM head, `pooled` for models
            without a pooler or of different widths, or a width is not a multiple of `relation_heads`.

    Source: Wang et al. 2020 (arXiv:2012.15828), section 3.2, for the relations; Jiao et al. 2019 (arXiv:1909.10351),
    equation 8, for the hidden states.
    """
    encoder = student.encoder if isinstance(student, BertPretrainer) else student
    _check(teacher, encoder, student, loss_weights, relation_heads)
    ids = encoder.input
    inputs = {
        **ids,
        **{name: keras.Input((None,), dtype="int32", name=name) for name in _OTHER_INPUTS},
    }
    student_states = _states(encoder, ids, RELATIONS in loss_weights)  # [B, T, H] each
    teacher_states = _FrozenStates(teacher, RELATIONS in loss_weights, name="teacher")(
        inputs["teacher_word_ids"], inputs["teacher_words"]
    )
    words, teacher_words = inputs["student_words"], inputs["teacher_words"]  # [B, T]
    outputs = {}
    if HIDDEN in loss_weights:
        states = student_states["last"]  # [B, T, H]
        if encoder.config.hidden_size != teacher.config.hidden_size:
            states = keras.layers.Dense(teacher.config.hidden_size, dtype="float32", name="width")(states)
        outputs[HIDDEN] = _HiddenLoss(loss_weights[HIDDEN], name="hidden_loss")(
            states, words, teacher_states["last"], teacher_words
        )
    if RELATIONS in loss_weights:
        outputs[RELATIONS] = _RelationLoss(loss_weights[RELATIONS], relation_heads, name="relation_loss")(
            [student_states[name] for name in _PROJECTIONS],
            words,
            [teacher_states[name] for name in _PROJECTIONS],
            teacher_words,
        )
    if POOLED in loss_weights:
        outputs[POOLED] = _PooledLoss(loss_weights[POOLED], name="pooled_loss")(
            student_states["pooled"], teacher_states["pooled"]
        )
    if MASKED in loss_weights:
        for name in ("masked_lm_positions", "masked_lm_ids"):
            inputs[name] = keras.Input((None,), dtype="int32", name=name)  # [B, P]
        logits = student.mlm_head(student_states["last"], inputs["masked_lm_positions"])  # [B, P, V]
        outputs[MASKED] = _MaskedLoss(loss_weights[MASKED], name="masked_loss")(inputs["masked_lm_ids"], logits)
    return keras.Model(inputs, outputs)


_OTHER_INPUTS = ("student_words", "teacher_word_ids", "teacher_words")
_PROJECTIONS = ("query", "key", "value")


def _states(encoder, ids, with_projections: bool, **call) -> dict:
    """Return the last hidden states and, if asked for, queries, keys and values of the last layer, `[B, T, H]` each.

    If the encoder has a pooler, its output `[B, H]` is returned too.
    """
    outputs = encoder(ids, **call)
    states = {"last": outputs["sequence_output"]}  # [B, T, H]
    if encoder.pooler is not None:
        states["pooled"] = outputs["pooled_output"]  # [B, H]
    if with_projections:
        count = encoder.config.num_layers
        below = outputs[f"encoder_outputs_{count - 2}"] if count > 1 else _embeddings(encoder, ids, **call)  # [B, T, H]
        attention = encoder.blocks[-1].attention
        for name in _PROJECTIONS:
            heads = getattr(attention, f"{name}_dense")(below)  # [B, T, A, D]
            states[name] = keras.layers.Reshape((-1, encoder.config.hidden_size))(heads)  # [B, T, H]
    return states


def _embeddings(encoder, ids, **call):
    return encoder.embeddings(ids["input_word_ids"], ids.get("input_type_ids"), **call)


class _FrozenStates(keras.layers.Layer):
    """A layer that runs the teacher without dropout and without gradients."""

    def __init__(self, teacher, with_projections: bool, **kwargs):
        super().__init__(**kwargs)
        # Keras does not track what a function returns: the teacher's weights are neither trained nor saved.
        self.get_teacher = lambda: teacher
        self.with_projections = with_projections
        self.built = True

    def call(self, word_ids, words):
        teacher = self.get_teacher()
        ids = {"input_word_ids": word_ids, "input_mask": ops.cast(words >= 0, "int32")}
        if teacher.config.type_vocab_size:
            ids["input_type_ids"] = ops.zeros_like(word_ids)
        states = _states(teacher, ids, self.with_projections, training=False)
        return {name: ops.stop_gradient(state) for name, state in states.items()}

    def compute_output_spec(self, word_ids, words):
        teacher = self.get_teacher()
        batch, width = word_ids.shape[0], teacher.config.hidden_size
        shapes = {"last": (*word_ids.shape, width)}  # [B, T, H]
        if self.with_projections:
            shapes |= {name: shapes["last"] for name in _PROJECTIONS}
        if teacher.pooler is not None:
            shapes["pooled"] = (batch, width)  # [B, H]
        return {name: keras.KerasTensor(shape, dtype=self.compute_dtype) for name, shape in shapes.items()}


class _WordLoss(keras.layers.Layer):
    """Base class of the losses with one float32 value per word, multiplied by a weight."""

    def __init__(self, weight: float, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.weight = weight
        self.built = True


class _HiddenLoss(_WordLoss):
    def call(self, states, words, teacher_states, teacher_words):
        difference = word_means(states, words) - word_means(teacher_states, teacher_words)  # [B, W, H]
        return self.weight * ops.mean(difference**2, -1)  # [B, W]


class _PooledLoss(_WordLoss):
    def call(self, pooled, teacher_pooled):
        difference = ops.cast(pooled, "float32") - ops.cast(teacher_pooled, "float32")  # [B, H]
        return self.weight * ops.mean(difference**2, -1, keepdims=True)  # [B, 1]


class _RelationLoss(_WordLoss):
    def __init__(self, weight: float, heads: int, **kwargs):
        super().__init__(weight, **kwargs)
        self.heads = heads

    def call(self, vectors, words, teacher_vectors, teacher_words):
        losses = []
        for student, teacher in zip(vectors, teacher_vectors, strict=True):
            student, teacher = self._log_relations(student, words), self._log_relations(teacher, teacher_words)
            divergence = ops.sum(ops.exp(teacher) * (teacher - student), -1)  # [B, Ar, W]
            losses.append(ops.mean(divergence, 1))  # [B, W]
        return self.weight * sum(losses) / len(losses)

    def _log_relations(self, vectors, words):
        """Return the logarithm of the relations of all words, `[B, Ar, W, W]`."""
        means = word_means(vectors, words)  # [B, W, H]
        size = means.shape[-1] // self.heads
        heads = ops.reshape(means, (-1, ops.shape(means)[1], self.heads, size))  # [B, W, Ar, D]
        heads = ops.transpose(heads, (0, 2, 1, 3))  # [B, Ar, W, D]
        scores = ops.matmul(heads, ops.transpose(heads, (0, 1, 3, 2))) / size**0.5  # [B, Ar, W, W]
        in_row = ops.arange(ops.shape(words)[1])[None] <= ops.max(words, -1, keepdims=True)  # [B, W]
        return ops.log_softmax(ops.where(in_row[:, None, None], scores, -1e9))


class _MaskedLoss(_WordLoss):
    def call(self, labels, logits):
        return self.weight * cross_entropy(labels, logits)  # [B, P]


def word_means(states, words):
    """Average the states of the tokens of each word.

    Args:
        states: float `[B, T, H]`.
        words: int `[B, T]`, the index of each token's word; -1 for padding.

    Returns:
        Float32 `[B, W, H]` with W = T; 0 where there is no word.

    Example:

    >>> import numpy as np
    >>> means = word_means(np.array([[[1.0], [2.0], [4.0], [9.0]]]), np.array([[0, 1, 1, -1]]))
    >>> ops.convert_to_numpy(means)[0, :, 0].tolist()
    [1.0, 3.0, 0.0, 0.0]
    """
    index = ops.arange(ops.shape(words)[1], dtype=words.dtype)  # [W]
    belongs = ops.cast(words[:, None, :] == index[None, :, None], "float32")  # [B, W, T]
    sums = ops.matmul(belongs, ops.cast(states, "float32"))  # [B, W, H]
    return sums / ops.maximum(ops.sum(belongs, -1, keepdims=True), 1.0)


def _check(teacher, encoder, student, loss_weights: dict, relation_heads: int) -> None:
    unknown = set(loss_weights) - {HIDDEN, RELATIONS, POOLED, MASKED}
    if unknown or not loss_weights:
        raise InputError(
            f"`loss_weights` must have names in {HIDDEN}, {RELATIONS}, {MASKED}. Received: {sorted(loss_weights)}"
        )
    if MASKED in loss_weights and not isinstance(student, BertPretrainer):
        raise InputError(
            f"`student` must be a BertPretrainer for the loss {MASKED}. Received: {type(student).__name__}"
        )
    if POOLED in loss_weights:
        widths = [each.pooler and each.config.hidden_size for each in (teacher, encoder)]
        if None in widths or widths[0] != widths[1]:
            raise InputError(
                "`teacher` and `student` must have a pooler and the same hidden size for the loss pooled. "
                f"Received: {widths[0] or 'no pooler'} and {widths[1] or 'no pooler'}"
            )
    for name, each in (("teacher", teacher), ("student", encoder)) if RELATIONS in loss_weights else ():
        if each.config.hidden_size % relation_heads:
            raise InputError(
                f"`relation_heads` must divide the hidden size of the {name}, {each.config.hidden_size}. "
                f"Received: relation_heads={relation_heads}"
            )
