"""Encoders with custom blocks: slots, other layers as blocks, LoRA, copies."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.layers import TransformerBlock
from keras_bert.models.cast import cast_model
from tests.helpers import assert_close, tiny_config, to_numpy

IDS = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")  # [B, T]
INPUTS = {"input_word_ids": IDS, "input_mask": np.int32(IDS > 0), "input_type_ids": np.int32(IDS == 3)}


def make_encoder(block=TransformerBlock):
    keras.utils.set_random_seed(1)
    encoder = kb.BertEncoder(tiny_config(), block=block)
    rng = np.random.default_rng(0)
    for weight in encoder.weights:
        weight.assign(keras.ops.convert_to_numpy(weight) + rng.normal(0, 0.2, weight.shape))
    return encoder


@keras.saving.register_keras_serializable(package="tests")
class Double(keras.layers.Layer):
    """Layer that returns twice its input."""

    def call(self, x):
        return 2 * x


@keras.saving.register_keras_serializable(package="tests")
class MeanBlock(keras.layers.Layer):
    """Block without attention: adds the mean over the tokens."""

    def __init__(self, hidden_size, **settings):
        super().__init__(name=settings.get("name"))
        self.hidden_size = hidden_size

    def call(self, hidden_states, input_mask, positions=None):
        mask = keras.ops.cast(input_mask, hidden_states.dtype)[..., None]  # [B, T, 1]
        total = keras.ops.sum(hidden_states * mask, 1, keepdims=True)  # [B, 1, H]
        mean = total / keras.ops.sum(mask, 1, keepdims=True)  # [B, 1, H]
        if positions is not None:
            hidden_states = keras.ops.take_along_axis(hidden_states, positions[..., None], axis=1)  # [B, P, H]
        return hidden_states + mean

    def get_config(self):
        return {**super().get_config(), "hidden_size": self.hidden_size}


def block_with_dense_layers(**settings):
    dense = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(settings["hidden_size"])])
    return TransformerBlock(**settings, after_feed_forward=dense)


@pytest.mark.slow
def test_slots():
    plain = to_numpy(make_encoder()(INPUTS))
    empty = make_encoder(lambda **settings: TransformerBlock(**settings, after_attention=None))
    assert empty.has_custom_blocks
    assert_close(empty(INPUTS), plain)
    outputs = []
    for slot in ("after_attention", "after_feed_forward"):
        encoder = make_encoder(lambda slot=slot, **settings: TransformerBlock(**settings, **{slot: Double()}))
        outputs.append(to_numpy(encoder(INPUTS)["sequence_output"]))
        # A projection with twice the weights gives twice the output.
        expected = make_encoder()
        for block in expected.blocks:
            dense = block.attention.output_dense if slot == "after_attention" else block.output_dense
            for weight in dense.weights:
                weight.assign(2 * keras.ops.convert_to_numpy(weight))
        assert_close(outputs[-1], expected(INPUTS)["sequence_output"], 2e-5)
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3


@pytest.mark.parametrize("block", [block_with_dense_layers, MeanBlock])
def test_custom_blocks_are_saved(block, tmp_path):
    classifier = kb.BertClassifier(make_encoder(block), 2)
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.encoder.has_custom_blocks
    assert type(loaded.encoder.blocks[1]) is type(classifier.encoder.blocks[1])
    assert_close(loaded(INPUTS), classifier(INPUTS), 1e-6)
    assert_close(loaded.encoder(INPUTS), classifier.encoder(INPUTS))


def test_onnx_export_rejects_custom_blocks(tmp_path):
    from keras_bert.export import export_onnx

    with pytest.raises(kb.InputError, match="^`model`.*Received: block_0"):
        export_onnx(make_encoder(block_with_dense_layers), tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_lora():
    encoder = make_encoder()
    before = to_numpy(encoder(INPUTS))
    for layer in encoder._flatten_layers():
        if not list(layer._flatten_layers(include_self=False)):  # only leaves: a frozen parent freezes its children
            layer.trainable = False
    for block in encoder.blocks:
        for dense in (block.attention.query_dense, block.attention.value_dense, block.intermediate):
            dense.trainable = True
            dense.enable_lora(rank=2)
            dense.bias.trainable = False
    assert_close(encoder(INPUTS), before, 1e-6)
    classifier = kb.BertClassifier(encoder, 2, dropout=0.0)
    names = {weight.path.rsplit("/", 1)[1] for weight in encoder.trainable_variables}
    assert names == {"lora_kernel_a", "lora_kernel_b"} and len(encoder.trainable_variables) == 2 * 3 * 2
    frozen = [keras.ops.convert_to_numpy(weight) for weight in encoder.non_trainable_variables]
    kb.finetune(classifier, INPUTS, [0, 1], INPUTS, [0, 1], epochs=3, learning_rate=1e-2, freeze=None, verbose=0)
    for old, new in zip(frozen, encoder.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(new))
    assert np.abs(to_numpy(encoder(INPUTS)["sequence_output"]) - before["sequence_output"]).max() > 1e-3


@pytest.mark.parametrize("block", [block_with_dense_layers, MeanBlock, TransformerBlock])
def test_copy_keeps_the_blocks(block):
    encoder = make_encoder(block)
    copy = encoder.copy(dropout=0.3)
    assert_close(copy(INPUTS), encoder(INPUTS), 1e-5)
    assert copy.config.hidden_dropout == copy.config.attention_dropout == 0.3
    assert copy.has_custom_blocks == encoder.has_custom_blocks == (block is not TransformerBlock)
    assert type(copy.blocks[0]) is type(encoder.blocks[0])
    assert getattr(copy.blocks[0], "dropout_rate", 0.3) == 0.3
    mixed = kb.BertClassifier(encoder.copy(dtype="mixed_bfloat16"), 2)
    assert mixed.encoder.blocks[0].dtype_policy.name == ("float32" if block is MeanBlock else "mixed_bfloat16")
    assert_close(cast_model(mixed, "float32").encoder(INPUTS), encoder(INPUTS), 1e-5)
