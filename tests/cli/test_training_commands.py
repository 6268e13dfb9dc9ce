"""pretrain and finetune: what they leave, how they stop, how they go on."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from command_line import environment
from keras import ops

import keras_bert.training
from keras_bert.models.cast import cast_model
from keras_bert.weights import load_pretrained

SMALL = ["--layers", 1, "--hidden", 16, "--heads", 2]


def facts_of(said) -> dict:
    assert said.status == 0, said.err
    return json.loads(said.out.splitlines()[-1])


def test_pretrain_then_finetune_then_evaluate(call, models, tmp_path):
    bert, sentiment = tmp_path / "bert", tmp_path / "sentiment"
    pretrain = ["pretrain", "--data", "sample", "--vocab-size", 300, *SMALL, "--sequence-length", 24, "--batch-size", 8]
    facts = facts_of(call(*pretrain, "--steps", 3, "--out", bert, "--log-dir", tmp_path / "log", "--json"))
    assert facts["step"] == 3 and facts["vocab_size"] == 300
    assert np.isfinite(facts["val_mlm_loss"]) and np.isfinite(facts["nsp_loss"])
    assert list((tmp_path / "log").rglob("events.out.tfevents.*"))
    trained = load_pretrained(bert)
    assert trained.kind == "pretrainer" and trained.encoder.config.hidden_size == 16

    said = call(
        "finetune", "--encoder", bert, "--dataset", models.dataset, "--labels", "bad,good", "--out", sentiment, "--json"
    )
    facts = facts_of(said)
    assert facts["examples"] == 20
    assert load_pretrained(sentiment).labels == ["bad", "good"]
    evaluated = facts_of(call("evaluate", "--model", sentiment, "--data", models.dataset / "dev.tsv", "--json"))
    assert evaluated["accuracy"] == pytest.approx(facts["accuracy"])
    assert {path.name for path in tmp_path.iterdir()} == {"bert", "sentiment", "log"}


def test_pretrain_from_counted_word_vectors(call, tmp_path):
    wanted = ["pretrain", "--data", "sample", "--vocab-size", 300, *SMALL, "--sequence-length", 24, "--batch-size", 8]
    wanted += ["--no-next-sentence", "--steps", 1, "--learning-rate", 1e-9, "--json"]
    for name, options in {"counted": ["--embedding-init", "ppmi"], "drawn": []}.items():
        facts_of(call(*wanted, *options, "--out", tmp_path / name))
    counted, drawn = (load_pretrained(tmp_path / name).model for name in ("counted", "drawn"))
    tables = [np.array(model.encoder.embeddings.word_embeddings.embeddings) for model in (counted, drawn)]
    assert tables[0].std() == pytest.approx(0.04, rel=0.1) and tables[1].std() < 0.02
    assert np.array(counted.mlm_head.output_bias).std() > 0.5 and np.array(drawn.mlm_head.output_bias).std() < 1e-6


def test_pretrain_with_sentence_order_then_ask(call, tmp_path):
    wanted = ["pretrain", "--data", "sample", "--vocab-size", 300, *SMALL, "--sequence-length", 24, "--batch-size", 8]
    wanted += ["--sentence-order", "--steps", 2]
    facts = facts_of(call(*wanted, "--out", tmp_path / "order", "--json"))
    assert np.isfinite(facts["sop_loss"]) and np.isfinite(facts["val_sop_accuracy"]) and "nsp_loss" not in facts
    trained = load_pretrained(tmp_path / "order").model
    assert trained.sentence_task == "order"
    said = facts_of(call("predict", "--model", tmp_path / "order", "He rose.\tThen he left.", "--json"))["predictions"]
    assert said[0]["label"] in ("in order", "swapped") and sum(said[0]["probabilities"].values()) == pytest.approx(1)
    refused = call(*wanted, "--no-next-sentence", "--out", tmp_path / "no")
    assert refused.status == 2 and "`--sentence-order` or `--no-next-sentence`" in refused.err
    assert refused.err.count("\n") == 1 and [path.name for path in tmp_path.iterdir()] == ["order"]


def test_pretrain_further_from_a_model(call, models, tmp_path, monkeypatch):
    begun, real = [], keras_bert.training.pretrain

    def watched(model, examples, masking, **settings):
        begun.append([np.array(weight) for weight in model.get_weights()])
        return real(model, examples, masking, **settings)

    monkeypatch.setattr("keras_bert.training.pretrain", watched)
    before = load_pretrained(models.encoder)
    assert before.kind == "pretrainer" and before.model.nsp_head is not None
    further = ["pretrain", "--data", "sample", "--encoder", models.encoder, "--sequence-length", 16, "--steps", 1]
    facts_of(call(*further, "--learning-rate", 1e-9, "--dropout", 0.3, "--out", tmp_path / "further", "--json"))
    for ours, theirs in zip(begun[0], before.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    after = load_pretrained(tmp_path / "further")
    assert after.vocabulary == before.vocabulary and after.encoder.config.hidden_dropout == 0.3
    for option in (("--size", "mini"), ("--layers", 2), ("--vocab", models.vocab), ("--embedding-init", "ppmi")):
        said = call(*further, *option, "--out", tmp_path / "no")
        assert said.status == 2 and f"`{option[0]}` must be left out" in said.err and said.err.count("\n") == 1


def test_the_masking_rate_is_what_training_hides(call, tmp_path, monkeypatch):
    hidden, real = [], keras_bert.training.pretrain

    def watched(model, examples, masking, **settings):
        hidden.append((masking.rate, masking.max_predictions))
        return real(model, examples, masking, **settings)

    monkeypatch.setattr("keras_bert.training.pretrain", watched)
    wanted = ["pretrain", "--data", "sample", "--vocab-size", 300, *SMALL, "--sequence-length", 24, "--batch-size", 8]
    for name, rate in (("usual", ()), ("more", ("--masking-rate", 0.4))):
        facts_of(call(*wanted, *rate, "--steps", 1, "--out", tmp_path / name, "--json"))
    assert hidden == [(0.15, 4), (0.4, 10)]  # the last: how many that is of 24 tokens


def test_finetune_from_random_weights_with_a_config_file(call, models, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**models.model.encoder.config.to_dict(), "num_layers": 1}))
    wanted = ["finetune", "--config", tmp_path / "config.json", "--vocab", models.vocab, "--dataset", models.dataset]
    first, second, other = (
        facts_of(call(*wanted, "--epochs", 1, "--seed", seed, "--out", tmp_path / name, "--json"))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert first["history"] == second["history"] != other["history"]
    assert load_pretrained(tmp_path / "a").encoder.config.num_layers == 1


def test_layers_learn_later_or_slower_as_asked(call, models, tmp_path):
    finetune = ["finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 2]
    finetune += ["--learning-rate", 1e-2, "--json"]
    before = load_pretrained(models.encoder).encoder.blocks[0].weights
    moved, losses = {}, {}
    for name, options in {"slower": ["--layer-decay", 1e-6], "gradual": ["--freeze", "gradual"], "usual": []}.items():
        losses[name] = facts_of(call(*finetune, *options, "--out", tmp_path / name))["history"]["loss"]
        after = load_pretrained(tmp_path / name).encoder.blocks[0].weights
        moved[name] = max(np.abs(np.array(one) - np.array(two)).max() for one, two in zip(before, after, strict=True))
    assert moved["slower"] < 1e-6 < 1e-3 < moved["usual"]
    assert losses["gradual"][0] != losses["usual"][0]  # of an epoch in which the head alone learned


def test_freeze_leaves_the_encoder_as_it_was(call, models, tmp_path, monkeypatch):
    """Trained in bfloat16 around it, even: what is written is the float32 model."""
    trained = []

    def watched(model, dtype):
        trained.append(model.encoder.dtype_policy.name)
        return cast_model(model, dtype)

    monkeypatch.setattr("keras_bert.models.cast.cast_model", watched)
    wanted = ["finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 1, "--json"]
    wanted += ["--freeze", "all", "--out", tmp_path / "frozen"]
    facts = facts_of(call(*wanted, "--dtype", "mixed_bfloat16"))
    assert trained == ["mixed_bfloat16"] and np.isfinite(facts["history"]["loss"]).all()
    frozen = load_pretrained(tmp_path / "frozen")
    assert frozen.encoder.dtype_policy.name == "float32"
    inputs = models.vectorizer(["a fine film"])
    ours, theirs = (model.encoder(inputs)["pooled_output"] for model in (frozen.model, load_pretrained(models.encoder)))
    np.testing.assert_allclose(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs), atol=1e-6)
    said = facts_of(call("predict", "--model", tmp_path / "frozen", "a fine film", "--json"))
    assert sum(said["predictions"][0]["probabilities"].values()) == pytest.approx(1)
    refused = call(*wanted, "--dtype", "float16")
    assert refused.status == 2 and "mixed_bfloat16" in refused.err and refused.err.count("\n") == 1


def test_ctrl_c_leaves_a_checkpoint_and_resume_goes_on(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = 600
    wanted = ["pretrain", "--data", "sample", "--vocab-size", "300", *map(str, SMALL), "--sequence-length", "16"]
    wanted += ["--batch-size", "64", "--steps", str(steps), "--out", "bert"]
    command = [sys.executable, "-m", "keras_bert", *wanted]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 120
    checkpoint = tmp_path / "bert.work" / "training" / "checkpoint.npz"
    while not checkpoint.exists() and process.poll() is None and time.time() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    last = errors.splitlines()[-1]
    assert last.startswith("interrupted: ") and "bert.work" in last and "--resume" in last and "Traceback" not in errors
    assert checkpoint.exists() and not (tmp_path / "bert").exists()

    again = call(*wanted)
    assert again.status == 2 and "--resume" in again.err  # a command given twice must not throw the work away
    assert checkpoint.exists()
    other = call(*wanted, "--resume", "--batch-size", "8")
    assert other.status == 2 and "batch_size" in other.err and checkpoint.exists()

    before = np.load(checkpoint)
    assert before.files
    facts = facts_of(call(*wanted, "--resume", "--json"))
    assert facts["step"] == steps
    assert {path.name for path in tmp_path.iterdir()} == {"bert"}


def test_a_checkpoint_of_another_shape_says_which_tensor(call, models, tmp_path):
    """Unfinished work whose checkpoint has one tensor of another shape is refused, and stays."""
    out = tmp_path / "model"
    wanted = ["finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 1, "--out", out]
    checkpoint = tmp_path / "model.work" / "training" / "checkpoint.npz"
    with pytest.MonkeyPatch.context() as patch:  # stops after training, before anything is saved

        def stop(*arguments, **settings):
            raise KeyboardInterrupt

        patch.setattr("keras_bert.weights.save_pretrained", stop)
        assert call(*wanted).status == 130
    whole = dict(np.load(checkpoint, allow_pickle=False))
    name = next(name for name in whole if whole[name].shape == (32, 64))
    np.savez(checkpoint, **{**whole, name: whole[name][:, :48]})
    said = call(*wanted, "--resume")
    assert said.status == 2 and said.err.startswith("error: ") and said.err.count("\n") == 1
    assert "(32, 64)" in said.err and "(32, 48)" in said.err
    assert checkpoint.exists() and not out.exists()


def test_resumed_pretraining_reads_its_rows_from_disk(call, tmp_path, monkeypatch):
    text, out = tmp_path / "text.txt", tmp_path / "bert"
    text.write_text("\n\n".join(f"the cat sat on mat {n}. a dog ran to it. {n} birds flew." for n in range(30)))
    wanted = ["pretrain", "--data", text, "--vocab-size", 60, *SMALL, "--sequence-length", 16, "--batch-size", 4]
    wanted += ["--steps", 2, "--accumulate", 2, "--dtype", "mixed_bfloat16", "--out", out]

    def stop(*arguments, **settings):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # stops after training, before anything is saved
        patch.setattr("keras_bert.weights.save_pretrained", stop)
        assert call(*wanted).status == 130
    monkeypatch.setattr("keras_bert.data.tokenize_documents", None)
    other = call(*wanted, "--resume", "--sequence-length", 12)
    assert other.status == 2 and "sequence_length=16" in other.err and other.err.count("\n") == 1
    other = call(*wanted, "--resume", "--dtype", "float32")
    assert other.status == 2 and "mixed_bfloat16" in other.err
    before, date = text.read_text(), text.stat().st_mtime_ns
    text.write_text(before + "\n\nmore. of it.")
    other = call(*wanted, "--resume")
    assert other.status == 2 and "files" in other.err and not out.exists()
    text.write_text(before)
    os.utime(text, ns=(date, date))
    assert facts_of(call(*wanted, "--resume", "--json"))["step"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {"text.txt", "bert"}
    assert load_pretrained(out).encoder.dtype_policy.name == "float32"


@pytest.mark.parametrize("command", [["pretrain", "--data", "sample", "--steps", 1], ["finetune", "--dataset", "x"]])
def test_accumulate_is_at_least_one(call, tmp_path, command):
    said = call(*command, "--accumulate", 0, "--out", tmp_path / "out")
    assert said.status == 2 and "--accumulate" in said.err and said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
