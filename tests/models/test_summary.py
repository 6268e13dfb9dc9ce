"""`model_summary` and `sizes_on_disk`, compared with the weights and the files."""

import math

import keras_bert as kb
from keras_bert.models.summary import model_summary, sizes_on_disk
from tests.helpers import tiny_config


def test_counts_every_weight_once():
    classifier = kb.BertClassifier(kb.BertEncoder(tiny_config(hidden_dropout=0.1)), num_classes=3)
    summary = model_summary(classifier)
    assert summary["parameters"] == summary["trainable"] == classifier.count_params()
    assert [array["shape"] for array in summary["arrays"]] == [list(weight.shape) for weight in classifier.weights]
    assert all(array["parameters"] == math.prod(array["shape"]) for array in summary["arrays"])
    assert len({array["name"] for array in summary["arrays"]}) == len(summary["arrays"])
    assert summary["config"] == classifier.encoder.config.to_dict()


def test_parameters_follow_from_the_sizes():
    """The number of parameters from L, H, F, V and the number of positions (appendix A.2 of the paper)."""
    config = tiny_config(num_layers=3)
    h, f, v, p = config.hidden_size, config.intermediate_size, config.vocab_size, config.max_position_embeddings
    block = 4 * (h * h + h) + (h * f + f) + (f * h + h) + 2 * 2 * h
    assert model_summary(config)["parameters"] == (v + p + 2) * h + 2 * h + 3 * block + (h * h + h)


def test_counts_layers_at_all_depths():
    layers = model_summary(kb.BertPretrainer(kb.BertEncoder(tiny_config(num_layers=3))))["layers"]
    assert layers["TransformerBlock"] == layers["MultiHeadAttention"] == 3
    assert layers["LayerNormalization"] == 1 + 2 * 3 + 1  # embeddings, two per block, masked-LM head
    assert layers["BertEncoder"] == layers["MaskedLMHead"] == 1


def test_frozen_weights_are_not_trainable():
    encoder = kb.BertEncoder(tiny_config())
    encoder.pooler.trainable = False
    summary = model_summary(encoder)
    assert summary["parameters"] - summary["trainable"] == encoder.pooler.count_params()


def test_sizes_on_disk(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "small").write_bytes(b"x")
    (tmp_path / "large").write_bytes(b"x" * 100)
    assert list(sizes_on_disk(tmp_path).items()) == [("large", 100), ("sub/small", 1)]
