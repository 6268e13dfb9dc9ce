"""A model with its tokenizer, from every form of the argument `pretrained`, and the tokens of texts."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain.texts.text_model import open_model, open_preprocessor
from tests.explain.small_models import VOCABULARY, small_encoder, small_pretrainer

PAIR = ("the bank , known", "a long film of the river .")


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


def forms(encoder, folder) -> dict:
    """Return all forms of a model that functions take."""
    loaded = kb.load_pretrained(kb.save_pretrained(encoder, folder, encoder.vectorizer))
    functional = keras.Model(encoder.input, keras.layers.Dense(2)(encoder(encoder.input)["pooled_output"]))
    return {
        "loaded": loaded,
        "its model": loaded.model,
        "model with a vectorizer": encoder,
        "tuple": (kb.BertEncoder(encoder.config), encoder.vectorizer),
        "functional model": functional,
        "opened": open_model(encoder),
    }


def test_every_form_of_a_model(encoder, tmp_path):
    expected = {name: value.numpy()[0] for name, value in encoder.vectorizer(([PAIR[0]], [PAIR[1]])).items()}
    for name, form in forms(encoder, tmp_path / "encoder").items():
        opened = open_model(form)
        (text,) = opened.tokenize([PAIR])
        np.testing.assert_array_equal(text.ids, expected["input_word_ids"][: len(text.ids)], err_msg=name)
        np.testing.assert_array_equal(text.types, expected["input_type_ids"][: len(text.ids)], err_msg=name)
        assert opened.encoder.config == encoder.config and opened.tokenizer.max_length == 40, name
        if name != "opened":
            model, preprocessor = open_preprocessor(form)
            assert type(model) is type(opened.model) and preprocessor.sequence_length == 40, name
    assert open_model(opened) is opened


def test_views_take_every_form(encoder, tmp_path):
    """The three groups of functions take the same models: attention, hidden states and attributions."""
    model = kb.BertClassifier(encoder, 2)
    loaded = kb.load_pretrained(kb.save_pretrained(model, tmp_path / "classifier", encoder.vectorizer))
    found = []
    for form in (loaded, loaded.model, (model, encoder.vectorizer)):
        maps = kb.explain.attention(form, "a good film").maps
        distances = kb.explain.layer_distances(form, ["a good film"]).l2
        scores = kb.explain.gradient(form, "a good film", 1).scores
        found.append(np.concatenate([maps.ravel(), distances, scores]))
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)
    np.testing.assert_allclose(found[2], found[0], atol=1e-6)


def test_special_tokens_of_a_text():
    pretrainer, text = small_pretrainer(), "a [MASK] [SEP]"
    whole, split = ["a", "[MASK]", "[SEP]"], "a [UNK] [UNK] [UNK] [UNK] [UNK] [UNK]".split()
    keeps = kb.BertTextVectorization(VOCABULARY, special_tokens=True)
    for form, special_tokens, expected in (
        (pretrainer, None, whole),
        ((pretrainer, pretrainer.vectorizer), None, whole),
        (pretrainer, (), split),
        (pretrainer, ("[MASK]",), ["a", "[MASK]", *split[4:]]),
        (pretrainer.encoder, None, split),
        ((pretrainer.encoder, keeps), None, whole),
    ):
        opened = open_model(form, special_tokens=special_tokens)
        assert opened.tokenizer(text).tokens[1:-1] == expected


def test_words_of_a_pair(encoder):
    text = open_model(encoder).tokenizer(("unknowns walked", "bank ."))
    assert text.words == ["[CLS]", "unknowns", "walked", "[SEP]", "bank", ".", "[SEP]"]
    assert text.word_spans == [(0, 0), (0, 8), (9, 15), (0, 0), (0, 4), (5, 6), (0, 0)]
    assert text.word_tokens == [[0], [1, 2, 3], [4, 5], [6], [7], [8], [9]]
    assert text.text_numbers == [None, 0, 0, 0, 0, 0, None, 1, 1, None]
    assert text.is_special.tolist() == [number is None for number in text.text_numbers]


def test_rejects(encoder):
    for pretrained, match in (
        ("bert", "^`pretrained` must be.*Received: 'bert'"),
        (kb.BertEncoder(encoder.config), "^`pretrained` must have a vectorizer.*BertEncoder"),
        ((encoder, VOCABULARY), "^`vectorizer` must be a BertTextVectorization.*list"),
        ((encoder, kb.BertTextVectorization(VOCABULARY[:-1])), "^`vectorizer` must have as many tokens"),
    ):
        with pytest.raises(kb.InputError, match=match):
            open_model(pretrained)
    opened = open_model(encoder)
    with pytest.raises(kb.InputError, match=r"^`texts`.*Received: texts=3\. This is text 2 of 2\.$"):
        opened.tokenize(["a", 3], "texts")
    with pytest.raises(kb.InputError, match="^`text` must have at most 40 tokens.*Received: 42 tokens"):
        opened.tokenizer("film " * 40)
    assert opened.tokenizer("film " * 40, max_length=42).truncated is False
    cut = opened.tokenizer(("film " * 40, "a bank"), truncate=True)
    assert len(cut.ids) == 40 and cut.truncated and cut.tokens[-4:] == ["[SEP]", "a", "bank", "[SEP]"]
