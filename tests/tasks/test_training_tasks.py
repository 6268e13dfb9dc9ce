"""Training and evaluation of each task on rows of ids; single-label classification is in tests/training."""

import keras
import numpy as np
import pytest
from scipy import stats

import keras_bert as kb
from keras_bert.inference import predict_logits
from keras_bert.tasks import task_for
from tests.training import toys

SETTINGS = {"epochs": 16, "batch_size": 8, "learning_rate": 3e-3, "verbose": 0}


def encoder(seed=1):
    keras.utils.set_random_seed(seed)
    return kb.BertEncoder(toys.CONFIG)


def rows(count=64, seed=0):
    ids, _ = toys.labeled(count, seed=seed)
    return ids


@pytest.mark.slow
def test_multi_label():
    ids = rows()
    expected = np.stack([ids["input_word_ids"][:, 2] % 2, (ids["input_word_ids"] == 21).any(1)], 1).astype(int)
    model = kb.BertClassifier(encoder(), 2, problem_type="multi_label")
    history = kb.finetune(model, ids, expected, ids, expected, **SETTINGS).history
    assert history["loss"][-1] < history["loss"][0] and history["val_accuracy"][-1] > 0.7
    found, logits = kb.evaluate(model, ids, expected), predict_logits(model, ids)
    predicted = logits > 0
    probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
    assert found["accuracy"] == pytest.approx((predicted == expected).mean())
    assert found["exact_match"] == pytest.approx((predicted == expected).all(1).mean())
    assert found["loss"] == pytest.approx(
        -np.log(np.where(expected, probabilities, 1 - probabilities)).mean(), rel=1e-5
    )
    assert found["loss"] == pytest.approx(min(history["val_loss"][-3:]), abs=0.2)
    correct = (predicted & (expected > 0)).sum(0)
    each = 2 * correct / np.maximum(1, predicted.sum(0) + expected.sum(0))
    assert found["macro_f1"] == pytest.approx(each.mean())
    assert found["f1"] == pytest.approx(2 * correct.sum() / (predicted.sum() + expected.sum()))


@pytest.mark.slow
def test_regression():
    ids = rows()
    expected = (ids["input_word_ids"][:, 1] - 5) * 2.0 + 1  # the class of toys.labeled
    model = kb.BertClassifier(encoder(), 1, problem_type="regression")
    history = kb.finetune(model, ids, expected, ids, expected, **SETTINGS).history
    assert set(history) == {
        "step",
        "loss",
        "mean_absolute_error",
        "learning_rate",
        "val_loss",
        "val_mean_absolute_error",
    }
    assert history["val_loss"][-1] < 0.5 * history["val_loss"][0]
    found, predicted = kb.evaluate(model, ids, expected), predict_logits(model, ids)[:, 0]
    assert found["loss"] == pytest.approx(((predicted - expected) ** 2).mean(), rel=1e-4)
    assert found["loss"] == pytest.approx(min(history["val_loss"]), rel=1e-4)  # the weights of the best epoch
    assert found["mean_absolute_error"] == pytest.approx(np.abs(predicted - expected).mean(), rel=1e-4)
    assert found["spearman"] == pytest.approx(stats.spearmanr(predicted, expected).statistic, abs=1e-6)
    assert (
        found["pearson"] == pytest.approx(np.corrcoef(predicted, expected)[0, 1], abs=1e-6) and found["pearson"] > 0.5
    )
    assert abs(found["pearson"] - found["spearman"]) > 1e-3  # two different metrics


@pytest.mark.slow
def test_spans():
    ids = rows()
    words = ids["input_word_ids"]
    start = 1 + (words[:, 1:3].argmax(1))  # position of the larger of the first two words
    expected = {"start_logits": start, "end_logits": start + 0}
    model = kb.BertSpanLabeler(encoder())
    history = kb.finetune(model, ids, expected, ids, expected, **SETTINGS).history
    assert history["val_accuracy"][-1] > 0.6 > history["accuracy"][0]
    found, logits = kb.evaluate(model, ids, expected), predict_logits(model, ids)
    for name in expected:
        assert logits[name].shape == words.shape
    correct = np.stack([logits[name].argmax(1) == expected[name] for name in expected])
    assert found["accuracy"] == pytest.approx(correct.mean()) and found["exact_match"] == pytest.approx(
        correct.all(0).mean()
    )


@pytest.mark.slow
def test_answers_late_in_a_row():
    keras.utils.set_random_seed(1)
    model = kb.BertSpanLabeler(kb.BertEncoder(kb.BertConfig(30, 16, 1, 2, 32, max_position_embeddings=64)))
    words = np.random.default_rng(0).integers(5, 30, (12, 60)).astype(np.int32)
    ids = {"input_word_ids": words, "input_mask": np.ones_like(words), "input_type_ids": np.zeros_like(words)}
    far = {"start_logits": np.full(12, 50), "end_logits": np.full(12, 59)}
    history = kb.finetune(model, ids, far, ids, far, **{**SETTINGS, "epochs": 4}).history
    assert history["val_loss"][-1] < history["val_loss"][0] < 5


