"""Layer decay and gradual unfreezing: which layers change, and by how much."""

import contextlib

import keras
import numpy as np
import pytest

from keras_bert import BertClassifier, BertEncoder, InputError, finetune, ops
from keras_bert.training import bert_adamw
from keras_bert.training.layer_rates import layer_rates
from tests.training import toys

WITH_XLA = True  # the compiled step of AdamW, and Keras's

L = toys.CONFIG.num_layers


def changes_of(classifier, before) -> dict[str, float]:
    """Return the largest change of each part of the model."""
    encoder = classifier.encoder
    parts = {"embeddings": encoder.embeddings, "block 0": encoder.blocks[0], "block 1": encoder.blocks[1]}
    parts |= {"pooler": encoder.pooler}
    index = {id(variable): i for i, variable in enumerate(classifier.trainable_variables)}
    changes = [np.abs(np.array(v) - w).max() for v, w in zip(classifier.trainable_variables, before, strict=True)]
    found = {name: max(changes[index[id(v)]] for v in part.trainable_variables) for name, part in parts.items()}
    return {**found, "head": max(changes[-2:])}


def start(config=toys.CONFIG):
    keras.utils.set_random_seed(1)
    classifier = BertClassifier(BertEncoder(config), 2)
    return classifier, [np.array(v) for v in classifier.trainable_variables]


@pytest.mark.parametrize("fast", [True, False], ids=["fused", "keras"])
def test_layer_decay_scales_steps(fast):
    """Adam's first step without weight decay equals the learning rate, for every gradient."""
    classifier, before = start()
    optimizer = bert_adamw(0.01, weight_decay=0.0, rates=layer_rates(classifier, decay=0.5))
    gradients = [keras.ops.ones_like(v) for v in classifier.trainable_variables]
    optimizer.global_clipnorm = None
    with contextlib.nullcontext() if fast else ops.disable_kernels("adamw"):
        optimizer.apply(gradients, classifier.trainable_variables)
    expected = {"head": 1, "pooler": 1, "block 1": 0.5, "block 0": 0.25, "embeddings": 0.125}
    assert changes_of(classifier, before) == pytest.approx({name: 0.01 * x for name, x in expected.items()}, rel=1e-3)


@pytest.mark.parametrize("fast", [True, False], ids=["fused", "keras"])
def test_layer_decay_scales_weight_decay(fast):
    classifier, before = start()
    optimizer = bert_adamw(0.01, weight_decay=0.1, rates=layer_rates(classifier, decay=0.5, unfreeze=(1, 9)))
    with contextlib.nullcontext() if fast else ops.disable_kernels("adamw"):
        for _ in range(2):  # gradients of 0, two epochs of one step
            gradients = [keras.ops.zeros_like(v) for v in classifier.trainable_variables]
            optimizer.apply(gradients, classifier.trainable_variables)
    weights = {v.path: (np.array(v), w) for v, w in zip(classifier.trainable_variables, before, strict=True)}
    expected = {
        "logits/kernel": (1 - 0.001) ** 2,
        "block_1/output_dense/kernel": 1 - 0.0005,
    }  # trained from the second epoch on
    for name, factor in {**expected, "block_0/output_dense/kernel": 1, "block_1/output_dense/bias": 1}.items():
        np.testing.assert_allclose(weights[name][0], factor * weights[name][1], rtol=2e-6, atol=1e-9, err_msg=name)


@pytest.mark.slow
def test_layer_decay_with_sparse_gradients(monkeypatch):
    from keras_bert.ops.kernels import adamw

    monkeypatch.setattr(adamw, "FEW_ROWS", 2)
    ids, labels = toys.labeled(32)
    weights = []
    for fast in (True, False):
        classifier, _ = start()
        with contextlib.nullcontext() if fast else ops.disable_kernels("adamw"):
            finetune(classifier, ids, labels, ids, labels, epochs=1, batch_size=8, layer_decay=0.5, seed=3, verbose=0)
        weights.append([np.array(w) for w in classifier.get_weights()])
    for fused, plain in zip(*weights, strict=True):
        np.testing.assert_allclose(fused, plain, atol=2e-5)


@pytest.mark.slow
def test_gradual_unfreezing():
    ids, labels = toys.labeled(32)
    seen = []

    class Record(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append({name for name, change in changes_of(classifier, before).items() if change > 0})

    classifier, before = start()
    finetune(classifier, ids, labels, ids, labels, epochs=3, freeze="gradual", seed=3, callbacks=[Record()], verbose=0)
    assert seen[0] == {"head", "pooler"}
    assert seen[1] == {"head", "pooler", "block 1"}
    assert seen[2] == {"head", "pooler", "block 1", "block 0", "embeddings"}
    assert all(part.trainable for part in classifier.encoder.parts)


def test_shared_block_has_depth_of_last_layer():
    import dataclasses

    classifier, _ = start(dataclasses.replace(toys.CONFIG, share_blocks=True))
    rates = layer_rates(classifier, decay=0.5)
    assert set(rates) == {variable.path for variable in classifier.trainable_variables}
    assert sorted({factor for factor, _ in rates.values()}) == [0.125, 0.5, 1]


@pytest.mark.parametrize("decay", [0, -1, 1.5, float("nan")])
def test_rejects_invalid_layer_decay(decay):
    ids, labels = toys.labeled(8)
    with pytest.raises(InputError, match="`layer_decay`"):
        finetune(start()[0], ids, labels, ids, labels, layer_decay=decay, verbose=0)
