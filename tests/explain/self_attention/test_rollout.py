"""Rollout, flow and their agreement with leave-one-out: compared with networkx, loops and SciPy."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain import attention_flow, attention_rollout, connectivity
from tests.explain.readable import assert_readable
from tests.helpers import randomize, tiny_config

networkx, stats = pytest.importorskip("networkx"), pytest.importorskip("scipy.stats")
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s", ".", ",", "fine", "was"]
TEXTS = ["a film was fine.", "films, a fine film", "fine", ("a film was", "fine, was a film")]


def random_maps(layers: int = 3, heads: int = 2, length: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(length, 0.3), (layers, heads, length)).astype("float32")


def residual_graph(maps: np.ndarray) -> "networkx.DiGraph":
    """Return the attention graph with the residual connection, edges from a layer to the one below it."""
    graph, length = networkx.DiGraph(), maps.shape[-1]
    for layer, heads in enumerate(maps.astype("float64"), 1):
        for query, key in np.ndindex(length, length):
            weight = (heads[:, query, key].mean() + (query == key)) / 2
            graph.add_edge((layer, query), (layer - 1, key), capacity=weight)
    return graph


@pytest.mark.parametrize("seed", range(3))
def test_flow_equals_networkx(seed):
    maps = random_maps(seed=seed)
    graph = residual_graph(maps)
    for layer in (1, 2, 3):
        found = attention_flow(maps, layer)
        expected = np.array(
            [[networkx.maximum_flow_value(graph, (layer, q), (0, k)) for k in range(5)] for q in range(5)]
        )
        np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), atol=1e-7)
    np.testing.assert_allclose(attention_flow(maps, queries=[4, 0]), found[[4, 0]])


def test_rollout_sums_over_paths():
    maps = random_maps()
    graph, found = residual_graph(maps), attention_rollout(maps)
    for layer, query, key in [(1, 0, 3), (2, 4, 4), (3, 1, 2)]:
        paths = networkx.all_simple_paths(graph, (layer, query), (0, key))
        expected = sum(np.prod([graph.edges[edge]["capacity"] for edge in networkx.utils.pairwise(p)]) for p in paths)
        assert found[layer - 1, query, key] == pytest.approx(expected, abs=1e-7)
    np.testing.assert_allclose(found.sum(-1), 1)


@pytest.fixture(scope="module")
def classifier():
    config = tiny_config(vocab_size=len(VOCABULARY), num_layers=2)
    return randomize(kb.BertClassifier(kb.BertEncoder(config), num_classes=3)), kb.BertTextVectorization(VOCABULARY)


@pytest.mark.slow
def test_correlations_with_leave_one_out(classifier):
    model, vectorizer = classifier
    found = kb.explain.attention_correlations(classifier, TEXTS)
    assert (found.texts, found.skipped) == (3, 1)
    for number, text in enumerate([TEXTS[0], TEXTS[1], TEXTS[3]]):
        inputs = vectorizer(tuple([part] for part in text) if isinstance(text, tuple) else [text])
        length = int(inputs["input_mask"].numpy().sum())
        inputs = {name: value.numpy()[:, :length] for name, value in inputs.items()}
        logits = np.asarray(model(inputs))[0]
        ids, drops = inputs["input_word_ids"][0], []
        places = [index for index, token in enumerate(ids) if token > 4]
        for place in places:
            masked = {**inputs, "input_word_ids": np.where(np.arange(len(ids)) == place, 4, ids)[None]}
            drops.append(logits.max() - np.asarray(model(masked))[0, logits.argmax()])
        attention = kb.explain.attention((model, vectorizer), text)
        measures = {
            "attention": attention.maps[:, :, 0].mean(1),
            "rollout": attention_rollout(attention)[:, 0],
            "flow": [attention_flow(attention, layer)[0] for layer in (1, 2)],
        }
        for name, layers in measures.items():
            for layer, scores in enumerate(layers):
                expected = stats.spearmanr(scores[places], drops).statistic
                assert found.values[name][number, layer] == pytest.approx(expected, abs=1e-9), name
    np.testing.assert_allclose(found.means()["flow"], found.values["flow"].mean(0))
    expected = found.values["rollout"].std(0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(found.errors()["rollout"], expected)
    figure = found.figure()
    assert_readable(figure.figure)
    assert figure.data["means"]["flow"] == found.means()["flow"].tolist() and "3 texts" in figure.caption
    unsigned = kb.explain.attention_correlations(classifier, TEXTS, absolute=True)
    assert not np.allclose(unsigned.values["flow"], found.values["flow"])


def test_connectivity_paths():
    for length, kernel_size in [(9, 5), (6, 3), (12, 7)]:
        figure = connectivity(length, kernel_size)
        assert_readable(figure.figure)
        for kind, facts in figure.data.items():
            graph = networkx.DiGraph(facts["edges"])
            last = facts["layers"], length - 1
            assert networkx.shortest_path_length(graph, (0, 0), last) == facts["longest_path"], kind
            row = [node for node in graph if node[0] == 1]
            assert networkx.dag_longest_path_length(graph.subgraph(row)) + 1 == facts["sequential"], kind
        paths = [facts["longest_path"] for facts in figure.data.values()]
        assert paths == [1, 1, -(-(length - 1) // (kernel_size // 2)), length]


def test_rejects(classifier):
    maps = random_maps()
    cases = [
        (lambda: attention_flow(maps, 4), "`layer` must be from 1 to 3.*layer=4"),
        (lambda: attention_flow(maps, queries=[5]), r"`queries` must be from 0 to 4.*\[5\]"),
        (lambda: attention_flow(maps, queries=[]), "`queries`"),
        (lambda: attention_rollout(maps[0]), "`attention`.*shape"),
        (lambda: kb.explain.attention_correlations((classifier[0].encoder, classifier[1]), TEXTS), "`pretrained`"),
        (lambda: kb.explain.attention_correlations(classifier, ["fine"]), "`texts`.*at least 3 tokens"),
        (lambda: connectivity(2), "`length`.*from 3 to 12.*length=2"),
        (lambda: connectivity(7, 4), "`kernel_size` must be odd.*kernel_size=4"),
        (lambda: connectivity(7, 9), "`kernel_size`.*from 3 to 7.*kernel_size=9"),
    ]
    for call, message in cases:
        with pytest.raises(kb.InputError, match=f"^{message}") as caught:
            call()
        assert "\n" not in str(caught.value)
