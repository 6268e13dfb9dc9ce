"""What needs no model runs without TensorFlow and Keras: help, completion, usage errors, tokenization."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras_bert as kb
from keras_bert.catalog.bundled import ENCODER, find_bundled
from keras_bert.cli.main import COMMANDS
from tests.processes import LIMIT
from tests.text.plain_tokenizer import DIFFICULT

ROOT = Path(__file__).resolve().parents[2]
# Runs command lines in one process and prints, after each, the exit status and whether a library was imported.
PROGRAM = """
import contextlib, io, json, sys
from keras_bert.cli.main import main

for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        status = main(arguments)
    loaded = sorted({"keras", "tensorflow", "jax", "torch", "sklearn", "matplotlib"} & set(sys.modules))
    print(json.dumps([arguments, status, loaded]))
"""


def run(*lines: list[str], folder: Path) -> list[tuple[list[str], int, list[str]]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, json.dumps(lines)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_help_and_version(tmp_path):
    lines = [[], ["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]
    assert run(*lines, folder=tmp_path) == [(line, 0, []) for line in lines]


def test_usage_errors(tmp_path):
    lines = [["nonsense"], *([name, "--nonsense"] for name in COMMANDS), ["tokenize", "--cased", "a"]]
    lines += [["predict", "--model", "nowhere", "a"], ["embed", ""], ["evaluate", "--data", "none.tsv"]]
    assert run(*lines, folder=tmp_path) == [(line, 2, []) for line in lines]


def test_tokenize(tmp_path):
    lines = [["tokenize", "A fine film, [MASK]!"], ["tokenize", "--json", "naïve 映画"]]
    assert run(*lines, folder=tmp_path) == [(line, 0, []) for line in lines]


def test_pack(tmp_path):
    lines = [["pack", "--data", "sample", "--out", "packed"], ["pack", "--data", "sample", "--json", "--out", "packed"]]
    assert run(*lines, folder=tmp_path) == [(line, 0, []) for line in lines]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(tmp_path, shell):
    program = "import sys; from keras_bert.cli.main import cli; import atexit;"
    program += "atexit.register(lambda: print('loaded', 'keras' in sys.modules or 'tensorflow' in sys.modules));"
    program += "cli.main(prog_name='keras-bert')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_KERAS_BERT_COMPLETE": f"{shell}_source"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert "_KERAS_BERT_COMPLETE" in done.stdout and done.stdout.endswith("loaded False\n"), done.stderr


def test_tokenize_gives_the_ids_of_the_layer(call):
    """The command and `BertTextVectorization` are two implementations."""
    texts = [
        "".join(DIFFICULT).replace("\0", ""),
        "[MASK] a[SEP]b [mask]",
        "Ångström's İstanbul ΑΣ",
        "a" * 201,
        "x [UNK]",
    ]
    vectorizer = kb.BertTextVectorization(find_bundled(ENCODER) / "assets" / "vocab.txt", special_tokens=True)
    rows = json.loads(call("tokenize", "--json", *texts).out.rstrip("\n").split("\n")[-1])["texts"]
    assert [row["ids"] for row in rows] == vectorizer.tokenize(texts).to_list()
