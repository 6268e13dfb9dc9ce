"""A model that attributions explain: the logits of its head as functions of any hidden state."""

import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.explain.attribution.gradients import tensor_gradients, to_array
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
            parts.append(to_array(self.run(_logits, {"inputs": part, **_place(position)})))
        return np.concatenate(parts)

    def gradients(self, x: np.ndarray, target, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Compute a target and its gradient with respect to the output of layer `first`, some rows at a time.

        Args:
            x: float `[B, T, H]`, outputs of the layer, without padding.
            target: a `Target`.
            first: the layer.

        Returns:
            The values, float32 `[B]`, and the gradients, float32 `[B, T, H]`.
        """
        data = {"index": target.index, "sign": float(target.sign), **_place(target.position)}
        parts = [self.run(_gradients, {"x": x[rows], **data}, first) for rows in batches(*x.shape[:2])]
        values, gradients = zip(*parts, strict=True)
        return tuple(np.concatenate([to_array(each) for each in arrays]) for arrays in (values, gradients))

    def logits_after(self, x, mask, first: int = 0, position=None):
        """Compute the logits `[B, K]` from the output of layer `first`; see `logits` and `states`."""
        if self.kind == "feature_classifier" or first == self.num_layers:
            return self.logits(self.states(x, mask, first), mask, position)
        x = self.states(x, mask, first, self.num_layers - 1)[-1]
        # The head reads one token, [CLS] without a position, so the last block computes no other.
        positions = ops.zeros_like(mask[:, :1]) + (0 if position is None else position)  # [B, 1]
        x = self.encoder.blocks[-1](x, mask, positions, training=False)  # [B, 1, H]
        return self.logits([x], mask, 0)

    def all_logits(self, inputs: dict) -> np.ndarray:
        """Compute the logits at all tokens of one row, float32 `[T, K]`, of a span labeler or a token classifier."""
        states = self.states(self.embed(inputs), inputs["input_mask"])
        return to_array(self.model.head(states[-1]))[0]


def _logits(explained: ExplainedModel, data: dict):
    inputs = data["inputs"]
    return explained.logits_after(explained.embed(inputs), inputs["input_mask"], 0, data.get("position"))


def _gradients(explained: ExplainedModel, data: dict, first: int) -> tuple:
    def values(x):
        # A graph for arrays of any shape does not know H, and the layers need it.
        x = ops.reshape(x, (-1, ops.shape(x)[1], explained.encoder.config.hidden_size))  # [B, T, H]
        logits = explained.logits_after(x, ops.ones_like(x[..., 0], "int32"), first, data.get("position"))
        return logits[:, data["index"]] * data["sign"], []

    found, (gradients,), _ = tensor_gradients(values, [ops.convert_to_tensor(data["x"], "float32")])
    return found, gradients


def _place(position: int | None) -> dict:
    return {} if position is None else {"position": position}


def batches(rows: int, length: int) -> list[slice]:
    """Split rows of this length into batches of about `TOKENS_PER_BATCH` tokens."""
    size = max(1, TOKENS_PER_BATCH // length)
    return [slice(start, start + size) for start in range(0, rows, size)]


def open_explained(pretrained, vectorizer=None, compiled: bool = False) -> ExplainedModel:
    """Return the model to explain. A model of another dtype policy is explained as its float32 copy.

    Args:
        pretrained: see `open_model`; or an `ExplainedModel`, which is returned.
        vectorizer: the `BertTextVectorization` of a Keras model.
        compiled: see `TextModel`; that of an `ExplainedModel` is kept.

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
    return ExplainedModel(cast_model(opened.model, "float32"), opened.tokenizer, compiled)
