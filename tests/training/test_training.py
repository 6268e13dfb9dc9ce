"""Training learns, measures what it says, and refuses what does not fit."""

import keras
import numpy as np
import pytest

from keras_bert import BertConfig, InputError
from keras_bert.inference import evaluate, predict_logits
from keras_bert.training import MaskedBatches, evaluate_pretrainer, finetune, pretrain
from tests.training import toys

SMALL = BertConfig.from_dict({**toys.CONFIG.to_dict(), "num_layers": 1})


def cross_entropy(logits, labels):
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


def test_pretraining_learns(pretrained):
    _, history, _ = pretrained
    assert history["step"] == [40, 80, 120]
    assert history["val_mlm_loss"][-1] < history["val_mlm_loss"][0] < np.log(SMALL.vocab_size) + 0.1
    assert history["mlm_accuracy"][-1] > history["mlm_accuracy"][0]
    for prefix in ("", "val_"):
        for loss, mlm, nsp in zip(*(history[prefix + k] for k in ("loss", "mlm_loss", "nsp_loss")), strict=True):
            assert loss == pytest.approx(mlm + nsp)


def test_metrics_count_predicted_positions_alone(pretrained):
    model, history, _ = pretrained
    examples, masking = toys.examples(20, seed=5), toys.masking()
    result = evaluate_pretrainer(model, examples, masking, batch_size=16)
    losses, right, nsp_losses, nsp_right = [], [], [], []
    batches = MaskedBatches(examples, masking, 16, shuffle=False)
    for inputs, targets, weights in (batches.batch(0, i) for i in range(len(batches))):
        outputs = {k: np.asarray(v) for k, v in model.predict_on_batch(inputs).items()}
        used = weights["mlm_logits"] == 1
        losses += cross_entropy(outputs["mlm_logits"], targets["mlm_logits"])[used].tolist()
        right += (outputs["mlm_logits"].argmax(-1) == targets["mlm_logits"])[used].tolist()
        nsp_losses += cross_entropy(outputs["nsp_logits"], targets["nsp_logits"]).tolist()
        nsp_right += (outputs["nsp_logits"].argmax(-1) == targets["nsp_logits"]).tolist()
    assert result["mlm_loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    assert result["mlm_accuracy"] == pytest.approx(np.mean(right), rel=1e-5)
    assert result["nsp_loss"] == pytest.approx(np.mean(nsp_losses), rel=1e-4)
    assert result["nsp_accuracy"] == pytest.approx(np.mean(nsp_right), rel=1e-5)
    # The model kept the weights of its best round.
    again = evaluate_pretrainer(model, examples, masking, batch_size=32)
    assert again["loss"] == pytest.approx(min(history["val_loss"]), rel=1e-4)


def test_held_out_rows_are_masked_by_15_percent_whatever_training_hides():
    model, held_out = toys.make_pretrainer(config=SMALL), toys.examples(20, seed=5)
    masking = toys.masking(rate=0.5, max_predictions=8)
    history = pretrain(
        model, toys.examples(), masking, validation=held_out, steps=2, learning_rate=1e-3, verbose=0
    ).history
    as_the_paper = evaluate_pretrainer(model, held_out, toys.masking(max_predictions=8))
    assert history["val_loss"] == pytest.approx([as_the_paper["loss"]], rel=1e-5)
    assert evaluate_pretrainer(model, held_out, masking)["loss"] != pytest.approx(as_the_paper["loss"], rel=1e-5)


def test_tensorboard_reads_the_log(pretrained):
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


def test_pretraining_without_next_sentence():
    model = toys.make_pretrainer(sentence_task=None, config=SMALL)
    rows = toys.examples(sentence_task=None)
    history = pretrain(model, rows, toys.masking(whole_words=True), epochs=2, batch_size=32, verbose=0).history
    assert set(history) == {"step", "loss", "mlm_loss", "mlm_accuracy", "learning_rate"}
    assert history["loss"] == history["mlm_loss"]


@pytest.fixture(scope="module")
def finetuned():
    model = toys.make_classifier(classes=3, config=SMALL)
    train, dev = toys.labelled(300, classes=3), toys.labelled(50, seed=9, classes=3)
    history = finetune(model, *train, *dev, epochs=5, batch_size=16, learning_rate=3e-3, verbose=0)
    return model, history.history, dev


def test_finetuning_learns_and_keeps_the_best(finetuned):
    model, history, dev = finetuned
    assert max(history["val_accuracy"]) > 0.9
    assert history["step"] == [19, 38, 57, 76, 95] and history["learning_rate"][-1] == pytest.approx(0.0, abs=1e-9)
    result = evaluate(model, *dev)
    assert result["accuracy"] == max(history["val_accuracy"])
    assert all(variable.trainable for variable in model.weights)


def test_the_best_epoch_is_the_one_of_the_highest_score():
    model, (train, dev) = toys.make_classifier(config=SMALL), (toys.labelled(32), toys.labelled(20, seed=9))
    scores, weights = iter([1.0, 3.0, 2.0]), []

    def score():
        weights.append(model.get_weights())
        return next(scores)

    history = finetune(model, *train, *dev, epochs=3, learning_rate=3e-3, score=score, verbose=0).history
    assert history["val_score"] == [1.0, 3.0, 2.0]
    second, third = weights[1:]
    for kept, wanted in zip(model.get_weights(), second, strict=True):
        np.testing.assert_array_equal(kept, wanted)
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


@pytest.mark.parametrize(("what", "moves"), [("all", {"head"}), (1, {"head", "pooler", "block_1"})])
def test_frozen_parts_stay_as_they_are(what, moves):
    model = toys.make_classifier()
    parts = {"embeddings": model.encoder.embeddings, "pooler": model.encoder.pooler, "head": model.head}
    parts |= {f"block_{i}": block for i, block in enumerate(model.encoder.blocks)}
    before = {name: [np.array(w) for w in part.get_weights()] for name, part in parts.items()}
    finetune(model, *toys.labelled(16), *toys.labelled(4), epochs=1, batch_size=8, learning_rate=1e-2,
             warmup=0.0, freeze=what, verbose=0)  # fmt: skip
    changed = {
        name
        for name, part in parts.items()
        if any((a != b).any() for a, b in zip(before[name], part.get_weights(), strict=True))
    }
    assert changed == moves
    assert model.encoder.trainable and len(model.trainable_variables) == len(model.weights)


def test_graphs_are_not_made_for_each_shape():
    model = toys.make_classifier(config=SMALL)
    calls = []
    inner = model.head.call
    model.head.call = lambda *args, **kwargs: (calls.append(1), inner(*args, **kwargs))[1]
    train = toys.labelled(100, length=32)  # four widths, and a last batch that is not full
    finetune(model, *train, *toys.labelled(20, length=32), epochs=3, batch_size=8, verbose=0)
    if keras.backend.backend() == "tensorflow":
        assert len(calls) <= 6  # two graphs to train, two or three to predict


def test_what_does_not_fit_is_refused():
    model, rows, masking = toys.make_pretrainer(config=SMALL), toys.examples(), toys.masking()
    other = type(masking)(4, np.ones(99, bool))
    long = toys.examples(length=40)
    for arguments, settings, message in (
        ((rows, other), {"steps": 1}, "encoder and vocabulary must be of one size, 60 tokens. Received: 99"),
        ((long, masking), {"steps": 1}, "32 tokens, the positions. Received: 40"),
        ((toys.examples(sentence_task=None), masking), {"steps": 1}, "task='next' needs .*Received: .*task=None"),
        ((toys.examples(sentence_task="order"), masking), {"steps": 1}, "'next' needs .*Received: .*task='order'"),
        ((rows, masking), {}, "either steps or epochs"),
        ((rows, masking), {"steps": 1, "epochs": 1}, "either steps or epochs"),
        ((rows, masking), {"steps": 0}, "steps must be at least 1"),
        ((rows, masking), {"steps": 9, "warmup": 1.0}, "warm-up"),
        ((rows, masking), {"steps": 9, "learning_rate": 0.0}, "learning rate"),
    ):
        with pytest.raises(InputError, match=message):
            pretrain(model, *arguments, **settings, verbose=0)

    model, (ids, labels) = toys.make_classifier(config=SMALL), toys.labelled(4)
    for words, answers, message in (
        ({**ids, "input_word_ids": ids["input_word_ids"] * 5}, labels, r"must lie in 0 … 59.*Received: 0 … 245"),
        (ids, labels + 2, "`labels`.*0 … 1. Received: [23] … [23]"),
        (ids, labels[:3], r"`labels`.*\(4\)"),
        (ids, labels * 0.5, "`labels` must be integers"),
    ):
        with pytest.raises(InputError, match=message):
            finetune(model, words, answers, ids, labels, verbose=0)
        with pytest.raises(InputError, match=message):
            evaluate(model, words, answers)
    wide = {key: np.ones((4, 33), np.int32) for key in ids}
    with pytest.raises(InputError, match="32 tokens, the positions. Received: 33"):
        predict_logits(model, wide)
