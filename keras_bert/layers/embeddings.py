"""Token + position + segment: what enters the first transformer block."""

import keras
from keras import ops

from keras_bert import ops as fused
from keras_bert.errors import InputError
from keras_bert.layers.activation import kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class BertEmbeddings(keras.layers.Layer):
    """The sum of three learned embeddings, then LayerNorm, then dropout, then in ALBERT a dense layer to H.

    No Keras mask is made or read (`supports_masking` is False): which tokens are padding is said by `input_mask`, and
    only the attention needs to know.

    Args:
        vocab_size: V, number of token ids.
        hidden_size: H, width of the output.
        max_position_embeddings: the longest sequence there are positions for.
        type_vocab_size: how many segment ids; 0 for no segments, whatever their ids say.
        dropout: rate after the LayerNorm.
        initializer_range: standard deviation of the truncated normal the tables start from.
        layer_norm_epsilon: added to the variance in LayerNorm.
        embedding_size: E, the tables' width if it is not H: a dense layer brings the sum to H.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        input_word_ids: int `[B, T]`, ids in `[0, vocab_size)`.
        input_type_ids: int `[B, T]`, ids in `[0, type_vocab_size)`.

    Returns:
        Float `[B, T, H]`.

    Raises:
        InputError: T is above `max_position_embeddings`. Where TensorFlow traced with an unknown T, the graph refuses
            it with an `InvalidArgumentError` when it runs.

    Example:

    >>> import numpy as np
    >>> from keras_bert.layers import BertEmbeddings
    >>> ids = np.array([[2, 7, 3, 0]])
    >>> tuple(BertEmbeddings(vocab_size=10, hidden_size=8)(ids, np.zeros_like(ids)).shape)
    (1, 4, 8)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3, "Input/Output Representations", and figure 2; Lan et
    al. 2019 (arXiv:1909.11942), section 3.1, "Factorized embedding parameterization".
    """

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
        width = embedding_size or hidden_size

        def table(rows, name):
            start = kernel_initializer(initializer_range)
            # Looked up as they are stored and cast after: casting a table of V rows for a few of them would be waste.
            return _Table(rows, width, start, dtype=self.variable_dtype, name=name)

        self.word_embeddings = table(vocab_size, "word_embeddings")
        self.position_embeddings = table(max_position_embeddings, "position_embeddings")
        self.type_embeddings = table(type_vocab_size, "type_embeddings") if type_vocab_size else None
        self.layer_norm = keras.layers.LayerNormalization(
            epsilon=layer_norm_epsilon, dtype=self.dtype_policy, name="layer_norm"
        )
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")
        self.projection = None
        if embedding_size:
            start = kernel_initializer(initializer_range)
            self.projection = keras.layers.Dense(
                hidden_size, kernel_initializer=start, dtype=self.dtype_policy, name="projection"
            )

    def build(self, input_word_ids_shape, input_type_ids_shape=None):
        self.word_embeddings.build()
        self.position_embeddings.build()
        if self.type_embeddings is not None:
            self.type_embeddings.build()
        width = self.embedding_size or self.hidden_size
        self.layer_norm.build((*input_word_ids_shape, width))
        if self.projection is not None:
            self.projection.build((*input_word_ids_shape, width))

    def call(self, input_word_ids, input_type_ids, training=None):
        length = ops.shape(input_word_ids)[1]  # a number, or a tensor where TensorFlow traces an unknown T
        self._check_length(length)
        if fused.runs("embeddings", training):
            from keras_bert.ops.compiled import embeddings

            x = embeddings(self, input_word_ids, input_type_ids)  # the same, in fewer passes over memory
            return x if self.projection is None else self.projection(x)
        x = ops.cast(self.word_embeddings(input_word_ids), self.compute_dtype)  # [B, T, E], where E = H but in ALBERT
        if self.type_embeddings is not None:
            x = x + ops.cast(self.type_embeddings(input_type_ids), x.dtype)  # [B, T, E]
        # The positions are 0 … T - 1, so a slice does; a lookup would read zeros past the table's end on some devices.
        table = ops.convert_to_tensor(self.position_embeddings.embeddings)  # [max_position_embeddings, E]
        positions = ops.slice(table, (0, 0), (length, table.shape[1]))  # [T, E]
        x = x + ops.cast(positions, x.dtype)  # [B, T, E]
        x = self.dropout(self.layer_norm(x), training=training)  # [B, T, E]
        return x if self.projection is None else self.projection(x)  # [B, T, H]

    def compute_output_spec(self, input_word_ids, input_type_ids, training=None):
        # Said rather than traced: some backends trace an unknown T as some number, which may be above the limit.
        self._check_length(input_word_ids.shape[1])
        return keras.KerasTensor((*input_word_ids.shape, self.hidden_size), dtype=self.compute_dtype)

    def _check_length(self, length):
        if isinstance(length, int) and length > self.max_position_embeddings:
            raise InputError(
                f"a sequence may have at most max_position_embeddings={self.max_position_embeddings} tokens. "
                f"Received: {length}"
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


class _Table(keras.layers.Embedding):
    """An embedding that TensorFlow reads rows of; Keras would have it copy a table that is trained, for a few rows."""

    def call(self, inputs):
        if keras.backend.backend() != "tensorflow":
            return super().call(inputs)
        from keras_bert.ops.flat import lookup

        return lookup(self.embeddings, inputs)
