"""Texts to vectors, by an encoder as it is."""

import keras
import numpy as np

from keras_bert.data.id_arrays import as_id_arrays, check_ids, row_lengths
from keras_bert.errors import InputError
from keras_bert.inference.evaluate import predict_length_sorted
from keras_bert.models import BertEncoder
from keras_bert.models.pooling import pool_outputs


def embed(encoder: BertEncoder, inputs: dict, pool: str = "mean", batch_size: int = 64) -> np.ndarray:
    """A vector for each row, computed without dropout, shortest rows first; padding has no part in it.

    Args:
        encoder: a `BertEncoder`.
        inputs: its three inputs, int `[N, T]` each: `input_word_ids`, `input_mask`, `input_type_ids`.
        pool: what is taken of a text's tokens, among which are `[CLS]` and `[SEP]`:

            - `"mean"`, `"max"`: of the last block's vectors the mean, or the largest of each number (D = H);
            - `"cls"`: the last block's vector at `[CLS]`; `"pooled"`: the pooler's output (D = H);
            - `"second-to-last"`: the mean of the vectors of the block before the last (D = H);
            - `"sum4"`: the mean of the last four blocks' sums (D = H). The paper weights the four, and a task teaches
              the weights; here each is 1;
            - `"last4"`: the mean of the last four blocks' vectors side by side, the last block's at the end (D = 4 H).
        batch_size: B.

    Returns:
        float32 `[N, D]`, in the order of the rows.

    Raises:
        InputError: no `BertEncoder`; an input missing, of another shape, or with an id or a length that the encoder has
            not; no row, or one without a token; a `pool` that there is not or that this encoder does not have.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=4, num_heads=2, intermediate_size=128)
    >>> ids = np.array([[2, 7, 9, 3, 0], [2, 8, 3, 0, 0]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> kb.embed(kb.BertEncoder(config), rows, pool="last4").shape
    (2, 128)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3 and Table 7; Reimers and Gurevych 2019
    (arXiv:1908.10084), section 3, for mean and max.
    """
    if not isinstance(encoder, BertEncoder):
        raise InputError(f"a BertEncoder is expected. Received: {type(encoder).__name__}")
    ids = as_id_arrays(inputs)
    check_ids(encoder.config, ids)
    lengths = row_lengths(ids)
    if not len(lengths):
        raise InputError("vectors need rows. Received: none")
    if not lengths.all():
        raise InputError(f"every row has a token. Received: none in row {int(np.argmin(lengths))}")
    pooled = pool_outputs(encoder(encoder.input), encoder.input["input_mask"], pool)  # [B, D]
    vectors = np.zeros((len(lengths), pooled.shape[-1]), np.float32)
    for rows, vector in predict_length_sorted(keras.Model(encoder.input, pooled), ids, batch_size):
        vectors[rows] = vector
    return vectors
