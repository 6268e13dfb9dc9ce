"""A model with its tokenizer, and the hidden states of its encoder."""

import functools
from collections.abc import Callable

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.explain.texts.tokenized_text import TokenizedText, Tokenizer
from keras_bert.models import check_vocabulary_size
from keras_bert.models.encoder_of import encoder_of
from keras_bert.ops import any_shape
from keras_bert.tasks import Preprocessor
from keras_bert.weights import Pretrained


class TextModel:
    """A model and its tokenizer, for functions that explain what the model computes for a text.

    Layer 0 is the output of the embedding layer, after its LayerNorm; layer i is the output of block i. The functions
    call the model's own layers, so replaced sublayers take effect.

    Args:
        model: a model of this package, or a functional model on a `BertEncoder`.
        tokenizer: its `Tokenizer`.
        compiled: on TensorFlow, compute what passes through `run` in graphs, which are traced once, for texts of all
            lengths. Tracing takes seconds, so it is for many texts. Other backends ignore it.

    Attributes:
        encoder: the `BertEncoder`.
        kind: the kind of the model, such as `"classifier"`; None of a functional model of the user.
        labels: names of the classes, or None.
        graphs: the graphs that were traced.
    """

    def __init__(self, model, tokenizer: Tokenizer, compiled: bool = False):
        self.compiled, self.graphs = compiled, {}
        self.model, self.tokenizer, self.encoder = model, tokenizer, encoder_of(model)
        self.kind, self.labels = getattr(model, "kind", None), getattr(model, "labels", None)

    def tokenize(self, texts: list, name: str = "text", **options) -> list[TokenizedText]:
        """Tokenize a list of texts or pairs; the options are those of `Tokenizer.__call__`.

        Raises:
            InputError: see `Tokenizer`; of several texts, the message says which one it is.
        """
        found = []
        for number, text in enumerate(texts, 1):
            try:
                found.append(self.tokenizer(text, name, **options))
            except InputError as error:
                if len(texts) == 1:
                    raise
                raise InputError(f"{str(error).removesuffix('.')}. This is text {number} of {len(texts)}.") from None
        return found

    def run(self, function: Callable, data: dict, *settings):
        """Compute `function(self, data, *settings)`, in a graph if this model is compiled.

        Args:
            function: a function of a module, which is traced once for the same settings.
            data: a dict of arrays, numbers and dicts of them, which become tensors.
            settings: what a graph is traced for, such as the number of a layer.
        """
        if not self.compiled:
            return function(self, data, *settings)
        if (function, settings) not in self.graphs:
            # Not a lambda: TensorFlow counts the traces of a line of code, and would warn after five models.
            self.graphs[function, settings] = any_shape(functools.partial(_call, function, self, settings))
        return self.graphs[function, settings](data)

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


def _call(function: Callable, opened: TextModel, settings: tuple, data: dict):
    return function(opened, data, *settings)


def open_model(
    pretrained, vectorizer=None, special_tokens: tuple[str, ...] | None = None, compiled: bool = False
) -> TextModel:
    """Return a model with the tokenizer of its texts.

    Args:
        pretrained: what `kb.load_pretrained` returns; a model with a vectorizer; a tuple of a model and its
            `BertTextVectorization`; or a `TextModel`, which is returned.
        vectorizer: the `BertTextVectorization` of a model, in place of its own.
        special_tokens: the special tokens that stay whole in a text, such as `[MASK]`. Default: all for a pretrainer,
            as in `kb.fill_mask`, and otherwise those that the vectorizer keeps whole.
        compiled: see `TextModel`; that of a `TextModel` is kept.

    Raises:
        InputError: `pretrained` is none of these, has no vectorizer, or one with another number of tokens.
    """
    if isinstance(pretrained, TextModel):
        return pretrained
    model, source = _model_and_source(pretrained, vectorizer)
    encoder, is_loaded = encoder_of(model), isinstance(source, Pretrained)
    vocabulary = source.vocabulary if is_loaded else source.get_vocabulary()
    check_vocabulary_size(encoder, len(vocabulary))
    if special_tokens is None:
        keeps = getattr(model, "kind", None) == "pretrainer" or (not is_loaded and source.special_tokens)
        special_tokens = SPECIAL_TOKENS if keeps else ()
    positions = encoder.config.max_position_embeddings
    length = min(source.sequence_length or positions, positions)
    whole_tokens = [*special_tokens, *source.added_tokens]
    return TextModel(model, Tokenizer(vocabulary, source.lowercase, length, whole_tokens, source.splitting), compiled)


def open_preprocessor(pretrained) -> tuple:
    """Return a model and its `Preprocessor`, which makes batches of ids; see `open_model` for `pretrained`."""
    model, source = _model_and_source(pretrained)
    if isinstance(source, Pretrained):
        return model, Preprocessor.from_pretrained(source)
    return model, Preprocessor.from_vectorizer(source, encoder_of(model))


def _model_and_source(pretrained, vectorizer=None) -> tuple:
    """Return the model, and what has the settings of its tokenizer: a `Pretrained` or a `BertTextVectorization`."""
    if isinstance(pretrained, Pretrained):
        return pretrained.model, pretrained if vectorizer is None else vectorizer
    if isinstance(pretrained, tuple) and len(pretrained) == 2 and vectorizer is None:
        pretrained, vectorizer = pretrained
    if not hasattr(pretrained, "layers"):
        raise InputError(
            "`pretrained` must be a result of `kb.load_pretrained`, a model with a vectorizer, or a tuple of a model "
            f"and its BertTextVectorization. Received: {pretrained!r:.60}"
        )
    if vectorizer is None:
        vectorizer = encoder_of(pretrained).vectorizer
    if vectorizer is None:
        raise InputError(
            f"`pretrained` must have a vectorizer. Received: a {type(pretrained).__name__} without one. Pass a tuple "
            "of the model and its BertTextVectorization."
        )
    if not hasattr(vectorizer, "get_vocabulary"):
        raise InputError(f"`vectorizer` must be a BertTextVectorization. Received: {type(vectorizer).__name__}")
    return pretrained, vectorizer
