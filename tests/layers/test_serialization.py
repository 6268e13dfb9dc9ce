"""Serialization of every layer, and the pooler."""

import keras
import numpy as np
import pytest

from keras_bert.layers import Adapter, BertEmbeddings, MaskedLMHead, Pooler, TransformerBlock
from tests.helpers import randomize

X = np.random.default_rng(0).standard_normal((2, 5, 8)).astype("float32")
IDS = np.array([[1, 2, 3, 4, 0], [5, 6, 0, 0, 0]], "int32")
LAYERS = {
    "embeddings": (lambda: BertEmbeddings(20, 8, 6, 3, 0.3, 0.1, 1e-6, name="e", dtype="bfloat16"), (IDS, 0 * IDS)),
    "block": (lambda: TransformerBlock(8, 2, 12, "relu", 0.3, 0.2, 0.1, 1e-6, name="b"), (X, IDS > 0)),
    "adapter": (lambda: Adapter(3, "gelu", 0.1, name="a", dtype="mixed_bfloat16"), (X,)),
    "pooler": (lambda: Pooler(8, 0.1, name="p", dtype="mixed_bfloat16"), (X,)),
    "head": (lambda: MaskedLMHead(keras.layers.Embedding(20, 8), "relu", 0.1, 1e-6, name="h"), (X, IDS[:, :2] % 5)),
}


@pytest.mark.parametrize("make, inputs", LAYERS.values(), ids=LAYERS.keys())
def test_layer_from_config(make, inputs):
    layer = make()
    out = layer(*inputs)
    loaded = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(loaded) is type(layer) and loaded.get_config() == layer.get_config()
    loaded(*inputs)
    randomize(layer)
    loaded.set_weights(layer.get_weights())
    if isinstance(layer, MaskedLMHead):
        loaded.word_embeddings.set_weights(layer.word_embeddings.get_weights())
    np.testing.assert_array_equal(keras.ops.cast(loaded(*inputs), "float32"), keras.ops.cast(layer(*inputs), "float32"))
    assert out.dtype == layer(*inputs).dtype == layer.compute_dtype


def test_pooler_reads_only_the_first_token():
    pooler = Pooler(8)
    pooler(X)
    randomize(pooler)
    kernel, bias = (weight.numpy() for weight in pooler.weights)
    np.testing.assert_allclose(pooler(X), np.tanh(X[:, 0] @ kernel + bias), atol=1e-6)
