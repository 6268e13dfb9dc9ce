"""Common behavior of all commands: help with an example, one-line errors, one JSON object per run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_bert.cli.main
from keras_bert.cli.logging import import_quietly
from keras_bert.cli.main import COMMANDS
from keras_bert.cli.output import replace_non_finite
from tests.cli.command_line import assert_error, environment, run_command

NAMES = list(COMMANDS)


def test_command_names():
    trained = "tour tokenize pack pretrain finetune distill evaluate predict fill-mask embed explain"
    assert NAMES == [*trained.split(), "inspect", "playground", "check", "convert", "export"]


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
    assert keras_bert.__version__ in call("--version").out


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["nonsense"], "nonsense"),
        (["predict", "--model"], "--model"),
        (["predict", "--model", ".", "--nonsense", "a text"], "--nonsense"),
        (["tokenize", "--cased", "a text"], "--vocab"),
        (["export", "--model", ".", "--format", "paper", "--out", "x"], "--format"),
        (["pretrain", "--data", "sample", "--steps", "0", "--out", "x"], "--steps"),
        (["pretrain", "--data", "sample", "--out", "x"], "--epochs"),
        (["finetune", "--dataset", "sample", "--out", "x"], "--encoder"),
        (["finetune", "--size", "tiny", "--dataset", "sample", "--freeze", "some", "--out", "x"], "--freeze"),
    ],
)
def test_rejects_invalid_calls(call, tmp_path, monkeypatch, arguments, expected):
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert_error(result, expected)
    assert not list(tmp_path.iterdir())


def test_every_command_file_is_listed():
    shared = {
        "__init__",
        "attention_views",
        "completion",
        "explain_views",
        "finetune_options",
        "geometry_views",
        "logging",
        "main",
        "model_formats",
        "options",
        "output",
        "packing_options",
        "pretraining_text",
        "process",
        "run_view",
        "training_options",
        "value_types",
        "view_result",
    }
    files = {path.stem for path in Path(keras_bert.cli.main.__file__).parent.glob("*.py")}
    assert files - shared == {name.replace("-", "_") for name in NAMES}


# The training commands show the defaults of `TrainingConfig`, whose package imports Keras.
LIGHT = [["--help"], *([name, "--help"] for name in NAMES if name not in ("pretrain", "finetune", "distill"))]


@pytest.mark.parametrize("arguments", LIGHT, ids=lambda words: words[0])
def test_help_imports_no_keras(arguments):
    program = (
        "import sys; from keras_bert.cli.main import main; main(sys.argv[1:]);"
        "sys.exit(', '.join({'keras', 'tensorflow', 'numpy'} & set(sys.modules)) or 0)"
    )
    command = [sys.executable, "-c", program, *arguments]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert result.returncode == 0 and "Usage: keras-bert" in result.stdout, result.stderr


def test_module_runs_as_a_program():
    assert run_command("--version").stdout == f"keras-bert, version {keras_bert.__version__}\n"


@pytest.mark.slow
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


def test_import_quietly_without_module():
    import_quietly("no_such_module")
    assert "no_such_module" not in sys.modules


def test_import_quietly_prints_output_of_failed_import(tmp_path, monkeypatch, capfd):
    text = "import os\nos.write(2, b'native text')\n"
    (tmp_path / "quiet_module.py").write_text(text, encoding="utf-8")
    (tmp_path / "failing_module.py").write_text(text + "raise OSError", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    import_quietly("quiet_module")
    assert capfd.readouterr().err == ""
    with pytest.raises(OSError):
        import_quietly("failing_module")
    assert capfd.readouterr().err == "native text"
