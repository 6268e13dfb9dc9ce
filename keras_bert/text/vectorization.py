"""The text vectorization layer: strings to the three model inputs."""

import functools
from pathlib import Path

import keras
import numpy as np

from keras_bert import keras_internals
from keras_bert.constants import INPUT_KEYS, SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.text.model_inputs import pack
from keras_bert.text.strings import string_tensor
from keras_bert.text.vocabulary import check_vocabulary, load_vocabulary
from keras_bert.text.wordpiece import WordPiece


@keras.saving.register_keras_serializable(package="keras_bert")
class BertTextVectorization(keras.layers.Layer):
    """Layer that maps texts to `input_word_ids`, `input_mask` and `input_type_ids`.

    The token ids equal those of the original BERT tokenizer on every string. The layer is a
    `keras.layers.TextVectorization` with WordPiece as its `split` function. It consists of core TensorFlow operations,
    so it works in `tf.data`, inside a model, and in a SavedModel without custom operations. On the JAX and PyTorch
    backends, it runs eagerly or in `tf.data`.

    Args:
        vocabulary: str, path or list of str. The path of a `vocab.txt` file with one token per line, or the list of its
            V tokens. The id of a token is its line number, from 0.
        lowercase: bool. Lowercase the text and strip accents: True for the uncased models, False for the cased ones.
            Defaults to `True`.
        sequence_length: int or None. T, the length of every row; longer texts are truncated, shorter ones are padded
            with [PAD]. None pads to the longest row of each batch. Defaults to `128`.
        special_tokens: bool. Parse `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` in a text as special tokens. Use
            False for untrusted text, which could otherwise insert a separator. Defaults to `False`.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.

    Call arguments:
        inputs: strings `[B]` or `[B, 1]` (a list, a NumPy array or a tensor), or a tuple `(first, second)` of them for
            pairs of texts. One string gives outputs of shape `[T]`. Bytes that are not UTF-8 are ignored.

    Returns:
        A dict of three int32 tensors `[B, T]`:
        - `input_word_ids`: token ids of `[CLS] text [SEP]`, or of `[CLS] first [SEP] second [SEP]`, padded;
        - `input_mask`: 1 for tokens, 0 for padding;
        - `input_type_ids`: 1 for the second text and its [SEP], otherwise 0.

    Raises:
        InputError: the vocabulary is not valid (see `load_vocabulary`), `sequence_length` is below 3, or `inputs` are
            not strings.

    Example:

    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", "!"]
    >>> vectorizer = BertTextVectorization(vocabulary, sequence_length=8)
    >>> inputs = vectorizer(["A fine film!", "Films"])
    >>> print(keras.ops.convert_to_numpy(inputs["input_word_ids"]))
    [[2 5 6 7 9 3 0 0]
     [2 7 8 3 0 0 0 0]]

    Source: github.com/google-research/bert, tokenization.py and run_classifier.py; the output names are those
    of TF-Hub's `bert_en_uncased_preprocess/3`.
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
        tf = require_tensorflow("the tokenization of texts")
        keras_internals.keep_inputs(self)  # Keras must not convert strings to numbers,
        self.supports_jit = False  # nor compile them with XLA
        self.built = True

        if isinstance(vocabulary, str | Path):
            vocabulary = load_vocabulary(vocabulary)
        else:
            vocabulary = check_vocabulary(list(vocabulary))
        _check_length(sequence_length)
        self.lowercase = bool(lowercase)
        self.sequence_length = sequence_length
        self.special_tokens = bool(special_tokens)
        self._vocabulary = tuple(vocabulary)
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = map(vocabulary.index, SPECIAL_TOKENS)

        word_piece = WordPiece(vocabulary, self.lowercase, self.special_tokens)
        self._tables = word_piece.tables  # tracked as an attribute, so that a SavedModel includes the tables
        # TextVectorization puts '' and [UNK] before the given tokens. So it gets the other tokens only, and one gather
        # maps its ids back to line numbers.
        others = [token for token in vocabulary if token not in ("", "[UNK]")]
        self._lookup = keras.layers.TextVectorization(
            standardize=None, split=word_piece, vocabulary=others, ragged=keras.backend.backend() == "tensorflow"
        )
        line = {token: number for number, token in enumerate(vocabulary)}
        with tf.init_scope():
            self._line = tf.constant([self.pad_id, self.unk_id] + [line[token] for token in others], tf.int32)

        # Compiled once for every batch size, so that a call from Python is as fast as one in tf.data. Partials, because
        # TensorFlow counts the tracings of a method over all instances, and would warn at the fifth vectorizer.
        texts, encode = tf.TensorSpec([None], tf.string), functools.partial(self._encode_op)
        self._tokenize = tf.function(functools.partial(self._tokenize_op), input_signature=[texts], autograph=False)
        self._encode = tf.function(encode, input_signature=[texts], autograph=False)
        self._encode_pair = tf.function(encode, input_signature=[texts, texts], autograph=False)

    def __call__(self, inputs, *args, **kwargs):
        if isinstance(inputs, list) and inputs and all(isinstance(each, keras.KerasTensor) for each in inputs):
            inputs = tuple(inputs)  # Keras loads a saved pair of inputs as a list
        # Convert lists to tensors first: Keras would treat every string of a list as a separate input.
        if isinstance(inputs, tuple):
            if len(inputs) != 2:
                raise InputError(
                    f"`inputs` must be texts or a tuple (first, second). Received: a tuple of {len(inputs)} elements"
                )
            return super().__call__(tuple(map(string_tensor, inputs)), *args, **kwargs)
        return super().__call__(string_tensor(inputs), *args, **kwargs)

    def call(self, inputs):
        import tensorflow as tf

        with tf.device("CPU:0"):
            if isinstance(inputs, tuple):
                first, second = inputs
                if not first.shape.is_compatible_with(second.shape):
                    raise InputError(
                        "`inputs` must have the same number of first and second texts. "
                        f"Received: shapes {first.shape} and {second.shape}"
                    )
                packed = self._encode_pair(tf.reshape(first, [-1]), tf.reshape(second, [-1]))
            else:
                first = inputs
                packed = self._encode(tf.reshape(first, [-1]))
            if first.shape.rank == 0:
                packed = {name: value[0] for name, value in packed.items()}
        if keras.backend.backend() != "tensorflow" and tf.executing_eagerly():
            return {name: keras.ops.convert_to_tensor(value.numpy()) for name, value in packed.items()}
        return packed

    def tokenize(self, texts):
        """Compute token ids without [CLS], [SEP] and padding.

        Args:
            texts: strings `[B]`, or one string.

        Returns:
            int32 `tf.RaggedTensor` `[B, (tokens)]`; for one string a `tf.Tensor` `[tokens]`.

        Raises:
            InputError: `texts` are not strings.

        Example:

        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s"]
        >>> BertTextVectorization(vocabulary).tokenize(["a film", "films"]).to_list()
        [[5, 6], [6, 7]]
        """
        import tensorflow as tf

        with tf.device("CPU:0"):
            texts = string_tensor(texts)
            ids = self._tokenize(tf.reshape(texts, [-1]))
            return ids[0] if texts.shape.rank == 0 else ids

    def pack(self, segments, sequence_length=None):
        """Add [CLS] and [SEP] to token ids, truncate and pad them, with TensorFlow operations.

        Args:
            segments: one or two int32 `tf.RaggedTensor`s `[B, (tokens)]`, the results of `tokenize`.
            sequence_length: T, an int or a scalar int32 tensor; None for the longest row of the batch.

        Returns:
            A dict of three int32 `tf.Tensor`s `[B, T]`, as for a call.

        Raises:
            InputError: there are not one or two segments, or the length is below 3.
        """
        import tensorflow as tf

        if not tf.is_tensor(sequence_length):
            _check_length(sequence_length)
        return pack(segments, sequence_length, self.cls_id, self.sep_id, self.pad_id)

    def _tokenize_op(self, texts):
        """Compute the ids `[B, (tokens)]` of texts `[B]`."""
        import tensorflow as tf

        ids = self._lookup(texts)  # [B, (tokens)]
        if not isinstance(ids, tf.RaggedTensor):  # on other backends it is padded with 0, which is the id of no token
            ids = tf.RaggedTensor.from_tensor(ids, padding=0)
        return ids.with_values(tf.gather(self._line, ids.values))

    def _encode_op(self, *texts):
        return self.pack([self._tokenize_op(text) for text in texts], self.sequence_length)

    def get_vocabulary(self) -> list[str]:
        """Return the tokens in the order of their ids."""
        return list(self._vocabulary)

    def vocabulary_size(self) -> int:
        """Return V, the number of tokens."""
        return len(self._vocabulary)

    def id_to_token(self, token_id: int) -> str:
        """Return the token of an id.

        Args:
            token_id: an integer in 0 … V - 1.

        Returns:
            The token.

        Raises:
            InputError: the id is not in the vocabulary.
        """
        if not 0 <= token_id < len(self._vocabulary):
            raise InputError(f"`token_id` must be in 0 … {len(self._vocabulary) - 1}. Received: token_id={token_id}")
        return self._vocabulary[token_id]

    def compute_output_spec(self, inputs):
        shape = tuple((inputs[0] if isinstance(inputs, tuple) else inputs).shape)
        if len(shape) == 2 and shape[1] == 1:
            shape = shape[:1]
        spec = keras.KerasTensor((*shape, self.sequence_length), dtype="int32")
        return {name: keras.KerasTensor(spec.shape, dtype=spec.dtype, name=name) for name in INPUT_KEYS}

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
            "`sequence_length` must be None or at least 3, for [CLS], one token and [SEP]. "
            f"Received: sequence_length={length!r:.60}"
        )
