"""Adapters (Houlsby et al. 2019) in a pretrained encoder: near the identity before training."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.layers import TransformerBlock

TEXTS = ["a gripping film with a fine cast", "the plot is thin .", "who directed it ?"]


@keras.saving.register_keras_serializable(package="tests")
class Adapter(keras.layers.Layer):
    """Bottleneck with a skip connection that starts near the identity."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def build(self, shape):
        start = keras.initializers.TruncatedNormal(stddev=1e-3)
        self.down = keras.layers.Dense(self.size, activation="gelu", kernel_initializer=start, dtype=self.dtype_policy)
        self.up = keras.layers.Dense(shape[-1], kernel_initializer=start, dtype=self.dtype_policy)
        self.down.build(shape)
        self.up.build((*shape[:-1], self.size))

    def call(self, x):
        return x + self.up(self.down(x))  # [B, T, H]

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def block_with_adapters(**settings):
    return TransformerBlock(**settings, after_attention=Adapter(16), after_feed_forward=Adapter(16))


@pytest.fixture(scope="module")
def pretrained():
    return kb.load_pretrained("bert_en_uncased_mini")


@pytest.mark.slow
def test_adapters_keep_pretrained_outputs(pretrained, tmp_path):
    encoder = kb.BertEncoder.from_pretrained("bert_en_uncased_mini", block=block_with_adapters)
    inputs = pretrained.vectorizer(TEXTS)
    expected, output = (
        keras.ops.convert_to_numpy(model(inputs)["sequence_output"]) for model in (pretrained.encoder, encoder)
    )  # [B, T, H]
    cosine = (expected * output).sum(-1) / np.linalg.norm(expected, axis=-1) / np.linalg.norm(output, axis=-1)  # [B, T]
    assert cosine.min() > 0.999
    assert np.abs(expected - output).max() > 0  # the adapters are there

    classifier = kb.BertClassifier(encoder, 2)
    folder = classifier.save_pretrained(tmp_path / "model", pretrained.vectorizer, ["bad", "good"])
    loaded = kb.BertClassifier.from_pretrained(folder)
    assert loaded.encoder.has_custom_blocks and isinstance(loaded.encoder.blocks[0].after_attention, Adapter)
    np.testing.assert_array_equal(loaded(inputs), classifier(inputs))


def test_task_model_with_adapters(pretrained):
    classifier = kb.BertClassifier.from_pretrained("bert_en_uncased_mini", num_classes=2, block=block_with_adapters)
    classifier.encoder.trainable = True
    adapters = sum(
        slot.count_params()
        for block in classifier.encoder.blocks
        for slot in (block.after_attention, block.after_feed_forward)
    )
    assert classifier.encoder.count_params() == pretrained.encoder.count_params() + adapters
    assert adapters < 0.02 * classifier.count_params()
