"""On TensorFlow, prediction traces one graph for batches of all shapes, and gives what Keras's own function gives."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import ops
from keras_bert.inference.predict import predict_logits
from tests.helpers import random_inputs, tiny_config

LENGTHS = (9, 12, 17, 20, 26, 33)


def counted():
    """Return a classifier, and a list that grows with each trace."""
    model, traces = kb.BertClassifier(kb.BertEncoder(tiny_config(num_layers=1)), 2), []
    inner = model.head.call
    model.head.call = lambda *args, **kwargs: (traces.append(1), inner(*args, **kwargs))[1]
    return model, traces


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends compile for each shape")
def test_one_trace_for_all_lengths(caplog):
    model, traces = counted()
    predict = ops.predict_on_batch(model)
    for rows, length in enumerate(LENGTHS, start=1):
        inputs = random_inputs(tiny_config(), batch=rows, length=length)
        np.testing.assert_allclose(predict(inputs), model(inputs, training=False), atol=1e-5)
    graphs = len(traces) - len(LENGTHS)  # the calls above are the others
    for length in LENGTHS:  # again, by the functions of the package and by Keras
        inputs = random_inputs(tiny_config(), batch=3, length=length)
        expected = predict_logits(model, inputs, batch_size=2)
        np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-5)
    assert graphs == 1
    assert len(traces) == graphs + len(LENGTHS) + 1  # `predict` passes a dict where `predict_on_batch` passes a tuple
    assert "retracing" not in caplog.text


def test_settings_of_the_model_take_effect():
    model, traces = counted()
    inputs = random_inputs(tiny_config(), batch=2, length=9)
    ops.predict_on_batch(model)(inputs)
    model.compile("sgd", "mse", run_eagerly=True)
    before = len(traces)
    for _ in range(2):
        ops.predict_on_batch(model)(inputs)
    assert len(traces) == before + 2  # each call runs the layers

    class Doubled(kb.BertClassifier):
        def predict_step(self, data):
            return 2 * super().predict_step(data)

    model = Doubled(model.encoder, 2)
    np.testing.assert_allclose(ops.predict_on_batch(model)(inputs), 2 * np.asarray(model(inputs)), atol=1e-5)
