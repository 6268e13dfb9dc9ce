"""What holds for every command: help, one line an error, one JSON object a run."""

import json
import subprocess
import sys

import numpy as np
import pytest
from command_line import shell

from keras_bert import __version__
from keras_bert.cli.main import COMMANDS
from keras_bert.cli.output import finite

NAMES = [command.name for command in COMMANDS]


def test_the_commands_are_those_of_the_design():
    expected = "tour tokenize pretrain finetune distill evaluate predict fill-mask embed inspect check convert export"
    assert NAMES == expected.split()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example(call, name):
    said = call(name, "--help")
    assert said.status == 0
    assert f"Example:  keras-bert {name} " in said.out
    assert "--json" in said.out


def test_alone_it_shows_the_commands(call):
    said = call()
    assert said.status == 0
    assert all(name in said.out for name in NAMES)


def test_version(call):
    assert __version__ in call("--version").out


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["nonsense"], "nonsense"),
        (["predict", "--model"], "--model"),
        (["predict", "--model", ".", "--nonsense", "a text"], "--nonsense"),
        (["tokenize", "--cased", "a text"], "--vocab"),
        (["export", "--model", ".", "--format", "paper", "--out", "x"], "saved_model"),
        (["pretrain", "--data", "sample", "--steps", "0", "--out", "x"], "x>=1"),
        (["pretrain", "--data", "sample", "--out", "x"], "--epochs"),
        (["finetune", "--dataset", "sample", "--out", "x"], "--encoder"),
        (["finetune", "--size", "tiny", "--dataset", "sample", "--freeze", "some", "--out", "x"], "none, all"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(call, tmp_path, monkeypatch, arguments, expected):
    monkeypatch.chdir(tmp_path)
    said = call(*arguments)
    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith("error: ") and said.err.count("\n") == 1
    assert expected in said.err
    assert not list(tmp_path.iterdir())


def test_help_does_not_wait_for_tensorflow():
    program = (
        "import sys; sys.argv = ['keras-bert', '--help']; from keras_bert.cli.main import main; main();"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_json_is_the_last_line_and_the_terminal_is_clean(models):
    said = shell("predict", "--model", models.classifier, "a fine film", "no fun", "--json")
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("\n") == 1
    facts = json.loads(said.stdout)
    assert [row["text"] for row in facts["predictions"]] == ["a fine film", "no fun"]
    assert "a fine film" in said.stderr  # people's table
    assert not any(noise in said.stderr for noise in ("oneDNN", "absl", "cuda", "Warning", "W0000"))


def test_numbers_that_json_lacks_become_null():
    facts = {"loss": np.float32("nan"), "curve": np.array([1.0, np.inf]), "count": np.int64(3), "none": None}
    assert finite(facts) == {"loss": None, "curve": [1.0, None], "count": 3, "none": None}
