"""Entity metrics against seqeval (seqeval_cases.json, random tags) and by hand."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.metrics import TagScheme, entity_f1, extract_entities, find_scheme, tag_metrics

CASES = json.loads((Path(__file__).parent / "seqeval_cases.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_entity_f1_equals_seqeval(case):
    metrics = entity_f1(case["expected"], case["predicted"])
    for name in ("precision", "recall", "f1", "accuracy"):
        assert metrics[name] == pytest.approx(case[name]), name
    for entity_type, (precision, recall, f1, count) in case["types"].items():
        computed = metrics["types"][entity_type]
        assert (computed["precision"], computed["recall"], computed["f1"]) == pytest.approx((precision, recall, f1))
        assert computed["entities"] == count


def test_extract_entities_boundaries():
    assert extract_entities(["I-PER", "I-PER", "I-LOC"]) == [("PER", 0, 2), ("LOC", 2, 3)]
    assert extract_entities(["B-PER", "B-PER"]) == [("PER", 0, 1), ("PER", 1, 2)]
    assert extract_entities(["S-PER", "I-PER", "E-PER", "O"]) == [("PER", 0, 1), ("PER", 1, 3)]
    assert extract_entities(["O"]) == [] and extract_entities([]) == []


def test_rejects_mismatched_lengths():
    with pytest.raises(kb.InputError, match="`predicted`"):
        entity_f1([["O", "O"]], [["O"]])


# Each scheme in seqeval's letters and with its separator, and in the tags of a file.
SCHEMES = {
    "BIO": ("OBI", False, str),
    "BIOES": ("OBIES", False, str),
    "BIOES as suffix": ("OBIES", True, str),
    "BILOU": ("OBIES", False, lambda tag: tag.translate(str.maketrans("ES", "LU")) if tag[1:2] == "-" else tag),
    "BMES": ("BIES", False, lambda tag: "M" + tag[1:] if tag[0] == "I" else tag),
    "underscore": ("OBI", False, lambda tag: tag.replace("-", "_")),
    "colon as suffix": ("OBIES", True, lambda tag: tag.replace("-", ":")),
    "slash": ("OBI", False, lambda tag: tag.replace("-", "/")),
}


def random_tags(rng, letters, is_suffix, types=("x-per", "loc", "org")):
    """Sentences of random tags, valid or not, expected and predicted."""

    def tag():
        letter, name = rng.choice(list(letters)), rng.choice(types)
        return "O" if letter == "O" else f"{name}-{letter}" if is_suffix else f"{letter}-{name}"

    expected = [[tag() for _ in range(rng.integers(1, 9))] for _ in range(rng.integers(3, 8))]
    predicted = [[each if rng.random() < 0.6 else tag() for each in sentence] for sentence in expected]
    return expected, predicted


@pytest.mark.peers
@pytest.mark.parametrize("name", SCHEMES)
def test_equals_seqeval_on_random_tags(name):
    seqeval = pytest.importorskip("seqeval.metrics")
    letters, is_suffix, convert = SCHEMES[name]
    rng = np.random.default_rng(len(name))
    for i in range(40):
        types = ("x-per", "loc", "org") if name in ("BIO", "BIOES") else ("per", "loc")
        sentences = random_tags(rng, letters, is_suffix, types if i else types[:1])
        ours = tag_metrics(*([[convert(tag) for tag in tags] for tags in part] for part in sentences))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about types without predicted entities
            report = seqeval.classification_report(*sentences, suffix=is_suffix, output_dict=True, zero_division=0)
            assert ours["accuracy"] == pytest.approx(seqeval.accuracy_score(*sentences))
        for prefix, average in (("", "micro avg"), ("macro_", "macro avg"), ("weighted_", "weighted avg")):
            rates = report.pop(average)
            found = [ours[prefix + key] for key in ("precision", "recall", "f1")]
            assert found == pytest.approx([rates["precision"], rates["recall"], rates["f1-score"]])
        assert set(report) == set(ours["types"])
        for entity_type, rates in report.items():
            assert list(ours["types"][entity_type].values()) == pytest.approx(list(rates.values()))


@pytest.mark.peers
def test_equals_seqeval_on_letters_without_types():
    seqeval, rng = pytest.importorskip("seqeval.metrics"), np.random.default_rng(1)
    for letters in ("OBI", "OBIES", "OI"):
        sentences = [[rng.choice(list(letters), 6).tolist() for _ in range(9)] + [["O"] * 6] for _ in range(2)]
        assert tag_metrics(*sentences)["f1"] == pytest.approx(seqeval.f1_score(*sentences))


@pytest.mark.peers
def test_equals_seqeval_on_valid_tags_of_strict_schemes():
    """Where all tags are valid, seqeval's strict mode has the same values, also for IOB1 and BILOU."""
    metrics, schemes = pytest.importorskip("seqeval.metrics"), pytest.importorskip("seqeval.scheme")
    expected = {
        "IOB1": [["I-A", "I-A", "O", "I-B", "B-B", "I-B"], ["I-A", "B-A", "I-B"]],
        "IOB2": [["B-A", "I-A", "O", "B-B", "B-B", "I-B"], ["B-A", "B-A", "B-B"]],
        "IOBES": [["B-A", "E-A", "O", "S-B", "B-B", "E-B"], ["S-A", "S-A", "S-B"]],
        "BILOU": [["B-A", "L-A", "O", "U-B", "B-B", "L-B"], ["U-A", "U-A", "U-B"]],
    }
    for name, sentences in expected.items():
        predicted = [[*sentences[0][:3], "O", *sentences[0][4:]], sentences[1][:2] + ["O"]]
        if name == "IOB1":
            predicted[0][4] = "I-B"
        report = metrics.f1_score(sentences, predicted, mode="strict", scheme=getattr(schemes, name))
        assert entity_f1(sentences, predicted)["f1"] == pytest.approx(report) and 0 < report < 1


