"""BertEncoder: padding, masks, precision, compilation, export."""

import keras
import numpy as np
import pytest
from helpers import random_inputs, randomize, tiny_config

import keras_bert as kb


@pytest.fixture
def policy():
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


def numbers(outputs):
    return {key: keras.ops.convert_to_numpy(keras.ops.cast(value, "float32")) for key, value in outputs.items()}


def test_outputs_are_a_flat_dict_of_the_published_names():
    config = tiny_config(num_layers=3)
    encoder = randomize(kb.BertEncoder(config))
    out = numbers(encoder(random_inputs(config)))
    assert set(out) == {"sequence_output", "pooled_output"} | {f"encoder_outputs_{i}" for i in range(3)}
    assert out["sequence_output"].shape == (3, 12, 32) and out["pooled_output"].shape == (3, 32)
    np.testing.assert_array_equal(out["encoder_outputs_2"], out["sequence_output"])
    assert all(np.abs(out["encoder_outputs_1"] - out[f"encoder_outputs_{i}"]).max() > 0.1 for i in (0, 2))


def test_pads_change_nothing():
    config = tiny_config()
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config, length=12)
    longer = {key: np.pad(value, ((0, 0), (0, 9))) for key, value in inputs.items()}
    longer["input_word_ids"][:, 12:] = 77  # whatever stands there
    longer["input_type_ids"][:, 12:] = 1
    short, long = numbers(encoder(inputs)), numbers(encoder(longer))
    np.testing.assert_allclose(long["pooled_output"], short["pooled_output"], atol=2e-6)
    for key in ("encoder_outputs_0", "sequence_output"):
        np.testing.assert_allclose(long[key][:, :12], short[key], atol=5e-6)


def test_each_input_matters():
    config = tiny_config()
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config)
    real = inputs["input_mask"].astype(bool)
    out = numbers(encoder(inputs))["sequence_output"][real]
    for key in inputs:
        other = {**inputs, key: 1 - inputs[key] if key == "input_type_ids" else np.ones_like(inputs[key])}
        assert np.abs(numbers(encoder(other))["sequence_output"][real] - out).max() > 0.1, key


def test_too_long_a_sequence_is_one_clear_line():
    config = tiny_config(max_position_embeddings=10)
    encoder = kb.BertEncoder(config)
    for call in (encoder, lambda inputs: encoder.predict(inputs, verbose=0)):
        with pytest.raises(kb.InputError, match=r"^a sequence .*=10 tokens. Received: 12$"):
            call(random_inputs(config, length=12))


@pytest.mark.parametrize("wrong", [{"num_layers": 2}, None, "bert_en_uncased_L-12_H-768_A-12"])
def test_only_a_config_makes_an_encoder(wrong):
    with pytest.raises(kb.InputError, match="BertConfig. Received: "):
        kb.BertEncoder(wrong)


@pytest.mark.parametrize("name", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_mixed_precision_stays_near_float32(name, dropout, policy):
    config = tiny_config(hidden_dropout=dropout, attention_dropout=dropout)
    exact = randomize(kb.BertEncoder(config))
    policy(name)
    mixed = kb.BertEncoder(config)
    mixed.set_weights(exact.get_weights())
    inputs = random_inputs(config)
    outputs = mixed(inputs)
    assert all(value.dtype == name.removeprefix("mixed_") for value in outputs.values())
    assert all(weight.dtype == "float32" for weight in mixed.weights)
    expected, out = numbers(exact(inputs)), numbers(outputs)
    real = inputs["input_mask"].astype(bool)
    near = 0.15 if name == "mixed_bfloat16" else 0.02
    assert np.abs(out["sequence_output"] - expected["sequence_output"])[real].max() < near
    assert np.abs(out["pooled_output"] - expected["pooled_output"]).max() < near


def test_a_dtype_given_to_the_encoder_is_its_own_and_is_saved():
    encoder = kb.BertEncoder(tiny_config(), dtype="mixed_bfloat16")
    back = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    for model in (encoder, back):
        assert model.dtype_policy.name == model.blocks[0].attention.dtype_policy.name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_xla_gives_the_same_numbers():
    import tensorflow as tf

    config = tiny_config(attention_dropout=0.1)
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config)
    compiled, eager = numbers(tf.function(encoder, jit_compile=True)(inputs)), numbers(encoder(inputs))
    for key, value in eager.items():
        np.testing.assert_allclose(compiled[key], value, atol=1e-5)


def test_model_export_serves_any_batch_and_length(tmp_path):
    import tensorflow as tf

    config = tiny_config()
    encoder = randomize(kb.BertEncoder(config))
    encoder.export(str(tmp_path / "saved"), verbose=False)
    served = tf.saved_model.load(str(tmp_path / "saved"))
    for batch, length in ((3, 12), (1, 5)):
        inputs = random_inputs(config, batch, length)
        expected, out = numbers(encoder(inputs)), numbers(served.serve(inputs))
        for key, value in expected.items():
            np.testing.assert_allclose(out[key], value, atol=1e-5)


def test_a_seed_decides_weights_and_dropout():
    config = tiny_config(hidden_dropout=0.1, attention_dropout=0.1)
    inputs = random_inputs(config)

    def run(seed):
        keras.utils.set_random_seed(seed)
        return numbers(kb.BertEncoder(config)(inputs, training=True))["sequence_output"]

    first = run(1)
    np.testing.assert_array_equal(run(1), first)
    assert np.abs(run(2) - first).max() > 0.01


def test_freezing_survives_saving():
    encoder = kb.BertEncoder(tiny_config())
    encoder.embeddings.trainable = False
    encoder.blocks[0].trainable = False
    back = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    names = [weight.path for weight in encoder.trainable_weights]
    assert [weight.path for weight in back.trainable_weights] == names and len(names) == 16 + 2
    encoder.trainable = False
    assert not kb.BertEncoder.from_config(encoder.get_config()).trainable_weights
