"""Invalid input: one line that names it, exit status 2, no lost or partial files."""

import json
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from tests.cli.command_line import environment, run_command
from tests.processes import LIMIT

BAD_DATA = {
    "no file": (None, "'--data'"),
    "empty": (b"", "`path`"),
    "header alone": (b"sentence\tlabel\n", "`path`"),
    "no header": (b"a fine film\t1\n", "a fine film"),
    "latin-1": ("sentence\tlabel\nun café\t1\nno\t0\n".encode("latin-1"), "0xe9"),
    "NUL": (b"sentence\tlabel\na\0film\t1\n", "line 2"),
    "empty string": (b"sentence\tlabel\n\t1\n", "line 2"),
    "label outside": (b"sentence\tlabel\na film\t2\n", "label='2'"),
    "label negative": (b"sentence\tlabel\na film\t-1\n", "label='-1'"),
    "label missing": (b"sentence\tlabel\na film\n", "line 2"),
    "label a word": (b"sentence\tlabel\na film\tgood\n", "label='good'"),
}


@pytest.fixture
def nothing_left(tmp_path, monkeypatch):
    """Return a function that checks an error, and that the current folder has only the files of the test.

    `nothing_left(result, *words)` checks; `.put(name, content)` writes a file; `.kept` is the set of names.
    """
    monkeypatch.chdir(tmp_path)
    kept: set = set()

    def expect(result, *words):
        assert result.status == 2, result.err
        assert result.out == ""
        line = result.err.splitlines()[-1]
        assert line.startswith("error: ") and "Traceback" not in result.err
        for word in words:
            assert word in line
        assert {path.name for path in tmp_path.iterdir()} == kept

    def put(name, content: bytes):
        (tmp_path / name).write_bytes(content)
        kept.add(name)
        return tmp_path / name

    expect.put, expect.kept = put, kept
    return expect


@pytest.mark.parametrize("name", BAD_DATA)
def test_rejects_labeled_file(call, models, nothing_left, name):
    content, word = BAD_DATA[name]
    if content is not None:
        nothing_left.put("bad.tsv", content)
    result = call("evaluate", "--model", models.classifier, "--data", "bad.tsv", "--json")
    nothing_left(result, "bad.tsv", word)


@pytest.mark.parametrize("content, word", [(b"", "`path`"), (b"\n \n", "`source`"), ("né".encode("latin-1"), "0xe9")])
def test_rejects_corpus(call, nothing_left, content, word):
    nothing_left.put("bad.txt", content)
    nothing_left(call("pretrain", "--data", "bad.txt", "--steps", 1, "--out", "out"), "bad.txt", word)


def test_rejects_folder_or_missing_corpus(call, models, nothing_left):
    result = call("pretrain", "--data", models.folder, "--steps", 1, "--out", "out")
    nothing_left(result, "`folder`", str(models.folder), "manifest.json")
    nothing_left(call("pretrain", "--data", "no-*.txt", "--steps", 1, "--out", "out"), "no-*.txt")


@pytest.mark.parametrize(
    "content, word",
    [(None, "'--nearest'"), (b"", "`path`"), (b"\n \n", "`--nearest`"), ("né".encode("latin-1"), "0xe9")],
)
def test_rejects_nearest_file(call, models, nothing_left, content, word):
    if content is not None:
        nothing_left.put("lines.txt", content)
    nothing_left(call("embed", "--model", models.encoder, "--nearest", "lines.txt", "a film"), "lines.txt", word)


def test_rejects_pool_of_too_many_blocks(call, models, nothing_left):
    nothing_left(call("embed", "--model", models.encoder, "--pool", "last4", "a film"), "`pool`", "pool='last4'")


@pytest.mark.slow
def test_truncates_long_line(call, models, tmp_path):
    (tmp_path / "long.tsv").write_text("sentence\tlabel\n" + "word " * 200_000 + "\t1\nno\t0\n")
    result = call("evaluate", "--model", models.classifier, "--data", tmp_path / "long.tsv", "--json")
    assert result.status == 0 and json.loads(result.out)["examples"] == 2


