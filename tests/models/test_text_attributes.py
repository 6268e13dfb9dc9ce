"""What a model knows about its texts: it is not part of its weights, config and files, and copies keep it."""

import copy
import json

import keras
import pytest

import keras_bert as kb
from tests.helpers import assert_close, random_inputs, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


@pytest.fixture
def vectorizer():
    return kb.BertTextVectorization(VOCABULARY, sequence_length=12)


def model_with_texts(vectorizer):
    model = kb.BertClassifier(kb.BertEncoder(tiny_config()), 3)
    model.vectorizer, model.labels, model.pairs = vectorizer, ["a", "b", "c"], False
    return model


def test_is_no_part_of_the_model(vectorizer, tmp_path):
    plain, model = kb.BertClassifier(kb.BertEncoder(tiny_config()), 3), model_with_texts(vectorizer)
    for attribute in ("layers", "weights", "variables", "trainable_variables"):
        assert len(getattr(model, attribute)) == len(getattr(plain, attribute))
    assert len(model.encoder.layers) == len(plain.encoder.layers)
    names = [json.dumps(each.get_config(), default=str) for each in (model, plain)]
    assert "vectorizer" not in names[0] and len(names[0]) - len(names[1]) in range(-20, 20)
    inputs = random_inputs(model.encoder.config)
    expected = model(inputs)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert_close(loaded(inputs), expected)
    assert loaded.vectorizer is None and loaded.labels is None  # `save_pretrained` keeps them
    rebuilt = kb.BertClassifier.from_config(model.get_config())
    rebuilt.set_weights(model.get_weights())
    assert_close(rebuilt(inputs), expected)
    copied = copy.deepcopy(model)
    assert_close(copied(inputs), expected)
    assert (copied.vectorizer, copied.labels, copied.pairs) == (vectorizer, ["a", "b", "c"], False)


def test_all_heads_of_an_encoder_share_it(vectorizer):
    model = model_with_texts(vectorizer)
    other = kb.BertTokenClassifier(model.encoder, 4)
    assert model.encoder.vectorizer is model.vectorizer is other.vectorizer is vectorizer
    assert other.labels is None
    for copied in (model.with_encoder(model.encoder.copy()), model.with_encoder(model.encoder.copy(dtype="bfloat16"))):
        assert (copied.vectorizer, copied.labels, copied.pairs) == (vectorizer, ["a", "b", "c"], False)
    model.vectorizer = None
    assert other.vectorizer is None


def test_loaded_models_have_it(vectorizer, tmp_path):
    folder = model_with_texts(vectorizer).save_pretrained(tmp_path / "m")
    pretrained = kb.load_pretrained(folder)
    assert pretrained.vectorizer is pretrained.model.vectorizer is pretrained.encoder.vectorizer
    model = kb.BertClassifier.from_pretrained(folder, dropout=0.2)
    assert (model.labels, model.pairs) == (["a", "b", "c"], False)
    assert model.vectorizer.get_config() == {**vectorizer.get_config(), "name": model.vectorizer.name}
    new_head = kb.BertTokenClassifier.from_pretrained(folder, num_classes=2)
    assert new_head.labels is None and new_head.vectorizer.get_vocabulary() == VOCABULARY
    assert kb.load_pretrained(model.save_pretrained(tmp_path / "n")).labels == ["a", "b", "c"]


def test_rejects_other_vectorizers(tmp_path):
    model = kb.BertClassifier(kb.BertEncoder(tiny_config()), 3)
    with pytest.raises(kb.InputError, match="^`vectorizer` must have as many tokens.*100. Received: 6 tokens"):
        model.vectorizer = kb.BertTextVectorization(VOCABULARY[:6])
    with pytest.raises(kb.InputError, match="^`vectorizer` must be a BertTextVectorization"):
        model.vectorizer = 3
    with pytest.raises(kb.InputError, match="^`vectorizer` must be given"):
        model.save_pretrained(tmp_path / "m")
