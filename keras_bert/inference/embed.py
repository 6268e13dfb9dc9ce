"""Embeddings of texts, computed by an encoder."""

import keras
import numpy as np

from keras_bert.data.examples import read_examples
from keras_bert.data.id_arrays import as_id_arrays, check_ids, row_lengths
from keras_bert.errors import InputError
from keras_bert.inference.length_sorted import predict_length_sorted
from keras_bert.inference.rows import preprocessor_of, vectorize
from keras_bert.models import BertEncoder
from keras_bert.models.pooling import pool_outputs
from keras_bert.models.task_model import check_encoder
from keras_bert.ops import WIDTH_STEP, predict_on_batch


def embed(
    encoder: BertEncoder, inputs, pool: str = "mean", batch_size: int = 64, vectorizer=None, normalize: bool = False
) -> np.ndarray:
    """Compute one vector per text or row of token ids, without dropout. Padding has no influence.

    Args:
        encoder: a `BertEncoder`.
        inputs: N texts or pairs of texts, in any form that `kb.finetune` takes; or a dict of `input_word_ids`,
            `input_mask`, `input_type_ids`, int `[N, T]`.
        pool: how the vectors of a row's tokens, `[CLS]` and `[SEP]` included, become one vector:

            - `"mean"`, `"max"`: mean or maximum over the tokens of the last block (D = H);
            - `"cls"`: the vector of `[CLS]` in the last block; `"pooled"`: the output of the pooler (D = H);
            - `"second-to-last"`: mean over the tokens of the second-to-last block (D = H);
            - `"sum4"`: mean over the tokens of the sum of the last four blocks (D = H). The paper learns a weight
              for each block; here each weight is 1;
            - `"last4"`: mean over the tokens of the last four blocks concatenated, the last block at the end (D = 4 H).
        batch_size: B.
        vectorizer: `BertTextVectorization` for texts. None uses the encoder's own.
        normalize: scale each vector to length 1, so that a dot product of two vectors is their cosine.

    Returns:
        float32 `[N, D]`, in the order of the rows. N may be 0.

    Raises:
        InputError: `encoder` is not a `BertEncoder`; there are texts and no vectorizer; an input is missing or has
            another shape; an id is outside the vocabulary; a row is too long or has no token; `pool` is unknown or does
            not fit the encoder.

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
    check_encoder(encoder)
    if isinstance(inputs, dict):
        ids = as_id_arrays(inputs)
    else:
        ids = vectorize(read_examples(inputs).texts, preprocessor_of(encoder, vectorizer))
    check_ids(encoder.config, ids)
    lengths = row_lengths(ids)  # [N]
    if not lengths.all():
        raise InputError(f"`inputs` must have a token in each row. Received: no token in row {int(np.argmin(lengths))}")
    pooled = pool_outputs(encoder(encoder.input), encoder.input["input_mask"], pool, normalize)  # [B, D]
    model = keras.Model(encoder.input, pooled)
    shapes = {"": tuple(pooled.shape)}
    return predict_length_sorted(predict_on_batch(model), ids, batch_size, shapes, step=WIDTH_STEP)[""]
