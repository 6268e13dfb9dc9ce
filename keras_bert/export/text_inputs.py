"""Inputs of exports that take text: check the vectorizer, and compute the ids and their length in the graph."""

from keras_bert.errors import InputError
from keras_bert.models import check_vocabulary_size


def check_vectorizer(vectorizer, encoder) -> None:
    """Check that a vectorizer has as many tokens as the encoder has token embeddings.

    Raises:
        InputError: it has another number of tokens, or is not a `BertTextVectorization`.
    """
    from keras_bert.text.vectorization import BertTextVectorization

    if not isinstance(vectorizer, BertTextVectorization):
        raise InputError(f"`vectorizer` must be a BertTextVectorization. Received: {type(vectorizer).__name__}")
    check_vocabulary_size(encoder, vectorizer)


def max_sequence_length(vectorizer, encoder) -> int:
    """Return the largest T of an export: the encoder's positions, or the vectorizer's length if that is smaller."""
    positions = encoder.config.max_position_embeddings
    return min(positions, vectorizer.sequence_length or positions)


def check_max_text_length(max_text_length) -> None:
    """Raise InputError if the limit is neither None nor a positive integer."""
    if max_text_length is None:
        return
    if isinstance(max_text_length, bool) or not isinstance(max_text_length, int) or max_text_length < 1:
        raise InputError(
            f"`max_text_length` must be None or a positive integer. Received: max_text_length={max_text_length!r:.60}"
        )


def tokenize(vectorizer, texts, max_text_length: int | None = None):
    """Compute the token ids of texts in the graph.

    Args:
        vectorizer: a `BertTextVectorization`.
        texts: string tensor of any shape with N texts.
        max_text_length: number of characters after which each text is cut. None uses the whole texts.

    Returns:
        int32 `RaggedTensor` `[N, (tokens)]`.
    """
    import tensorflow as tf

    # A caller may pass a scalar where a signature has a vector. TensorFlow would remove the reshape, which the declared
    # shape makes redundant, so the shape is hidden.
    texts = tf.reshape(tf.raw_ops.PlaceholderWithDefault(input=texts, shape=tf.TensorShape(None)), [-1])  # [N]
    if max_text_length is not None:
        texts = tf.strings.substr(texts, 0, max_text_length, unit="UTF8_CHAR")
    return vectorizer.tokenize(texts)


def serving_ids(vectorizer, texts, max_length: int, max_text_length: int | None = None) -> dict:
    """Compute the three encoder inputs of a batch of texts, padded to the longest text of the batch.

    Args:
        vectorizer: a `BertTextVectorization`.
        texts: string tensor `[B]`.
        max_length: the largest T. Longer texts are truncated.
        max_text_length: see `tokenize`.

    Returns:
        A dict of three int32 tensors `[B, T]`.
    """
    import tensorflow as tf

    tokens = tokenize(vectorizer, texts, max_text_length)  # [B, (tokens)]
    lengths = tf.cast(tokens.row_lengths(), tf.int32)  # [B]
    needed = 2 + tf.reduce_max(tf.concat([lengths, [0]], 0))  # with [CLS] and [SEP]; B may be 0
    return vectorizer.pack([tokens], tf.minimum(needed, max_length))
