"""Strings in, the three inputs of a BERT out."""

from pathlib import Path

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.text.model_inputs import pack
from keras_bert.text.strings import string_tensor
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
        InputError: a vocabulary that `load_vocabulary` refuses, a `sequence_length` below 3, inputs that are no
            strings.

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

        # Graphs, so that a call from plain Python is as fast as one in tf.data. Their sizes are left open.
        texts = tf.TensorSpec([None], tf.string)
        self._tokenize = tf.function(self._tokenize_op, input_signature=[texts], autograph=False)
        self._encode = tf.function(self._encode_op, input_signature=[texts], autograph=False)
        self._encode_pair = tf.function(self._encode_op, input_signature=[texts, texts], autograph=False)

    def __call__(self, inputs, *args, **kwargs):
        if isinstance(inputs, list) and inputs and all(isinstance(each, keras.KerasTensor) for each in inputs):
            inputs = tuple(inputs)  # Keras reads a saved model's pair back as a list
        # Lists become tensors before Keras looks at them: it would handle every string as an input of its own.
        if isinstance(inputs, tuple):
            if len(inputs) != 2:
                raise InputError(f"a tuple of texts is a pair (first, second). Received: a tuple of {len(inputs)}")
            return super().__call__(tuple(map(string_tensor, inputs)), *args, **kwargs)
        return super().__call__(string_tensor(inputs), *args, **kwargs)

    def call(self, inputs):
        import tensorflow as tf

        with tf.device("CPU:0"):
            if isinstance(inputs, tuple):
                first, second = inputs
                if not first.shape.is_compatible_with(second.shape):
                    raise InputError(
                        f"a pair needs as many texts on both sides. Received: {first.shape}, {second.shape}"
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
            texts = string_tensor(texts)
            ids = self._tokenize(tf.reshape(texts, [-1]))
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
        import tensorflow as tf

        if not tf.is_tensor(sequence_length):
            _check_length(sequence_length)
        return pack(segments, sequence_length, self.cls_id, self.sep_id, self.pad_id)

    def _tokenize_op(self, texts):
        """Ids `[B, (tokens)]` of texts `[B]`."""
        import tensorflow as tf

        counted = self._lookup(texts)
        if not isinstance(counted, tf.RaggedTensor):  # other backends get it padded by 0, which no token has
            counted = tf.RaggedTensor.from_tensor(counted, padding=0)
        return counted.with_values(tf.gather(self._line, counted.values))

    def _encode_op(self, *texts):
        return self.pack([self._tokenize_op(text) for text in texts], self.sequence_length)

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
            f"sequence_length must be None or at least 3, for [CLS], a token and [SEP]. Received: {length!r:.60}"
        )
