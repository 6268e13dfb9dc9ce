"""What every command has in common: help with an example, one-line errors, one JSON object per run."""

import json
import subprocess
import sys

import numpy as np
import pytest

from keras_bert import __version__
from keras_bert.cli.main import COMMANDS
from keras_bert.cli.output import replace_non_finite
from tests.cli.command_line import run_command

NAMES = list(COMMANDS)


def test_command_names():
    expected = "tour tokenize pretrain finetune distill evaluate predict fill-mask embed inspect check convert export"
    assert NAMES == expected.split()


@pytest.mark.parametrize("name", NAMES)
def test_help_has_an_example(call, name):
    result = call(name, "--help")
    assert result.status == 0
    assert f"Example:  keras-bert {name} " in result.out
    assert "--json" in result.out


def test_lists_commands_without_arguments(call):
    result = call()
    assert result.status == 0
    assert all(name in result.out for name in NAMES)


def test_version(call):
    assert __version__ in call("--version").out


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["nonsense"], "nonsense"),
        (["predict", "--model"], "--model"),
        (["predict", "--model", ".", "--nonsense", "a text"], "--nonsense"),
        (["tokenize", "a text"], "--vocab"),
        (["export", "--model", ".", "--format", "paper", "--out", "x"], "saved_model"),
        (["pretrain", "--data", "sample", "--steps", "0", "--out", "x"], "x>=1"),
        (["pretrain", "--data", "sample", "--out", "x"], "--epochs"),
        (["finetune", "--dataset", "sample", "--out", "x"], "--encoder"),
        (["finetune", "--size", "tiny", "--dataset", "sample", "--freeze", "some", "--out", "x"], "none, all"),
    ],
)
def test_rejects_wrong_calls(call, tmp_path, monkeypatch, arguments, expected):
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.status == 2
    assert result.out == ""
    assert result.err.startswith("error: ") and result.err.count("\n") == 1
    assert expected in result.err
    assert not list(tmp_path.iterdir())


def test_help_imports_no_keras():
    program = (
        "import sys; sys.argv = ['keras-bert', '--help']; from keras_bert.cli.main import main; main();"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_json_is_the_last_line_of_standard_output(models):
    result = run_command("predict", "--model", models.classifier, "a fine film", "no fun", "--json")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\n") == 1
    results = json.loads(result.stdout)
    assert [row["text"] for row in results["predictions"]] == ["a fine film", "no fun"]
    assert "a fine film" in result.stderr  # the table
    assert not any(noise in result.stderr for noise in ("oneDNN", "absl", "cuda", "Warning", "W0000"))


def test_non_finite_numbers_become_null():
    results = {"loss": np.float32("nan"), "curve": np.array([1.0, np.inf]), "count": np.int64(3), "none": None}
    assert replace_non_finite(results) == {"loss": None, "curve": [1.0, None], "count": 3, "none": None}
