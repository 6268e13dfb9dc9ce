"""A model and its tokenizer, split at any hidden state: the encoder before it, and the logits after it."""

import numpy as np
from keras import ops

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.explain.attribution.gradients import to_array
from keras_bert.explain.texts.tokenized_text import Tokenizer
from keras_bert.models import kind_of
from keras_bert.models.cast import cast_model
from keras_bert.models.pooling import LAST_BLOCKS, pool_outputs

KINDS = ("classifier", "feature_classifier", "span_labeler", "token_classifier", "pretrainer")
TOKENS_PER_BATCH = 4096  # rows times tokens that are computed at a time


class ExplainedModel:
    """A model of one of `KINDS` whose predictions are explained.

    Layer 0 is the output of the embedding layer, after its LayerNorm; layer i is the output of block i. The functions
    call the model's own layers, so replaced sublayers take effect.

    Args:
        model: the Keras model, with the names of its classes in `labels` and with `pairs`, see `TextAttributes`.
        tokenizer: its `Tokenizer`.
    """

    def __init__(self, model, tokenizer: Tokenizer):
        self.model, self.encoder, self.kind = model, model.encoder, kind_of(model)
        self.labels, self.pairs, self.tokenizer = model.labels, model.pairs, tokenizer

    @property
    def num_layers(self) -> int:
        """L, the number of blocks."""
        return len(self.encoder.blocks)

    @property
    def last_layer(self) -> int:
        """The last layer that all logits depend on: some poolings of a `BertFeatureClassifier` read several layers."""
        pool = getattr(self.model, "pool", None) if self.kind == "feature_classifier" else None
        return self.num_layers + 1 - LAST_BLOCKS.get(pool, 1)

    def embed(self, inputs: dict):
        """Compute the output of the embedding layer, `[B, T, H]`, of the inputs of the encoder."""
        return self.encoder.embeddings(inputs["input_word_ids"], inputs["input_type_ids"], training=False)

    def states(self, x, mask, first: int = 0, last: int | None = None, offsets=None) -> list:
        """Compute the hidden states after layer `first`.

        Args:
            x: float `[B, T, H]`, the output of layer `first`.
            mask: int `[B, T]`.
            first: a layer.
            last: the last layer to compute; None for all.
            offsets: a tensor `[B, T, H]` to add to the output of each layer, or None.

        Returns:
            A list of `[B, T, H]`: the outputs of the layers `first` to `last`.
        """
        states = [x if offsets is None else x + offsets[0]]
        for number, block in enumerate(self.encoder.blocks[first:last], 1):
            x = block(states[-1], mask, training=False)
            states.append(x if offsets is None else x + offsets[number])
        return states

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
        pretrained: what `kb.load_pretrained` returns; a Keras model of this package, which has a vectorizer unless
            `vectorizer` is given; a pair of these two; or an `ExplainedModel`.
        vectorizer: the `BertTextVectorization` of a Keras model.

    Raises:
        InputError: `pretrained` is none of these, has no head or no vectorizer.
    """
    if isinstance(pretrained, ExplainedModel):
        return pretrained
    if isinstance(pretrained, tuple) and len(pretrained) == 2 and vectorizer is None:
        pretrained, vectorizer = pretrained
    model = getattr(pretrained, "model", pretrained)
    if not hasattr(model, "kind") and not hasattr(model, "encoder"):
        raise InputError(
            "`pretrained` must be a result of `kb.load_pretrained`, a model with a vectorizer, or a pair of both. "
            f"Received: {type(pretrained).__name__}"
        )
    if kind_of(model) not in KINDS:
        raise InputError(
            "`pretrained` must have a head, because a target is one of its logits. "
            f"Received: a model of kind {kind_of(model)}. Load a classifier, or fine-tune one with `kb.finetune`."
        )
    if vectorizer is None and model is pretrained:
        vectorizer = model.vectorizer
        if vectorizer is None:
            raise InputError("`vectorizer` must be given for a model that has none. Received: vectorizer=None")
    positions = model.encoder.config.max_position_embeddings
    source = pretrained if vectorizer is None else vectorizer
    vocabulary = source.vocabulary if vectorizer is None else source.get_vocabulary()
    if len(vocabulary) != model.encoder.config.vocab_size:
        raise InputError(
            f"`vectorizer` must have as many tokens as the encoder's vocab_size, {model.encoder.config.vocab_size}. "
            f"Received: {len(vocabulary)} tokens"
        )
    special = SPECIAL_TOKENS if kind_of(model) == "pretrainer" or getattr(source, "special_tokens", False) else ()
    tokenizer = Tokenizer(
        vocabulary,
        source.lowercase,
        min(source.sequence_length or positions, positions),
        [*special, *source.added_tokens],
        source.splitting,
    )
    return ExplainedModel(cast_model(model, "float32"), tokenizer)