@pytest.mark.slow
def test_tokens():
    ids = rows()
    words = ids["input_word_ids"]
    expected = np.where((words >= 20) & (np.arange(words.shape[1]) % 2 == 1), words % 3, -1)
    model = kb.BertTokenClassifier(encoder(), 3)
    history = kb.finetune(model, ids, expected, ids, expected, **SETTINGS).history
    assert history["val_accuracy"][-1] > 0.7 > history["accuracy"][0]
    found, logits = kb.evaluate(model, ids, expected), predict_logits(model, ids)
    counted = expected >= 0
    assert logits.shape == (*words.shape, 3) and found["tokens"] == counted.sum()
    assert found["accuracy"] == pytest.approx((logits.argmax(-1) == expected)[counted].mean())


def test_predictions_do_not_depend_on_the_batch():
    ids = rows(9, seed=3)
    for model in (kb.BertSpanLabeler(encoder()), kb.BertTokenClassifier(encoder(), 3)):
        one, two = (predict_logits(model, ids, batch_size=size) for size in (2, 9))
        real = ids["input_mask"] > 0
        for a, b in zip(*((x.values() if isinstance(x, dict) else [x]) for x in (one, two)), strict=True):
            np.testing.assert_allclose(a[real], b[real], atol=1e-5)


def test_rejects_mismatched_labels():
    ids = rows(4)
    length = ids["input_word_ids"].shape[1]
    classifier = kb.BertClassifier(encoder(), 3, problem_type="multi_label")
    for model, labels, words in (
        (classifier, [0, 1, 0, 1], r"^`labels`.*\[4, 3\].*Received: shape=\(4,\)"),
        (classifier, np.full((4, 3), 2), r"^`labels`.*\[4, 3\].*Received: shape=\(4, 3\)"),
        (
            kb.BertClassifier(encoder(), 1, problem_type="regression"),
            [1.0, np.nan, 2, 3],
            r"^`labels`.*Received: shape=\(4, 1\)",
        ),
        (kb.BertClassifier(encoder(), 1, problem_type="regression"), [1.0], r"^`labels`.*Received: shape=\(1,\)"),
        (kb.BertSpanLabeler(encoder()), {"start_logits": [0] * 4}, "^`labels`.*Received: .*end_logits"),
        (
            kb.BertSpanLabeler(encoder()),
            {"start_logits": [0] * 4, "end_logits": [length] * 4},
            f"^`labels`.*0 … {length - 1}.*Received: .*{length}",
        ),
        (kb.BertTokenClassifier(encoder(), 3), [0, 1, 0, 1], r"^`labels`.*\[4, 16\].*Received: shape=\(4,\)"),
        (kb.BertTokenClassifier(encoder(), 3), np.full((4, length), 3), "^`labels`.*-1 … 2.*Received: 3"),
    ):
        with pytest.raises(kb.InputError, match=words):
            kb.finetune(model, ids, labels, ids, labels, verbose=0)
    nothing = np.full((4, length), -1)
    with pytest.raises(kb.InputError, match="`labels`"):
        kb.evaluate(kb.BertTokenClassifier(encoder(), 3), ids, nothing)
    with pytest.raises(kb.InputError, match="`model`"):
        task_for(encoder())
    with pytest.raises(kb.InputError, match="^`teacher_logits`"):
        kb.finetune(classifier, ids, np.zeros((4, 3), int), ids, np.zeros((4, 3), int), teacher_logits=np.zeros((4, 3)))
    for problem_type, classes, words in (
        ("regression", 0, "^`num_classes`.*Received: num_classes=0"),
        ("single_label", 1, "^`num_classes`.*Received: num_classes=1"),
        ("other", 2, "^`problem_type`.*Received: problem_type='other'"),
    ):
        with pytest.raises(kb.InputError, match=words):
            kb.BertClassifier(encoder(), classes, problem_type=problem_type)


def test_problem_type_is_saved(tmp_path):
    model = kb.BertClassifier(encoder(), 1, problem_type="regression")
    model.save(tmp_path / "number.keras")
    assert keras.saving.load_model(tmp_path / "number.keras").problem_type == "regression"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["span", "tokens", "labels", "number"])
def test_half_batches_give_the_same_step(kind):
    """The same step as that of Keras, for each task, where half batches have different numbers of predictions."""
    from tests.ops.test_cpu_data_parallel import NO_DROPOUT, assert_same_steps

    ids = rows(7, seed=2)
    words = ids["input_word_ids"]
    makers = {
        "span": lambda e: kb.BertSpanLabeler(e),
        "tokens": lambda e: kb.BertTokenClassifier(e, 3, dropout=0.0),
        "labels": lambda e: kb.BertClassifier(e, 2, dropout=0.0, problem_type="multi_label"),
        "number": lambda e: kb.BertClassifier(e, 1, dropout=0.0, problem_type="regression"),
    }
    labels = {
        "span": {"start_logits": np.arange(7) % 4, "end_logits": np.arange(7) % 5},
        "tokens": np.where(words > 30, words % 3, -1),
        "labels": np.stack([np.arange(7) % 2, np.arange(7) % 3 > 0], 1).astype(int),
        "number": np.linspace(-1, 1, 7),
    }[kind]
    from keras_bert.training import bert_adamw

    models = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        models.append(makers[kind](kb.BertEncoder(NO_DROPOUT)))
        task = task_for(models[-1])
        task.compile(models[-1], bert_adamw(1e-2), False)
    targets, weights = task.targets(models[0], ids, labels)
    batch = (ids, targets) if weights is None else (ids, targets, weights)
    assert_same_steps(*models, [batch] * 2, task.per_example_fns)
