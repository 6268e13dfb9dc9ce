"""`BertConfig`: published sizes, invalid values, dicts and JSON files."""

import json

import keras
import pytest

import keras_bert as kb

PUBLISHED_PARAMETERS = {  # of the encoder with its pooler, in the published checkpoints
    "bert_en_uncased_L-12_H-768_A-12": 109_482_240,
    "bert_en_uncased_L-24_H-1024_A-16": 335_141_888,
    "bert_en_cased_L-12_H-768_A-12": 108_310_272,
    "bert_multi_cased_L-12_H-768_A-12": 177_853_440,
    "bert_zh_L-12_H-768_A-12": 102_267_648,
    "small_bert/bert_en_uncased_L-2_H-128_A-2": 4_385_920,  # "tiny"
    "small_bert/bert_en_uncased_L-4_H-256_A-4": 11_170_560,  # "mini"
    "small_bert/bert_en_uncased_L-4_H-512_A-8": 28_763_648,  # "small"
    "small_bert/bert_en_uncased_L-8_H-512_A-8": 41_373_184,  # "medium"
    "distilbert-base-uncased": 66_362_880,
    "albert-base-v2": 11_683_584,
}


def count_parameters(config) -> int:
    """Return the number of parameters of an encoder, without memory for its variables."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            return kb.BertEncoder(config).count_params()
    finally:
        keras.utils.clear_session()  # otherwise Keras initializes these variables with the next model


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED_PARAMETERS.items())
def test_published_parameter_counts(name, parameters):
    assert count_parameters(kb.BertConfig.from_preset(name)) == parameters


def test_presets_have_the_sizes_in_their_names():
    assert len(kb.PRESETS) == 45
    for name in [name for name in kb.PRESETS if "_L-" in name]:
        config = kb.BertConfig.from_preset(name)
        assert name.endswith(f"_L-{config.num_layers}_H-{config.hidden_size}_A-{config.num_heads}")
        assert config.head_size == 64
        assert config.intermediate_size == 4 * config.hidden_size
        assert (config.max_position_embeddings, config.type_vocab_size) == (512, 2)
        assert (config.activation, config.layer_norm_epsilon) == ("gelu_tanh", 1e-12)


@pytest.mark.parametrize("kind", ["en_uncased", "en_cased", "multi_cased", "zh"])
def test_vocab_size_of_presets(kind, shared_data):
    lines = (shared_data / "vocab" / f"bert_{kind}.txt").read_bytes().count(b"\n")
    assert kb.BertConfig.from_preset(f"bert_{kind}_L-12_H-768_A-12").vocab_size == lines


def test_presets_of_distilbert_and_albert():
    """The fields of the published config files."""
    distilbert = kb.BertConfig.from_preset("distilbert-base-uncased")
    assert (distilbert.vocab_size, distilbert.num_layers, distilbert.hidden_size) == (30522, 6, 768)
    assert (distilbert.type_vocab_size, distilbert.pooler, distilbert.activation) == (0, False, "gelu")
    sizes = {"base": (12, 768, 12), "large": (24, 1024, 16), "xlarge": (24, 2048, 16), "xxlarge": (12, 4096, 64)}
    for size, expected in sizes.items():
        one, two = (kb.BertConfig.from_preset(f"albert-{size}-v{version}") for version in (1, 2))
        assert (two.num_layers, two.hidden_size, two.num_heads) == expected
        assert (two.vocab_size, two.embedding_size, two.intermediate_size) == (30000, 128, 4 * two.hidden_size)
        assert two.share_blocks and two.pooler and two.activation == "gelu_tanh"
        assert two.hidden_dropout == two.attention_dropout == 0  # "no dropout" in version 2
        rates = {} if size == "xxlarge" else {"hidden_dropout": 0.1, "attention_dropout": 0.1}
        assert one == kb.BertConfig.from_dict({**two.to_dict(), **rates})


def test_preset_name_without_small_bert():
    short = kb.BertConfig.from_preset("bert_en_uncased_L-4_H-256_A-4", hidden_dropout=0.0)
    assert short == kb.BertConfig.from_preset("small_bert/bert_en_uncased_L-4_H-256_A-4", hidden_dropout=0.0)
    assert short.hidden_dropout == 0.0


@pytest.mark.parametrize("name", ["bert_en_uncased_L-3_H-128_A-2", "small_bert/bert_zh_L-12_H-768_A-12", "", "bert"])
def test_rejects_unknown_presets(name):
    with pytest.raises(kb.InputError, match=f"`name`.*Received: .*{name!r}"):
        kb.BertConfig.from_preset(name)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocab_size", 0),
        ("vocab_size", True),
        ("hidden_size", -768),
        ("hidden_size", 100),  # not a multiple of 12 heads
        ("hidden_size", 768.0),
        ("num_layers", "12"),
        ("num_layers", 10**9),
        ("num_heads", 7),
        ("intermediate_size", None),
        ("max_position_embeddings", 0),
        ("type_vocab_size", -1),
        ("activation", "swish"),
        ("hidden_dropout", 1.0),
        ("hidden_dropout", -0.1),
        ("attention_dropout", float("nan")),
        ("attention_dropout", "0.1"),
        ("initializer_range", 0.0),
        ("initializer_range", float("inf")),
        ("layer_norm_epsilon", 0),
        ("layer_norm_epsilon", float("nan")),
    ],
)
def test_rejects_invalid_values(field, value):
    with pytest.raises(kb.InputError) as caught:
        kb.BertConfig(**{field: value})
    message = str(caught.value)
    assert f"`{field}`" in message and "Received: " in message and "\n" not in message


def test_dict_and_json_round_trip(tmp_path):
    config = kb.BertConfig(num_layers=3, activation="gelu", hidden_dropout=0.2)
    assert kb.BertConfig.from_dict(config.to_dict()) == config
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_dict()), encoding="utf-8")
    assert kb.BertConfig.from_json(path) == config


def test_rejects_invalid_dicts_and_files(tmp_path):
    with pytest.raises(kb.InputError, match="`values`.*layers"):
        kb.BertConfig.from_dict({"layers": 12})
    for content in (None, "", "[]", "{", '{"layers": 12}'):
        path = tmp_path / "config.json"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content, encoding="utf-8")
        with pytest.raises(kb.InputError, match="^`(path|values)`.*Received: "):
            kb.BertConfig.from_json(path)
    with pytest.raises(kb.InputError, match="`path`.*Received: "):
        kb.BertConfig.from_json(tmp_path)
