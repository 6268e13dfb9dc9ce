"""distill: from text and from labels, by the command line."""

import json

import pytest

from keras_bert.weights import load_pretrained


def facts_of(said) -> dict:
    assert said.status == 0, said.err
    return json.loads(said.out.splitlines()[-1])


def test_from_text(call, models, tmp_path):
    wanted = ["distill", "--teacher", models.encoder, "--data", "sample", "--steps", 2, "--sequence-length", 16]
    facts = facts_of(call(*wanted, "--out", tmp_path / "small", "--json"))
    assert facts["parameters"] < facts["teacher_parameters"]
    assert {"mlm_loss", "mlm_accuracy", "teacher_mlm_loss", "teacher_mlm_accuracy"} <= set(facts)
    student, teacher = load_pretrained(tmp_path / "small"), load_pretrained(models.encoder)
    assert (student.encoder.config.num_layers, teacher.encoder.config.num_layers) == (1, 2)
    assert student.vocabulary == teacher.vocabulary and student.kind == "pretrainer"


def test_from_labels(call, models, tmp_path):
    wanted = ["distill", "--teacher", models.classifier, "--student", models.encoder, "--dataset", models.dataset]
    facts = facts_of(call(*wanted, "--epochs", 1, "--held-out", 0.2, "--out", tmp_path / "small", "--json"))
    assert facts["examples"] == 20 and 0 <= facts["accuracy"] <= 1 and 0 <= facts["teacher_accuracy"] <= 1
    found = facts_of(call("evaluate", "--model", tmp_path / "small", "--data", models.dataset / "dev.tsv", "--json"))
    assert found["accuracy"] == pytest.approx(facts["accuracy"])
    assert load_pretrained(tmp_path / "small").labels == ["negative", "positive"]


def test_wrong_calls(call, models, tmp_path):
    for arguments, words in (
        (["--teacher", models.encoder], "`--data` or `--dataset`"),
        (["--teacher", models.encoder, "--data", "sample"], "`--steps` must be given with `--data`"),
        (
            ["--teacher", models.encoder, "--data", "sample", "--steps", 1, "--student", models.encoder],
            "`--student` must be left out",
        ),
        (["--teacher", models.classifier, "--dataset", models.dataset], "`--student` must be given with `--dataset`"),
        (["--teacher", models.classifier, "--data", "sample", "--steps", 1], "`--teacher` must be a pretrainer"),
        (["--teacher", models.encoder, "--student", models.encoder, "--dataset", models.dataset], "be a classifier"),
        (["--teacher", models.encoder, "--data", "sample", "--steps", 1, "--layers", 2], "`num_layers`"),
    ):
        said = call("distill", *arguments, "--out", tmp_path / "out")
        assert said.status == 2 and words in said.err and said.err.count("\n") == 1, said.err
        assert not list(tmp_path.iterdir())
