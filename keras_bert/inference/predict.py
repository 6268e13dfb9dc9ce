"""Batched prediction of a Keras model on token ids."""

import keras

from keras_bert.data.id_arrays import as_id_arrays, check_ids
from keras_bert.inference.length_sorted import predict_length_sorted
from keras_bert.models.encoder_of import encoder_of
from keras_bert.ops import WIDTH_STEP, predict_on_batch


def predict_logits(model: keras.Model, ids: dict, batch_size: int = 64, on_batch=None):
    """Compute the outputs of a task model for all rows.

    Args:
        model: a model with a head on an encoder, such as `BertClassifier`.
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        batch_size: B.
        on_batch: see `predict_length_sorted`.

    Returns:
        float32, in the order of the rows: logits `[N, C]` of a classifier, `[N, T, C]` of a token classifier; of a span
        labeler a dict of `start_logits` and `end_logits` `[N, T]`. Values at padding are undefined.

    Raises:
        InputError: an input is missing or has another shape, an id is outside the vocabulary, or a row is longer than
            the positions of the encoder.

    Example:

    >>> import numpy as np
    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> ids = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> predict_logits(kb.BertClassifier(kb.BertEncoder(config), num_classes=3), rows).shape
    (2, 3)
    """
    ids = as_id_arrays(ids)
    check_ids(encoder_of(model).config, ids)
    outputs = model.output if isinstance(model.output, dict) else {"": model.output}
    shapes = {name: tuple(tensor.shape) for name, tensor in outputs.items()}
    found = predict_length_sorted(predict_on_batch(model), ids, batch_size, shapes, on_batch, WIDTH_STEP)
    return found if isinstance(model.output, dict) else found[""]
