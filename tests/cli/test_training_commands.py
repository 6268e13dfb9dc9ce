"""`pretrain` and `finetune`: files, options, interruption and resume."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from keras import ops

import keras_bert.training
from keras_bert.models.cast import cast_model
from keras_bert.weights import load_pretrained
from tests.cli.command_line import assert_error, environment, results_of
from tests.processes import interrupt

pytestmark = pytest.mark.slow

SMALL = ["--layers", 1, "--hidden", 16, "--heads", 2]


def test_pretrain_then_finetune_then_evaluate(call, models, tmp_path):
    bert, sentiment = tmp_path / "bert", tmp_path / "sentiment"
    pretrain = ["pretrain", "--data", "sample", "--vocab-size", 300, *SMALL, "--sequence-length", 24, "--batch-size", 8]
    logs = ["--log-dir", tmp_path / "log", "--log-fill-mask", "a [MASK] film", "--log-fill-mask", "[MASK]"]
    results = results_of(call(*pretrain, "--steps", 3, "--out", bert, *logs, "--json"))
    assert results["step"] == 3 and results["vocab_size"] == 300
    assert np.isfinite(results["val_mlm_loss"]) and np.isfinite(results["nsp_loss"])
    assert list((tmp_path / "log").rglob("events.out.tfevents.*"))
    (line,) = (tmp_path / "log" / "fill_mask.jsonl").read_text().splitlines()
    assert json.loads(line)["step"] == 3 and [len(text["masks"]) for text in json.loads(line)["texts"]] == [1, 1]
    trained = load_pretrained(bert)
    assert trained.kind == "pretrainer" and trained.encoder.config.hidden_size == 16

    result = call(
        *("finetune", "--encoder", bert, "--dataset", models.dataset, "--labels", "bad,good", "--out", sentiment),
        *("--log-dir", tmp_path / "log", "--json"),
    )
    results = results_of(result)
    assert results["examples"] == 20
    logged = json.loads((tmp_path / "log" / "predictions.json").read_text())
    correct = [np.argmax(row["probabilities"]) == row["label"] for row in logged["examples"]]
    assert logged["label_names"] == ["bad", "good"] and np.mean(correct) == pytest.approx(results["accuracy"])
    assert load_pretrained(sentiment).labels == ["bad", "good"]
    evaluated = results_of(call("evaluate", "--model", sentiment, "--data", models.dataset / "dev.tsv", "--json"))
    assert evaluated["accuracy"] == pytest.approx(results["accuracy"])
    assert {path.name for path in tmp_path.iterdir()} == {"bert", "sentiment", "log"}


def test_embedding_init_ppmi(call, tmp_path):
    command = [
        "pretrain",
        "--data",
        "sample",
        "--vocab-size",
        300,
        *SMALL,
        "--sequence-length",
        24,
        "--batch-size",
        8,
    ]
    command += ["--no-next-sentence", "--steps", 1, "--learning-rate", 1e-9, "--json"]
    for name, options in {"counted": ["--embedding-init", "ppmi"], "drawn": []}.items():
        results_of(call(*command, *options, "--out", tmp_path / name))
    counted, drawn = (load_pretrained(tmp_path / name).model for name in ("counted", "drawn"))
    tables = [np.array(model.encoder.embeddings.word_embeddings.embeddings) for model in (counted, drawn)]
    assert tables[0].std() == pytest.approx(0.04, rel=0.1) and tables[1].std() < 0.02
    assert np.array(counted.mlm_head.output_bias).std() > 0.5 and np.array(drawn.mlm_head.output_bias).std() < 1e-6


def test_sentence_order(call, tmp_path):
    command = [
        "pretrain",
        "--data",
        "sample",
        "--vocab-size",
        300,
        *SMALL,
        "--sequence-length",
        24,
        "--batch-size",
        8,
    ]
    command += ["--sentence-order", "--steps", 2]
    results = results_of(call(*command, "--out", tmp_path / "order", "--json"))
    assert np.isfinite(results["sop_loss"]) and np.isfinite(results["val_sop_accuracy"]) and "nsp_loss" not in results
    trained = load_pretrained(tmp_path / "order").model
    assert trained.sentence_task == "order"
    result = results_of(call("predict", "--model", tmp_path / "order", "He rose.\tThen he left.", "--json"))[
        "predictions"
    ]
    assert result[0]["label"] in ("in order", "swapped") and sum(result[0]["probabilities"].values()) == pytest.approx(
        1
    )
    refused = call(*command, "--no-next-sentence", "--out", tmp_path / "no")
    assert_error(refused, "--sentence-order", "--no-next-sentence")
    assert [path.name for path in tmp_path.iterdir()] == ["order"]


def test_pretrain_from_encoder(call, models, tmp_path, monkeypatch):
    started, real = [], keras_bert.training.pretrain

    def watched(model, examples, masking, **settings):
        started.append([np.array(weight) for weight in model.get_weights()])
        return real(model, examples, masking, **settings)

    monkeypatch.setattr("keras_bert.training.pretrain", watched)
    before = load_pretrained(models.encoder)
    assert before.kind == "pretrainer" and before.model.nsp_head is not None
    further = ["pretrain", "--data", "sample", "--encoder", models.encoder, "--sequence-length", 16, "--steps", 1]
    results_of(call(*further, "--learning-rate", 1e-9, "--dropout", 0.3, "--out", tmp_path / "further", "--json"))
    for first, expected in zip(started[0], before.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, expected)
    after = load_pretrained(tmp_path / "further")
    assert after.vocabulary == before.vocabulary and after.encoder.config.hidden_dropout == 0.3
    for option in (("--size", "mini"), ("--layers", 2), ("--vocab", models.vocab), ("--embedding-init", "ppmi")):
        result = call(*further, *option, "--out", tmp_path / "no")
        assert_error(result, option[0])


def test_masking_rate(call, tmp_path, monkeypatch):
    rates, real = [], keras_bert.training.pretrain

    def watched(model, examples, masking, **settings):
        rates.append((masking.rate, masking.max_predictions))
        return real(model, examples, masking, **settings)

    monkeypatch.setattr("keras_bert.training.pretrain", watched)
    command = [
        "pretrain",
        "--data",
        "sample",
        "--vocab-size",
        300,
        *SMALL,
        "--sequence-length",
        24,
        "--batch-size",
        8,
    ]
    for name, rate in (("usual", ()), ("more", ("--masking-rate", 0.4))):
        results_of(call(*command, *rate, "--steps", 1, "--out", tmp_path / name, "--json"))
    assert rates == [(0.15, 4), (0.4, 10)]  # predictions per 24 tokens


def test_finetune_from_config_file(call, models, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**models.model.encoder.config.to_dict(), "num_layers": 1}))
    command = ["finetune", "--config", tmp_path / "config.json", "--vocab", models.vocab, "--dataset", models.dataset]
    first, second, other = (
        results_of(call(*command, "--epochs", 1, "--seed", seed, "--out", tmp_path / name, "--json"))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert first["history"] == second["history"] != other["history"]
    assert load_pretrained(tmp_path / "a").encoder.config.num_layers == 1


def test_layer_decay_and_gradual_freeze(call, models, tmp_path):
    finetune = ["finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 2]
    finetune += ["--learning-rate", 1e-2, "--json"]
    before = load_pretrained(models.encoder).encoder.blocks[0].weights
    moved, losses = {}, {}
    for name, options in {"slower": ["--layer-decay", 1e-6], "gradual": ["--freeze", "gradual"], "usual": []}.items():
        losses[name] = results_of(call(*finetune, *options, "--out", tmp_path / name))["history"]["loss"]
        after = load_pretrained(tmp_path / name).encoder.blocks[0].weights
        moved[name] = max(np.abs(np.array(one) - np.array(two)).max() for one, two in zip(before, after, strict=True))
    assert moved["slower"] < 1e-6 < 1e-3 < moved["usual"]
    assert losses["gradual"][0] != losses["usual"][0]  # in the first epoch only the head is trained


def test_freeze_keeps_encoder(call, models, tmp_path, monkeypatch):
    """Also in mixed_bfloat16, and the written model is float32."""
    trained = []

    def watched(model, dtype):
        trained.append(model.encoder.dtype_policy.name)
        return cast_model(model, dtype)

    monkeypatch.setattr("keras_bert.models.cast.cast_model", watched)
    command = ["finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 1, "--json"]
    command += ["--freeze", "all", "--out", tmp_path / "frozen"]
    results = results_of(call(*command, "--dtype", "mixed_bfloat16"))
    assert trained == ["mixed_bfloat16"] and np.isfinite(results["history"]["loss"]).all()
    frozen = load_pretrained(tmp_path / "frozen")
    assert frozen.encoder.dtype_policy.name == "float32"
    inputs = models.vectorizer(["a fine film"])
    after, before = (
        model.encoder(inputs)["pooled_output"] for model in (frozen.model, load_pretrained(models.encoder))
    )
    np.testing.assert_allclose(ops.convert_to_numpy(after), ops.convert_to_numpy(before), atol=1e-6)
    result = results_of(call("predict", "--model", tmp_path / "frozen", "a fine film", "--json"))
    assert sum(result["predictions"][0]["probabilities"].values()) == pytest.approx(1)
    refused = call(*command, "--dtype", "float16")
    assert_error(refused, "--dtype", "mixed_bfloat16")


def test_resume_after_ctrl_c(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = 600
    command = ["pretrain", "--data", "sample", "--vocab-size", "300", *map(str, SMALL), "--sequence-length", "16"]
    command += ["--batch-size", "64", "--steps", str(steps), "--out", "bert"]
    program = [sys.executable, "-m", "keras_bert", *command]
    process = subprocess.Popen(program, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "bert.work" / "training" / "checkpoint.npz"
    errors = interrupt(process, checkpoint.exists)
    assert process.returncode == 130, errors
    last = errors.splitlines()[-1]
    assert last.startswith("interrupted: ") and "bert.work" in last and "--resume" in last and "Traceback" not in errors
    assert checkpoint.exists() and not (tmp_path / "bert").exists()

    again = call(*command)
    assert (
        again.status == 2 and "--resume" in again.err
    )  # the same command without --resume must not delete the checkpoint
    assert checkpoint.exists()
    other = call(*command, "--resume", "--batch-size", "8")
    assert other.status == 2 and "batch_size" in other.err and checkpoint.exists()

    before = np.load(checkpoint)
    assert before.files
    results = results_of(call(*command, "--resume", "--json"))
    assert results["step"] == steps
    assert {path.name for path in tmp_path.iterdir()} == {"bert"}


def test_rejects_checkpoint_of_another_shape(call, models, tmp_path):
    """The error names both shapes, and the checkpoint is kept."""
    out = tmp_path / "model"
    command = ["finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 1, "--out", out]
    checkpoint = tmp_path / "model.work" / "training" / "checkpoint.npz"
    with pytest.MonkeyPatch.context() as patch:  # interrupt after training, before the model is saved

        def stop(*arguments, **settings):
            raise KeyboardInterrupt

        patch.setattr("keras_bert.weights.save_pretrained", stop)
        assert call(*command).status == 130
    whole = dict(np.load(checkpoint, allow_pickle=False))
    name = next(name for name in whole if whole[name].shape == (32, 64))
    np.savez(checkpoint, **{**whole, name: whole[name][:, :48]})
    result = call(*command, "--resume")
    errors = [line for line in result.err.splitlines() if not line.startswith("warning: ")]  # of the long texts
    assert result.status == 2 and len(errors) == 1 and errors[0].startswith("error: ")
    assert "(32, 64)" in result.err and "(32, 48)" in result.err
    assert checkpoint.exists() and not out.exists()


def test_resume_reads_packed_examples_from_disk(call, tmp_path, monkeypatch):
    text, out = tmp_path / "text.txt", tmp_path / "bert"
    text.write_text("\n\n".join(f"the cat sat on mat {n}. a dog ran to it. {n} birds flew." for n in range(30)))
    command = ["pretrain", "--data", text, "--vocab-size", 60, *SMALL, "--sequence-length", 16, "--batch-size", 4]
    command += ["--steps", 2, "--accumulate", 2, "--dtype", "mixed_bfloat16", "--out", out]

    def stop(*arguments, **settings):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # interrupt after training, before the model is saved
        patch.setattr("keras_bert.weights.save_pretrained", stop)
        assert call(*command).status == 130
    monkeypatch.setattr("keras_bert.data.tokenize_documents", None)
    other = call(*command, "--resume", "--sequence-length", 12)
    assert other.status == 2 and "sequence_length=16" in other.err and other.err.count("\n") == 1
    other = call(*command, "--resume", "--dtype", "float32")
    assert other.status == 2 and "mixed_bfloat16" in other.err
    before, date = text.read_text(), text.stat().st_mtime_ns
    text.write_text(before + "\n\nmore. of it.")
    other = call(*command, "--resume")
    assert other.status == 2 and "files" in other.err and not out.exists()
    text.write_text(before)
    os.utime(text, ns=(date, date))
    assert results_of(call(*command, "--resume", "--json"))["step"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {"text.txt", "bert"}
    assert load_pretrained(out).encoder.dtype_policy.name == "float32"


@pytest.mark.parametrize("command", [["pretrain", "--data", "sample", "--steps", 1], ["finetune", "--dataset", "x"]])
def test_rejects_zero_accumulate(call, tmp_path, command):
    result = call(*command, "--accumulate", 0, "--out", tmp_path / "out")
    assert result.status == 2 and "--accumulate" in result.err and result.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_finetune_calibrates_on_held_out_rows(call, models, tmp_path):
    """The saved model has the temperature: the same command without --calibrate gives the same, undivided logits."""
    command = ["finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--held-out", 0.5, "--json"]
    plain = results_of(call(*command, "--out", tmp_path / "plain"))
    calibrated = results_of(call(*command, "--calibrate", "--out", tmp_path / "calibrated"))
    before, after = (load_pretrained(tmp_path / name).model.head for name in ("plain", "calibrated"))
    ratio = ops.convert_to_numpy(before.kernel) / ops.convert_to_numpy(after.kernel)
    np.testing.assert_allclose(ratio, calibrated["temperature"], rtol=1e-3)
    assert calibrated["accuracy"] == plain["accuracy"] and len(calibrated["held_out_calibration_error"]) == 2
    assert_error(call(*command, "--task", "regression", "--calibrate", "--out", tmp_path / "x"), "--calibrate")
