"""Pooling: one vector for a text from the vectors of its tokens."""

from keras import ops

from keras_bert.constants import POOLS
from keras_bert.errors import InputError

# Number of last blocks that are averaged over the tokens. "sum4" adds the means of its blocks, "last4" concatenates
# them, and "second-to-last" uses only the first of its two blocks.
LAST_BLOCKS = {"mean": 1, "second-to-last": 2, "sum4": 4, "last4": 4}
SMALLEST_SQUARE = 1e-24  # so that the zero vector stays zero, as with `torch.nn.functional.normalize`


def pool_outputs(outputs: dict, input_mask, pool: str = "mean", normalize: bool = False):
    """Pool the outputs of an encoder over the tokens of each text, padding excluded.

    `[CLS]` and `[SEP]` are among the tokens.

    Args:
        outputs: outputs of a `BertEncoder`: `sequence_output` `[B, T, H]`, `encoder_outputs_0` … `[B, T, H]` and
            `pooled_output` `[B, H]`.
        input_mask: int or bool `[B, T]`, 1 at tokens, 0 at padding; at least one token per row.
        pool: one of `keras_bert.constants.POOLS`, see `kb.embed`.
        normalize: scale each vector to length 1, so that a dot product of two vectors is their cosine.

    Returns:
        float32 `[B, D]`. D is 4 H for `"last4"`, otherwise H.

    Raises:
        InputError: if `pool` is unknown, or the encoder has too few blocks or no pooler for it.

    Example:

    >>> import numpy as np
    >>> outputs = {"sequence_output": np.array([[[1.0, 5.0], [3.0, 1.0], [9.0, 9.0]]])}
    >>> np.asarray(pool_outputs(outputs, np.array([[1, 1, 0]]), "max")).tolist()
    [[3.0, 5.0]]

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3 and Table 7; Reimers and Gurevych 2019
    (arXiv:1908.10084), section 3, for mean and max over tokens.
    """
    if pool not in POOLS:
        raise InputError(f"`pool` must be one of {', '.join(map(repr, POOLS))}. Received: pool={pool!r}")
    vectors = _pool(outputs, input_mask, pool)  # [B, D]
    if not normalize:
        return vectors
    squares = ops.sum(vectors * vectors, axis=-1, keepdims=True)  # [B, 1]
    return vectors / ops.sqrt(ops.maximum(squares, SMALLEST_SQUARE))


def _pool(outputs: dict, input_mask, pool: str):
    if pool == "pooled":
        if "pooled_output" not in outputs:
            raise InputError(
                "`pool` must not be 'pooled' for an encoder without a pooler. Received: pool='pooled'. "
                "Use 'mean' or 'cls'."
            )
        return ops.cast(outputs["pooled_output"], "float32")  # [B, H]
    last = ops.cast(outputs["sequence_output"], "float32")  # [B, T, H]
    if pool == "cls":
        return last[:, 0]  # [B, H]
    mask = ops.cast(input_mask, "float32")[..., None]  # [B, T, 1]
    if pool == "max":
        # Without `initial`, Keras rejects a batch of zero rows.
        return ops.max(ops.where(mask > 0, last, float("-inf")), axis=1, initial=float("-inf"))  # [B, H]
    means = [
        ops.sum(ops.cast(layer, "float32") * mask, axis=1) / ops.sum(mask, axis=1)  # [B, H]
        for layer in _last_blocks(outputs, pool)
    ]
    if pool == "last4":
        return ops.concatenate(means, axis=-1)  # [B, 4 H]: equal to the mean of the concatenated vectors
    return sum(means) if pool == "sum4" else means[0]  # [B, H]


def _last_blocks(outputs: dict, pool: str) -> list:
    """Return the outputs `[B, T, H]` of the last blocks that are averaged over the tokens."""
    count = LAST_BLOCKS[pool]
    if count == 1:
        return [outputs["sequence_output"]]
    blocks = sum(name.startswith("encoder_outputs_") for name in outputs)
    if blocks < count:
        raise InputError(
            f"`pool` must be 'mean', 'max' or 'cls' for an encoder of {blocks} blocks, as {pool!r} uses "
            f"{count} of them. Received: pool={pool!r}"
        )
    return [outputs[f"encoder_outputs_{i}"] for i in range(blocks - count, blocks)]


def has_trained_pooler(encoder) -> bool:
    """Return whether an encoder has a pooler that was trained.

    Pretraining with a masked-LM head alone leaves the pooler as it was initialized, with a bias of exactly 0.

    Args:
        encoder: a `BertEncoder`.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> has_trained_pooler(kb.BertEncoder(config))
    False
    """
    if encoder.pooler is None:
        return False
    bias = getattr(encoder.pooler.dense, "bias", None)  # a replaced layer may have none
    return bias is None or bool(ops.convert_to_numpy(ops.any(bias != 0)))
