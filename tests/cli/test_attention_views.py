"""The views of attention of `keras-bert explain`: values, text, page and figure."""

import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.explain_views import VIEWS
from tests.explain.readable import assert_readable
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s", ".", ",", "fine", "was"]
TEXT, PAIR = "a fine film.", ("films", "a film was fine")


@pytest.fixture(scope="module")
def classifier():
    config = tiny_config(vocab_size=len(VOCABULARY), num_layers=2, num_heads=4)
    return randomize(kb.BertClassifier(kb.BertEncoder(config))), kb.BertTextVectorization(VOCABULARY)


@pytest.mark.slow
def test_views_have_the_same_form(classifier):
    for name in ("attention", "heads", "statistics", "rollout"):
        for texts in ([TEXT], [PAIR, PAIR]):
            result = VIEWS[name].run(classifier, texts, {})
            assert json.loads(json.dumps(result.data)) and result.text.strip()
            if len(texts) == 1:
                assert_readable(result.figure.figure)
                assert (result.html is not None) == (name in ("attention", "heads"))


def test_values_of_the_views(classifier):
    found = kb.explain.attention(classifier, TEXT)
    result = VIEWS["attention"].run(classifier, [TEXT], {"layer": 2, "head": 3})
    (data,) = result.data["attention"]
    np.testing.assert_allclose(data["weights"], found.head(2, 3), atol=1e-6)
    best = found.head(2, 3)[1].argmax()
    assert f"  a                {found.tokens[best]} {found.head(2, 3)[1, best]:.2f}" in result.text
    assert '"layer": 2, "head": 3' in result.html and "layer 2, head 3" in result.figure.caption.lower()
    (data,) = VIEWS["heads"].run(classifier, [TEXT], {}).data["heads"]
    assert data["most"] == found.maps.sum(2).argmax(-1).tolist()
    (data,) = VIEWS["rollout"].run(classifier, [TEXT], {}).data["rollout"]
    np.testing.assert_allclose(data["rollout"], kb.explain.attention_rollout(found)[-1, 0])
    np.testing.assert_allclose(data["flow"], kb.explain.attention_flow(found)[0])
    assert len(data["leave-one-out"]) == len(found.tokens) and data["leave-one-out"][0] == 0
    encoder = classifier[0].encoder, classifier[1]
    assert "leave-one-out" not in VIEWS["rollout"].run(encoder, [TEXT], {}).text
    statistics = VIEWS["statistics"].run(classifier, [TEXT, PAIR], {}).data["statistics"]
    assert statistics["texts"] == 2
    with pytest.raises(kb.InputError, match="`layer`.*1 to 2.*layer=3"):
        VIEWS["attention"].run(classifier, [TEXT], {"layer": 3})


def test_long_texts_have_no_flow(classifier, monkeypatch):
    monkeypatch.setattr("keras_bert.cli.attention_views.MOST_FLOW_TOKENS", 5)
    result = VIEWS["rollout"].run(classifier, [TEXT], {})
    assert "flow" not in result.data["rollout"][0] and "flow is left out for texts of more than 5" in result.text
