"""A copy of an encoder with more token embeddings, for tokens that are added to the vocabulary."""

from keras import ops

from keras_bert.errors import InputError
from keras_bert.models.copy_weights import assign_weights


def with_more_tokens(encoder, vocab_size: int):
    """Return a copy of an encoder with `vocab_size` token embeddings; see `BertEncoder.resize_token_embeddings`."""
    size = encoder.config.vocab_size
    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int) or vocab_size < size:
        raise InputError(
            f"`vocab_size` must be an integer of at least {size}, the number of tokens of the encoder. "
            f"Received: vocab_size={vocab_size!r:.60}"
        )
    config = encoder.get_config()
    config["config"] = {**config["config"], "vocab_size": vocab_size}
    resized = type(encoder).from_config(config)
    if len(resized.weights) != len(encoder.weights):
        raise InputError(
            "`encoder` must be neither quantized nor have LoRA enabled to get more token embeddings. "
            f"Received: {len(encoder.weights)} weights, where a plain encoder has {len(resized.weights)}"
        )
    values = [
        old if old.shape == new.shape else ops.concatenate([old, new[size:]])  # the table [V, E]
        for old, new in zip(encoder.weights, resized.weights, strict=True)
    ]
    assign_weights(resized.weights, values)
    return resized
