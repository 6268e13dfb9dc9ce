"""Functional models on an encoder: outputs by name, attention scores, missing segment ids; model parallelism."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain import attention_maps
from tests.helpers import assert_close, random_inputs, randomize, tiny_config, to_numpy

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tiny_config(vocab_size=30, hidden_size=8, intermediate_size=16, max_position_embeddings=16)


def test_outputs_by_name():
    encoder, inputs = randomize(kb.BertEncoder(CONFIG)), random_inputs(CONFIG)
    model = keras.Model(encoder.input, encoder.output["encoder_outputs_0"])
    assert_close(model(inputs), encoder(inputs)["encoder_outputs_0"])
    assert set(encoder.output) == {"encoder_outputs_0", "encoder_outputs_1", "sequence_output", "pooled_output"}


@pytest.mark.parametrize("changes", [{}, {"share_blocks": True, "embedding_size": 4, "pooler": False}])
def test_attention_scores(changes, tmp_path):
    config = tiny_config(**{**CONFIG.to_dict(), **changes})
    encoder, inputs = randomize(kb.BertEncoder(config)), random_inputs(config)
    model = encoder.with_attention_scores()
    outputs = to_numpy(model(inputs))
    for i, scores in enumerate(attention_maps(encoder, inputs)):
        np.testing.assert_allclose(outputs.pop(f"attention_scores_{i}"), scores, atol=1e-6)
    assert_close(outputs, to_numpy(encoder(inputs)), 1e-5)
    assert {id(weight) for weight in model.weights} == {id(weight) for weight in encoder.weights}
    model.save(tmp_path / "model.keras")
    assert_close(keras.saving.load_model(tmp_path / "model.keras")(inputs), model(inputs), 1e-6)


def test_rejects_blocks_without_attention_scores():
    class Block(keras.layers.Layer):
        def __init__(self, name=None, **settings):
            super().__init__(name=name)

        def call(self, hidden_states, input_mask, positions=None):
            return hidden_states

    with pytest.raises(kb.InputError, match="^`block` must make layers.*Block without it"):
        kb.BertEncoder(CONFIG, block=Block).with_attention_scores()


@pytest.mark.parametrize("head", [lambda e: e, kb.BertClassifier, kb.BertTokenClassifier, kb.BertFeatureClassifier])
def test_type_ids_may_be_missing(head):
    arguments = () if head not in (kb.BertTokenClassifier, kb.BertFeatureClassifier) else (3,)
    model = randomize(head(kb.BertEncoder(tiny_config(**{**CONFIG.to_dict(), "type_vocab_size": 0})), *arguments))
    inputs = random_inputs(CONFIG)
    outputs = to_numpy(model(inputs))
    del inputs["input_type_ids"]
    assert_close(model(inputs), outputs)
    assert_close(model.predict(inputs, verbose=0), outputs, 1e-5)
    symbolic = {name: keras.Input((None,), dtype="int32", name=name) for name in inputs}
    assert_close(keras.Model(symbolic, model(symbolic))(inputs), outputs, 1e-5)
    with pytest.raises(ValueError, match="input_type_ids"):
        kb.BertEncoder(CONFIG)(inputs)


def test_type_ids_may_be_missing_in_training():
    config = tiny_config(**{**CONFIG.to_dict(), "type_vocab_size": 0})
    model = kb.BertClassifier(kb.BertEncoder(config))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    inputs = random_inputs(CONFIG)
    del inputs["input_type_ids"]
    model.fit(inputs, np.array([0, 1, 0]), verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("targets", [("query", "value"), "intermediate", ("key", "attention_output", "output")])
def test_enable_lora(targets):
    encoder, inputs = randomize(kb.BertEncoder(CONFIG)), random_inputs(CONFIG)
    model = kb.BertClassifier(encoder, 2, dropout=0.0)
    before = to_numpy(model(inputs))
    encoder.enable_lora(2, targets, alpha=4)
    assert_close(model(inputs), before, 1e-6)
    count = 1 if isinstance(targets, str) else len(targets)
    assert len(encoder.trainable_variables) == 2 * 2 * count
    assert all("lora_kernel" in variable.path for variable in encoder.trainable_variables)
    frozen = [np.array(weight) for weight in encoder.non_trainable_variables]
    # `freeze` is "none" by default, which is: train the LoRA weights.
    kb.finetune(model, inputs, [0, 1, 0], inputs, [0, 1, 0], epochs=3, learning_rate=3e-2, verbose=0)
    for old, new in zip(frozen, encoder.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, np.array(new))
    trained = to_numpy(model(inputs))
    assert np.abs(trained - before).max() > 1e-3 and len(encoder.trainable_variables) == 2 * 2 * count
    encoder.merge_lora()
    assert_close(model(inputs), trained, 1e-5)
    assert len(encoder.trainable_variables) == len(encoder.weights) == len(kb.BertEncoder(CONFIG).weights)


def test_rejects_invalid_lora():
    encoder = kb.BertEncoder(CONFIG)
    with pytest.raises(kb.InputError, match="^`rank`.*rank=0"):
        encoder.enable_lora(0)
    with pytest.raises(kb.InputError, match="^`targets` must be some of 'query'.*'pooler'"):
        encoder.enable_lora(2, "pooler")
    with pytest.raises(kb.InputError, match="^`enable_lora` must be called before"):
        encoder.merge_lora()
    encoder.enable_lora(2)
    with pytest.raises(kb.InputError, match="^`enable_lora` must be called once"):
        encoder.enable_lora(2)
    encoder = kb.BertEncoder(CONFIG)
    encoder.blocks[0].attention = keras.layers.Identity()
    with pytest.raises(kb.InputError, match="^`targets` must be projections that every block has.*'query'"):
        encoder.enable_lora(2)


PARALLEL = """
import keras, numpy as np, keras_bert as kb
from tests.helpers import random_inputs, tiny_config, to_numpy
config = tiny_config(vocab_size=30, hidden_size=8, intermediate_size=16, max_position_embeddings=16)
inputs, outputs = random_inputs(config), []
for parallel in (False, True):
    if parallel:
        mesh = keras.distribution.DeviceMesh((1, 2), ("batch", "model"), keras.distribution.list_devices())
        layouts = kb.BertEncoder.get_layout_map(mesh)
        parallel = keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch")
        keras.distribution.set_distribution(parallel)
    keras.utils.set_random_seed(0)
    model = kb.BertClassifier(kb.BertEncoder(config), 3, dropout=0.0)
    for index, weight in enumerate(model.weights):
        weight.assign(np.random.default_rng(index).standard_normal(weight.shape) * 0.2)
    model.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(inputs, np.array([0, 1, 2]), epochs=2, verbose=0)
    outputs.append(model.predict(inputs, verbose=0))
np.testing.assert_allclose(*outputs, atol=1e-5)
sharded = {weight.path.split("/", 1)[1] for weight in model.weights if len(weight.value.sharding.device_set) == 2
           and not weight.value.sharding.is_fully_replicated}
assert "attention/query/kernel" in sharded and "word_embeddings/embeddings" in sharded, sharded
assert {"intermediate/kernel", "output_dense/kernel", "attention/attention_output/kernel"} <= sharded, sharded
assert model.encoder.blocks[0].intermediate.kernel.value.addressable_shards[0].data.shape == (8, 8)
"""


@pytest.mark.peers
def test_model_parallel_on_two_devices():
    pytest.importorskip("jax", reason="make test-all installs it")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": "."}
    environment["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    command = [sys.executable, "-c", PARALLEL]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_layout_map_rejects_a_missing_axis():
    mesh = keras.distribution.DeviceMesh((1,), ("batch",), ["cpu:0"])
    with pytest.raises(kb.InputError, match="^`model_dim` must be an axis of the mesh.*'model'"):
        kb.BertEncoder.get_layout_map(mesh)
