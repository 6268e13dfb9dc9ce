"""Modified layers: a SavedModel has their effect, and ONNX export rejects them."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.export import export_onnx
from keras_bert.layers import TransformerBlock
from keras_bert.models.standard_sublayers import check_standard_sublayers
from tests.export.modified_layers import CLASSES, DoubledDense, copy_weights, modified_and_equal, modified_block
from tests.helpers import assert_close, random_inputs, randomize, tiny_config, to_numpy


def config_for(models):
    return tiny_config(vocab_size=models.vectorizer.vocabulary_size())


def serve(model, models, folder):
    path = kb.export_saved_model(model, folder, models.vectorizer)
    signatures = tf.saved_model.load(str(path)).signatures
    text = tf.constant(models.texts)
    pooled = signatures["pool"](text=text)["pooled_output"].numpy()
    return signatures["serving_default"](text=text)["logits"].numpy(), pooled


@pytest.mark.slow
@pytest.mark.parametrize("part", CLASSES)
def test_text_saved_model_has_modified_layers(part, models, tmp_path):
    modified, equal = modified_and_equal(part, config_for(models))
    found, expected = serve(modified, models, tmp_path / "modified"), serve(equal, models, tmp_path / "equal")
    for output, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(output, reference, atol=2e-5)
    ids = models.vectorizer(models.texts)
    np.testing.assert_allclose(found[0], keras.ops.convert_to_numpy(equal(ids, training=False)), atol=2e-5)
    copy_weights(modified, equal)  # without the modification, the outputs are others
    assert np.abs(found[0] - keras.ops.convert_to_numpy(equal(ids, training=False))).max() > 1e-3


@pytest.mark.parametrize("part", CLASSES)
def test_tfhub_saved_model_has_modified_layers(part, models, tmp_path):
    modified, equal = modified_and_equal(part, config_for(models))
    loaded = tf.saved_model.load(str(kb.export_saved_model(modified.encoder, tmp_path / "modified")))
    inputs = random_inputs(equal.encoder.config)
    assert kb.compare(equal.encoder, loaded, inputs).passed


def adapted_block(**settings):
    adapter = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(settings["hidden_size"])])
    return TransformerBlock(**settings, after_feed_forward=adapter)


def test_tfhub_saved_model_has_adapters(tmp_path):
    encoder = randomize(kb.BertEncoder(tiny_config(), block=adapted_block))
    loaded = tf.saved_model.load(str(kb.export_saved_model(encoder, tmp_path / "adapted")))
    assert kb.compare(encoder, loaded, random_inputs(encoder.config)).passed
    assert len(loaded.trainable_variables) == len(encoder.weights)


def enable_lora(layer):
    layer.enable_lora(2)
    for weight in (layer.lora_kernel_a, layer.lora_kernel_b):
        weight.assign(np.random.default_rng(0).standard_normal(weight.shape) * 0.3)


@pytest.mark.slow
def test_text_saved_model_has_lora(models, tmp_path):
    classifier = randomize(kb.BertClassifier(kb.BertEncoder(config_for(models))))
    before, _ = serve(classifier, models, tmp_path / "before")
    for block in classifier.encoder.blocks:
        enable_lora(block.intermediate)
        enable_lora(block.attention.query_dense)
    found, _ = serve(classifier, models, tmp_path / "lora")
    expected = classifier(models.vectorizer(models.texts), training=False)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), atol=2e-5)
    assert np.abs(found - before).max() > 1e-3


def quantize(layer):
    layer.quantize("int8")


@pytest.mark.parametrize("modify", [enable_lora, quantize])
def test_tfhub_rejects_modified_weights(modify, tmp_path):
    encoder = kb.BertEncoder(tiny_config(num_layers=1))
    modify(encoder.blocks[0].intermediate)
    with pytest.raises(kb.InputError, match="`model`.*transformer/layer_0/intermediate/kernel"):
        kb.export_saved_model(encoder, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_merged_lora_is_exported(tmp_path):
    """The advice of the error above."""
    encoder = randomize(kb.BertEncoder(tiny_config()))
    enable_lora(encoder.blocks[0].intermediate)
    before = to_numpy(encoder(random_inputs(encoder.config)))
    encoder.merge_lora()
    loaded = tf.saved_model.load(str(kb.export_saved_model(encoder, tmp_path / "merged")))
    assert kb.compare(encoder, loaded, random_inputs(encoder.config)).passed
    assert_close(encoder(random_inputs(encoder.config)), before, 1e-5)


LAYERS = {
    "block_0/attention/query_dense": lambda model: model.encoder.blocks[0].attention.query_dense,
    "block_1/attention/output_dense": lambda model: model.encoder.blocks[1].attention.output_dense,
    "block_0/intermediate": lambda model: model.encoder.blocks[0].intermediate,
    "block_1/output_dense": lambda model: model.encoder.blocks[1].output_dense,
    "embeddings/projection": lambda model: model.encoder.embeddings.projection,
    "pooler/dense": lambda model: model.encoder.pooler.dense,
    "head": lambda model: model.head,
}


def change_activation(layer):
    layer.activation = keras.activations.softplus


@pytest.mark.parametrize("modify, word", [(quantize, "int8"), (change_activation, "options")])
@pytest.mark.parametrize("name", LAYERS)
def test_onnx_rejects_changed_and_quantized_layers(name, modify, word, tmp_path):
    model = kb.BertClassifier(kb.BertEncoder(tiny_config(embedding_size=16)))
    check_standard_sublayers(model)
    modify(LAYERS[name](model))
    layer = re.sub("/(query|output)_dense$", "", name)  # the message may name the attention layer
    with pytest.raises(kb.InputError, match=f"`model`.*Received: {layer}.*export_saved_model"):
        export_onnx(model, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def run_onnx(model, folder, inputs):
    import onnxruntime

    path = str(export_onnx(model, folder) / "model.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs), strict=True))


def test_onnx_of_lora_has_the_merged_weights(tmp_path):
    pytest.importorskip("onnxruntime")
    model = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config())))
    inputs = random_inputs(model.encoder.config)
    plain = to_numpy(model(inputs))
    for layer in (model.encoder.blocks[0].attention.query_dense, model.encoder.blocks[1].intermediate):
        enable_lora(layer)
    for table in (model.encoder.embeddings.word_embeddings, model.encoder.embeddings.position_embeddings):
        table.enable_lora(2)
        table.lora_embeddings_b.assign(np.ones(table.lora_embeddings_b.shape) * 0.1)
    expected = to_numpy(model(inputs))
    np.testing.assert_allclose(run_onnx(model, tmp_path / "out", inputs)["logits"], expected, atol=2e-5)
    assert np.abs(expected - plain).max() > 1e-3


def test_onnx_has_the_epsilon_and_activation_of_each_layer(tmp_path):
    pytest.importorskip("onnxruntime")
    model = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config())))
    model.encoder.blocks[0].activation = "relu"
    model.encoder.blocks[1].output_layer_norm.epsilon = 0.3
    inputs = random_inputs(model.encoder.config)
    np.testing.assert_allclose(run_onnx(model, tmp_path / "out", inputs)["logits"], to_numpy(model(inputs)), atol=2e-5)


@pytest.mark.parametrize("part", CLASSES)
def test_onnx_rejects_subclassed_layers(part, tmp_path):
    encoder = kb.BertEncoder(tiny_config(), block=lambda **settings: modified_block(part, **settings))
    with pytest.raises(kb.InputError, match=f"`model`.*Received: block_0/{part} .*{CLASSES[part].__name__}"):
        export_onnx(encoder, tmp_path / "out")


def test_onnx_rejects_adapters_and_subclassed_blocks(tmp_path):
    class Block(TransformerBlock):
        pass

    for block, name in ((adapted_block, "block_0/after_feed_forward"), (Block, "block_0 .*Block")):
        with pytest.raises(kb.InputError, match=f"`model`.*Received: {name}"):
            export_onnx(kb.BertEncoder(tiny_config(), block=block), tmp_path / "out")


def test_onnx_rejects_an_overridden_call(tmp_path):
    class Encoder(kb.BertEncoder):
        def call(self, inputs, training=None, mask=None, positions=None, outputs=None):
            return super().call(inputs, training, mask, positions, outputs)

    class Named(kb.BertEncoder):
        """A subclass that computes the same."""

    for model in (Encoder(tiny_config()), kb.BertClassifier(Encoder(tiny_config()))):
        with pytest.raises(kb.InputError, match="`model`.*Received: Encoder .*Encoder"):
            export_onnx(model, tmp_path / "out")
    check_standard_sublayers(Named(tiny_config()))
    compiled = kb.BertClassifier(kb.BertEncoder(tiny_config()))
    compiled.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    check_standard_sublayers(compiled)


def test_onnx_rejects_modified_masked_lm_head(tmp_path):
    model = kb.BertPretrainer(kb.BertEncoder(tiny_config()))
    check_standard_sublayers(model)
    model.mlm_head._tracker.unlock()
    model.mlm_head.dense = DoubledDense(32)
    with pytest.raises(kb.InputError, match="`model`.*Received: mlm_head/dense .*DoubledDense"):
        export_onnx(model, tmp_path / "out")


def test_onnx_accepts_blocks_of_a_factory(tmp_path):
    """A function that creates standard blocks does not make them custom."""
    encoder = kb.BertEncoder(tiny_config(), block=lambda **settings: TransformerBlock(**settings))
    export_onnx(encoder, tmp_path / "out")
