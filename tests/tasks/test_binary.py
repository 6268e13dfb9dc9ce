"""Binary classifiers with one logit: training, metrics, predictions, saving and export, against two-class models."""

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

import keras_bert as kb
from keras_bert.inference import predict_logits
from keras_bert.models.two_classes import as_two_classes
from keras_bert.tasks import task_for
from tests.helpers import check_model, random_inputs, randomize, tiny_config
from tests.training import toys

CONFIG = kb.BertConfig(toys.CONFIG.vocab_size, 8, 1, 2, 16, max_position_embeddings=32)
TEXTS = ["w0 w20", "w1 w21", "w1", "w0 w0 w3"]
NAMES = ["bad", "good"]


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(toys.VOCABULARY, sequence_length=12)


@pytest.fixture(scope="module")
def model(vectorizer):
    model = randomize(kb.BertClassifier(kb.BertEncoder(CONFIG), num_classes=1), 5)
    model.vectorizer, model.labels = vectorizer, NAMES
    return model


def probabilities_of(model, vectorizer):
    logits = predict_logits(model, vectorizer(TEXTS))
    assert logits.shape == (4, 1)
    return 1 / (1 + np.exp(-logits[:, 0].astype(float)))


def test_model():
    config = tiny_config()
    arguments = {"encoder": kb.BertEncoder(config), "num_classes": 1}
    model = check_model(kb.BertClassifier, arguments, random_inputs(config), (3, 1), "float32")
    assert model.problem_type == "binary" == model.get_config()["problem_type"]
    assert task_for(model).name == "binary"
    assert task_for(kb.BertClassifier(model.encoder, 1, problem_type="regression")).name == "regression"


@pytest.mark.parametrize(
    "form", [np.array, lambda y: np.array(y)[:, None], lambda y: np.array(y, float), lambda y: [bool(x) for x in y]]
)
def test_evaluate(model, vectorizer, form):
    labels, expected = [0, 1, 1, 0], probabilities_of(model, vectorizer)
    found = kb.evaluate(model, TEXTS, form(labels))
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, expected > 0.5))
    assert found["loss"] == pytest.approx(log_loss(labels, expected), rel=1e-5)
    assert np.sum(found["confusion"]) == 4
    assert kb.evaluate(model, TEXTS, [NAMES[y] for y in labels]) == found


def test_predictions(model, vectorizer, tmp_path):
    predictions = kb.Predictor(model)(TEXTS)
    for row, p in zip(predictions, probabilities_of(model, vectorizer), strict=True):
        assert row["probabilities"] == pytest.approx({"bad": 1 - p, "good": p}, abs=1e-6)
        assert row["label"] == NAMES[int(p > 0.5)] and row["probability"] == pytest.approx(max(p, 1 - p), abs=1e-6)
    folder = model.save_pretrained(tmp_path / "m")
    assert kb.load_pretrained(folder).model.problem_type == "binary"
    assert kb.Predictor(folder)(TEXTS) == predictions
    assert list(kb.Predictor(kb.BertClassifier(model.encoder, 1))("w0")[0]["probabilities"]) == ["0", "1"]
    with pytest.raises(kb.InputError, match="^`labels` must be 2 different names"):
        model.save_pretrained(tmp_path / "n", labels=["good"])


@pytest.mark.slow
@pytest.mark.parametrize("target", ["onnx", "saved_model", "huggingface", "google_research"])
def test_other_formats_have_two_logits(model, vectorizer, tmp_path, target):
    """The logits are (0, x), so the probabilities are the same."""
    expected = kb.Predictor(model)(TEXTS)
    if target == "onnx":
        pytest.importorskip("onnxruntime")
        folder = kb.export_onnx(model, tmp_path / "out", vectorizer)
    elif target == "saved_model":
        folder = kb.export_saved_model(model, tmp_path / "out")
    else:
        kb.convert(model.save_pretrained(tmp_path / "m"), to=target, out=tmp_path / "out")
        folder = tmp_path / "out"
    found = kb.Predictor(folder)(TEXTS)
    for row, other in zip(found, expected, strict=True):
        assert [*row["probabilities"].values()] == pytest.approx([*other["probabilities"].values()], abs=1e-5)
    if target != "google_research":  # which has no class names
        assert [row["label"] for row in found] == [row["label"] for row in expected]


