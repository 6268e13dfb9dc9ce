"""The reports of classification and multi-label classification, against scikit-learn and numbers computed by hand."""

import json

import numpy as np
import pytest

from keras_bert.errors import InputError
from keras_bert.metrics import Bootstrap, classification_report, multi_label_report, roc_auc
from keras_bert.metrics.rates import matthews_correlation

sk = pytest.importorskip("sklearn.metrics")
RATES = ("precision", "recall", "f1")


def example(classes, rows=300, seed=0, decimals=1):
    """Logits with ties, and labels that they often predict."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    return (rng.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[labels]).round(decimals), labels


def softmax(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def check_rates(report, labels, predicted, **settings):
    for average in ("macro", "weighted"):
        rates = sk.precision_recall_fscore_support(labels, predicted, average=average, zero_division=0, **settings)
        assert [report[f"{average}_{name}"] for name in RATES] == pytest.approx(rates[:3])


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_classification_equals_scikit_learn(classes):
    logits, labels = example(classes)
    report, predicted, probabilities = classification_report(logits, labels), logits.argmax(1), softmax(logits)
    check_rates(report, labels, predicted)
    rates = sk.precision_recall_fscore_support(labels, predicted)
    for i, row in enumerate(report["classes"].values()):
        assert [row[name] for name in RATES] == pytest.approx([column[i] for column in rates[:3]])
        assert row["examples"] == rates[3][i]
        assert row["roc_auc"] == pytest.approx(sk.roc_auc_score(labels == i, probabilities[:, i]))
    assert report["accuracy"] == pytest.approx(sk.accuracy_score(labels, predicted))
    assert report["loss"] == pytest.approx(sk.log_loss(labels, probabilities))
    assert report["majority"] == pytest.approx(np.bincount(labels).max() / len(labels))
    assert report["matthews_correlation"] == pytest.approx(sk.matthews_corrcoef(labels, predicted))
    auc = (
        sk.roc_auc_score(labels, probabilities[:, 1])
        if classes == 2
        else sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    )
    assert report["roc_auc"] == pytest.approx(auc)
    assert report["confusion"] == sk.confusion_matrix(labels, predicted).tolist()
    assert "notes" not in report and "intervals" not in report
    assert json.loads(json.dumps(report)) == report


def test_classification_by_hand():
    """Four examples of a, two of b: three of a and one of b are predicted correctly."""
    predicted, labels = [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1]
    report = classification_report(np.eye(2)[predicted], labels, ["a", "b"])
    assert report["classes"]["a"] == pytest.approx(
        {"precision": 3 / 4, "recall": 3 / 4, "f1": 3 / 4, "roc_auc": 5 / 8, "examples": 4}
    )
    assert report["classes"]["b"] == pytest.approx(
        {"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2, "roc_auc": 5 / 8, "examples": 2}
    )
    assert report["macro_f1"] == pytest.approx(5 / 8) and report["weighted_f1"] == pytest.approx(2 / 3)
    assert report["matthews_correlation"] == pytest.approx((3 * 1 - 1 * 1) / np.sqrt(4 * 4 * 2 * 2))
    # 3 of 8 pairs are ranked correctly and 4 are ties: (0.75 * 0.5 pairs right) + half of the ties
    assert report["roc_auc"] == pytest.approx((3 * 1 + 0.5 * (1 * 1 + 3 * 1)) / 8)
    # The probability of the predicted class is always e / (1 + e); 4 of 6 predictions are correct.
    assert report["calibration_error"] == pytest.approx(abs(4 / 6 - np.e / (1 + np.e)))


def test_one_logit_equals_two():
    logits, labels = example(2)
    one = (logits[:, 1] - logits[:, 0])[:, None]  # [N, 1]
    expected = classification_report(logits, labels, ["no", "yes"])
    for given in (labels, labels[:, None], labels.astype(np.float32)):
        found = classification_report(one, given, ["no", "yes"])
        assert found["confusion"] == expected["confusion"] and found["class_names"] == ["no", "yes"]
        for name in ("accuracy", "loss", "macro_f1", "roc_auc", "calibration_error", "matthews_correlation"):
            assert found[name] == pytest.approx(expected[name])


def test_class_without_examples():
    """As in scikit-learn: the averages are over the classes that are expected or predicted."""
    logits, labels = example(4)
    labels = np.where(labels >= 2, 0, labels)  # no examples of c and d; c is predicted, d is not
    logits[:, 3] = -9
    report, predicted = classification_report(logits, labels, list("abcd")), logits.argmax(1)
    assert set(predicted) == {0, 1, 2}
    check_rates(report, labels, predicted)
    assert report["matthews_correlation"] == pytest.approx(sk.matthews_corrcoef(labels, predicted))
    assert report["roc_auc"] is None and "'c', 'd'" in report["notes"]["roc_auc"]
    assert report["classes"]["c"] == {"precision": 0, "recall": 0, "f1": 0, "roc_auc": None, "examples": 0}
    assert set(report["classes"]["d"].values()) == {None, 0}
    assert report["classes"]["a"]["roc_auc"] == pytest.approx(sk.roc_auc_score(labels == 0, softmax(logits)[:, 0]))


def test_one_class_only():
    report = classification_report(np.array([[1.0, 0.0], [2.0, 0.0]]), [0, 0], ["a", "b"])
    assert report["matthews_correlation"] == 0 and report["macro_f1"] == 1 and report["roc_auc"] is None
    assert matthews_correlation([[3, 0], [0, 0]]) == 0


def test_outputs_that_are_not_finite():
    logits, labels = example(3)
    logits[5] = np.nan
    report = classification_report(logits, labels)
    assert report["roc_auc"] is None and "finite" in report["notes"]["roc_auc"] and np.isnan(report["loss"])


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_multi_label_equals_scikit_learn(classes):
    logits = np.random.default_rng(1).normal(size=(200, classes)).round(1)
    labels = (logits + np.random.default_rng(2).normal(size=logits.shape) > 0.5).astype(int)
    report, predicted = multi_label_report(logits, labels), (logits > 0).astype(int)
    rates = [
        sk.precision_recall_fscore_support(labels[:, i], predicted[:, i], average="binary") for i in range(classes)
    ]
    for i, row in enumerate(report["classes"].values()):
        assert [row[name] for name in RATES] == pytest.approx(rates[i][:3])
        assert row["roc_auc"] == pytest.approx(sk.roc_auc_score(labels[:, i], logits[:, i]))
        assert row["examples"] == labels[:, i].sum()
    if classes > 1:  # scikit-learn takes one column for two classes
        check_rates(report, labels, predicted)
        micro = sk.precision_recall_fscore_support(labels, predicted, average="micro")
        assert [report[name] for name in RATES] == pytest.approx(micro[:3])
        assert report["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, logits, average="macro"))
    assert report["exact_match"] == pytest.approx((labels == predicted).all(1).mean())
    assert json.loads(json.dumps(report)) == report


def test_multi_label_without_positives():
    logits = np.random.default_rng(1).normal(size=(20, 3))
    labels = (logits > 0.3).astype(int)
    labels[:, 2] = 0
    report = multi_label_report(logits, labels, ["x", "y", "z"])
    check_rates(report, labels, logits > 0)
    assert report["roc_auc"] is None and "'z'" in report["notes"]["roc_auc"]
    assert report["classes"]["z"]["f1"] == 0


def test_roc_auc_with_ties():
    rng = np.random.default_rng(3)
    labels, scores = rng.random(500) < 0.3, rng.normal(size=500).round(1)
    assert roc_auc(labels, scores) == pytest.approx(sk.roc_auc_score(labels, scores))


def test_roc_auc_undefined():
    assert roc_auc([True, True], [0.1, 0.2]) is None and roc_auc([True, False], [np.nan, 1]) is None
    assert roc_auc([False, True], [0.5, 0.5]) == 0.5


@pytest.mark.parametrize("names", [["a"], ["a", "a", "b"], ["a", "b", "c", "d"]])
def test_rejects_names(names):
    logits, labels = example(3)
    with pytest.raises(InputError, match="^`label_names` must be 3 distinct names"):
        classification_report(logits, labels, names)
    with pytest.raises(InputError, match="^`label_names` must be 3 distinct names"):
        multi_label_report(logits, np.eye(3)[labels], names)


def test_intervals_of_a_report():
    logits, labels = example(3)
    report = classification_report(logits, labels, bootstrap=Bootstrap(200, seed=4))
    without = {"majority", "calibration_error"}
    assert set(report["intervals"]) == {name for name, value in report.items() if isinstance(value, float)} - without
    for name, (low, high) in report["intervals"].items():
        assert low < report[name] < high
    assert report["bootstrap"] == {"resamples": 200, "seed": 4, "level": 0.95}
    assert json.loads(json.dumps(report)) == report
    again = classification_report(logits, labels, bootstrap=Bootstrap(200, seed=4))
    assert again == report
    assert classification_report(logits, labels, bootstrap=Bootstrap(200, seed=5))["intervals"] != report["intervals"]
