"""Schedule and optimizer, compared with formulas written independently."""

import warnings

import keras
import numpy as np
import pytest

from keras_bert import InputError, ops
from keras_bert.training import WarmupLinearDecay, bert_adamw, freeze
from tests.training import toys

WITH_XLA = True  # the compiled step of AdamW


def test_schedule_is_a_triangle():
    schedule = WarmupLinearDecay(3e-4, total_steps=1000, warmup_steps=100)
    steps = np.array([0, 1, 50, 99, 100, 101, 550, 999, 1000, 2000])
    expected = np.interp(steps, [0, 100, 1000], [0, 3e-4, 0])
    np.testing.assert_allclose([float(schedule(int(step))) for step in steps], expected, rtol=1e-5, atol=1e-12)
    assert float(WarmupLinearDecay(1.0, 10)(0)) == 1.0
    again = WarmupLinearDecay.from_config(schedule.get_config())
    assert float(again(500)) == float(schedule(500))


@pytest.mark.peers
def test_schedule_matches_hugging_face():
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    reference = transformers.get_linear_schedule_with_warmup(optimizer, 7, 31)
    schedule = WarmupLinearDecay(2.0, 31, 7)
    for step in range(31):
        assert float(schedule(step)) == pytest.approx(reference.get_last_lr()[0], rel=1e-5)
        optimizer.step()
        reference.step()


@pytest.mark.parametrize("arguments", [(0.0, 10, 1), (1.0, 0, 0), (1.0, 10, 10), (1.0, 10, -1), (float("nan"), 10, 0)])
def test_rejects_invalid_schedule(arguments):
    with pytest.raises(InputError):
        WarmupLinearDecay(*arguments)


def test_adamw_by_hand():
    """Compare two steps with numpy: global norm clipped to 1, bias correction, no decay of biases and LayerNorms."""
    rng = np.random.default_rng(0)
    names = ("kernel", "bias", "gamma", "beta", "embeddings")
    start = {name: rng.normal(size=(4,)) for name in names}
    gradients = [{name: 3 * rng.normal(size=(4,)) for name in names} for _ in range(2)]
    variables = [keras.Variable(start[name], name=name, dtype="float32") for name in names]
    optimizer = bert_adamw(0.1)
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient[name], "float32") for name in names], variables)

    m = dict.fromkeys(names, 0.0)
    v = dict.fromkeys(names, 0.0)
    for t, gradient in enumerate(gradients, 1):
        norm = np.sqrt(sum((g**2).sum() for g in gradient.values()))
        for name in names:
            g = gradient[name] / max(1.0, norm)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            decay = 0.01 if name in ("kernel", "embeddings") else 0.0
            start[name] = start[name] * (1 - 0.1 * decay)
            epsilon = 1e-6 / np.sqrt(1 - 0.999**t)  # added before the bias correction, Kingma and Ba 2015, section 2
            start[name] = start[name] - 0.1 * (m[name] / (1 - 0.9**t)) / (np.sqrt(v[name] / (1 - 0.999**t)) + epsilon)
    for name, variable in zip(names, variables, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), start[name], rtol=1e-4, atol=1e-5)


def test_biases_and_norms_are_not_decayed():
    model = toys.make_pretrainer()
    optimizer = bert_adamw(1e-3)
    optimizer.build(model.trainable_variables)
    decayed = {v.path for v in model.trainable_variables if optimizer._use_weight_decay(v)}
    for variable in model.trainable_variables:
        is_bias_or_norm = "bias" in variable.path or "norm" in variable.path
        assert (variable.path in decayed) != is_bias_or_norm, variable.path


def test_freeze():
    encoder = toys.make_classifier().encoder
    count = len(encoder.trainable_variables)
    parts = [encoder.embeddings, *encoder.blocks]
    for layers, trained in ((0, [False, True, True]), (2, [False, False, False]), ("none", [True] * 3)):
        freeze(encoder, layers)
        assert [bool(part.trainable_variables) for part in parts] == trained
    assert len(encoder.trainable_variables) == count
    freeze(encoder, 2)
    assert encoder.pooler.trainable_variables
    freeze(encoder, "all")
    assert not encoder.trainable_variables
    for layers in (3, -1, "some", True, 1.0):
        with pytest.raises(InputError, match="`freeze`"):
            freeze(encoder, layers)


def test_variables_without_a_gradient_raise_no_warning():
    pooler, used = (keras.Variable(np.ones(2, "float32"), name=name) for name in ("pooler", "used"))
    optimizer = bert_adamw(0.1)
    with warnings.catch_warnings(), ops.disable_kernels("adamw"):
        warnings.simplefilter("error")
        optimizer.apply([None, keras.ops.ones(2)], [pooler, used])
    assert (np.asarray(pooler) == 1).all() and (np.asarray(used) < 1).all()
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None, None], [pooler, used])
