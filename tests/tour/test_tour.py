"""The tour end to end, at a size that learns nothing but leaves everything."""

import inspect
import json
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from keras import ops

from keras_bert.cli.main import main
from keras_bert.tour.plan import QUICK
from keras_bert.tour.run import commands_to_go_on
from keras_bert.weights import load_pretrained


def test_one_folder_holds_everything_and_nothing_else_is_left(tour):
    assert [path.name for path in tour.place.iterdir()] == ["out"]
    assert {path.name for path in tour.out.iterdir()} == {
        *("encoder", "classifier", "served", "tfhub_encoder"),
        *("metrics.json", "report.html"),
    }


def test_every_check_passed(tour):
    assert tour.facts["passed"] is True, (tour.facts["check"], tour.facts["fresh_process"])
    assert tour.facts["check"]["KerasHub"]["passed"]
    assert tour.facts["fresh_process"]["passed"] and tour.facts["fresh_process"]["same_labels"]


def test_metrics_are_what_was_measured(tour):
    metrics = tour.metrics
    assert metrics == json.loads(json.dumps(tour.facts))
    assert metrics["seconds"]["total"] >= sum(value for name, value in metrics["seconds"].items() if name != "total")
    assert set(metrics["seconds"]) - {"total"} == set(re.findall(r"✓ +\d+/10  ([\w -]+?)  [\d.]+ s", tour.screen))
    assert metrics["peak_memory_mib"] > 200  # of this process, in which other tests ran before
    assert metrics["versions"]["tensorflow"] and metrics["machine"]["processors"] >= 1


def test_the_accuracy_is_that_of_the_saved_classifier(tour):
    from keras_bert.data import load_labeled

    data, trained = load_labeled("sample"), load_pretrained(tour.out / "classifier")
    logits = ops.convert_to_numpy(trained.model(trained.vectorizer(data.dev_texts), training=False))
    assert np.mean(logits.argmax(-1) == data.dev_labels) == pytest.approx(tour.metrics["evaluation"]["accuracy"])
    assert trained.labels == ["negative", "positive"]


def test_the_fresh_process_cannot_have_used_our_code():
    from keras_bert.tour import served

    for forbidden, status in (("import keras_bert", 1), ("pass", 0)):
        script = f"import runpy, sys; runpy.run_path(sys.argv[1])['forbid']('keras_bert'); {forbidden}"
        ran = subprocess.run([sys.executable, "-I", "-c", script, served.__file__], capture_output=True, text=True)
        assert ran.returncode == status
    assert 'forbid("keras_bert", "keras_hub", "tensorflow_text")' in inspect.getsource(served.main)


def test_the_page_stands_alone(tour):
    assert "://" not in tour.page  # nothing is fetched, nothing is linked
    assert not re.search(r"\b(src|href)\s*=\s*[\"'](?!data:|#)", tour.page)
    assert tour.page.count("<svg") == 6
    assert "{{" not in tour.page and "{%" not in tour.page


def test_the_page_says_what_was_measured(tour):
    metrics = tour.metrics
    assert f"{100 * metrics['evaluation']['accuracy']:.1f} %" in tour.page
    assert f"{metrics['pretraining']['parameters']:,}" in tour.page
    shipped = metrics["shipped"]
    assert shipped["name"] == "bert_en_uncased_mini" and shipped["evaluation"]["examples"] == 350
    row = tour.page.split(f"<tr><td>{shipped['name']}</td>")[1].split("</tr>")[0]
    assert f"{100 * shipped['evaluation']['accuracy']:.1f} %" in row
    for entry in metrics["commands"]:
        assert entry["command"].replace('"', "&#34;").replace("'", "&#39;") in tour.page


def test_every_printed_command_works_as_it_is_pasted(tour, monkeypatch, capfd):
    monkeypatch.chdir(tour.place)
    commands = commands_to_go_on("keras-bert", tour.out.relative_to(tour.place), "sample")
    assert [entry["what"] for entry in commands] == [entry["what"] for entry in tour.metrics["commands"]]
    for entry in commands:
        program, *arguments = shlex.split(entry["command"])
        assert program == "keras-bert"
        if arguments[0] == "finetune":
            arguments += ["--epochs", "1", "--batch-size", "512"]  # only to save time
        assert main(arguments) == 0, capfd.readouterr().err


def test_ctrl_c_leaves_the_checkpoint_and_the_same_command_goes_on(tmp_path, monkeypatch, capfd):
    program = (
        "import sys, dataclasses; from pathlib import Path; from keras_bert.tour.plan import QUICK;"
        "from keras_bert.tour.run import run_tour;"
        "run_tour('out', plan=dataclasses.replace(QUICK, pretrain_steps=100000, rounds=2000))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "out.work" / "pretraining" / "checkpoint.npz"
    deadline = time.time() + 120
    while not checkpoint.exists() and process.poll() is None and time.time() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0 and "Interrupted: the checkpoint in out.work stands" in errors
    assert checkpoint.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out.work"]  # no half-written folder


def test_another_plan_does_not_go_on_from_the_old_checkpoint(tmp_path):
    from keras_bert.tour.run import _keep_only_if_same

    work = tmp_path / "out.work"
    work.mkdir()
    (work / "checkpoint.npz").write_bytes(b"")
    _keep_only_if_same(work, {"seed": 0})
    assert not (work / "checkpoint.npz").exists()
    (work / "checkpoint.npz").write_bytes(b"")
    _keep_only_if_same(work, {"seed": 0})
    assert (work / "checkpoint.npz").exists()
    _keep_only_if_same(work, {"seed": 1})
    assert not (work / "checkpoint.npz").exists()


def test_the_quick_plan_is_smaller_in_every_way():
    from keras_bert.tour.plan import TourPlan

    assert QUICK.vocab_size < TourPlan().vocab_size and QUICK.pretrain_steps < TourPlan().pretrain_steps
