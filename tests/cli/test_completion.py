"""Shell completion: commands, options, values, and no import of Keras or TensorFlow."""

import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete, get_completion_class

from keras_bert.cli.completion import SOURCES
from keras_bert.cli.main import COMMANDS, cli
from keras_bert.cli.options import SIZES
from keras_bert.constants import SAMPLES
from tests.cli.command_line import environment
from tests.processes import LIMIT


def completions(*words):
    """Return the values that complete the last word, and the kinds of paths."""
    items = ShellComplete(cli, {}, "keras-bert", "_KERAS_BERT_COMPLETE").get_completions(list(words[:-1]), words[-1])
    return [item.value for item in items if item.type == "plain"], {item.type for item in items} - {"plain"}


def test_commands():
    assert completions("") == (list(COMMANDS), set())
    assert completions("f")[0] == ["finetune", "fill-mask"]


@pytest.mark.parametrize("command", COMMANDS)
def test_options_of_every_command(command):
    values, paths = completions(command, "--")
    assert {"--json", "--help"} <= set(values) and not paths
    if command in ("predict", "evaluate", "fill-mask", "embed", "export"):
        assert "--model" in values


BUNDLED = ["bert_en_uncased_mini", "bert_en_uncased_small", "sst2_sentiment"]


@pytest.mark.parametrize(
    ("words", "expected", "paths"),
    [
        (["predict", "--model", ""], list(SOURCES), {"dir"}),
        (["evaluate", "--model", "sst"], BUNDLED[2:], {"dir"}),
        (["finetune", "--encoder", "bert-base-u"], ["bert-base-uncased"], {"dir"}),
        (["distill", "--teacher", "x"], [], {"dir"}),
        (
            ["finetune", "--task", ""],
            ["binary", "classification", "features", "multi-label", "regression", "spans", "tokens"],
            (),
        ),
        (["finetune", "--task", "s"], ["spans"], ()),
        (["finetune", "--size", "m"], ["mini", "medium", "multilingual_L-12_H-768_A-12"], {"file"}),
        (["finetune", "--dataset", "s"], [*SAMPLES, "sst2"], {"dir"}),
        (["tour", "--dataset", "sa"], ["sample"], {"dir"}),
        (["finetune", "--freeze", ""], ["none", "all", "gradual"], ()),
        (["finetune", "--dtype", ""], ["float32", "mixed_bfloat16"], ()),
        (["finetune", "--out", ""], [], {"dir"}),
        (["tokenize", "--vocab", ""], [], {"file"}),
        (["pretrain", "--data", ""], ["sample"], {"file"}),
        (["convert", "--to", ""], ["tfhub", "keras", "huggingface", "google_research"], ()),
        (["convert", "bert_en_uncased_m"], BUNDLED[:1], {"dir"}),
        (["check", "bert_en_uncased_m"], BUNDLED[:1], {"dir"}),
        (["inspect", "bert_en_uncased_m"], BUNDLED[:1], {"dir"}),
        (["export", "--format", "o"], ["onnx"], ()),
        (["export", "--out", ""], [], {"dir"}),
    ],
)
def test_values(words, expected, paths):
    assert completions(*words) == (expected, set(paths))


def test_names_of_models():
    assert SOURCES[: len(BUNDLED)] == tuple(BUNDLED)
    assert {"bert-base-uncased", "bert_en_uncased_L-12_H-768_A-12", "albert-base-v2"} <= set(SOURCES)
    assert len(set(SOURCES)) == len(SOURCES)


def test_sizes_and_presets():
    sizes = completions("finetune", "--size", "")[0]
    assert sizes[: len(SIZES)] == list(SIZES) and "bert_en_uncased_L-12_H-768_A-12" in sizes
    assert "small_bert/bert_en_uncased_L-2_H-128_A-2" in completions("inspect", "small_bert/bert_en_uncased_L-2")[0]


def test_writable_formats():
    from keras_bert.cli.convert import WRITABLE
    from keras_bert.weights.formats import FORMATS
    from keras_bert.weights.formats.format import Format

    assert set(WRITABLE) == {each.name for each in FORMATS if type(each).write is not Format.write}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script(shell):
    script = get_completion_class(shell)(cli, {}, "keras-bert", "_KERAS_BERT_COMPLETE").source()
    assert "keras-bert" in script and f"_KERAS_BERT_COMPLETE={shell}_complete" in script


def test_program_answers_without_keras():
    code = """
import atexit, sys
atexit.register(lambda: print("loaded", [name for name in ("keras", "tensorflow", "numpy") if name in sys.modules]))
from keras_bert.cli.completion import SOURCES
from keras_bert.cli.main import main
sys.exit(main())
"""
    variables = {
        "_KERAS_BERT_COMPLETE": "bash_complete",
        "COMP_WORDS": "keras-bert finetune --encoder bert_en_uncased_m",
        "COMP_CWORD": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment(), **variables}, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == ["dir,bert_en_uncased_m", "plain,bert_en_uncased_mini", "loaded []"]
