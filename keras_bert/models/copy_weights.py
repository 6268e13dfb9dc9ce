"""Functions that copy weights from one model in memory to another."""

from keras import ops

from keras_bert.errors import InputError

# The sublayers of a `TransformerBlock` that have weights.
STANDARD_SUBLAYERS = ("attention", "attention_layer_norm", "intermediate", "output_dense", "output_layer_norm")


def assign_weights(targets, values) -> None:
    """Assign values to variables in order, each cast to the dtype of its variable.

    Args:
        targets: list of `keras.Variable`.
        values: list of variables or arrays of the same shapes.

    Raises:
        ValueError: if the lengths or the shapes differ.
    """
    for target, value in zip(targets, values, strict=True):
        target.assign(ops.cast(value, target.dtype))


def assign_standard_weights(encoder, source) -> None:
    """Copy the standard weights of an encoder into an encoder with custom blocks.

    The embeddings, the pooler and the `STANDARD_SUBLAYERS` of each block are copied. Other sublayers of the blocks,
    such as adapters, keep their values.

    Args:
        encoder: the `BertEncoder` with custom blocks to assign to.
        source: a `BertEncoder` of the same sizes with `TransformerBlock` layers.

    Raises:
        InputError: if a block of `encoder` has no such sublayer, or one with weights of other shapes.
    """
    assign_weights(encoder.embeddings.weights, source.embeddings.weights)
    if source.pooler is not None:
        assign_weights(encoder.pooler.weights, source.pooler.weights)
    pairs = zip(dict.fromkeys(encoder.blocks), dict.fromkeys(source.blocks), strict=True)  # one pair if shared
    for block, source_block in pairs:
        for name in STANDARD_SUBLAYERS:
            weights = getattr(getattr(block, name, None), "weights", [])
            expected = getattr(source_block, name).weights
            if [tuple(weight.shape) for weight in weights] != [tuple(weight.shape) for weight in expected]:
                raise InputError(
                    f"`block` must make layers with the sublayer `{name}` of a TransformerBlock, so that its weights "
                    f"can be loaded. Received: a {type(block).__name__} without it or with weights of other shapes"
                )
            assign_weights(weights, expected)
