"""Outputs of a model for batches of any shape."""

from collections.abc import Callable

import keras

from keras_bert.ops.data_parallel import pad_rows, replicas


def predict_on_batch(model: keras.Model) -> Callable[[dict], dict]:
    """Make the function that computes the outputs of a model for one batch.

    On TensorFlow, one graph is traced for batches of all shapes. On several devices the batch is divided between them,
    with any number of rows.

    Args:
        model: a built model.

    Returns:
        A function of a dict of arrays `[B, …]` with the result of `model.predict_on_batch`.
    """
    count = replicas(model)
    predict = model.predict_on_batch
    if keras.backend.backend() == "tensorflow":
        from keras_bert.ops.kernels import prediction

        if count > 1:
            predict = prediction.predict_on_replicas(model)
        else:
            prediction.install(model)
    if count == 1:
        return predict

    def predict_padded(inputs: dict):
        rows = len(next(iter(inputs.values())))
        return keras.tree.map_structure(lambda output: output[:rows], predict(pad_rows(inputs, count)))

    return predict_padded
