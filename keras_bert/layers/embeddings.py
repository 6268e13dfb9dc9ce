"""The sum of token, position and segment embeddings, the input of the first transformer block."""

import keras

from keras_bert import ops
from keras_bert.errors import InputError
from keras_bert.layers.composite import CompositeLayer
from keras_bert.layers.initializers import kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class BertEmbeddings(CompositeLayer):
    """The sum of three learned embeddings, then LayerNorm, then dropout, then in ALBERT a dense layer to H.

    The layer does not create or use a Keras mask (`supports_masking` is False). `input_mask` masks the padding in the
    attention.

    Args:
        vocab_size: V, number of token ids.
        hidden_size: H, size of the output.
        max_position_embeddings: maximum sequence length, in tokens.
        type_vocab_size: number of segment ids; with 0 there is no segment embedding and `input_type_ids` is ignored.
        dropout: dropout rate after the LayerNorm.
        initializer_range: standard deviation of the truncated normal initializer.
        layer_norm_epsilon: added to the variance in LayerNorm.
        embedding_size: E, size of the embeddings, which a dense layer then projects to H; None for embeddings of size
            H.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        input_word_ids: int `[B, T]`, ids in `[0, vocab_size)`.
        input_type_ids: int `[B, T]`, ids in `[0, type_vocab_size)`.

    Returns:
        Float `[B, T, H]`.

    Raises:
        InputError: T is above `max_position_embeddings`. In a TensorFlow graph traced with an unknown T, this is a
            `tf.errors.InvalidArgumentError` when the graph runs.

    Example:

    >>> import numpy as np
    >>> from keras_bert.layers import BertEmbeddings
    >>> ids = np.array([[2, 7, 3, 0]])
    >>> tuple(BertEmbeddings(vocab_size=10, hidden_size=8)(ids, np.zeros_like(ids)).shape)
    (1, 4, 8)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3, "Input/Output Representations", and figure 2; Lan et
    al. 2019 (arXiv:1909.11942), section 3.1, "Factorized embedding parameterization".
    """

    SUBLAYERS = ("word_embeddings", "position_embeddings", "type_embeddings", "layer_norm", "dropout", "projection")

    def __init__(
        self,
        vocab_size,
        hidden_size,
        max_position_embeddings=512,
        type_vocab_size=2,
        dropout=0.1,
        initializer_range=0.02,
        layer_norm_epsilon=1e-12,
        embedding_size=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.dropout_rate = dropout
        self.initializer_range = initializer_range
        self.layer_norm_epsilon = layer_norm_epsilon
        self.embedding_size = embedding_size

        def embedding(rows, name):
            # In the dtype of its variable: rows are cast after the lookup, which is cheaper than casting the table.
            initializer = kernel_initializer(initializer_range)
            return keras.layers.Embedding(
                rows, embedding_size or hidden_size, initializer, dtype=self.variable_dtype, name=name
            )

        self.word_embeddings = embedding(vocab_size, "word_embeddings")
        self.position_embeddings = embedding(max_position_embeddings, "position_embeddings")
        self.type_embeddings = embedding(type_vocab_size, "type_embeddings") if type_vocab_size else None
        self.layer_norm = keras.layers.LayerNormalization(
            epsilon=layer_norm_epsilon, dtype=self.dtype_policy, name="layer_norm"
        )
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")
        self.projection = None
        if embedding_size:
            initializer = kernel_initializer(initializer_range)
            self.projection = keras.layers.Dense(
                hidden_size, kernel_initializer=initializer, dtype=self.dtype_policy, name="projection"
            )

    def build(self, input_word_ids_shape, input_type_ids_shape=None):
        self.build_sublayers()

    def sublayer_shapes(self):
        ids, embedded = (None, None), (None, None, self.embedding_size or self.hidden_size)  # [B, T], [B, T, E]
        return {
            "word_embeddings": (ids,),
            "position_embeddings": (ids,),
            "type_embeddings": (ids,),
            "layer_norm": (embedded,),
            "projection": (embedded,),
        }

    def call(self, input_word_ids, input_type_ids, training=None):
        length = keras.ops.shape(input_word_ids)[1]  # int, or a tensor if TensorFlow traces an unknown T
        self._check_length(length)
        x = ops.embedding_lookup(self.word_embeddings, input_word_ids)  # [B, T, E]; E = H except in ALBERT
        x = keras.ops.cast(x, self.compute_dtype)
        if self.type_embeddings is not None:
            types = ops.embedding_lookup(self.type_embeddings, input_type_ids)  # [B, T, E]
            x = x + keras.ops.cast(types, x.dtype)
        # Positions are 0 to T - 1, so a slice is enough. A lookup past the end would give zeros on some devices.
        positions = ops.embedding_table(self.position_embeddings, length)  # [T, E]
        x = x + keras.ops.cast(positions, x.dtype)  # [B, T, E]
        x = ops.layer_norm(self.layer_norm, x, training)  # [B, T, E]
        x = self.dropout(x, training=training)  # [B, T, E]
        return x if self.projection is None else ops.dense(self.projection, x, training=training)  # [B, T, H]

    def compute_output_spec(self, input_word_ids, input_type_ids, training=None):
        # `call` is not traced here, because some backends trace an unknown T as a number that may be above the limit.
        self._check_length(input_word_ids.shape[1])
        return keras.KerasTensor((*input_word_ids.shape, self.hidden_size), dtype=self.compute_dtype)

    def _check_length(self, length):
        if isinstance(length, int) and length > self.max_position_embeddings:
            raise InputError(
                f"`input_word_ids` must have at most max_position_embeddings={self.max_position_embeddings} tokens per "
                f"sequence. Received: length={length}"
            )

    def get_config(self):
        return {
            **super().get_config(),
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "max_position_embeddings": self.max_position_embeddings,
            "type_vocab_size": self.type_vocab_size,
            "dropout": self.dropout_rate,
            "initializer_range": self.initializer_range,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "embedding_size": self.embedding_size,
        }
