"""Strings in, the three inputs of a BERT out."""

import numbers
from pathlib import Path

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.text.model_inputs import pack
from keras_bert.text.vocabulary import check_vocabulary, load_vocabulary
from keras_bert.text.wordpiece import SPECIAL_TOKENS, WordPiece


@keras.saving.register_keras_serializable(package="keras_bert")
class BertTextVectorization(keras.layers.Layer):
    """Turn texts into `input_word_ids`, `input_mask` and `input_type_ids`, exactly as the original BERT tokenizer does.

    A `keras.layers.TextVectorization` with WordPiece as its `split`. It is made of core TensorFlow operations, so that
    it works in `tf.data`, inside a model and in a SavedModel that needs no custom operation. On the JAX and PyTorch
    backends it runs eagerly, or in `tf.data`.

    Args:
        vocabulary: path of a `vocab.txt`, or its tokens in order; ids are the line numbers, from 0.
        lowercase: lower-case and strip accents: True for the uncased models, False for the cased ones.
        sequence_length: T, the length of every row; None for the longest of each batch.
        special_tokens: read `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` in a text as one token each. Leave it off
            for text that others wrote: they could put a separator into it.

    Call arguments:
        inputs: strings `[B]` (a list, an array or a tensor; `[B, 1]` does too), or a tuple `(first, second)` of them
            for pairs. One string stands for itself: the outputs are then `[T]`. Bytes that are not UTF-8 are passed
            over.

    Returns:
        A dict of three int32 tensors `[B, T]`: `input_word_ids` ([CLS] text [SEP], padded), `input_mask` (1 at tokens,
        0 at padding), `input_type_ids` (1 at the second text and its [SEP]).

    Raises:
        InputError: a vocabulary that `load_vocabulary` refuses, a `sequence_length` below 3, inputs that are no strings.

    Example:

    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", "!"]
    >>> vectorizer = BertTextVectorization(vocabulary, sequence_length=8)
    >>> inputs = vectorizer(["A fine film!", "Films"])
    >>> print(keras.ops.convert_to_numpy(inputs["input_word_ids"]))
    [[2 5 6 7 9 3 0 0]
     [2 7 8 3 0 0 0 0]]

    Source: github.com/google-research/bert, tokenization.py and run_classifier.py; the outputs are named as by
    TF-Hub's `bert_en_uncased_preprocess/3`.
    """

    def __init__(
        self,
        vocabulary: str | Path | list[str],
        lowercase: bool = True,
        sequence_length: int | None = 128,
        special_tokens: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        import tensorflow as tf

        # Texts are no numbers: Keras must pass them on as they are, and not compile them with XLA.
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self.supports_jit = False
        self.built = True

        if isinstance(vocabulary, str | Path):
            vocabulary = load_vocabulary(vocabulary)
        else:
            vocabulary = check_vocabulary(list(vocabulary), "a list of tokens")
        _check_length(sequence_length)
        self.lowercase = bool(lowercase)
        self.sequence_length = sequence_length
        self.special_tokens = bool(special_tokens)
        self._vocabulary = tuple(vocabulary)
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = map(vocabulary.index, SPECIAL_TOKENS)

        word_piece = WordPiece(vocabulary, self.lowercase, self.special_tokens)
        self._tables = word_piece.tables  # an attribute here, so that a SavedModel takes the tables along
        # TextVectorization sets '' and [UNK] before the tokens it is given: so it gets the others only, and what it
        # counts is put back to the numbers of the lines.
        others = [token for token in vocabulary if token not in ("", "[UNK]")]
        self._lookup = keras.layers.TextVectorization(
            standardize=None, split=word_piece, vocabulary=others, ragged=keras.backend.backend() == "tensorflow"
        )
        line = {token: number for number, token in enumerate(vocabulary)}
        with tf.init_scope():
            self._line = tf.constant([self.pad_id, self.unk_id] + [line[token] for token in others], tf.int32)
        self._graph = tf.function(
            self._tokenize, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )

    def call(self, inputs):
        import tensorflow as tf

        pair = isinstance(inputs, tuple)
        if pair and len(inputs) != 2:
            raise InputError(f"a tuple of texts is a pair (first, second). Received: a tuple of {len(inputs)}")
        with tf.device("CPU:0"):
            texts = [_strings(text) for text in (inputs if pair else (inputs,))]
            if pair and texts[0].shape.rank != texts[1].shape.rank:
                raise InputError(
                    f"both members of a pair need one shape. Received: {texts[0].shape} and {texts[1].shape}"
                )
            scalar = texts[0].shape.rank == 0
            segments = [self._graph(tf.reshape(text, [-1])) for text in texts]
            if pair and tf.executing_eagerly() and segments[0].nrows() != segments[1].nrows():
                raise InputError(
                    "both members of a pair need as many texts. "
                    f"Received: {int(segments[0].nrows())} and {int(segments[1].nrows())}"
                )
            packed = self.pack(segments, self.sequence_length)
            if scalar:
                packed = {name: value[0] for name, value in packed.items()}
        if keras.backend.backend() != "tensorflow" and tf.executing_eagerly():
            return {name: keras.ops.convert_to_tensor(value.numpy()) for name, value in packed.items()}
        return packed

    def tokenize(self, texts):
        """Token ids without [CLS], [SEP] and padding.

        Args:
            texts: strings `[B]`, or one string.

        Returns:
            int32 `tf.RaggedTensor` `[B, (tokens)]`; for one string a `tf.Tensor` `[tokens]`.

        Raises:
            InputError: texts that are no strings.

        Example:

        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s"]
        >>> BertTextVectorization(vocabulary).tokenize(["a film", "films"]).to_list()
        [[5, 6], [6, 7]]
        """
        import tensorflow as tf

        with tf.device("CPU:0"):
            texts = _strings(texts)
            ids = self._graph(tf.reshape(texts, [-1]))
            return ids[0] if texts.shape.rank == 0 else ids

    def pack(self, segments, sequence_length=None):
        """Put token ids between [CLS] and [SEP], cut and pad them; in TensorFlow operations.

        Args:
            segments: one or two int32 `tf.RaggedTensor`s `[B, (tokens)]`, as `tokenize` gives them.
            sequence_length: T, a number or a scalar int32 tensor; None for the longest row of the batch.

        Returns:
            The dict of three int32 `tf.Tensor`s `[B, T]` that a call returns.

        Raises:
            InputError: not one or two segments, or a length below 3.
        """
        if isinstance(sequence_length, numbers.Number):
            _check_length(sequence_length)
        return pack(segments, sequence_length, self.cls_id, self.sep_id, self.pad_id)

    def _tokenize(self, texts):
        """Ids `[B, (tokens)]` of texts `[B]`."""
        import tensorflow as tf

        numbers = self._lookup(texts)
        if not isinstance(numbers, tf.RaggedTensor):  # other backends get it padded by 0, which no token has
            numbers = tf.RaggedTensor.from_tensor(numbers, padding=0)
        return numbers.with_values(tf.gather(self._line, numbers.values))

    def get_vocabulary(self) -> list[str]:
        """The tokens in the order of their ids, as in the file."""
        return list(self._vocabulary)

    def vocabulary_size(self) -> int:
        """How many tokens (ids from 0) there are."""
        return len(self._vocabulary)

    def id_to_token(self, token_id: int) -> str:
        """The token of an id.

        Raises:
            InputError: an id that is not in the vocabulary.
        """
        if not 0 <= token_id < len(self._vocabulary):
            raise InputError(f"ids are 0 to {len(self._vocabulary) - 1}. Received: {token_id}")
        return self._vocabulary[token_id]

    def compute_output_spec(self, inputs):
        shape = tuple((inputs[0] if isinstance(inputs, tuple) else inputs).shape)
        if len(shape) == 2 and shape[1] == 1:
            shape = shape[:1]
        spec = keras.KerasTensor((*shape, self.sequence_length), dtype="int32")
        names = ("input_word_ids", "input_mask", "input_type_ids")
        return {name: keras.KerasTensor(spec.shape, dtype=spec.dtype, name=name) for name in names}

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary": self.get_vocabulary(),
            "lowercase": self.lowercase,
            "sequence_length": self.sequence_length,
            "special_tokens": self.special_tokens,
        }


