"""Replaced sublayers, subclassed attention and dtype policies of single blocks: their effect survives saving."""

import copy

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.layers import TransformerBlock
from keras_bert.models.cast import cast_model
from tests.helpers import assert_close, random_inputs, randomize, tiny_config, to_numpy

CONFIG = tiny_config(vocab_size=30, hidden_size=8, intermediate_size=16, max_position_embeddings=16)
INPUTS = random_inputs(CONFIG)


@keras.saving.register_keras_serializable(package="tests")
class MeanAttention(keras.layers.Layer):
    """Not a subclass of Keras's attention: a dense layer of the mean over the tokens."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.dense = keras.layers.Dense(size, dtype=self.dtype_policy)

    def build(self, query_shape):
        self.dense.build(query_shape)

    def call(self, query, value, attention_mask=None, training=None, return_attention_scores=False):
        mask = keras.ops.cast(attention_mask, value.dtype)[:, 0, :, None]  # [B, T, 1]
        mean = keras.ops.sum(value * mask, 1, keepdims=True) / keras.ops.sum(mask, 1, keepdims=True)  # [B, 1, H]
        return self.dense(query + mean)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="tests")
class DoubledScores(keras.layers.MultiHeadAttention):
    def _compute_attention(self, query, *args, **kwargs):
        return super()._compute_attention(2 * query, *args, **kwargs)


class NotRegistered(keras.layers.Dense):
    def call(self, inputs, training=None):
        return 2 * super().call(inputs)


def other_attention(encoder):
    encoder.blocks[0].attention = MeanAttention(8)


def subclassed_attention(encoder):
    encoder.blocks[1].attention = DoubledScores(2, 4)


def other_feed_forward(encoder):
    encoder.blocks[0].intermediate = keras.layers.Dense(16, "tanh", use_bias=False, name="tanh")


def other_norm(encoder):
    encoder.blocks[0].output_layer_norm = keras.layers.RMSNormalization()


def new_slot(encoder):
    encoder.blocks[0].after_attention = kb.layers.Adapter(2, initializer_range=1.0)


def other_tables(encoder):
    encoder.embeddings.word_embeddings = keras.layers.Embedding(30, 8, embeddings_initializer="ones")
    encoder.embeddings.layer_norm.epsilon = 0.5


def other_pooler(encoder):
    encoder.pooler.dense.activation = keras.activations.relu


def changed_arguments(encoder):
    encoder.blocks[1].activation = "relu"
    encoder.blocks[1].attention_layer_norm.epsilon = 0.5


def low_precision(encoder):
    encoder.blocks[0].dtype_policy = "bfloat16"


MODIFICATIONS = (
    other_attention,
    subclassed_attention,
    other_feed_forward,
    other_norm,
    new_slot,
    other_tables,
    other_pooler,
    changed_arguments,
    low_precision,
)


def modified(modify):
    model = kb.BertClassifier(kb.BertEncoder(CONFIG), 3)
    plain = to_numpy(randomize(model)(INPUTS))
    modify(model.encoder)
    return randomize(model), plain


@pytest.mark.slow
@pytest.mark.parametrize("modify", MODIFICATIONS)
def test_modification_survives_saving_and_copying(modify, tmp_path):
    model, plain = modified(modify)
    outputs = to_numpy(model(INPUTS))
    assert np.abs(outputs - plain).max() > 1e-4  # it has an effect
    vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str, range(25))])
    model.save(tmp_path / "model.keras")
    found = {
        "save": keras.saving.load_model(tmp_path / "model.keras"),
        "save_pretrained": kb.load_pretrained(model.save_pretrained(tmp_path / "folder", vectorizer)).model,
        "copy": model.with_encoder(model.encoder.copy()),
        "deepcopy": copy.deepcopy(model),
    }
    for way, each in found.items():
        np.testing.assert_array_equal(to_numpy(each(INPUTS)), outputs, err_msg=way)
        assert [weight.dtype for weight in each.weights] == [weight.dtype for weight in model.weights]
        assert len({weight.path for weight in each.encoder.weights}) == len(each.encoder.weights)  # in their scopes
        assert each.encoder.copy(dropout=0.3).blocks[1].output_dropout.rate == 0.3
    mixed = cast_model(model, "mixed_bfloat16")
    assert {layer.compute_dtype for layer in mixed.encoder.blocks[0]._flatten_layers()} == {"bfloat16"}


@pytest.mark.parametrize("modify", MODIFICATIONS)
def test_modification_is_trained(modify):
    model, _ = modified(modify)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    before = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    model.train_on_batch(INPUTS, np.array([0, 1, 2]))
    for weight, old in zip(model.weights, before, strict=True):
        assert np.abs(keras.ops.convert_to_numpy(weight) - old).max() > 0 or "key/bias" in weight.path, weight.path


def test_built_block_with_another_dtype(tmp_path):
    def block(**settings):
        return TransformerBlock(**{**settings, "dtype": "bfloat16" if settings["name"] == "block_1" else "float32"})

    encoder = randomize(kb.BertEncoder(CONFIG, block=block))
    encoder.save(tmp_path / "encoder.keras")
    for found in (keras.saving.load_model(tmp_path / "encoder.keras"), encoder.copy()):
        assert [each.dtype_policy.name for each in found.blocks] == ["float32", "bfloat16"]
        assert_close(found(INPUTS), encoder(INPUTS))


def test_class_that_is_not_registered(tmp_path):
    model = randomize(kb.BertEncoder(CONFIG))
    model.blocks[0].intermediate = NotRegistered(16)
    outputs = to_numpy(model(INPUTS))
    assert_close(model.copy()(INPUTS), outputs)  # in one process the class is known
    assert_close(copy.deepcopy(model)(INPUTS), outputs)
    model.save(tmp_path / "model.keras")
    with pytest.raises(kb.InputError, match="^`intermediate` must be .*Received: class NotRegistered.*custom_objects"):
        keras.saving.load_model(tmp_path / "model.keras")
    custom_objects = {"NotRegistered": NotRegistered}
    assert_close(keras.saving.load_model(tmp_path / "model.keras", custom_objects=custom_objects)(INPUTS), outputs)


def test_rejects_what_no_config_can_contain(tmp_path):
    model = kb.BertEncoder(CONFIG)
    original = model.blocks[0].intermediate.call
    model.blocks[0].intermediate.call = lambda inputs, training=None: 2 * original(inputs)
    for function in (model.copy, lambda: model.save(tmp_path / "model.keras"), lambda: copy.deepcopy(model)):
        with pytest.raises(kb.InputError, match="^`intermediate` must not .*intermediate.call set on the instance"):
            function()
    model = kb.BertEncoder(CONFIG)
    model.blocks[0].attention.query_dense.activation = keras.activations.relu
    with pytest.raises(kb.InputError, match="^`attention/query` must be the layer"):
        model.copy()
    model = kb.BertClassifier(kb.BertEncoder(CONFIG))
    model.head.activation = keras.activations.relu
    with pytest.raises(kb.InputError, match="^`logits` must have the arguments"):
        model.save(tmp_path / "model.keras")


def test_rejects_new_parts_of_a_model():
    """The graph contains the old layer: the new one would have no effect."""
    model = kb.BertClassifier(kb.BertEncoder(CONFIG))
    with pytest.raises(kb.InputError, match="^`head` must be the layer"):
        model.head = keras.layers.Dense(2)
    with pytest.raises(kb.InputError, match="^`pooler` must be the layer"):
        model.encoder.pooler = kb.layers.Pooler(8)
    with pytest.raises(TypeError):
        model.encoder.blocks[0] = TransformerBlock(8, 2, 16)


def test_replaced_sublayer_of_a_layer_in_another_model(tmp_path):
    states, mask = keras.Input((None, 8)), keras.Input((None,), dtype="int32")
    block = TransformerBlock(8, 2, 16)
    model = keras.Model([states, mask], block(states, mask))
    block.attention = MeanAttention(8)
    block.intermediate.enable_lora(2, lora_alpha=3)
    randomize(model)
    x = [np.random.default_rng(0).standard_normal((2, 5, 8)).astype("float32"), np.ones((2, 5), "int32")]
    model.save(tmp_path / "model.keras")
    for found in (keras.saving.load_model(tmp_path / "model.keras"), keras.models.clone_model(model)):
        found.set_weights(model.get_weights())
        assert_close(found(x), model(x))
        assert type(found.layers[-1].attention) is MeanAttention and found.layers[-1].intermediate.lora_alpha == 3