@pytest.mark.parametrize(
    "tokens, words",
    [
        (b"", ["`vocabulary`"]),
        (b"a\nfilm\n", ["[CLS]"]),
        (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfilm\nfilm\n", ["film", "6, 7"]),
        (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n\xff\n", ["0xff"]),
        (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\0\n", ["line 6"]),
    ],
)
def test_rejects_vocabulary(call, nothing_left, tokens, words):
    nothing_left.put("vocab.txt", tokens)
    nothing_left(call("tokenize", "--vocab", "vocab.txt", "a film"), "vocab.txt", *words)
    arguments = ["finetune", "--size", "tiny", "--dataset", "sample", "--vocab", "vocab.txt", "--out", "out"]
    nothing_left(call(*arguments), "vocab.txt", *words)


def test_rejects_file_as_folder_and_folder_as_file(call, models, nothing_left):
    nothing_left(call("tokenize", "--vocab", models.folder, "a film"), "'--vocab'", str(models.folder))
    nothing_left(call("predict", "--model", models.vocab, "a film"), "`--model`", str(models.vocab))


@pytest.mark.parametrize("text", ["", "  "])
def test_rejects_empty_text(call, models, nothing_left, text):
    nothing_left(call("predict", "--model", models.classifier, "a film", text), "`TEXT`", "number 2")


def test_rejects_text_that_is_not_utf8(call, models, nothing_left):
    nothing_left(call("predict", "--model", models.classifier, b"caf\xe9".decode("utf-8", "surrogateescape")), "`TEXT`")


@pytest.mark.parametrize("content, word", [(b"", "empty"), (b"a\n\xff\n", "0xff"), (b"a\n\nb\n", "line 2")])
def test_rejects_standard_input(call, models, nothing_left, monkeypatch, content, word):
    import io

    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": io.BytesIO(content)}))
    nothing_left(call("predict", "--model", models.classifier, "-"), "standard input", word)


def test_fill_mask_requires_mask_and_head(call, models, nothing_left):
    nothing_left(call("fill-mask", "--model", models.encoder, "a film"), "`texts`", "[MASK]", "'a film'")
    nothing_left(
        call("fill-mask", "--model", models.classifier, "a [MASK] film"), "`pretrained`", str(models.classifier)
    )
    nothing_left(call("predict", "--model", models.encoder, "a film"), "`texts`", "[MASK]", "'a film'")


def test_rejects_damaged_model_folder(call, models, nothing_left, tmp_path):
    broken = tmp_path / "broken"
    nothing_left.kept.add("broken")
    shutil.copytree(models.classifier, broken)
    whole = (broken / "model.keras").read_bytes()
    (broken / "model.keras").write_bytes(whole[: len(whole) // 2])
    nothing_left(call("predict", "--model", broken, "a film"), "model.keras")
    (broken / "model.keras").unlink()
    nothing_left(call("predict", "--model", broken, "a film"), "model.keras")


def test_rejects_mismatched_vocabulary(call, models, nothing_left, tmp_path):
    broken = tmp_path / "broken"
    nothing_left.kept.add("broken")
    shutil.copytree(models.encoder, broken)
    with (broken / "vocab.txt").open("a") as file:
        file.write("extra\n")
    nothing_left(call("finetune", "--encoder", broken, "--dataset", "sample", "--out", "out"), "300", "301")


def test_rejects_sequence_longer_than_positions(call, models, nothing_left):
    result = call(
        "finetune", "--encoder", models.encoder, "--dataset", "sample", "--sequence-length", 33, "--out", "out"
    )
    nothing_left(result, "`--sequence-length`", "32", "33")


@pytest.mark.parametrize("option", ["--held-out", "--learning-rate", "--layer-decay", "--dropout"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_rejects_non_finite_numbers(call, nothing_left, option, value):
    arguments = ["finetune", "--size", "tiny", "--dataset", "sample", option, value, "--out", "out"]
    nothing_left(call(*arguments), option, value)


def test_rejects_invalid_sizes(call, nothing_left):
    arguments = ["pretrain", "--data", "sample", "--vocab-size", 100, "--steps", 1, "--out", "out"]
    nothing_left(call(*arguments, "--size", "enormous"), "enormous", "tiny")
    nothing_left(call(*arguments, "--hidden", 100, "--heads", 3), "hidden_size=100, num_heads=3")
    nothing_left(call(*arguments, "--size", "nowhere.json"), "nowhere.json")
    nothing_left(call("inspect", "bert_of_nowhere"), "bert_of_nowhere")
    nothing_left(call("inspect", "bert_en_uncased_L-2_H-128_A-2", "--out", "model.pdf"), "`--out`", ".svg")
    nothing_left(call("inspect", "bert_en_uncased_L-2_H-128_A-2", "--formats"), "--formats")
    nothing_left(call("inspect", "--list", "--speed"), "--speed")


def test_rejects_saved_model_without_bert(call, models, nothing_left, tmp_path):
    import tensorflow as tf

    tf.saved_model.save(tf.train.Checkpoint(x=tf.Variable(1.0)), str(tmp_path / "other"))
    nothing_left.kept.add("other")
    nothing_left(call("check", "other"), "other")
    nothing_left(call("predict", "--model", "other", "a film"), "other")
    nothing_left(call("tour", "--check", "other", "--out", "out"), "other")


def test_rejects_missing_source_or_dataset(call, nothing_left):
    nothing_left(call("check", "no/such/folder"), "no/such/folder")
    nothing_left(call("tour", "--dataset", "no/such/folder", "--out", "out"), "no/such/folder")
    nothing_left(call("finetune", "--size", "tiny", "--dataset", "imdb9", "--out", "out"), "imdb9")


def test_replaces_only_folders_of_same_kind(call, models, nothing_left, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "novel.txt").write_text("years of work")
    nothing_left.kept.add("notes")
    for command in (
        ["tour", "--out"],
        ["export", "--model", models.classifier, "--out"],
        ["pretrain", "--data", "sample", "--steps", 1, "--out"],
    ):
        nothing_left(call(*command, "notes"), "notes")
        nothing_left(call(*command, "."), "`--out`")
        nothing_left(call(*command, "notes/novel.txt"), "`--out`", "novel.txt")
    assert (tmp_path / "notes" / "novel.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--dtype", "bfloat16", "--interface", "tfhub"], ["--dtype", "--interface text"]),
        (["--dtype", "bfloat16", "--interface", "preprocess"], ["--dtype", "--interface text"]),
        (["--dtype", "int8"], ["saved_model", "int8"]),
        (["--format", "onnx", "--dtype", "bfloat16"], ["onnx", "float32", "int8", "bfloat16"]),
        (["--format", "onnx", "--interface", "tfhub"], ["--interface", "saved_model"]),
        (["--format", "tflite"], ["tflite"]),
        (["--format", "litert", "--dtype", "bfloat16"], ["litert", "float32", "int8", "bfloat16"]),
        (["--format", "litert", "--sequence-length", "33"], ["`sequence_length`", "32 positions", "33"]),
        (["--sequence-length", "16"], ["--sequence-length", "litert"]),
        (["--pool", "mean"], ["--pool", "encoder", "classifier"]),
        (["--pool", "mean", "--interface", "tfhub"], ["--pool", "--interface text"]),
        (["--normalize"], ["--normalize", "--pool"]),
        (["--format", "onnx", "--max-text-length", "9"], ["--max-text-length", "SavedModel"]),
        (["--interface", "tfhub", "--max-text-length", "9"], ["--max-text-length", "tfhub"]),
        (["--format", "litert", "--output", "attentions"], ["--output", "onnx", "litert"]),
        (["--interface", "tfhub", "--output", "attentions"], ["--output", "--interface text"]),
    ],
)
def test_rejects_export_options(call, models, nothing_left, arguments, words):
    nothing_left(call("export", "--model", models.classifier, *arguments, "--out", "out"), *words)


def test_export_replaces_only_same_format(call, models, nothing_left, tmp_path):
    shutil.copytree(models.served, tmp_path / "served")
    nothing_left.kept.add("served")
    for order in (["--format", "onnx", "--out", "served"], ["--out", "served", "--format", "onnx"]):
        nothing_left(call("export", "--model", models.classifier, *order), "model.onnx", "served")
    assert (tmp_path / "served" / "saved_model.pb").is_file()


@pytest.mark.parametrize("dtype, missing", [("float32", "onnx"), ("int8", "onnxruntime")])
def test_rejects_missing_onnx_packages(call, models, nothing_left, monkeypatch, dtype, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    result = call("export", "--model", models.classifier, "--format", "onnx", "--dtype", dtype, "--out", "out")
    nothing_left(result, "pip install 'keras-bert-from-scratch[onnx]'", missing)


def test_rejects_weights_of_another_shape(call, models, nothing_left, tmp_path):
    """The weights file inside model.keras is replaced by that of another model."""
    broken, other = tmp_path / "broken", tmp_path / "other"
    nothing_left.kept |= {"broken", "other"}
    import keras_bert as kb

    shutil.copytree(models.classifier, broken)
    config = kb.BertConfig(**{**models.model.encoder.config.to_dict(), "intermediate_size": 48})
    kb.save_pretrained(kb.BertClassifier(kb.BertEncoder(config)), other, models.vectorizer)
    with zipfile.ZipFile(other / "model.keras") as donor, zipfile.ZipFile(broken / "model.keras") as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
        parts["model.weights.h5"] = donor.read("model.weights.h5")
    with zipfile.ZipFile(broken / "model.keras", "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    nothing_left(call("predict", "--model", broken, "a film"), "model.keras", "intermediate")


@pytest.mark.slow
def test_full_disk_keeps_old_files(models, tmp_path):
    """A limit on the size of files acts as a full disk. The old files are unchanged."""
    resource = pytest.importorskip("resource", reason="this system has no limits on file sizes")
    out = tmp_path / "served"
    shutil.copytree(models.served, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    ran = run_command(
        *("export", "--model", models.classifier, "--out", out),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert ran.returncode == 2 and ran.stderr.startswith("error: ") and ran.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_rejects_dataset_without_network(tmp_path):
    """All downloads go to a closed port; the error names the option and the file to use instead."""
    closed = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}
    settings = {**environment(), **closed, "HOME": str(tmp_path), "TFDS_DATA_DIR": str(tmp_path / "tfds")}
    command = [sys.executable, "-m", "keras_bert", "finetune", "--size", "tiny", "--dataset", "sst2", "--out", "out"]
    ran = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=LIMIT)
    assert ran.returncode == 2, ran.stderr
    line = ran.stderr.splitlines()[-1]
    assert line.startswith("error: ") and "--dataset" in line and "train.tsv" in line
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.work").exists()
    assert np.all([not path.name.startswith(".") or path.is_dir() for path in tmp_path.iterdir()])
