"""Prediction functions that TensorFlow traces once, for batches of any shape."""

import weakref

import keras
import tensorflow as tf

from keras_bert.ops.kernels.replicas import own_rows

# One function per model. Under a strategy, Keras calls `model.predict_function` with data that it has distributed.
_on_replicas = weakref.WeakKeyDictionary()


def any_shape(function):
    """Return a `tf.function` of one structure of arrays, with one graph for all shapes of the same ranks and dtypes."""
    graphs = {}

    def run(data):
        data = tf.nest.map_structure(tf.convert_to_tensor, data)
        key = tuple((path, x.dtype, x.shape.rank) for path, x in keras.tree.flatten_with_path(data))
        if key not in graphs:
            signature = tf.nest.map_structure(lambda x: tf.TensorSpec([None] * x.shape.rank, x.dtype), data)
            graphs[key] = tf.function(function, autograph=False, input_signature=[signature])
        return graphs[key](data)

    return run


def install(model) -> None:
    """Set the `predict_function` of a model, which Keras makes otherwise, and sets to None where it becomes invalid.

    Keras's own function is traced for the first shape, and again for the second, and warns after five shapes of
    different models.
    """
    if model.predict_function is None and not (model.run_eagerly or model.jit_compile or model.steps_per_execution > 1):
        run = any_shape(model.predict_step)
        model.predict_function = lambda data: run(data[0])


def predict_on_replicas(model):
    """Return a function with the result of `model.predict_on_batch` that divides the rows between the replicas."""
    if model not in _on_replicas:
        owner = weakref.ref(model)

        def predict(inputs):
            model = owner()
            strategy = model.distribute_strategy
            outputs = strategy.run(lambda data: model.predict_step((own_rows(data),)), args=(inputs,))
            return tf.nest.map_structure(lambda x: tf.concat(strategy.experimental_local_results(x), 0), outputs)

        _on_replicas[model] = any_shape(predict)
    run = _on_replicas[model]
    return lambda inputs: tf.nest.map_structure(lambda x: x.numpy(), run(inputs))
