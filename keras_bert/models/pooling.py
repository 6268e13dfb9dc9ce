"""One vector for a whole text, of the vectors of its tokens."""

from keras import ops

from keras_bert.errors import InputError

MEANS = {"mean": 1, "second-to-last": 2, "sum4": 4, "last4": 4}  # how many of the last blocks each reads
POOLS = ("mean", "max", "cls", "pooled", "second-to-last", "sum4", "last4")


def pool_outputs(outputs: dict, input_mask, pool: str = "mean"):
    """A text's vector from what an encoder gives for its tokens; padding has no part in it.

    The tokens of a text are all that `input_mask` marks, `[CLS]` and `[SEP]` among them.

    Args:
        outputs: a `BertEncoder`'s: `sequence_output` `[B, T, H]`, `encoder_outputs_0` … and `pooled_output` `[B, H]`.
        input_mask: int or bool `[B, T]`, 1 at tokens, one at least in each row.
        pool: one of `POOLS`; `keras_bert.embed` says what each is.

    Returns:
        float32 `[B, D]`; D is 4 H with `"last4"`, else H.

    Raises:
        InputError: another `pool`, fewer blocks than it reads, or no pooler for `"pooled"`.

    Example:

    >>> import numpy as np
    >>> outputs = {"sequence_output": np.array([[[1.0, 5.0], [3.0, 1.0], [9.0, 9.0]]])}
    >>> np.asarray(pool_outputs(outputs, np.array([[1, 1, 0]]), "max")).tolist()
    [[3.0, 5.0]]

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3 and Table 7; Reimers and Gurevych 2019
    (arXiv:1908.10084), section 3, for mean and max over tokens.
    """
    if pool not in POOLS:
        raise InputError(f"a pooling is one of {', '.join(POOLS)}. Received: {pool!r}")
    if pool == "pooled":
        if "pooled_output" not in outputs:
            raise InputError("'pooled' needs an encoder with a pooler; mean or cls does without. Received: one without")
        return ops.cast(outputs["pooled_output"], "float32")  # [B, H]
    last = ops.cast(outputs["sequence_output"], "float32")  # [B, T, H]
    if pool == "cls":
        return last[:, 0]  # [B, H]
    mask = ops.cast(input_mask, "float32")[..., None]  # [B, T, 1]
    if pool == "max":
        return ops.max(ops.where(mask > 0, last, float("-inf")), axis=1)  # [B, H]
    means = [
        ops.sum(ops.cast(layer, "float32") * mask, axis=1) / ops.sum(mask, axis=1)  # [B, H]
        for layer in _last_layers(outputs, pool)
    ]
    if pool == "last4":
        return ops.concatenate(means, axis=-1)  # [B, 4 H]: the mean of vectors side by side is their means side by side
    return sum(means) if pool == "sum4" else means[0]  # [B, H]


def _last_layers(outputs: dict, pool: str) -> list:
    """As many of the last blocks' outputs as a pooling reads, `[B, T, H]` each."""
    count = MEANS[pool]
    if count == 1:
        return [outputs["sequence_output"]]
    blocks = sum(name.startswith("encoder_outputs_") for name in outputs)
    if blocks < count:
        raise InputError(f"{pool!r} reads the last {count} blocks of an encoder. Received: one of {blocks}")
    return [outputs[f"encoder_outputs_{i}"] for i in range(blocks - count, blocks)]
