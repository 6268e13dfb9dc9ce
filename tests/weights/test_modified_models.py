"""Formats that store only weights: LoRA is merged, and a model that computes something else is rejected."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.layers import Adapter, TransformerBlock
from tests.helpers import assert_close, random_inputs, randomize, tiny_config, to_numpy

CONFIG = tiny_config(vocab_size=30, hidden_size=8, intermediate_size=16, max_position_embeddings=16)


def subclass(encoder):
    class Doubled(keras.layers.Dense):
        def call(self, inputs, training=None):
            return 2 * super().call(inputs)

    encoder.blocks[0].intermediate = Doubled(16)


def epsilon(encoder):
    encoder.blocks[1].output_layer_norm.epsilon = 0.1


def activation(encoder):
    encoder.blocks[0].activation = "relu"


def dense_activation(encoder):
    encoder.blocks[0].output_dense.activation = keras.activations.relu


def pooler_activation(encoder):
    encoder.pooler.dense.activation = keras.activations.relu


def slot(encoder):
    encoder.blocks[1].after_feed_forward = Adapter(2)


def method(encoder):
    original = encoder.blocks[0].intermediate.call
    encoder.blocks[0].intermediate.call = lambda inputs, training=None: 2 * original(inputs)


def quantization(encoder):
    encoder.blocks[0].output_dense.quantize("int8")


MODIFICATIONS = (subclass, epsilon, activation, dense_activation, pooler_activation, slot, method, quantization)


def save_huggingface(model, path):
    from keras_bert.weights.formats.huggingface import save_huggingface

    return save_huggingface(model, path)


def save_google_research(model, path):
    from keras_bert.weights.formats.google_research import save_google_research

    return save_google_research(model, path)


WRITERS = (save_huggingface, save_google_research)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("modify", MODIFICATIONS)
def test_rejects_modified_layers(modify, write, tmp_path):
    encoder = kb.BertEncoder(CONFIG)
    write(encoder, tmp_path / "plain")
    modify(encoder)
    with pytest.raises(kb.InputError, match="^`model` must (have standard layers|not be quantized)"):
        write(encoder, tmp_path / "modified")
    assert not (tmp_path / "modified").exists()


def test_rejects_custom_blocks(tmp_path):
    encoder = kb.BertEncoder(CONFIG, block=lambda **settings: TransformerBlock(**settings, after_attention=Adapter(2)))
    with pytest.raises(kb.InputError, match="^`model`.*block_0/after_attention of type Adapter"):
        save_huggingface(encoder, tmp_path / "out")


@pytest.mark.parametrize("write", WRITERS)
def test_lora_is_merged(write, tmp_path):
    encoder = randomize(kb.BertEncoder(CONFIG))
    encoder.enable_lora(2)
    for layer in encoder._flatten_layers():
        if getattr(layer, "lora_enabled", False):
            layer.lora_kernel_b.assign(np.ones(layer.lora_kernel_b.shape))
    inputs = random_inputs(CONFIG)
    target = kb.BertEncoder(CONFIG)
    kb.load_weights(target, write(encoder, tmp_path / "merged"))
    assert_close(target(inputs), to_numpy(encoder(inputs)), 1e-5)
    with pytest.raises(kb.InputError, match="^`model` must not have LoRA"):
        kb.load_weights(encoder, tmp_path / "merged")


def test_quantized_file_is_no_source_of_weights(tmp_path):
    encoder = kb.BertEncoder(CONFIG)
    encoder.blocks[0].intermediate.quantize("int8")
    encoder.save(tmp_path / "int8.keras")
    with pytest.raises(kb.InputError, match="^`model` must not be quantized.*layer_0/intermediate/kernel"):
        kb.load_weights(kb.BertEncoder(CONFIG), tmp_path / "int8.keras")
