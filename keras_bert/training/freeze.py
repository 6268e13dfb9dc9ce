"""Which parts of the encoder learn."""

import contextlib
from collections.abc import Iterator

from keras_bert.errors import InputError


def freeze(encoder, what: str | int) -> None:
    """Choose what of an encoder stays as it is in training. Compile the model afterwards.

    Args:
        encoder: a `BertEncoder`.
        what: `"none"`: everything learns. `"all"`: nothing does, only what stands on the encoder. A number k: the
            embeddings and the first k blocks stay.

    Raises:
        InputError: another word, or k outside 0 … L.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> freeze(encoder, 1)
    >>> encoder.embeddings.trainable, encoder.blocks[0].trainable, encoder.blocks[1].trainable
    (False, False, True)

    Source: Devlin et al. 2018, section 5.3 (the feature-based approach).
    """
    blocks = list(encoder.blocks)
    is_number = isinstance(what, int) and not isinstance(what, bool) and 0 <= what <= len(blocks)
    if what not in ("none", "all") and not is_number:
        raise InputError(f"freeze takes none, all, or 0 … {len(blocks)} blocks. Received: {what!r}")
    for part in (encoder, *encoder.parts):
        part.trainable = True  # one by one: a functional model that is True already passes nothing down
    if what == "all":
        encoder.trainable = False
    elif is_number:
        for part in (encoder.embeddings, *blocks[:what]):
            part.trainable = False


@contextlib.contextmanager
def frozen(encoder, what: str | int | None) -> Iterator[None]:
    """`freeze` for a while, or None to leave all as it is: afterwards every part learns or rests as it did before."""
    parts = list(encoder._flatten_layers())  # the encoder itself comes first
    before = [part.trainable for part in parts]
    try:
        if what is not None:
            freeze(encoder, what)
        yield
    finally:
        for part, trainable in zip(parts, before, strict=True):
            part.trainable = trainable  # a parent's setting reaches its children, which then get their own back
