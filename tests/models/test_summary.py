"""The facts of a model against the weights themselves."""

import math

from helpers import tiny_config

import keras_bert as kb
from keras_bert.models.summary import model_facts, sizes_on_disk


def test_every_weight_is_counted_once():
    classifier = kb.BertClassifier(kb.BertEncoder(tiny_config(hidden_dropout=0.1)), num_classes=3)
    facts = model_facts(classifier)
    assert facts["parameters"] == facts["trainable"] == classifier.count_params()
    assert [array["shape"] for array in facts["arrays"]] == [list(weight.shape) for weight in classifier.weights]
    assert all(array["parameters"] == math.prod(array["shape"]) for array in facts["arrays"])
    assert len({array["name"] for array in facts["arrays"]}) == len(facts["arrays"])
    assert facts["config"] == classifier.encoder.config.to_dict()


def test_the_formula_of_the_paper():
    """Appendix A.2's sizes: what L, H and V make of a BERT, counted by hand."""
    config = tiny_config(num_layers=3)
    h, i, v, p = config.hidden_size, config.intermediate_size, config.vocab_size, config.max_position_embeddings
    block = 4 * (h * h + h) + (h * i + i) + (i * h + h) + 2 * 2 * h
    assert model_facts(config)["parameters"] == (v + p + 2) * h + 2 * h + 3 * block + (h * h + h)


def test_layers_are_counted_at_every_depth():
    layers = model_facts(kb.BertPretrainer(kb.BertEncoder(tiny_config(num_layers=3))))["layers"]
    assert layers["TransformerBlock"] == layers["MultiHeadAttention"] == 3
    assert layers["LayerNormalization"] == 1 + 2 * 3 + 1  # embeddings, two a block, the masked-word head
    assert layers["BertEncoder"] == layers["MaskedLMHead"] == 1


def test_frozen_arrays_are_not_trainable():
    encoder = kb.BertEncoder(tiny_config())
    encoder.pooler.trainable = False
    facts = model_facts(encoder)
    assert facts["parameters"] - facts["trainable"] == encoder.pooler.count_params()


def test_sizes_on_disk(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "small").write_bytes(b"x")
    (tmp_path / "large").write_bytes(b"x" * 100)
    assert list(sizes_on_disk(tmp_path).items()) == [("large", 100), ("sub/small", 1)]
