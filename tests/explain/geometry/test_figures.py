"""The figures of geometry: readable texts, self-contained SVG, and captions with the numbers of the data."""

import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain.figures.panels import draw_points, fix_layout, new_panels
from tests.explain.readable import assert_readable
from tests.explain.small_models import TEXTS, small_encoder, small_pretrainer

BANKS = ["the bank of the river", "a boat on the bank", "money in the bank", "the bank is good", "bank", "the bank"]


@pytest.fixture(scope="module")
def results():
    encoder = small_encoder(num_layers=6, num_heads=4)
    classifier = kb.BertClassifier(encoder, num_classes=2)
    long = " ".join("the unknowns walked on , she sat in a boat of money and $ .".split() * 2)
    contextuality = kb.explain.contextuality(encoder, TEXTS, 2)
    return {
        "embeddings": kb.explain.embeddings(encoder, "the bank of the river", "she sat on a boat"),
        "embeddings without segments": kb.explain.embeddings(small_encoder(type_vocab_size=0), "a film"),
        "distances": kb.explain.layer_distances(encoder, TEXTS),
        "context": kb.explain.word_in_context(encoder, BANKS, "bank", ["river"] * 2 + ["money"] * 4),
        "context of one layer": kb.explain.word_in_context(encoder, BANKS, "bank", layers=[3]),
        "contextuality": contextuality,
        "anisotropy": contextuality.anisotropy,
        "self-similarity": contextuality.self_similarity,
        "cka": kb.explain.cka(encoder, TEXTS),
        "cka of two": kb.explain.cka(encoder, TEXTS, small_encoder(), names=("one", "another")),
        "lens": kb.explain.logit_lens(small_pretrainer(num_layers=6), "she sat on the [MASK]"),
        "lens of a long text": kb.explain.logit_lens(small_pretrainer(), long),
        "ablation": kb.explain.head_ablation(classifier, TEXTS, [0, 1] * 3),
        "similarity": kb.explain.similarity_map(encoder, BANKS, ["river"] * 2 + ["money"] * 4),
        "similarity without groups": kb.explain.similarity_map(encoder, TEXTS + BANKS),
    }


NAMES = (
    "embeddings, embeddings without segments, distances, context, context of one layer, contextuality, anisotropy, "
    "self-similarity, cka, cka of two, lens, lens of a long text, ablation, similarity, similarity without groups"
).split(", ")


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_readable_and_self_contained(name, results):
    plot = results[name].plot()
    assert_readable(plot.figure)
    svg = plot.svg()
    assert svg.startswith("<svg") and "://" not in svg and svg == results[name].plot().svg()
    assert "Look" in plot.caption or "Mean cosine of two places" in plot.caption
    assert json.dumps(plot.data, allow_nan=False) and plot.alt != plot.caption
    assert "nan" not in plot.caption


def test_captions_have_the_numbers(results):
    distances = results["distances"]
    most = int(np.argmax(distances.degrees))
    assert f"layer {most + 1} ({distances.degrees[most]:.0f}°" in distances.plot().caption
    assert f"of {results['cka'].words} words" in results["cka"].plot().caption
    lens = results["lens"]
    position = lens.tokens.index("[MASK]")
    assert f'"{lens.final[position]}" is, by layer, {lens.probabilities[0, position]:.2f}' in lens.plot().caption
    assert f"accuracy {results['ablation'].accuracy:.1%}" in results["ablation"].plot().caption


def test_panels_are_in_straight_lines(results):
    figure = results["context"].plot().figure
    shown = [axes.get_position() for axes in figure.axes if axes.axison]
    assert len(shown) == 8  # seven layers and the cosines
    lefts, bottoms = sorted({each.x0 for each in shown}), {each.y0 for each in shown}
    assert len(lefts) == 4 and len(bottoms) == 2
    assert np.ptp(np.diff(lefts)) < 0.003  # the spaces between the columns are equal; the layout is rounded to 0.001


def test_points_at_one_place_have_one_text_beside_them():
    figure, [[axes]] = new_panels(1, 1, 2.3, 2.3)
    draw_points(axes, np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.2], [0.0, 1.0]]))
    fix_layout(figure)
    texts = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert set(texts) == {"1, 3, 5", "2", "4"}
    marker = axes.transData.transform((0, 1))
    box, frame = texts["1, 3, 5"], axes.get_window_extent()
    assert box.y1 < marker[1] - 6 * figure.dpi / 72  # below the mark, which has a radius of 6 points
    assert frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0


def test_lens_cells_show_the_first_tokens(results):
    lens = results["lens"]
    axes = lens.plot().figure.axes[0]
    shown = [text.get_text().replace(r"\$", "$") for text in axes.texts]
    assert shown == [cell[0] for layer in lens.top_tokens for cell in layer]
    framed = sum(
        token != final for line in lens.top_tokens for (token, *_), final in zip(line, lens.final, strict=True)
    )
    assert len(axes.patches) == framed > 0
