"""The compiled functions of a vectorizer, for one vocabulary: texts to token ids, and texts to the model inputs."""

import functools

import keras

from keras_bert.text.model_inputs import pack
from keras_bert.text.splitting import ORIGINAL, Splitting
from keras_bert.text.wordpiece import WordPiece


class TokenGraph:
    """TensorFlow functions that tokenize and pack texts.

    Args:
        vocabulary: the tokens in the order of their ids.
        lowercase: lowercase the texts and strip accents.
        whole_tokens: the tokens of the vocabulary that a text contains as they are, such as `[MASK]`.
        sequence_length: T of `encode`; None for the longest row of the batch.
        splitting: the settings that differ from those of the original code.

    Attributes:
        lookup: the `keras.layers.TextVectorization`.
        tables: dict of the hash tables. A SavedModel finds these two only as attributes of a layer.
        tokenize: function of strings `[B]`; returns ids `[B, (tokens)]`.
    """

    def __init__(
        self,
        vocabulary: list[str],
        lowercase: bool,
        whole_tokens: list[str],
        sequence_length: int | None,
        splitting: Splitting = ORIGINAL,
    ):
        import tensorflow as tf

        ids = {token: number for number, token in enumerate(vocabulary)}
        self.special_ids = ids["[CLS]"], ids["[SEP]"], ids["[PAD]"]
        word_piece = WordPiece(vocabulary, lowercase, whole_tokens, splitting)
        self.tables = word_piece.tables
        # TextVectorization puts '' and [UNK] before the given tokens. So it gets the other tokens only, and one gather
        # maps its ids back to line numbers.
        others = [token for token in vocabulary if token not in ("", "[UNK]")]
        self.lookup = keras.layers.TextVectorization(
            standardize=None, split=word_piece, vocabulary=others, ragged=keras.backend.backend() == "tensorflow"
        )
        with tf.init_scope():
            self._line = tf.constant([ids["[PAD]"], ids["[UNK]"]] + [ids[token] for token in others], tf.int32)

        # Compiled once for every batch size, so that a call from Python is as fast as one in tf.data. Partials, because
        # TensorFlow counts the tracings of a method over all instances, and would warn at the fifth vectorizer.
        def compiled(method, *signature, **settings):
            return tf.function(functools.partial(method, **settings), input_signature=signature, autograph=False)

        texts, length = tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int32)
        self.tokenize = compiled(self._tokenize, texts)
        self._encode = [compiled(self._pack, *[texts] * n, sequence_length=sequence_length) for n in (1, 2)]
        self._encode_to = [compiled(self._pack_to, length, *[texts] * n) for n in (1, 2)]

    def encode(self, *texts):
        """Compute the dict of model inputs, int32 `[B, T]`, of one or two tensors of strings `[B]`."""
        return self._encode[len(texts) - 1](*texts)

    def encode_to(self, sequence_length: int, *texts):
        """Compute the model inputs for another T. All lengths share one graph per number of texts."""
        import tensorflow as tf

        packed = self._encode_to[len(texts) - 1](tf.constant(sequence_length, tf.int32), *texts)
        return {name: tf.ensure_shape(value, [None, sequence_length]) for name, value in packed.items()}

    def _tokenize(self, texts):
        import tensorflow as tf

        ids = self.lookup(texts)  # [B, (tokens)]
        if not isinstance(ids, tf.RaggedTensor):  # on other backends it is padded with 0, which is the id of no token
            ids = tf.RaggedTensor.from_tensor(ids, padding=0)
        return ids.with_values(tf.gather(self._line, ids.values))

    def _pack(self, *texts, sequence_length):
        return pack([self._tokenize(text) for text in texts], sequence_length, *self.special_ids)

    def _pack_to(self, sequence_length, *texts):
        return self._pack(*texts, sequence_length=sequence_length)
