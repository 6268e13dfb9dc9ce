"""A model that attributions explain: the logits of its head as functions of any hidden state."""

import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.explain.attribution.gradients import to_array
from keras_bert.explain.texts.text_model import TextModel, open_model
from keras_bert.models.cast import cast_model
from keras_bert.models.pooling import LAST_BLOCKS, pool_outputs

KINDS = ("classifier", "feature_classifier", "span_labeler", "token_classifier", "pretrainer")
TOKENS_PER_BATCH = 4096  # rows times tokens that are computed at a time


class ExplainedModel(TextModel):
    """A model of one of `KINDS` whose predictions are explained."""

    @property
    def num_layers(self) -> int:
        """L, the number of blocks."""
        return len(self.encoder.blocks)

    @property
    def last_layer(self) -> int:
        """The last layer that all logits depend on: some poolings of a `BertFeatureClassifier` read several layers."""
        pool = getattr(self.model, "pool", None) if self.kind == "feature_classifier" else None
        return self.num_layers + 1 - LAST_BLOCKS.get(pool, 1)

    def logits(self, states: list, mask, position: int | None = None):
        """Compute the logits, float32 `[B, K]`.

        Args:
            states: the last hidden states, `[B, T, H]` each; the last one is the output of the last block.
            mask: int `[B, T]`.
            position: of a model with logits at each token, the token: K is then the number of classes or tags, 2 for
                the start and the end of a span, or the size of the vocabulary.
        """
        model, x = self.model, states[-1]
        if self.kind == "classifier":
            logits = model.head(model.dropout(model.pooler(x), training=False))
        elif self.kind == "feature_classifier":
            blocks = states[-self.num_layers :]  # without the output of the embedding layer
            outputs = {f"encoder_outputs_{i}": each for i, each in enumerate(blocks)} | {"sequence_output": x}
            if model.pool == "pooled":
                outputs["pooled_output"] = self.encoder.pooler(x)
            logits = model.head(pool_outputs(outputs, mask, model.pool), training=False)
        elif self.kind == "pretrainer":
            logits = model.mlm_head(x[:, position : position + 1])[:, 0]
        else:
            logits = model.head(x[:, position])
        return ops.cast(logits, "float32")

    def logits_of(self, inputs: dict, position: int | None = None) -> np.ndarray:
        """Compute the logits of rows of ids, float32 `[B, K]`, some rows at a time."""
        parts = []
        for rows in batches(*inputs["input_word_ids"].shape):
            part = {name: array[rows] for name, array in inputs.items()}
            states = self.states(self.embed(part), part["input_mask"])
            parts.append(to_array(self.logits(states, part["input_mask"], position)))
        return np.concatenate(parts)

    def all_logits(self, inputs: dict) -> np.ndarray:
        """Compute the logits at all tokens of one row, float32 `[T, K]`, of a span labeler or a token classifier."""
        states = self.states(self.embed(inputs), inputs["input_mask"])
        return to_array(self.model.head(states[-1]))[0]


def batches(rows: int, length: int) -> list[slice]:
    """Split rows of this length into batches of about `TOKENS_PER_BATCH` tokens."""
    size = max(1, TOKENS_PER_BATCH // length)
    return [slice(start, start + size) for start in range(0, rows, size)]


def open_explained(pretrained, vectorizer=None) -> ExplainedModel:
    """Return the model to explain. A model of another dtype policy is explained as its float32 copy.

    Args:
        pretrained: see `open_model`; or an `ExplainedModel`, which is returned.
        vectorizer: the `BertTextVectorization` of a Keras model.

    Raises:
        InputError: `pretrained` is none of these, has no head or no vectorizer.
    """
    if isinstance(pretrained, ExplainedModel):
        return pretrained
    opened = open_model(pretrained, vectorizer)
    if opened.kind not in KINDS:
        raise InputError(
            "`pretrained` must have a head, because a target is one of its logits. Received: a model of kind "
            f"{opened.kind or type(opened.model).__name__}. Load a classifier, or fine-tune one with `kb.finetune`."
        )
    return ExplainedModel(cast_model(opened.model, "float32"), opened.tokenizer)
