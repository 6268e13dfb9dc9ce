"""A student learns what its teacher says: the three losses are what the papers say, and the teacher stays as it is."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training import distill, init_student
from keras_bert.training.distilbert_loss import student_and_teacher
from keras_bert.training.distill import without_sentence_task
from keras_bert.training.distillation_loss import DistillationLoss, distillation_targets
from keras_bert.weights.formats.huggingface import save_huggingface
from tests.training import toys

DEEP = dataclasses.replace(toys.CONFIG, num_layers=4, hidden_dropout=0.0, attention_dropout=0.0, initializer_range=0.2)


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def weights_of(model):
    return [np.array(weight) for weight in model.get_weights()]


@pytest.fixture(scope="module")
def teacher():
    return toys.make_pretrainer(config=DEEP)


def test_a_student_begins_as_every_second_layer(teacher):
    student = init_student(teacher)
    assert student.encoder.config.num_layers == 2 and student.encoder.pooler is None and student.nsp_head is None
    for ours, theirs in ((0, 0), (1, 2)):
        for a, b in zip(
            weights_of(student.encoder.blocks[ours]), weights_of(teacher.encoder.blocks[theirs]), strict=True
        ):
            np.testing.assert_array_equal(a, b)
    for part in ("mlm_head",):
        for a, b in zip(weights_of(getattr(student, part)), weights_of(getattr(teacher, part)), strict=True):
            np.testing.assert_array_equal(a, b)
    third = init_student(teacher, 3)
    for ours, theirs in ((0, 0), (1, 1), (2, 2)):
        np.testing.assert_array_equal(
            third.encoder.blocks[ours].get_weights()[0], teacher.encoder.blocks[theirs].get_weights()[0]
        )
    for layers in (0, 4, 5):
        with pytest.raises(kb.InputError, match="a student has 1 … 3 layers"):
            init_student(teacher, layers)


def test_a_student_has_no_segments_and_is_a_distilbert(teacher, tmp_path):
    student = init_student(teacher)
    assert student.encoder.config.type_vocab_size == 0
    ids = np.random.default_rng(0).integers(5, 50, (2, 6)).astype("int32")
    theirs, ours = (np.asarray(model.encoder.embeddings(ids, 0 * ids)) for model in (teacher, student))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    folder = save_huggingface(student, tmp_path / "student")
    assert json.loads((folder / "config.json").read_text())["model_type"] == "distilbert"


def test_the_three_losses_are_those_of_the_paper(teacher):
    student = init_student(teacher, 1)
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 50, (2, 6)).astype("int32")
    ids[1, 4:] = 0
    inputs = {"input_word_ids": ids, "input_mask": np.int32(ids > 0), "input_type_ids": 0 * ids}
    positions, words = np.array([[1, 2], [1, 3]], "int32"), rng.integers(5, 50, (2, 2)).astype("int32")
    both = student_and_teacher(teacher, student, temperature=3.0, weights=(5.0, 2.0, 0.5))
    found = {
        name: np.asarray(value)
        for name, value in both({**inputs, "masked_lm_positions": positions, "masked_lm_ids": words}).items()
    }
    states = [np.asarray(model.encoder(inputs)["sequence_output"], np.float64) for model in (student, teacher)]
    logits = [
        np.asarray(without_sentence_task(model)({**inputs, "masked_lm_positions": positions})["mlm_logits"], np.float64)
        for model in (student, teacher)
    ]
    said, taught = softmax(logits[0] / 3), softmax(logits[1] / 3)
    soft = 5.0 * 9 * (taught * (np.log(taught) - np.log(said))).sum(-1)
    masked = 2.0 * -np.log(np.take_along_axis(softmax(logits[0]), words[..., None], -1))[..., 0]
    norms = np.linalg.norm(states[0], axis=-1) * np.linalg.norm(states[1], axis=-1)
    cosine = 0.5 * (1 - (states[0] * states[1]).sum(-1) / norms)
    for name, expected in (("soft", soft), ("masked", masked), ("cosine", cosine)):
        np.testing.assert_allclose(found[name], expected, atol=1e-4, err_msg=name)
    assert {weight.path for weight in both.trainable_variables} == {
        weight.path for weight in student.trainable_variables
    }


def test_a_student_comes_nearer_to_its_teacher_which_stays_as_it_is(teacher):
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


def test_a_run_that_stopped_goes_on_to_the_same_student(teacher, tmp_path):
    examples, masking = toys.examples(sentence_task=None), toys.masking()

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                self.model.stop_training = True

    whole = init_student(teacher)
    settings = {"steps": 8, "batch_size": 8, "validate_every": 4, "verbose": 0}
    distill(teacher, whole, examples, masking, **settings)
    for callbacks in ([Stop()], []):
        parted = init_student(teacher)
        distill(teacher, parted, examples, masking, **settings, checkpoint_dir=tmp_path, callbacks=callbacks)
    for a, b in zip(weights_of(whole), weights_of(parted), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_what_does_not_fit(teacher):
    examples, masking = toys.examples(sentence_task=None), toys.masking()
    student = init_student(teacher)
    narrow = toys.make_pretrainer(sentence_task=None, config=dataclasses.replace(DEEP, hidden_size=16))
    for changes, words in (
        ({"student": narrow}, "the same hidden_size, 32. Received: 16"),
        ({"student": teacher.encoder}, "a student is a BertPretrainer. Received: BertEncoder"),
        ({"teacher": student.encoder}, "a teacher is a BertPretrainer"),
        ({"temperature": 0}, "a temperature above 0"),
        ({"weights": (1.0, 1.0)}, "three weights"),
        ({"weights": (1.0, 1.0, -1.0)}, "three weights"),
    ):
        given = {"teacher": teacher, "student": student, **changes}
        with pytest.raises(kb.InputError, match=words):
            distill(given.pop("teacher"), given.pop("student"), examples, masking, steps=1, verbose=0, **given)


def test_a_task_is_learned_from_the_teachers_logits_where_labels_say_nothing():
    ids, labels = toys.labelled(120, seed=1)
    nonsense = np.random.default_rng(0).permutation(labels)
    logits = np.where(labels[:, None] == np.arange(2), 4.0, -4.0)
    accuracy = {}
    for share in (0.0, 1.0):
        model = toys.make_classifier()
        settings = {"epochs": 12, "batch_size": 16, "learning_rate": 3e-3, "verbose": 0}
        kb.finetune(model, ids, nonsense, ids, nonsense, teacher_logits=logits, alpha=share, **settings)
        accuracy[share] = kb.evaluate(model, ids, labels)["accuracy"]
    assert accuracy[1.0] > 0.9 > accuracy[0.0]


def test_a_share_of_nothing_is_learning_without_a_teacher():
    ids, labels = toys.labelled(24, seed=1)
    models = [toys.make_classifier(), toys.make_classifier()]
    taught = {"teacher_logits": np.ones((24, 2)), "alpha": 0.0}
    histories = [
        kb.finetune(model, ids, labels, ids, labels, epochs=2, batch_size=8, verbose=0, **more).history
        for model, more in zip(models, ({}, taught), strict=True)
    ]
    for name, values in histories[0].items():
        assert histories[1][name] == pytest.approx(values, abs=1e-5)


def test_the_taught_loss_is_hintons():
    rng = np.random.default_rng(0)
    labels, theirs, ours = rng.integers(0, 3, 5), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    found = DistillationLoss(temperature=2.0, share=0.25).call(
        distillation_targets(labels, theirs, 3), keras.ops.convert_to_tensor(ours, "float32")
    )
    hard = -np.log(softmax(ours)[np.arange(5), labels])
    taught, said = softmax(theirs / 2), softmax(ours / 2)
    soft = 4 * (taught * (np.log(taught) - np.log(said))).sum(-1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), 0.75 * hard + 0.25 * soft, atol=1e-5)
    with pytest.raises(kb.InputError, match=r"\[5, 3\]. Received: shape \(5, 2\)"):
        distillation_targets(labels, theirs[:, :2], 3)
    with pytest.raises(kb.InputError, match="finite"):
        distillation_targets(labels, theirs * np.nan, 3)