def _check_length(length) -> None:
    if length is None:
        return
    if isinstance(length, bool) or not isinstance(length, int | np.integer) or length < 3:
        raise InputError(
            f"sequence_length must be None or an integer of at least 3 ([CLS], a token, [SEP]). Received: {length!r:.60}"
        )


def _strings(texts):
    """A string tensor of shape `[]` or `[B]`."""
    import tensorflow as tf

    if not tf.is_tensor(texts):
        flat = np.asarray(texts, dtype=object).reshape(-1) if not isinstance(texts, str | bytes) else [texts]
        for number, text in enumerate(flat):
            if not isinstance(text, str | bytes):
                raise InputError(f"texts must be strings. Received: {text!r:.60} at position {number}")
        try:
            texts = tf.convert_to_tensor(texts, tf.string)
        except UnicodeEncodeError as error:
            raise InputError(f"texts must be valid Unicode. Received: {error.object[error.start]!r}") from None
        except (TypeError, ValueError):
            raise InputError("texts must be one string or a list of strings. Received: lists of lists") from None
    if isinstance(texts, tf.RaggedTensor) or texts.dtype != tf.string:
        raise InputError(f"texts must be strings. Received: {type(texts).__name__} of {texts.dtype.name}")
    if texts.shape.rank == 2 and texts.shape[1] == 1:
        texts = tf.squeeze(texts, 1)
    if texts.shape.rank not in (0, 1):
        raise InputError(f"texts must be one string or a list of strings. Received: strings of shape {texts.shape}")
    return texts
