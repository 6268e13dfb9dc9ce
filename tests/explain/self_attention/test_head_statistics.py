"""Statistics of heads, compared with loops over single probabilities, and their figures."""

import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain.self_attention.head_statistics import AttentionStatistics
from tests.explain.readable import assert_readable
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s", ".", ",", "fine", "was"]
TEXTS = ["a film.", "films, films, a fine film was a film.", ("a film, a", "fine."), "was a fine film"]


@pytest.fixture(scope="module")
def pretrained():
    config = tiny_config(vocab_size=len(VOCABULARY), num_layers=2, num_heads=2)
    return randomize(kb.BertEncoder(config)), kb.BertTextVectorization(VOCABULARY)


def slow_statistics(maps: np.ndarray, tokens: list[str]) -> dict[str, float]:
    """Compute the statistics of one head `[T, T]` by their definitions, one probability at a time."""
    length = len(tokens)
    sums = dict.fromkeys(("self", "previous", "next", "cls", "sep", "punctuation", "sep_to_sep", "other_to_sep"), 0.0)
    entropies = []
    for query in range(length):
        entropy = 0.0
        for key in range(length):
            value = float(maps[query, key])
            smooth = 0.9999 * value + 0.0001 / length
            entropy -= smooth * np.log(smooth)
            sums["self"] += value * (key == query)
            sums["previous"] += value * (key == query - 1)
            sums["next"] += value * (key == query + 1)
            sums["cls"] += value * (tokens[key] == "[CLS]")
            sums["punctuation"] += value * (tokens[key] in ".,")
            sums["sep"] += value * (tokens[key] == "[SEP]")
            sums["sep_to_sep"] += value * (tokens[key] == tokens[query] == "[SEP]")
            sums["other_to_sep"] += value * (tokens[key] == "[SEP]" != tokens[query])
        entropies.append(entropy)
    queries = dict.fromkeys(sums, length)
    queries |= {"sep_to_sep": tokens.count("[SEP]"), "other_to_sep": length - tokens.count("[SEP]")}
    found = {name: value / queries[name] for name, value in sums.items()}
    return {**found, "entropy": np.mean(entropies), "cls_entropy": entropies[0], "uniform_entropy": np.log(length)}


def test_statistics_equal_loops(pretrained):
    found = kb.explain.attention_statistics(pretrained, TEXTS, max_length=9)
    cut = "films, films, a"  # the second text, cut to nine tokens
    rows = kb.explain.attention(pretrained, [TEXTS[0], TEXTS[2], TEXTS[3]])
    rows.append(kb.explain.attention(pretrained, cut))
    assert (found.texts, found.truncated) == (4, 1) and found.tokens == sum(len(row.tokens) for row in rows)
    for layer, head in np.ndindex(2, 2):
        texts = [slow_statistics(row.maps[layer, head], row.tokens) for row in rows]
        expected = {name: np.mean([each[name] for each in texts]) for name in texts[0]}
        for name, values in {**found.averages, "entropy": found.entropy, "cls_entropy": found.cls_entropy}.items():
            np.testing.assert_allclose(values[layer, head], expected[name], atol=1e-6, err_msg=name)
    assert found.uniform_entropy == pytest.approx(expected["uniform_entropy"])


def test_distances_equal_scipy(pretrained):
    jensenshannon = pytest.importorskip("scipy.spatial.distance").jensenshannon
    found = kb.explain.attention_statistics(pretrained, TEXTS, distance_texts=2)
    rows = [kb.explain.attention(pretrained, text) for text in TEXTS[:2]]
    expected, tokens = np.zeros((4, 4)), 0
    for row in rows:
        length = len(row.tokens)
        flat = 0.999 * row.maps.reshape(4, length, length).astype("float64") + 0.001 / length
        tokens += length
        for one, other in np.ndindex(4, 4):
            expected[one, other] += sum(jensenshannon(flat[one, i], flat[other, i]) ** 2 for i in range(length))
    np.testing.assert_allclose(found.distances, expected / tokens, atol=1e-7)
    assert found.distance_texts == 2 and np.diag(found.distances).max() == 0
    positions = found.mds()
    assert positions.shape == (4, 2)
    np.testing.assert_array_equal(found.mds(), positions)


def statistics_of(layers: int, heads: int) -> AttentionStatistics:
    """Return statistics with one head of each class, and similar heads within a layer."""
    rng = np.random.default_rng(0)
    names = ("self", "previous", "next", "cls", "sep", "punctuation", "sep_to_sep", "other_to_sep")
    averages = {name: rng.uniform(0.0, 0.3, (layers, heads)) for name in names}
    entropy = rng.uniform(1.0, 3.5, (layers, heads))
    points = rng.standard_normal((layers * heads, 2)) + np.repeat(np.arange(layers), heads)[:, None]
    distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1)) / 20
    averages["next"][0, 0], averages["previous"][0, 1], averages["sep"][0, 2] = 0.51, 0.51, 0.61
    averages["cls"][1, 0], entropy[1, 1], averages["next"][1, 2] = 0.61, 3.81, 0.5
    entropy[0, 0] = 3.9  # a head of two classes belongs to the first
    return AttentionStatistics(averages, entropy, entropy / 2, 4.8, distances, 1000, 128_000, 0, 100)


def test_classes_of_heads():
    classes = statistics_of(2, 3).classes()
    assert classes.tolist() == [["next", "previous", "[SEP]"], ["[CLS]", "broad", "other"]]
    stored = json.loads(json.dumps(statistics_of(2, 3).to_dict()))
    assert stored["classes"] == classes.tolist() and stored["texts"] == 1000


@pytest.mark.slow
def test_figures_show_the_numbers():
    statistics = statistics_of(6, 12)
    figure = statistics.figure()
    panels = {axes.get_title(): axes.lines for axes in figure.figure.axes}
    dots, line, *_ = panels["to [SEP]"]
    np.testing.assert_array_equal(dots.get_ydata(), statistics.averages["sep"].ravel())
    np.testing.assert_array_equal(line.get_ydata(), statistics.averages["sep"].mean(1))
    assert panels["entropy"][2].get_linestyle() == "--" and panels["entropy"][2].get_ydata()[0] == 4.8
    heads = statistics.map_figure()
    by_class, by_layer, _ = heads.figure.axes
    assert sum(len(line.get_xdata()) for line in by_class.lines) == 72
    np.testing.assert_array_equal(by_layer.collections[0].get_array(), np.repeat(np.arange(1, 7), 12))
    for each in (figure, heads, statistics_of(2, 3).map_figure()):
        assert_readable(each.figure)
        assert json.loads(json.dumps(each.data)) == each.data
    np.testing.assert_array_equal(figure.data["sep"], statistics.averages["sep"])
    assert "1,000 texts" in figure.caption and "100 texts" in heads.caption


def test_rejects(pretrained):
    for options, message in [
        ({"max_length": 4}, "`max_length`.*from 5 to 40.*max_length=4"),
        ({"max_length": 41}, "`max_length`.*max_length=41"),
        ({"distance_texts": 0}, "`distance_texts`.*at least 1.*distance_texts=0"),
    ]:
        with pytest.raises(kb.InputError, match=f"^{message}"):
            kb.explain.attention_statistics(pretrained, TEXTS, **options)
    with pytest.raises(kb.InputError, match="^`text`.*text 2 of "):
        kb.explain.attention_statistics(pretrained, ["a film", " "])
