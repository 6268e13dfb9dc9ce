"""Pretraining and fine-tuning: learning, metrics, selection of the best epoch, and rejected input."""

import keras
import numpy as np
import pytest

from keras_bert import BertConfig, InputError
from keras_bert.inference.evaluate import evaluate
from keras_bert.inference.predict import predict_logits
from keras_bert.training import MaskedBatches, evaluate_pretrainer, finetune, pretrain
from tests.training import toys

SMALL = BertConfig.from_dict({**toys.CONFIG.to_dict(), "num_layers": 1})


def cross_entropy(logits, labels):
    """Compute -log softmax(logits)[label] in float64."""
    logits = np.asarray(logits, np.float64)
    shifted = logits - logits.max(-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return -np.take_along_axis(logs, np.asarray(labels)[..., None], -1)[..., 0]


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    model = toys.make_pretrainer(config=SMALL)
    history = pretrain(
        model,
        toys.examples(200),
        toys.masking(),
        validation=toys.examples(20, seed=5),
        steps=120,
        batch_size=32,
        learning_rate=1e-2,
        validate_every=40,
        log_dir=folder,
        verbose=0,
    )
    return model, history.history, folder


def test_pretrain_learns(pretrained):
    _, history, _ = pretrained
    assert history["step"] == [40, 80, 120]
    assert history["val_mlm_loss"][-1] < history["val_mlm_loss"][0] < np.log(SMALL.vocab_size) + 0.1
    assert history["mlm_accuracy"][-1] > history["mlm_accuracy"][0]
    for prefix in ("", "val_"):
        for loss, mlm, nsp in zip(*(history[prefix + k] for k in ("loss", "mlm_loss", "nsp_loss")), strict=True):
            assert loss == pytest.approx(mlm + nsp)


def test_pretraining_metrics_by_hand(pretrained):
    model, history, _ = pretrained
    examples, masking = toys.examples(20, seed=5), toys.masking()
    result = evaluate_pretrainer(model, examples, masking, batch_size=16)
    losses, correct, nsp_losses, nsp_correct = [], [], [], []
    batches = MaskedBatches(examples, masking, 16, shuffle=False)
    for inputs, targets, weights in (batches.batch(0, i) for i in range(len(batches))):
        outputs = {k: np.asarray(v) for k, v in model.predict_on_batch(inputs).items()}
        used = weights["mlm_logits"] == 1
        losses += cross_entropy(outputs["mlm_logits"], targets["mlm_logits"])[used].tolist()
        correct += (outputs["mlm_logits"].argmax(-1) == targets["mlm_logits"])[used].tolist()
        nsp_losses += cross_entropy(outputs["nsp_logits"], targets["nsp_logits"]).tolist()
        nsp_correct += (outputs["nsp_logits"].argmax(-1) == targets["nsp_logits"]).tolist()
    assert result["mlm_loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    assert result["mlm_accuracy"] == pytest.approx(np.mean(correct), rel=1e-5)
    assert result["nsp_loss"] == pytest.approx(np.mean(nsp_losses), rel=1e-4)
    assert result["nsp_accuracy"] == pytest.approx(np.mean(nsp_correct), rel=1e-5)
    # The model has the weights of its best evaluation.
    again = evaluate_pretrainer(model, examples, masking, batch_size=32)
    assert again["loss"] == pytest.approx(min(history["val_loss"]), rel=1e-4)


@pytest.mark.slow
def test_validation_masks_15_percent():
    model, validation = toys.make_pretrainer(config=SMALL), toys.examples(20, seed=5)
    masking = toys.masking(rate=0.5, max_predictions=8)
    history = pretrain(
        model, toys.examples(), masking, validation=validation, steps=2, learning_rate=1e-3, verbose=0
    ).history
    expected = evaluate_pretrainer(model, validation, toys.masking(max_predictions=8))
    assert history["val_loss"] == pytest.approx([expected["loss"]], rel=1e-5)
    assert evaluate_pretrainer(model, validation, masking)["loss"] != pytest.approx(expected["loss"], rel=1e-5)


def test_tensorboard_log(pretrained):
    tf = pytest.importorskip("tensorflow")
    _, history, folder = pretrained
    for part, prefix in (("train", ""), ("validation", "val_")):
        (file,) = (folder / part).iterdir()
        values = {}
        for record in tf.data.TFRecordDataset(str(file)):  # checks the CRCs
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                values.setdefault(value.tag, {})[event.step] = value.simple_value
        logged = [values["mlm_loss"][step] for step in history["step"]]
        np.testing.assert_allclose(logged, history[f"{prefix}mlm_loss"], rtol=1e-6)


def test_pretrain_without_sentence_task():
    model = toys.make_pretrainer(sentence_task=None, config=SMALL)
    examples = toys.examples(sentence_task=None)
    history = pretrain(model, examples, toys.masking(whole_words=True), epochs=2, batch_size=32, verbose=0).history
    assert set(history) == {"step", "loss", "mlm_loss", "mlm_accuracy", "learning_rate"}
    assert history["loss"] == history["mlm_loss"]


@pytest.fixture(scope="module")
def finetuned():
    model = toys.make_classifier(classes=3, config=SMALL)
    train, dev = toys.labeled(300, classes=3), toys.labeled(50, seed=9, classes=3)
    history = finetune(model, *train, *dev, epochs=5, batch_size=16, learning_rate=3e-3, verbose=0)
    return model, history.history, dev


def test_finetune_keeps_best_epoch(finetuned):
    model, history, dev = finetuned
    assert max(history["val_accuracy"]) > 0.9
    assert history["step"] == [19, 38, 57, 76, 95] and history["learning_rate"][-1] == pytest.approx(0.0, abs=1e-9)
    result = evaluate(model, *dev)
    assert result["accuracy"] == max(history["val_accuracy"])
    assert all(variable.trainable for variable in model.weights)


def test_selection_metric():
    model, (train, dev) = toys.make_classifier(config=SMALL), (toys.labeled(32), toys.labeled(20, seed=9))
    values, weights = iter([1.0, 3.0, 2.0]), []

    def selection_metric():
        weights.append(model.get_weights())
        return next(values)

    settings = {"epochs": 3, "learning_rate": 3e-3, "verbose": 0}
    history = finetune(model, *train, *dev, **settings, selection_metric=selection_metric)
    history = history.history
    assert history["val_selection_metric"] == [1.0, 3.0, 2.0]
    second, third = weights[1:]
    for actual, expected in zip(model.get_weights(), second, strict=True):
        np.testing.assert_array_equal(actual, expected)
    assert any((a != b).any() for a, b in zip(second, third, strict=True))


def test_evaluate_by_hand(finetuned):
    model, _, (ids, labels) = finetuned
    logits = np.asarray(model(ids, training=False))
    result = evaluate(model, ids, labels, batch_size=7)
    np.testing.assert_allclose(predict_logits(model, ids, batch_size=7), logits, atol=1e-5)
    assert result["examples"] == 50
    assert result["accuracy"] == pytest.approx((logits.argmax(1) == labels).mean())
    assert result["loss"] == pytest.approx(cross_entropy(logits, labels).mean(), rel=1e-4)
    for true in range(3):
        for predicted in range(3):
            assert result["confusion"][true][predicted] == ((labels == true) & (logits.argmax(1) == predicted)).sum()


@pytest.mark.parametrize(("layers", "trained"), [("all", {"head"}), (1, {"head", "pooler", "block_1"})])
def test_freeze_keeps_layers(layers, trained):
    model = toys.make_classifier()
    parts = {"embeddings": model.encoder.embeddings, "pooler": model.encoder.pooler, "head": model.head}
    parts |= {f"block_{i}": block for i, block in enumerate(model.encoder.blocks)}
    before = {name: [np.array(w) for w in part.get_weights()] for name, part in parts.items()}
    finetune(model, *toys.labeled(16), *toys.labeled(4), epochs=1, batch_size=8, learning_rate=1e-2,
             warmup=0.0, freeze=layers, verbose=0)  # fmt: skip
    changed = {
        name
        for name, part in parts.items()
        if any((a != b).any() for a, b in zip(before[name], part.get_weights(), strict=True))
    }
    assert changed == trained
    assert model.encoder.trainable and len(model.trainable_variables) == len(model.weights)


def test_number_of_traces():
    model = toys.make_classifier(config=SMALL)
    calls = []
    inner = model.head.call
    model.head.call = lambda *args, **kwargs: (calls.append(1), inner(*args, **kwargs))[1]
    train = toys.labeled(100, length=32)  # four lengths, and a last batch that is not full
    finetune(model, *train, *toys.labeled(20, length=32), epochs=3, batch_size=8, verbose=0)
    if keras.backend.backend() == "tensorflow":
        assert len(calls) <= 6  # two graphs for training, two or three for prediction


def test_pretrain_rejects_mismatched_input():
    model, examples, masking = toys.make_pretrainer(config=SMALL), toys.examples(), toys.masking()
    other = type(masking)(4, np.ones(99, bool))
    long = toys.examples(length=40)
    for arguments, settings, message in (
        ((examples, other), {"steps": 1}, r"^`masking`.*\b60\b.*Received: 99\b"),
        ((long, masking), {"steps": 1}, r"^`examples`.*max_position_embeddings=32\b.*Received: 40\b"),
        ((toys.examples(sentence_task=None), masking), {"steps": 1}, "`examples`.*task='next'.*Received: .*task=None"),
        (
            (toys.examples(sentence_task="order"), masking),
            {"steps": 1},
            "`examples`.*task='next'.*Received: .*task='order'",
        ),
        ((examples, masking), {}, "^`steps` .*`epochs`.*Received: steps=None, epochs=None"),
        ((examples, masking), {"steps": 1, "epochs": 1}, "^`steps` .*`epochs`.*Received: steps=1, epochs=1"),
        ((examples, masking), {"steps": 0}, "`steps`"),
        ((examples, masking), {"steps": 9, "warmup": 1.0}, "`warmup`"),
        ((examples, masking), {"steps": 9, "learning_rate": 0.0}, "`learning_rate`"),
    ):
        with pytest.raises(InputError, match=message):
            pretrain(model, *arguments, **settings, verbose=0)


def test_finetune_rejects_mismatched_input():
    model, (ids, labels) = toys.make_classifier(config=SMALL), toys.labeled(4)
    for input_ids, input_labels, message in (
        (
            {**ids, "input_word_ids": ids["input_word_ids"] * 5},
            labels,
            "^`input_word_ids`.*0 … 59.*Received: 0 … 245",
        ),
        (ids, labels + 2, "`labels`.*0 … 1. Received: [23] … [23]"),
        (ids, labels[:3], r"`labels`.*\(4\)"),
        (ids, labels * 0.5, "^`labels`.*Received: .*dtype=float64"),
    ):
        with pytest.raises(InputError, match=message):
            finetune(model, input_ids, input_labels, ids, labels, verbose=0)
        with pytest.raises(InputError, match=message):
            evaluate(model, input_ids, input_labels)
    wide = {key: np.ones((4, 33), np.int32) for key in ids}
    with pytest.raises(InputError, match=r"^`ids`.*\b32\b.*Received: 33\b"):
        predict_logits(model, wide)
