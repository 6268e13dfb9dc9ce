"""The faithfulness table and the randomization test, computed by hand."""

import numpy as np
import pytest
from keras import ops

import keras_bert as kb
from keras_bert.explain import faithfulness, integrated_gradients, occlusion, randomization_test
from keras_bert.explain.attribution.explained_model import open_explained
from keras_bert.explain.attribution.faithfulness import measure_text
from keras_bert.explain.attribution.randomization import random_stages
from keras_bert.metrics.regression import kendall
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijkl"]
TEXT = "a c e g i k b d f h j l"
IDS = [2, *(VOCABULARY.index(letter) for letter in TEXT.split()), 3]


@pytest.fixture(scope="module")
def pair():
    encoder = randomize(kb.BertEncoder(tiny_config(vocab_size=len(VOCABULARY), hidden_dropout=0.1)))
    model = kb.BertClassifier(encoder, 3)
    model.head.kernel.assign(np.random.default_rng(1).normal(0, 0.5, (32, 3)))
    return model, kb.BertTextVectorization(VOCABULARY, sequence_length=16)


def probability(model, ids, number):
    ids = np.array([ids])
    logits = model({"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": 0 * ids})
    return float(ops.softmax(logits)[0, number])


@pytest.mark.parametrize("mode", ["delete", "mask"])
def test_eraser_by_hand(pair, mode):
    """12 tokens: the bins are 1, 1, 2, 3 and 6 of them."""
    model, _ = pair
    explained = open_explained(pair)
    found = measure_text(explained, TEXT, ["integrated_gradients", "gradient", "occlusion"], mode)
    scores = integrated_gradients(explained, TEXT)
    number, order = scores.target.index, 1 + np.argsort(-scores.scores[1:-1])
    expected = {"comprehensiveness": [], "sufficiency": []}
    for count in (1, 1, 2, 3, 6):
        top = set(order[:count].tolist())
        for name, removed in (("comprehensiveness", top), ("sufficiency", set(range(1, 13)) - top)):
            kept = [4 if i in removed else x for i, x in enumerate(IDS) if mode == "mask" or i not in removed]
            expected[name].append(probability(model, IDS, number) - probability(model, kept, number))
    for name, values in expected.items():
        assert found["integrated_gradients"][name] == pytest.approx(np.mean(values), abs=1e-5)
    left_out = occlusion(explained, TEXT, mode=mode).scores[1:-1]
    tau = kendall(left_out, scores.scores[1:-1])
    assert found["integrated_gradients"]["leave_one_out_tau"] == pytest.approx(tau)
    assert found["occlusion"]["leave_one_out_tau"] == pytest.approx(1)
    assert found["gradient"]["completeness_error"] is None
    assert found["integrated_gradients"]["completeness_error"] < 0.01


def test_kendall_equals_scipy():
    stats = pytest.importorskip("scipy.stats", reason="the extra metrics has scipy")
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.integers(0, 6, (2, 15))
        assert kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic)
    assert kendall([1, 1], [1, 2]) is None


def test_table(pair):
    texts = [TEXT[:n] for n in (5, 9, 15, 23)]
    calls = []
    found = faithfulness(pair, texts, steps=5, seed=3, progress=lambda: calls.append(1))
    assert found.count == len(calls) == 4
    assert list(found.rows)[-2:] == ["attention", "random"]
    explained = open_explained(pair)  # not compiled: the last digits differ
    by_hand = [measure_text(explained, text, ["gradient_x_input"], steps=5)["gradient_x_input"] for text in texts]
    row = found.rows["gradient_x_input"]
    assert row["comprehensiveness"] == pytest.approx(np.mean([each["comprehensiveness"] for each in by_hand]), abs=1e-6)
    assert row["completeness_error"] == pytest.approx(
        np.median([each["completeness_error"] for each in by_hand]), rel=1e-4
    )
    low, high = found.intervals["gradient_x_input"]["comprehensiveness"]
    assert low <= row["comprehensiveness"] <= high
    again = faithfulness(pair, texts, ["random"], steps=5, seed=3).rows["random"]
    assert again["sufficiency"] == pytest.approx(found.rows["random"]["sufficiency"], abs=1e-6)  # in smaller batches
    columns, rows = found.table()
    assert len(rows) == 6 and all(len(row) == len(columns) for row in rows)


def test_random_stages_change_a_copy_from_the_head_down(pair):
    model, _ = pair
    before = [weight.numpy().copy() for weight in model.weights]
    names, changed = [], []
    for name, explained in random_stages(open_explained(pair), seed=0):
        names.append(name)
        equal = [np.array_equal(x, y) for x, y in zip(before, explained.model.get_weights(), strict=True)]
        changed.append(
            {weight.path.split("/")[0] for weight, same in zip(model.weights, equal, strict=True) if not same}
        )
    assert names == ["trained", "head", "pooler", "block 2", "block 1", "embeddings"]
    order = ["logits", "pooler", "block_1", "block_0", "embeddings"]
    tops = [{path.split("/")[-1] for path in paths} for paths in changed]
    for count, paths in enumerate(tops):
        assert paths == set(order[:count])
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_randomization(pair):
    texts = [TEXT, TEXT[::-1], TEXT[6:] + " a a"]
    found = randomization_test(pair, texts, steps=4, seeds=(0, 1))
    assert found.count == 3 and len(found.stages) == 6
    for method, means in found.means.items():
        assert means[0] == pytest.approx(1) and means[-1] < 0.9
        for value, (low, high) in zip(means, found.intervals[method], strict=True):
            assert low - 1e-9 <= value <= high + 1e-9
    axes = found.plot().figure.axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), found.means["gradient"])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"texts": []}, "^`texts`"),
        ({"texts": ["a"], "methods": ["lime"]}, "^`methods`.*Received: lime"),
        ({"texts": ["a"], "mode": "drop"}, "^`mode`"),
        ({"texts": ["a"], "resamples": 3}, "^`bootstrap`.*Received: bootstrap=3"),
    ],
)
def test_rejects(options, match, pair):
    with pytest.raises(kb.InputError, match=match):
        faithfulness(pair, **options)


def test_rejects_models_without_classes(pair):
    model = kb.BertSpanLabeler(pair[0].encoder)
    with pytest.raises(kb.InputError, match="^`pretrained` must be a classifier.*span_labeler"):
        faithfulness((model, pair[1]), [("a", "b")])