@pytest.mark.peers
@pytest.mark.slow
def test_transformers_has_the_same_probabilities(model, vectorizer, tmp_path):
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    kb.convert(model.save_pretrained(tmp_path / "m"), to="huggingface", out=tmp_path / "out")
    peer = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    import torch

    ids = {key: torch.tensor(np.asarray(value)).long() for key, value in vectorizer(TEXTS).items()}
    with torch.no_grad():
        logits = peer(ids["input_word_ids"], ids["input_mask"], ids["input_type_ids"]).logits
    expected = probabilities_of(model, vectorizer)
    np.testing.assert_allclose(logits.softmax(-1)[:, 1].numpy(), expected, atol=1e-5)


def test_two_classes_keep_other_models():
    for problem_type, classes in (("single_label", 2), ("regression", 1), ("multi_label", 1)):
        other = kb.BertClassifier(kb.BertEncoder(CONFIG), classes, problem_type=problem_type)
        assert as_two_classes(other) is other


@pytest.mark.slow
def test_finetune_with_metrics_of_probabilities():
    keras.utils.set_random_seed(2)
    model = kb.BertClassifier(kb.BertEncoder(toys.CONFIG), num_classes=1)
    metrics = [
        keras.metrics.AUC(name="auc"),
        keras.metrics.F1Score(threshold=0.5, name="f1"),
        keras.metrics.BinaryAccuracy(name="binary"),
    ]
    ids, labels = toys.labeled(160, length=8)
    validation = toys.labeled(40, seed=3, length=8)
    history = kb.finetune(
        model, ids, labels, *validation, metrics=metrics, epochs=5, batch_size=16, learning_rate=3e-3, verbose=0
    ).history
    assert max(history["val_accuracy"]) > 0.9
    assert history["val_binary"] == pytest.approx(history["val_accuracy"])
    assert history["binary"] == pytest.approx(history["accuracy"], rel=1e-5)
    best = max(range(5), key=lambda i: (history["val_accuracy"][i], -history["val_loss"][i]))
    logits = predict_logits(model, validation[0])[:, 0]
    assert history["val_auc"][best] == pytest.approx(roc_auc_score(validation[1], logits), abs=0.02)


@pytest.mark.slow
def test_fit_and_saving_of_the_compiled_model(tmp_path):
    model = kb.BertClassifier(kb.BertEncoder(CONFIG), num_classes=1)
    ids, labels = toys.labeled(24, length=8)
    model.compile(
        "adam",
        keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.AUC(from_logits=True, name="auc"),
            keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy"),
            kb.FromLogits(keras.metrics.BinaryAccuracy(name="same")),
            kb.FromLogits(keras.metrics.F1Score(threshold=0.5, average="macro", name="f1")),
        ],
    )
    history = model.fit(ids, labels[:, None], verbose=0).history
    assert history["accuracy"] == history["same"] and 0 <= history["f1"][0] <= 1
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    expected = model.evaluate(ids, labels[:, None], verbose=0, return_dict=True)
    assert loaded.evaluate(ids, labels[:, None], verbose=0, return_dict=True) == pytest.approx(expected)


def test_rejects():
    ids, labels = toys.labeled(8, length=8)
    model = kb.BertClassifier(kb.BertEncoder(CONFIG), num_classes=1)
    for bad in (labels + 1, labels * 0.5, np.zeros((8, 2), int), labels[:4]):
        with pytest.raises(kb.InputError, match="^`labels`"):
            kb.evaluate(model, ids, bad)
    with pytest.raises(kb.InputError, match="^`teacher_logits` must be None"):
        kb.finetune(model, ids, labels, teacher_logits=np.zeros((8, 1)), verbose=0)
    with pytest.raises(kb.InputError, match="^`label_names` must be 2"):
        kb.finetune(model, ids, labels, label_names=["one"], verbose=0)


@pytest.mark.slow
def test_command_line(tmp_path, capfd):
    import json

    from keras_bert.cli.main import main

    rows = "\n".join(f"w{i % 2} w{i}\t{NAMES[i % 2]}" for i in range(20))
    for name in ("train.tsv", "dev.tsv"):
        (tmp_path / name).write_text(f"sentence\tlabel\n{rows}\n")
    out = str(tmp_path / "out")
    options = ["--size", "tiny", "--vocab-size", "60", "--epochs", "1", "--out", out, "--json"]
    assert main(["finetune", "--task", "binary", "--dataset", str(tmp_path), *options]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["examples"] == 20
    pretrained = kb.load_pretrained(out)
    assert pretrained.model.problem_type == "binary" and pretrained.labels == NAMES
