"""`BertEncoder`: outputs, padding, precision, compilation, export, freezing, copies."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import assert_close, random_inputs, randomize, tiny_config, to_numpy


@pytest.fixture
def set_policy():
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


def test_outputs_of_the_blocks():
    config = tiny_config(num_layers=3)
    outputs = to_numpy(randomize(kb.BertEncoder(config))(random_inputs(config)))
    assert set(outputs) == {"sequence_output", "pooled_output"} | {f"encoder_outputs_{i}" for i in range(3)}
    np.testing.assert_array_equal(outputs["encoder_outputs_2"], outputs["sequence_output"])
    assert all(np.abs(outputs["encoder_outputs_1"] - outputs[f"encoder_outputs_{i}"]).max() > 0.1 for i in (0, 2))


def test_padding_does_not_change_pooled_output():
    config = tiny_config()
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config)
    padded = {key: np.pad(value, ((0, 0), (0, 9))) for key, value in inputs.items()}
    padded["input_word_ids"][:, 12:] = 77
    assert_close(encoder(padded)["pooled_output"], encoder(inputs)["pooled_output"], 2e-6)


def test_each_input_changes_the_output():
    config = tiny_config()
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config)
    tokens = inputs["input_mask"].astype(bool)
    output = to_numpy(encoder(inputs)["sequence_output"])[tokens]
    for key in inputs:
        other = {**inputs, key: 1 - inputs[key] if key == "input_type_ids" else np.ones_like(inputs[key])}
        assert np.abs(to_numpy(encoder(other)["sequence_output"])[tokens] - output).max() > 0.1, key


def test_positions_gives_rows_of_sequence_output():
    config = tiny_config()
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config)
    positions = np.array([[0, 3], [2, 1], [5, 5]], "int32")  # [B, P]
    expected = np.take_along_axis(to_numpy(encoder(inputs)["sequence_output"]), positions[..., None], axis=1)
    assert_close(encoder(inputs, positions=positions), expected, 5e-6)


def test_rejects_too_long_sequences():
    config = tiny_config(max_position_embeddings=10)
    encoder = kb.BertEncoder(config)
    for call in (encoder, lambda inputs: encoder.predict(inputs, verbose=0)):
        with pytest.raises(kb.InputError, match=r"`input_word_ids`.*10\b.* Received: .*12") as caught:
            call(random_inputs(config, length=12))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("config", [{"num_layers": 2}, None, "bert_en_uncased_L-12_H-768_A-12"])
def test_rejects_other_configs(config):
    with pytest.raises(kb.InputError, match="`config`.* Received: "):
        kb.BertEncoder(config)


@pytest.mark.parametrize("name", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_mixed_precision_is_near_float32(name, dropout, set_policy):
    config = tiny_config(hidden_dropout=dropout, attention_dropout=dropout)
    float32 = randomize(kb.BertEncoder(config))
    set_policy(name)
    mixed = kb.BertEncoder(config)
    mixed.set_weights(float32.get_weights())
    inputs = random_inputs(config)
    outputs = mixed(inputs)
    assert all(value.dtype == name.removeprefix("mixed_") for value in outputs.values())
    assert all(weight.dtype == "float32" for weight in mixed.weights)
    expected, outputs = to_numpy(float32(inputs)), to_numpy(outputs)
    tokens = inputs["input_mask"].astype(bool)
    atol = 0.15 if name == "mixed_bfloat16" else 0.02
    assert np.abs(outputs["sequence_output"] - expected["sequence_output"])[tokens].max() < atol
    assert np.abs(outputs["pooled_output"] - expected["pooled_output"]).max() < atol


def test_dtype_argument_is_saved():
    encoder = kb.BertEncoder(tiny_config(), dtype="mixed_bfloat16")
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    for model in (encoder, loaded):
        assert model.dtype_policy.name == model.blocks[0].attention.dtype_policy.name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_xla_gives_equal_outputs():
    import tensorflow as tf

    config = tiny_config(attention_dropout=0.1)
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config)
    assert_close(tf.function(encoder, jit_compile=True)(inputs), encoder(inputs), 1e-5)


def test_model_export_accepts_any_batch_and_length(tmp_path):
    import tensorflow as tf

    config = tiny_config()
    encoder = randomize(kb.BertEncoder(config))
    encoder.export(str(tmp_path / "saved"), verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    for batch, length in ((3, 12), (1, 5)):
        inputs = random_inputs(config, batch, length)
        assert_close(dict(loaded.serve(inputs)), encoder(inputs), 1e-5)


def test_seed_determines_weights_and_dropout():
    config = tiny_config(hidden_dropout=0.1, attention_dropout=0.1)
    inputs = random_inputs(config)

    def run(seed):
        keras.utils.set_random_seed(seed)
        return to_numpy(kb.BertEncoder(config)(inputs, training=True)["sequence_output"])

    first = run(1)
    np.testing.assert_array_equal(run(1), first)
    assert np.abs(run(2) - first).max() > 0.01


def test_frozen_layers_are_saved():
    encoder = kb.BertEncoder(tiny_config())
    encoder.embeddings.trainable = False
    encoder.blocks[0].trainable = False
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    names = [weight.path for weight in encoder.trainable_weights]
    assert [weight.path for weight in loaded.trainable_weights] == names and len(names) == 16 + 2
    encoder.trainable = False
    assert not kb.BertEncoder.from_config(encoder.get_config()).trainable_weights


def test_copy_keeps_weights_and_dtype():
    encoder = randomize(kb.BertEncoder(tiny_config(), dtype="mixed_bfloat16"))
    inputs = random_inputs(encoder.config)
    copy = encoder.copy()
    assert type(copy) is kb.BertEncoder and copy.config == encoder.config
    assert copy.dtype_policy.name == "mixed_bfloat16"
    assert_close(copy(inputs), encoder(inputs))
    assert not {id(weight) for weight in copy.weights} & {id(weight) for weight in encoder.weights}
