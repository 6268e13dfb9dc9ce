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


def serving_ids(vectorizer, texts, max_length: int) -> dict:
    """Compute the three encoder inputs of a batch of texts, padded to the longest text of the batch.

    Args:
        vectorizer: a `BertTextVectorization`.
        texts: string tensor `[B]`.
        max_length: the largest T. Longer texts are truncated.

    Returns:
        A dict of three int32 tensors `[B, T]`.
    """
    import tensorflow as tf

    tokens = vectorizer.tokenize(texts)  # [B, (tokens)]
    lengths = tf.cast(tokens.row_lengths(), tf.int32)  # [B]
    needed = 2 + tf.reduce_max(tf.concat([lengths, [0]], 0))  # with [CLS] and [SEP]; B may be 0
    return vectorizer.pack([tokens], tf.minimum(needed, max_length))
