"""MaskedLMHead against its formula in NumPy, and its tied embedding."""

import keras
import numpy as np

from keras_bert.layers import MaskedLMHead
from tests.helpers import randomize

V, H, T = 30, 8, 9


def head_and_table():
    table = keras.layers.Embedding(V, H)
    head = MaskedLMHead(table)
    head.build((None, None, H), (None, None))
    randomize(head)
    table.embeddings.assign(np.random.default_rng(5).standard_normal((V, H)))
    return head, table


def hidden_and_positions():
    x = np.random.default_rng(1).standard_normal((3, T, H)).astype("float32")
    return x, np.array([[1, 8, 0, 0], [0, 3, 4, 5], [8, 8, 2, 1]], "int32")


def test_equals_formula_at_the_positions():
    head, table = head_and_table()
    x, positions = hidden_and_positions()
    # All positions are computed, and then the requested ones are selected.
    everywhere = x.astype("float64") @ head.dense.kernel.numpy() + head.dense.bias.numpy()
    everywhere = 0.5 * everywhere * (1 + np.tanh(np.sqrt(2 / np.pi) * (everywhere + 0.044715 * everywhere**3)))
    centered = everywhere - everywhere.mean(-1, keepdims=True)
    everywhere = centered / np.sqrt(everywhere.var(-1, keepdims=True) + 1e-12)
    everywhere = everywhere * head.layer_norm.gamma.numpy() + head.layer_norm.beta.numpy()
    everywhere = everywhere @ table.embeddings.numpy().T + head.output_bias.numpy()  # [B, T, V]
    expected = np.stack([everywhere[b, positions[b]] for b in range(3)])  # [B, P, V]
    np.testing.assert_allclose(head(x, positions), expected, atol=1e-5)


def test_other_positions_are_not_read():
    head, _ = head_and_table()
    x, positions = hidden_and_positions()
    out = np.array(head(x, positions))
    elsewhere = np.ones((3, T), bool)
    np.put_along_axis(elsewhere, positions, False, axis=1)
    x[elsewhere] = np.nan
    np.testing.assert_array_equal(head(x, positions), out)


def test_embedding_is_not_among_the_weights():
    head, table = head_and_table()
    assert [weight.name for weight in head.weights] == ["output_bias", "kernel", "bias", "gamma", "beta"]
    x, positions = hidden_and_positions()
    before = np.array(head(x, positions))
    table.embeddings.assign(np.array(table.embeddings) * 2)
    after = np.array(head(x, positions))
    np.testing.assert_allclose(after - head.output_bias.numpy(), 2 * (before - head.output_bias.numpy()), atol=1e-5)
    head.trainable = False
    assert table.trainable


def test_tied_embedding_after_saving(tmp_path):
    ids, positions = keras.Input((T,), dtype="int32"), keras.Input((4,), dtype="int32")
    table = keras.layers.Embedding(V, H)
    model = keras.Model([ids, positions], MaskedLMHead(table)(table(ids), positions))
    randomize(model)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    batch = [np.random.default_rng(0).integers(0, V, (2, T)), np.array([[1, 2, 3, 4], [0, 0, 8, 1]])]
    np.testing.assert_array_equal(loaded(batch), model(batch))
    (embedding,) = [layer for layer in loaded.layers if isinstance(layer, keras.layers.Embedding)]
    (head,) = [layer for layer in loaded.layers if isinstance(layer, MaskedLMHead)]
    assert head.word_embeddings is embedding and loaded.count_params() == model.count_params()
