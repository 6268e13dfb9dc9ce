"""Distillation: the losses match the papers, the student learns, and the teacher does not change."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training import distill, init_student
from keras_bert.training.distilbert_loss import distillation_model
from keras_bert.training.distillation_loss import DistillationLoss, distillation_targets
from keras_bert.training.student import without_sentence_task
from keras_bert.weights.formats.huggingface import save_huggingface
from tests.training import toys

DEEP = dataclasses.replace(toys.CONFIG, num_layers=4, hidden_dropout=0.0, attention_dropout=0.0, initializer_range=0.2)


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def weights_of(model):
    return [np.array(weight) for weight in model.get_weights()]


def assert_same_weights(one, two, tolerance=0.0):
    for a, b in zip(weights_of(one), weights_of(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def teacher():
    return toys.make_pretrainer(config=DEEP)


def test_init_student_copies_layers(teacher):
    student = init_student(teacher)
    assert student.encoder.config.num_layers == 2 and student.encoder.pooler is None and student.nsp_head is None
    for i, source in ((0, 0), (1, 2)):
        assert_same_weights(student.encoder.blocks[i], teacher.encoder.blocks[source])
    assert_same_weights(student.mlm_head, teacher.mlm_head)
    student = init_student(teacher, 3)
    for i in range(3):
        assert_same_weights(student.encoder.blocks[i], teacher.encoder.blocks[i])


@pytest.mark.parametrize("num_layers", [0, 4, 5])
def test_init_student_rejects_num_layers(teacher, num_layers):
    with pytest.raises(kb.InputError, match=f"^`num_layers`.*1 … 3.*Received: num_layers={num_layers}"):
        init_student(teacher, num_layers)


def test_student_is_distilbert(teacher, tmp_path):
    student = init_student(teacher)
    assert student.encoder.config.type_vocab_size == 0
    ids = np.random.default_rng(0).integers(5, 50, (2, 6)).astype("int32")
    expected, actual = (np.asarray(model.encoder.embeddings(ids, 0 * ids)) for model in (teacher, student))
    np.testing.assert_allclose(actual, expected, atol=1e-6)
    folder = save_huggingface(student, tmp_path / "student")
    assert json.loads((folder / "config.json").read_text())["model_type"] == "distilbert"


def test_distilbert_losses_by_hand(teacher):
    student = init_student(teacher, 1)
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 50, (2, 6)).astype("int32")
    ids[1, 4:] = 0
    inputs = {"input_word_ids": ids, "input_mask": np.int32(ids > 0), "input_type_ids": 0 * ids}
    positions, words = np.array([[1, 2], [1, 3]], "int32"), rng.integers(5, 50, (2, 2)).astype("int32")
    model = distillation_model(teacher, student, temperature=3.0, loss_weights=(5.0, 2.0, 0.5))
    losses = model({**inputs, "masked_lm_positions": positions, "masked_lm_ids": words})
    states = [np.asarray(each.encoder(inputs)["sequence_output"], np.float64) for each in (student, teacher)]
    logits = [
        np.asarray(without_sentence_task(each)({**inputs, "masked_lm_positions": positions})["mlm_logits"], np.float64)
        for each in (student, teacher)
    ]
    student_probs, teacher_probs = softmax(logits[0] / 3), softmax(logits[1] / 3)
    soft = 5.0 * 9 * (teacher_probs * (np.log(teacher_probs) - np.log(student_probs))).sum(-1)
    masked = 2.0 * -np.log(np.take_along_axis(softmax(logits[0]), words[..., None], -1))[..., 0]
    norms = np.linalg.norm(states[0], axis=-1) * np.linalg.norm(states[1], axis=-1)
    cosine = 0.5 * (1 - (states[0] * states[1]).sum(-1) / norms)
    for name, expected in (("soft", soft), ("masked", masked), ("cosine", cosine)):
        np.testing.assert_allclose(np.asarray(losses[name]), expected, atol=1e-4, err_msg=name)
    trained = {weight.path for weight in model.trainable_variables}
    assert trained == {weight.path for weight in student.trainable_variables}


@pytest.mark.slow
def test_distill_learns_and_keeps_teacher(teacher):
    before, student = weights_of(teacher), init_student(teacher)
    examples, masking = toys.examples(sentence_task=None), toys.masking()
    settings = {"steps": 30, "batch_size": 16, "learning_rate": 1e-3, "validate_every": 10, "verbose": 0}
    history = distill(teacher, student, examples, masking, validation=examples[:10], **settings).history
    assert history["step"] == [10, 20, 30]
    for name in ("soft_loss", "cosine_loss"):
        assert history[name][-1] < 0.7 * history[name][0], name
    total = sum(history[f"{name}_loss"][-1] for name in ("soft", "masked", "cosine"))
    assert history["loss"][-1] == pytest.approx(total, rel=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(before, weights_of(teacher), strict=True))
    assert {"val_loss", "val_mlm_accuracy"} <= set(history)


@pytest.mark.slow
def test_distill_resumes(teacher, tmp_path):
    examples, masking = toys.examples(sentence_task=None), toys.masking()

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                self.model.stop_training = True

    expected = init_student(teacher)
    settings = {"steps": 8, "batch_size": 8, "validate_every": 4, "verbose": 0}
    distill(teacher, expected, examples, masking, **settings)
    for callbacks in ([Stop()], []):
        student = init_student(teacher)
        distill(teacher, student, examples, masking, **settings, checkpoint_dir=tmp_path, callbacks=callbacks)
    assert_same_weights(expected, student, 1e-6)


def test_distill_rejects_mismatched_models(teacher):
    examples, masking = toys.examples(sentence_task=None), toys.masking()
    student = init_student(teacher)
    narrow = toys.make_pretrainer(sentence_task=None, config=dataclasses.replace(DEEP, hidden_size=16))
    for models, message in (
        ((teacher, narrow), "`student`.*hidden_size=32. Received: hidden_size=16"),
        ((teacher, teacher.encoder), "^`student`.*BertPretrainer.*Received: BertEncoder"),
        ((student.encoder, student), "^`teacher`.*BertPretrainer.*Received: BertEncoder"),
    ):
        with pytest.raises(kb.InputError, match=message):
            distill(*models, examples, masking, steps=1, verbose=0)


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0},
        {"loss_weights": (1.0, 1.0)},
        {"loss_weights": (1.0, 1.0, -1.0)},
        {"steps": None},
        {"epochs": 2},
    ],
)
def test_distill_rejects_invalid_settings(teacher, settings):
    examples, masking = toys.examples(sentence_task=None), toys.masking()
    with pytest.raises(kb.InputError, match=f"`{next(iter(settings))}`"):
        distill(teacher, init_student(teacher), examples, masking, **{"steps": 1, "verbose": 0, **settings})


@pytest.mark.slow
def test_finetune_learns_from_teacher_logits():
    ids, labels = toys.labeled(120, seed=1)
    random_labels = np.random.default_rng(0).permutation(labels)
    logits = np.where(labels[:, None] == np.arange(2), 4.0, -4.0)
    accuracy = {}
    for alpha in (0.0, 1.0):
        model = toys.make_classifier()
        settings = {"epochs": 12, "batch_size": 16, "learning_rate": 3e-3, "verbose": 0}
        kb.finetune(model, ids, random_labels, ids, random_labels, teacher_logits=logits, alpha=alpha, **settings)
        accuracy[alpha] = kb.evaluate(model, ids, labels)["accuracy"]
    assert accuracy[1.0] > 0.9 > accuracy[0.0]


@pytest.mark.slow
def test_alpha_zero_equals_no_teacher():
    ids, labels = toys.labeled(24, seed=1)
    models = [toys.make_classifier(), toys.make_classifier()]
    with_teacher = {"teacher_logits": np.ones((24, 2)), "alpha": 0.0}
    histories = [
        kb.finetune(model, ids, labels, ids, labels, epochs=2, batch_size=8, verbose=0, **settings).history
        for model, settings in zip(models, ({}, with_teacher), strict=True)
    ]
    for name, values in histories[0].items():
        assert histories[1][name] == pytest.approx(values, abs=1e-5)


@pytest.mark.parametrize("settings", [{"alpha": 0.1}, {"temperature": 3.0}])
def test_finetune_rejects_teacher_settings_without_logits(settings):
    ids, labels = toys.labeled(8)
    with pytest.raises(kb.InputError, match=f"^`{next(iter(settings))}`.*`teacher_logits`"):
        kb.finetune(toys.make_classifier(), ids, labels, ids, labels, **settings)


def test_distillation_loss_by_hand():
    rng = np.random.default_rng(0)
    labels, teacher_logits, logits = rng.integers(0, 3, 5), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    losses = DistillationLoss(temperature=2.0, alpha=0.25).call(
        distillation_targets(labels, teacher_logits, 3), keras.ops.convert_to_tensor(logits, "float32")
    )
    hard = -np.log(softmax(logits)[np.arange(5), labels])
    teacher_probs, student_probs = softmax(teacher_logits / 2), softmax(logits / 2)
    soft = 4 * (teacher_probs * (np.log(teacher_probs) - np.log(student_probs))).sum(-1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(losses), 0.75 * hard + 0.25 * soft, atol=1e-5)


def test_distillation_targets_reject_invalid_logits():
    labels, logits = np.zeros(5, int), np.ones((5, 3))
    with pytest.raises(kb.InputError, match=r"`teacher_logits`.*\(5, 3\).*Received: shape=\(5, 2\)"):
        distillation_targets(labels, logits[:, :2], 3)
    with pytest.raises(kb.InputError, match="^`teacher_logits`.*Received: .*finite=False"):
        distillation_targets(labels, logits * np.nan, 3)
