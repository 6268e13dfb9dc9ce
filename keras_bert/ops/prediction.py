"""Outputs of a model for batches of any shape."""

from collections.abc import Callable

import keras

from keras_bert.ops.data_parallel import on_devices, pad_rows, replicas

# JAX compiles a function for each new shape: rounding the lengths of rows up to a multiple gives fewer shapes.
WIDTH_STEP = 8 if keras.backend.backend() == "jax" else 1


def any_shape(function: Callable) -> Callable:
    """Make a function that TensorFlow computes in one graph, for arrays of any shape.

    Args:
        function: function of one structure of arrays, such as a dict, that returns a structure of tensors.

    Returns:
        A function with the same argument and result. A graph is traced at its first call, and again only for another
        structure, rank or dtype. On other backends, which would compile for each shape, it is `function` itself.

    Example:

    >>> import numpy as np
    >>> square = any_shape(lambda data: data["x"] * data["x"])
    >>> [float(np.sum(square({"x": np.ones((2, size))}))) for size in (1, 3)]
    [2.0, 6.0]
    """
    if keras.backend.backend() != "tensorflow":
        return function
    from keras_bert.ops.kernels import prediction

    return prediction.any_shape(function)


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
        return keras.tree.map_structure(lambda output: output[:rows], predict(on_devices(pad_rows(inputs, count))))

    return predict_padded
