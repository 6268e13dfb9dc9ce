"""What each head of each block looks at."""

import numpy as np
from keras import ops


def attention_maps(encoder, inputs: dict) -> list[np.ndarray]:
    """The attention probabilities of every block, computed by the encoder's own layers on these inputs.

    The blocks run one after another without dropout and give their probabilities out; what is shown is what the model
    uses, not a second implementation.

    Args:
        encoder: a `BertEncoder`.
        inputs: its three inputs, int `[B, T]` each: `input_word_ids`, `input_mask`, `input_type_ids`.

    Returns:
        A list of L float32 arrays `[B, A, T, T]`: for each query (third axis) the weights of the keys (last axis),
        which sum to 1. Padding keys have weight 0; the rows of padding queries mean nothing.

    Raises:
        InputError: the sequences are longer than the encoder's positions.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> from keras_bert.explain import attention_maps
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=3, num_heads=2, intermediate_size=128)
    >>> ids = np.array([[2, 7, 9, 3, 0]])
    >>> maps = attention_maps(
    ...     kb.BertEncoder(config), {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    ... )
    >>> len(maps), maps[0].shape
    (3, (1, 2, 5, 5))

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2; Clark et al. 2019 (arXiv:1906.04341) on reading them.
    """
    ids, mask, types = (
        ops.convert_to_tensor(inputs[key], dtype="int32") for key in ("input_word_ids", "input_mask", "input_type_ids")
    )
    x = encoder.embeddings(ids, types, training=False)  # [B, T, H]
    maps = []
    for block in encoder.blocks:
        x, scores = block(x, mask, training=False, return_attention_scores=True)  # [B, T, H], [B, A, T, T]
        maps.append(ops.convert_to_numpy(ops.cast(scores, "float32")))
    return maps