def test_letters_without_types():
    assert extract_entities(["B", "I", "O", "B"]) == [("_", 0, 2), ("_", 3, 4)]
    assert extract_entities(list("BMESBE")) == [("_", 0, 3), ("_", 3, 4), ("_", 4, 6)]  # word segmentation
    assert extract_entities(["B-A", "I-A", "B"]) == [("A", 0, 2), ("_", 2, 3)]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["B-PER", "I-PER", "O"], TagScheme("-")),
        (["I-PER", "O"], TagScheme("-")),  # IOB1
        (["PER-B", "PER-I", "O"], TagScheme("-", is_suffix=True)),
        (["PER|S", "LOC|S"], TagScheme("|", is_suffix=True)),
        (["S-B", "S-I", "O"], TagScheme("-", is_suffix=True)),  # entities of type S
        (["B-S", "I-S", "B-B", "O"], TagScheme("-")),
        (["O"], TagScheme("-")),
        (["I", "O"], TagScheme("-")),
        (["B-PER", "O", "X", "[CLS]", "[SEP]"], TagScheme("-")),
        (["NN", "VBZ", "-LRB-", "O"], None),
        (["NOUN", "ADJ"], None),
        (["PER", "LOC", "O"], None),
        (["N", "V", "S", "M", "I"], None),
        (["B-PER", "I_PER"], None),
        (["nsubj:pass", "obl:agent"], None),
    ],
)
def test_find_scheme(tags, expected):
    assert find_scheme(tags) == expected


def test_tags_without_scheme_have_no_entity_metrics():
    """A model that predicts one part of speech for each word is not perfect."""
    expected, predicted = [["DT", "NN", "VBZ"], ["NN"]], [["NN", "NN", "NN"], ["NN"]]
    found = tag_metrics(expected, predicted)
    assert not {"f1", "types", "entities"} & set(found) and found["accuracy"] == 0.5
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    flat = [[tag for tags in part for tag in tags] for part in (expected, predicted)]
    report = sklearn_metrics.classification_report(*flat, output_dict=True, zero_division=0)
    for tag, row in found["tags"].items():
        assert list(row.values()) == pytest.approx(list(report[tag].values()))
    for average in ("macro", "weighted"):
        row = report[f"{average} avg"]
        for key in ("precision", "recall", "f1"):
            assert found[f"{average}_{key}"] == pytest.approx(row["f1-score" if key == "f1" else key])
    for function in (lambda: entity_f1(expected, predicted), lambda: extract_entities(expected[0])):
        with pytest.raises(kb.InputError, match="^`tags`.*Received: 'DT'"):
            function()
    assert "tag" in kb.format_metrics(found) and "VBZ" in kb.format_metrics(found)


def test_one_tag_without_scheme_is_named():
    found = tag_metrics([["B-A", "Q"]], [["B-A", "O"]])
    assert found["f1"] is None and "'Q'" in found["notes"]["f1"] and found["tags"]["Q"]["words"] == 1
    with pytest.raises(kb.InputError, match="^`tags`.*Received: 'Q'"):
        entity_f1([["B-A", "Q"]], [["B-A", "O"]])
    with pytest.raises(kb.InputError, match="^`tags`.*Received: 'PER'"):
        extract_entities(["PER"], TagScheme("-"))
