"""Attributions as HTML, as colored text and as figures."""

import html.parser
import json

import numpy as np
import pytest
from rich.console import Console

from keras_bert.explain import Attribution, LayerAttributions
from keras_bert.explain.attribution.target import Target
from keras_bert.explain.texts.tokenized_text import Tokenizer

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<", "b", ">", "not", "good", "##ness", "&"]
TEXT = "<b>  goodness & Not"


@pytest.fixture
def attribution():
    tokenized = Tokenizer(VOCABULARY, True, 20)(TEXT)
    scores = np.linspace(-0.5, 1.0, len(tokenized.tokens))
    target = Target('<i>"positive"</i>', 1)
    return Attribution(tokenized, scores, target, 2.0, 0.5, "integrated_gradients", {"steps": 50, "layer": 0})


class Page(html.parser.HTMLParser):
    """The elements, the attributes and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(name, value) for name, value in attrs]

    def handle_data(self, data):
        self.text += data


def test_html_is_self_contained_and_escaped(attribution):
    layers = LayerAttributions([attribution] * 3)
    for page in (attribution.to_html(), layers.to_html()):
        found = Page(page)
        assert TEXT.split()[0] in found.text and '<i>"positive"</i>' in found.text
        assert not {"b", "i", "script", "link", "img", "iframe"} & set(found.elements)
        assert not any(name in ("src", "href") or name.startswith("on") for name, _ in found.attributes)
        assert "http" not in page and "url(" not in page and "@import" not in page
    found = Page(attribution.to_html())
    assert "goodness" in found.text and f"{attribution.word_scores[4]:+.2f}" in found.text


def test_colored_text_shows_every_token(attribution):
    def shown(renderable):
        console = Console(force_terminal=True, color_system="truecolor", width=200)
        with console.capture() as capture:
            console.print(renderable)
        return capture.get()

    colored = shown(attribution)
    plain = Console(width=200, color_system=None)
    with plain.capture() as capture:
        plain.print(attribution)
    assert capture.get().strip() == "[CLS] <b> goodness & Not [SEP]"
    assert "48;2;" in colored  # background colors
    assert len(shown(LayerAttributions([attribution] * 3)).strip().splitlines()) == 3


def test_figures_and_json(attribution):
    figure, data = attribution.plot()
    bars = figure.figure.axes[0].patches
    np.testing.assert_allclose([bar.get_width() for bar in bars], attribution.scores)
    assert str(attribution.target) == '<i>"positive"</i>'
    assert data == json.loads(json.dumps(data)) == attribution.to_dict()
    assert data["completeness_error"] == pytest.approx(abs(attribution.scores.sum() - 1.5) / 1.5)
    assert [TEXT[slice(*word["span"])] for word in data["words"]][1:-1] == ["<", "b", ">", "goodness", "&", "Not"]
    layers = LayerAttributions([attribution] * 3)
    figure, data = layers.plot()
    assert figure.figure.axes[0].images[0].get_array().shape == (3, len(attribution.tokens), 4)
    assert np.shape(data["scores"]) == (3, len(attribution.tokens))
