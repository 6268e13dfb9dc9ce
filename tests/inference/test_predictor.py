"""`kb.Predictor` of each kind of model, against the outputs of the model; chunks, iterators and rejected input."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.export import export_onnx
from keras_bert.inference import predict_logits
from keras_bert.tasks.classification import softmax
from tests.helpers import randomize

WORDS = ["who", "is", "it", "?", "a", "fine", "film", "no", "fun", "anna", "lives", "in", "rome"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
TEXTS = ["a fine film", "no fun", "who is it ? it is anna", "film"]
PAIRS = [("a fine film", "no fun"), ("who is it ?", "anna lives in rome"), ("no", "film film film")]
LABELS = ["bad", "good", "other"]


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(VOCABULARY, sequence_length=20)


@pytest.fixture(scope="module")
def save(tmp_path_factory, vectorizer):
    def run(model, labels=None, **settings):
        return kb.save_pretrained(model, tmp_path_factory.mktemp("models") / "m", vectorizer, labels, **settings)

    return run


def encoder(seed=3):
    keras.utils.set_random_seed(seed)
    config = kb.BertConfig(len(VOCABULARY), 16, 2, 2, 32, max_position_embeddings=32)
    return randomize(kb.BertEncoder(config), seed)


def classifier(classes=3, **settings):
    return randomize(kb.BertClassifier(encoder(), classes, **settings), 5)


def check_classes(predictions, logits, texts, key="text"):
    for row, text, probabilities in zip(predictions, texts, softmax(logits), strict=True):
        best = int(probabilities.argmax())
        assert row[key] == text and row["label"] == LABELS[best]
        assert row["probability"] == pytest.approx(probabilities[best], abs=1e-5)
        assert list(row["probabilities"]) == LABELS
        assert [*row["probabilities"].values()] == pytest.approx(probabilities, abs=1e-5)


def test_classification(save, vectorizer):
    model = classifier()
    predictor = kb.Predictor(save(model, LABELS))
    assert (predictor.task, predictor.labels) == ("classification", LABELS)
    check_classes(predictor(TEXTS), predict_logits(model, vectorizer(TEXTS)), TEXTS)
    assert predictor(TEXTS[0])[0]["text"] == TEXTS[0]  # a single string
    top = predictor(TEXTS, top_k=2)[0]["top_k"]
    assert len(top) == 2 and top[0]["probability"] >= top[1]["probability"]


@pytest.mark.slow
def test_pairs(save, vectorizer):
    model = classifier()
    predictor = kb.Predictor(save(model, LABELS, pairs=True))
    logits = predict_logits(model, vectorizer(tuple(map(list, zip(*PAIRS, strict=True)))))
    check_classes(predictor(PAIRS), logits, PAIRS, key="texts")
    assert predictor(PAIRS[0]) == predictor(PAIRS[:1])
    with pytest.raises(kb.InputError, match="^`texts`"):
        predictor(TEXTS)


@pytest.mark.slow
def test_multi_label_and_regression(save, vectorizer):
    model = classifier(problem_type="multi_label")
    probabilities = 1 / (1 + np.exp(-predict_logits(model, vectorizer(TEXTS)).astype(float)))
    for row, expected in zip(kb.Predictor(save(model, LABELS))(TEXTS, top_k=1), probabilities, strict=True):
        assert [*row["probabilities"].values()] == pytest.approx(expected)
        assert row["labels"] == [name for name, p in zip(LABELS, expected, strict=True) if p > 0.5]
        assert row["top_k"][0]["label"] == LABELS[int(expected.argmax())]
    model = classifier(1, problem_type="regression")
    predictor = kb.Predictor(save(model))
    values = [row["value"] for row in predictor(TEXTS)]
    assert values == pytest.approx(predict_logits(model, vectorizer(TEXTS))[:, 0], abs=1e-5)
    with pytest.raises(kb.InputError, match="^`top_k`.*top_k=2$"):
        predictor(TEXTS, top_k=2)


def test_keras_model_and_containers(vectorizer):
    """The same predictions of a model in memory, from each container of texts."""
    model = classifier()
    predictor = kb.Predictor(model, vectorizer, LABELS)
    expected = predictor(TEXTS)
    check_classes(expected, predict_logits(model, vectorizer(TEXTS)), TEXTS)
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS)
    for texts in (tuple(TEXTS), np.array(TEXTS), tf.constant(TEXTS), dataset, dataset.batch(3)):
        assert predictor(texts) == expected
    model.vectorizer, model.labels = vectorizer, LABELS
    assert kb.Predictor(model)(TEXTS) == expected
    assert kb.Predictor(model)(tuple(map(list, zip(*PAIRS, strict=True)))) == predictor(PAIRS)
    assert kb.Predictor(model.encoder)(TEXTS)[0]["embedding"]
    with pytest.raises(kb.InputError, match="^`vectorizer` must be given"):
        kb.Predictor(classifier())
    with pytest.raises(kb.InputError, match="^`labels` must be 3 different names"):
        kb.Predictor(model, labels=["a"])
    with pytest.raises(kb.InputError, match="^`vectorizer` must be None for a name"):
        kb.Predictor("sst2_sentiment", vectorizer)
    for texts, words in ((3, "int"), ({"a": 1}, "a dict|type dict"), (np.zeros(3), "0.0")):
        with pytest.raises(kb.InputError, match=f"^`texts`.*Received: .*({words})"):
            predictor(texts)


def test_vectorizer_settings_are_kept(vectorizer):
    """Every setting of a vectorizer has its effect, also those that a folder does not store."""
    model, special = classifier(), kb.BertTextVectorization(VOCABULARY, sequence_length=20, special_tokens=True)
    texts = ["a [MASK] film"]
    found = kb.Predictor(model, special)(texts)[0]["probability"]
    assert found == pytest.approx(softmax(predict_logits(model, special(texts))).max(), abs=1e-6)
    assert found != pytest.approx(kb.Predictor(model, vectorizer)(texts)[0]["probability"], abs=1e-6)


def test_answers_are_parts_of_context(save):
    predictor = kb.Predictor(save(randomize(kb.BertSpanLabeler(encoder()), 5), no_answer=False))
    texts = [("who lives ?", "Anna lives in Rome"), ("who ?", "It is Anna , who lives in Rome")]
    for row, (question, context) in zip(predictor(texts), texts, strict=True):
        assert row["question"] == question and set(row) >= {"score", "null_score"}
        assert row["answer"] == context[row["start"] : row["end"]] != ""
    with pytest.raises(kb.InputError, match=r"^`texts`.*Received: .*'who \?'"):
        predictor(["who ?"])


def test_tags(save):
    labels = ["B-PER", "I-PER", "O"]
    predictor = kb.Predictor(save(randomize(kb.BertTokenClassifier(encoder(), 3), 5), labels))
    for row, text in zip(predictor(TEXTS), TEXTS, strict=True):
        assert row["words"] == text.split() and set(row["tags"]) <= set(labels)
        assert all(each["text"] == " ".join(row["words"][each["start"] : each["end"]]) for each in row["entities"])
    assert any(row["entities"] for row in predictor(TEXTS))
    with pytest.raises(kb.InputError, match="^`texts`.*Received: .*'a fine film'"):
        predictor(PAIRS)
    with pytest.raises(kb.InputError, match="^`top_k`"):
        predictor(TEXTS, top_k=1)


def test_features(save, vectorizer):
    model = randomize(kb.BertFeatureClassifier(encoder(), 3, "mean"), 5)
    predictor = kb.Predictor(save(model, LABELS))
    assert predictor.task == "features"
    check_classes(predictor(TEXTS), predict_logits(model, vectorizer(TEXTS)), TEXTS)


def test_encoder(save, vectorizer):
    model = encoder()
    predictor = kb.Predictor(save(model))
    vectors = [row["embedding"] for row in predictor(TEXTS)]
    np.testing.assert_allclose(vectors, kb.embed(model, vectorizer(TEXTS)), atol=1e-6)
    with pytest.raises(kb.InputError, match="`model`"):
        predictor.evaluate("dev.tsv")


@pytest.mark.slow
@pytest.mark.parametrize(("task", "names"), [("next", ["follows", "random"]), ("order", ["in order", "swapped"])])
def test_pretrainer(save, task, names):
    model = randomize(kb.BertPretrainer(encoder(), sentence_task=task), 5)
    folder = save(model)
    predictor = kb.Predictor(folder)
    pairs = predictor(PAIRS)
    assert predictor.labels == names and all(list(row["probabilities"]) == names for row in pairs)
    (row,) = predictor("a [MASK] film [MASK]", top_k=2)
    assert [len(mask["predictions"]) for mask in row["masks"]] == [2, 2]
    expected = kb.fill_mask(kb.load_pretrained(folder), ["a [MASK] film [MASK]"], top_k=2)[0]["masks"]
    assert [mask["predictions"] for mask in row["masks"]] == [mask["predictions"] for mask in expected]
    with pytest.raises(kb.InputError, match=r"^`texts`.*\[MASK\].*Received: .*'a film'"):
        predictor("a film")
    alone = kb.Predictor(save(kb.BertPretrainer(model.encoder, sentence_task=None)))
    with pytest.raises(kb.InputError, match=r"^`texts`.*\[MASK\]"):
        alone(PAIRS)


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["single_label", "multi_label", "regression"])
@pytest.mark.parametrize("target", ["onnx", "litert", "saved_model"])
def test_exported_classifiers(save, vectorizer, tmp_path, target, problem):
    model = classifier(problem_type=problem)
    labels = None if problem == "regression" else LABELS
    if target == "onnx":
        pytest.importorskip("onnxruntime")
        folder = export_onnx(model, tmp_path / "out", vectorizer, labels)
    elif target == "litert":
        folder = kb.export_litert(model, tmp_path / "out", vectorizer, labels)
    else:
        folder = kb.export_saved_model(model, tmp_path / "out", vectorizer, labels)
    exported, original = kb.Predictor(folder), kb.Predictor(save(model, labels))
    assert exported.task == original.task and exported.model is None
    for predicted, expected in zip(exported(TEXTS, batch_size=3), original(TEXTS), strict=True):
        for key in ("probability", "value"):
            if key in expected:
                assert predicted[key] == pytest.approx(expected[key], abs=1e-5)
        if "probabilities" in expected:
            assert [*predicted["probabilities"].values()] == pytest.approx(
                [*expected["probabilities"].values()], abs=1e-5
            )
            assert list(predicted["probabilities"]) == exported.labels == LABELS
        for key in set(expected) & {"label", "labels"}:
            assert predicted[key] == expected[key]


@pytest.mark.slow
@pytest.mark.parametrize("export", [export_onnx, kb.export_litert])
@pytest.mark.parametrize("kind", ["spans", "tokens", "pretrainer"])
def test_exported_heads(save, vectorizer, tmp_path, kind, export):
    pytest.importorskip("onnxruntime")
    head = {
        "spans": kb.BertSpanLabeler,
        "tokens": lambda e: kb.BertTokenClassifier(e, 3),
        "pretrainer": kb.BertPretrainer,
    }
    model, labels = randomize(head[kind](encoder()), 5), ["B-PER", "I-PER", "O"] if kind == "tokens" else None
    exported = kb.Predictor(export(model, tmp_path / "out", vectorizer, labels))
    original = kb.Predictor(save(model, labels))
    texts = {"spans": PAIRS, "tokens": TEXTS, "pretrainer": PAIRS}[kind]
    for predicted, expected in zip(exported(texts), original(texts), strict=True):
        for key in set(expected) & {"tags", "answer", "start", "end", "label"}:
            assert predicted[key] == expected[key]
    if kind == "pretrainer":
        masks = [each("no [MASK] ?")[0]["masks"][0]["predictions"][0] for each in (exported, original)]
        assert masks[0]["token"] == masks[1]["token"]
        assert masks[0]["probability"] == pytest.approx(masks[1]["probability"], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("export", [export_onnx, kb.export_litert, kb.export_saved_model])
def test_exported_sentence_vectors(vectorizer, tmp_path, export):
    model = encoder()
    exported = kb.Predictor(export(model, tmp_path / "out", vectorizer, pool="mean", normalize=True))
    assert (exported.task, exported.labels, exported.model) == ("embedding", None, None)
    found = exported(TEXTS, batch_size=3)
    assert [row["text"] for row in found] == TEXTS and exported([]) == []
    expected = kb.embed(model, TEXTS, vectorizer=vectorizer, normalize=True)
    np.testing.assert_allclose([row["embedding"] for row in found], expected, atol=1e-5)
    if export is kb.export_saved_model:
        with pytest.raises(kb.InputError, match="^`texts`.*Received: pairs"):
            exported(PAIRS)
    else:
        firsts, seconds = zip(*PAIRS, strict=True)
        expected = kb.embed(model, vectorizer((list(firsts), list(seconds))), normalize=True)
        np.testing.assert_allclose([row["embedding"] for row in exported(PAIRS)], expected, atol=1e-5)


def test_rejects_vectors_of_tokens(vectorizer, tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(kb.InputError, match="^`model`.*Received: .*encoder.*`pool`"):
        kb.Predictor(export_onnx(encoder(), tmp_path / "out", vectorizer))


def test_iterator_is_read_in_chunks(save, monkeypatch):
    predictor = kb.Predictor(save(classifier(), LABELS))
    monkeypatch.setattr(predictor, "chunk_size", 5)
    consumed = []

    def lines():
        for i in range(23):
            consumed.append(i)
            yield " ".join(["fine"] * (1 + i % 7)) + f" {WORDS[i % 13]}"

    predictions = predictor(lines(), batch_size=2)
    assert consumed == []
    first = next(predictions)
    assert len(consumed) == 5  # one chunk
    rest = [first, *predictions]
    whole = predictor(list(lines()), batch_size=64)
    assert [row["text"] for row in rest] == [row["text"] for row in whole]  # in the order of the input
    np.testing.assert_allclose([r["probability"] for r in rest], [r["probability"] for r in whole], atol=1e-5)
    assert predictor([]) == []


def test_progress_is_shown_on_standard_error(save, capfd):
    assert len(kb.Predictor(save(classifier(), LABELS))(TEXTS, progress=True)) == 4
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a film", " "], "number 2"),
        ([("a film", "")], "number 1"),
        ([3], "int"),
        ([["a", "b"]], "list"),
        (["a", ("a", "b")], "number 2"),
        (["\ud800"], "number 1"),
    ],
)
def test_rejects_texts(save, texts, message):
    with pytest.raises(kb.InputError, match=f"^`texts`.*Received: .*{message}"):
        kb.Predictor(save(classifier(), LABELS))(texts)


def test_rejects_missing_and_damaged_models(tmp_path):
    with pytest.raises(kb.InputError):
        kb.Predictor(tmp_path / "nothing")
    pytest.importorskip("onnxruntime")
    for file in ("model.onnx", "model.tflite"):
        folder = tmp_path / file.replace(".", "_")
        folder.mkdir()
        (folder / file).write_bytes(b"no model")
        with pytest.raises(kb.InputError, match="^`model`.*Received: .*vocab.txt"):
            kb.Predictor(folder)
        (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
        (folder / "config.json").write_text("{}")
        with pytest.raises(kb.InputError, match=f"^`model`.*Received: .*{folder.name}"):
            kb.Predictor(folder)


def test_rejects_unknown_kind_of_onnx(vectorizer, tmp_path):
    pytest.importorskip("onnxruntime")
    folder = export_onnx(classifier(), tmp_path / "onnx", vectorizer, LABELS)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "kind": "summarizer"}))
    with pytest.raises(kb.InputError, match="^`model`.*kind='summarizer'"):
        kb.Predictor(folder)


@pytest.mark.parametrize("name", ["batch_size", "top_k"])
def test_rejects_counts_below_one(save, name):
    with pytest.raises(kb.InputError, match=f"^`{name}`.*{name}=0$"):
        kb.Predictor(save(classifier(), LABELS))(TEXTS, **{name: 0})


def test_evaluate_equals_library(save, vectorizer, tmp_path):
    model = classifier()
    labels = [0, 2, 1, 2]
    rows = "".join(f"{text}\t{LABELS[label]}\n" for text, label in zip(TEXTS, labels, strict=True))
    (tmp_path / "dev.tsv").write_text("sentence\tlabel\n" + rows)
    metrics = kb.Predictor(save(model, LABELS)).evaluate(tmp_path / "dev.tsv")
    expected = kb.evaluate(model, vectorizer(TEXTS), labels, label_names=LABELS)
    assert metrics["majority"] == 0.5
    for name in ("loss", "calibration_error"):  # rounding differs with the padding
        assert metrics.pop(name) == pytest.approx(expected.pop(name), rel=1e-5)
    assert list(metrics) == list(expected) and metrics == expected
