"""Multiply-adds and memory of an encoder, computed from its sizes."""

from keras_bert.config import BertConfig

MULTIPLY_ADDS = "L (4 H^2 + 2 H F + 2 T H)"
PROJECTION = " + E H"  # in addition, where the embeddings have their own size E
INFERENCE_MEMORY = "max(4 B T H + 2 B A T^2, 2 B T H + 2 B T F) numbers"
TRAINING_MEMORY = "L (8 B T H + 2 B T F + 2 B A T^2) numbers, L (2 B T H + B A T^2) bytes of dropout masks"


def multiply_adds_per_token(config: BertConfig, sequence_length: int) -> int:
    """Count the multiplications, each with an addition, that the encoder needs for one token of a full row.

    Only matrix products are counted: in each of the L blocks the query, key, value and output of the attention (4 H^2),
    the scores and the weighted sum (2 T H) and the feed-forward layers (2 H F); and the projection of factorized
    embeddings (E H). A floating-point operation is half a multiply-add. The pooler and the head, which work on one or a
    few positions of a row, are left out.

    Args:
        config: a `BertConfig`.
        sequence_length: T.

    Example:

    >>> multiply_adds_per_token(BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12"), 128)
    87293952

    Source: Vaswani et al. 2017 (arXiv:1706.03762), sections 3.2 and 3.3; Devlin et al. 2018 (arXiv:1810.04805), section
    3, for the sizes.
    """
    hidden, inner = config.hidden_size, config.intermediate_size
    block = 4 * hidden**2 + 2 * hidden * inner + 2 * sequence_length * hidden
    return config.num_layers * block + (config.embedding_size or 0) * hidden


def batch_memory(
    config: BertConfig, parameters: int, trainable: int, batch_size: int, sequence_length: int, number_bytes: int = 4
) -> dict[str, int]:
    """Compute the bytes of the arrays that a batch of full rows needs: a lower bound of the memory of a process.

    Copies, workspaces and fragmentation of the framework, the framework itself and the logits of the head come on top.

    Args:
        config: a `BertConfig`.
        parameters: number of parameters.
        trainable: number of trainable parameters.
        batch_size: B.
        sequence_length: T.
        number_bytes: bytes of a number in the activations: 4 for float32, 2 for bfloat16.

    Returns:
        A dict of bytes:

        - `weights`: the parameters in float32;
        - `inference`: the weights, and the arrays of one block that exist at the same time: hidden states, query, key
          and value with the scores before and after the softmax, or hidden states with the feed-forward layer before
          and after its activation;
        - `training`: the weights, a gradient and two moments of AdamW for each trainable parameter, and the
          activations that the backward pass needs of each block, when nothing is recomputed.

    Example:

    >>> config = BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12")
    >>> memory = batch_memory(config, parameters=109_482_240, trainable=109_482_240, batch_size=32, sequence_length=128)
    >>> {name: round(size / 2**20) for name, size in memory.items()}
    {'weights': 418, 'inference': 538, 'training': 4695}

    Source: Korthikanti et al. 2022 (arXiv:2205.05198), section 4.1, equation 1, for the activations of a block in
    training, with an intermediate size F in place of 4 H.
    """
    b, t, h = batch_size, sequence_length, config.hidden_size
    f, a, blocks = config.intermediate_size, config.num_heads, config.num_layers
    states, inner, scores = b * t * h, b * t * f, b * a * t * t
    weights = 4 * parameters
    kept = blocks * (number_bytes * (8 * states + 2 * inner + 2 * scores) + 2 * states + scores)
    largest = number_bytes * max(4 * states + 2 * scores, 2 * states + 2 * inner)
    return {"weights": weights, "inference": weights + largest, "training": weights + 12 * trainable + kept}
