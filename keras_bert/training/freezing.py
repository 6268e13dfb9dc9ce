"""Functions that set which layers of an encoder are trained."""

import contextlib
from collections.abc import Iterator

from keras_bert import keras_internals
from keras_bert.errors import InputError
from keras_bert.layers.lora import has_lora
from keras_bert.models.lora import freeze_all_but_lora
from keras_bert.training.config import is_integer


def freeze(encoder, layers: str | int) -> None:
    """Set which layers of an encoder are not trained. Compile the model afterwards.

    Args:
        encoder: a `BertEncoder`.
        layers: `"none"`, `"all"`, or an integer k for the embeddings and the first k blocks. With LoRA, only its
            weights are trained in the other layers.

    Raises:
        InputError: `layers` is another value, or k is outside 0 … L.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> freeze(encoder, 1)
    >>> encoder.embeddings.trainable, encoder.blocks[0].trainable, encoder.blocks[1].trainable
    (False, False, True)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3 (the feature-based approach).
    """
    blocks = list(encoder.blocks)
    if layers not in ("none", "all") and not (is_integer(layers) and 0 <= layers <= len(blocks)):
        raise InputError(
            f'`freeze` must be "none", "all" or an integer in 0 … {len(blocks)}. Received: freeze={layers!r}'
        )
    for part in (encoder, *encoder.parts):
        part.trainable = True  # on each part too: a model that is already trainable does not set its layers
    if layers == "all":
        encoder.trainable = False
    else:
        if has_lora(encoder):  # its own weights are trained, not those that it is added to
            freeze_all_but_lora(encoder)
        for part in (encoder.embeddings, *blocks[:layers]) if layers != "none" else ():
            part.trainable = False


@contextlib.contextmanager
def frozen(encoder, layers: str | int | None) -> Iterator[None]:
    """Apply `freeze` within a `with` block and restore every layer's `trainable` afterwards.

    Args:
        encoder: a `BertEncoder`.
        layers: as for `freeze`, or None to change nothing.
    """
    parts = keras_internals.all_layers(encoder)  # the encoder itself comes first
    before = [part.trainable for part in parts]
    variables = [(variable, variable.trainable) for variable in encoder.variables]  # LoRA freezes single ones
    try:
        if layers is not None:
            freeze(encoder, layers)
        yield
    finally:
        for part, trainable in zip(parts, before, strict=True):
            part.trainable = trainable  # also sets the sublayers, which come later in `parts` and are then restored
        for variable, trainable in variables:
            variable.trainable = trainable
