"""Files of texts to files of predictions, by the command line, in bounded memory."""

import contextlib
import csv
import io
import itertools
import json
import re
import subprocess
import sys
import tracemalloc

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.inference.prediction_files import flat_row, write_predictions
from tests.cli.command_line import ROOT, environment
from tests.helpers import randomize
from tests.processes import LIMIT

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "no", "fun"]
LINES = 500
ROW = {"text": "x", "label": "a", "probability": 0.75, "probabilities": {"a": 0.75, "b": 0.25}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    keras.utils.set_random_seed(1)
    config = kb.BertConfig(len(VOCABULARY), 8, 1, 2, 16, max_position_embeddings=16)
    model = randomize(kb.BertClassifier(kb.BertEncoder(config)))
    vectorizer = kb.BertTextVectorization(VOCABULARY, sequence_length=12)
    return kb.save_pretrained(model, tmp_path_factory.mktemp("m") / "model", vectorizer, ["bad", "good"])


@pytest.fixture
def lines(tmp_path):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(VOCABULARY[5:], rng.integers(1, 9))) for _ in range(LINES)]
    (tmp_path / "texts.txt").write_text("\n".join(texts) + "\n")
    return texts


def read(path):
    """The rows of a file of predictions as dicts of strings."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


@pytest.mark.parametrize("suffix", ["tsv", "csv", "jsonl"])
def test_file_in_small_chunks(folder, lines, tmp_path, monkeypatch, capfd, suffix):
    """Order and values are those of the predictor, in every format; the chunks are small."""
    monkeypatch.setattr(kb.Predictor, "chunk_size", 64)
    sizes, real = [], type(kb.Predictor(folder)._backend).predict

    def watched(self, texts, *arguments):
        sizes.append(len(texts))
        return real(self, texts, *arguments)

    monkeypatch.setattr(type(kb.Predictor(folder)._backend), "predict", watched)
    out = tmp_path / f"out.{suffix}"
    arguments = ["predict", "--model", str(folder), "--input", str(tmp_path / "texts.txt"), "--output", str(out)]
    assert main([*arguments, "--top-k", "2", "--json"]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1]) == {"output": str(out), "examples": LINES}
    assert max(sizes) == 64 and sum(sizes) == LINES
    rows, expected = read(out), kb.Predictor(folder)(lines, top_k=2)
    assert [row["text"] for row in rows] == lines
    for row, other in zip(rows, expected, strict=True):
        assert row["label"] == other["label"]
        assert float(row["probability"]) == pytest.approx(other["probability"])
        if suffix == "jsonl":
            assert row["probabilities"] == pytest.approx(other["probabilities"])
        else:
            for name, probability in other["probabilities"].items():
                assert float(row[f"probability_{name}"]) == pytest.approx(probability)
            for i, each in enumerate(other["top_k"], 1):
                assert row[f"top_{i}_label"] == each["label"]
                assert float(row[f"top_{i}_probability"]) == pytest.approx(each["probability"])
    assert {path.name for path in tmp_path.iterdir()} == {"texts.txt", out.name}


TEXTS = ["plain", "a, b", 'say "no"', "two\nlines", "'single'", "日本語 é", " padded ", "tab\tstop"]


def test_csv_round_trip(tmp_path):
    """Commas, quotation marks and line breaks in a field: Python's csv module reads the same texts."""
    rows = [{**ROW, "text": text} for text in TEXTS]
    assert write_predictions(tmp_path / "out.csv", rows) == len(TEXTS)
    assert [row["text"] for row in read(tmp_path / "out.csv")] == TEXTS
    assert set(read(tmp_path / "out.csv")[0]) == {"label", "probability", "probability_a", "probability_b", "text"}


def test_csv_is_read_by_pandas(tmp_path):
    pandas = pytest.importorskip("pandas")
    write_predictions(tmp_path / "out.csv", [{**ROW, "text": text} for text in TEXTS])
    table = pandas.read_csv(tmp_path / "out.csv")
    assert list(table["text"]) == TEXTS and list(table["probability_b"]) == [0.25] * len(TEXTS)


def test_tsv_has_one_line_per_prediction(tmp_path):
    write_predictions(tmp_path / "out.tsv", [{**ROW, "text": text} for text in TEXTS])
    assert [row["text"] for row in read(tmp_path / "out.tsv")] == [" ".join(text.split()) for text in TEXTS]


def test_json_lines_are_the_predictions(tmp_path):
    rows = [{**ROW, "text": text} for text in TEXTS]
    write_predictions(tmp_path / "out.jsonl", rows)
    assert read(tmp_path / "out.jsonl") == rows
    assert "日本語" in (tmp_path / "out.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("prediction", "row"),
    [
        ({"texts": ("a", "b"), "value": 0.5}, {"value": 0.5, "text": "a", "text_pair": "b"}),
        ({"text": "a", "value": [0.5, 2]}, {"value": "[0.5, 2]", "text": "a"}),
        (
            {"text": "a", "labels": ["x", "y"], "probabilities": {"x": 0.9, "y": 0.8}},
            {"labels": "x,y", "probability_x": 0.9, "probability_y": 0.8, "text": "a"},
        ),
        (
            {"question": "q", "answer": None, "start": None, "end": None, "score": 1.5, "null_score": 2.5},
            {"question": "q", "answer": "", "start": "", "end": "", "score": 1.5, "null_score": 2.5},
        ),
        (
            {"words": ["in", "Rome"], "tags": ["O", "B-LOC"], "entities": [{"text": "Rome", "start": 1}]},
            {"words": "in Rome", "tags": "O B-LOC", "entities": '[{"text": "Rome", "start": 1}]'},
        ),
    ],
)
def test_flat_row_of_each_task(prediction, row):
    assert flat_row(prediction) == row and list(flat_row(prediction)) == list(row)


def test_rejects_rows_with_different_columns(tmp_path):
    with pytest.raises(kb.InputError, match="^`--format` must be jsonl"):
        write_predictions(tmp_path / "out.tsv", [ROW, {"text": "x", "other": 1}])
    assert not list(tmp_path.iterdir())


# === Large files ===


class StubPredictor:
    """A predictor that is so fast that reading and writing can be watched."""

    def __init__(self, folder):
        self.columns = ("label", "text")

    def __call__(self, texts, batch_size, top_k, progress):
        return ({**ROW, "text": text} for text in texts)


@pytest.mark.parametrize("source", ["csv", "tsv", "jsonl", "txt"])
def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch, source):
    monkeypatch.setattr("keras_bert.inference.Predictor", StubPredictor)
    peaks = []
    for count in (3_000, 30_000):
        path = tmp_path / f"in.{source}"
        with path.open("w") as file:
            file.write("" if source in ("txt", "jsonl") else "sentence\n")
            for i in range(count):
                text = f"a sentence of a few words {i}"
                file.write((json.dumps({"text": text}) if source == "jsonl" else text) + "\n")
        arguments = ["predict", "--model", str(tmp_path), "--input", str(path), "--output", str(tmp_path / "out.tsv")]
        tracemalloc.start()
        try:
            assert main(arguments) == 0
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert sum(1 for _ in (tmp_path / "out.tsv").open()) == count + 1
    assert peaks[1] < peaks[0] + 200_000, peaks  # 30,000 texts alone take more than 2 MB


def test_standard_input_is_read_lazily(monkeypatch, capfd):
    """The first predictions are written before the input ends: it never does, until the output was seen."""
    monkeypatch.setattr("keras_bert.inference.Predictor", StubPredictor)
    written = []

    def endless():
        for i in itertools.count():
            if i % 1000 == 0:
                written.append(capfd.readouterr().out)
            if any("text 0" in part for part in written):
                return
            assert i < 20_000, "nothing was written"
            yield f"text {i}\n".encode()

    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": endless()}))
    assert main(["predict", "--model", str(ROOT / "tests"), "--input", "-", "--format", "tsv"]) == 0
    out = "".join(written) + capfd.readouterr().out
    assert out.splitlines()[:2] == [
        "label\tprobability\tprobability_a\tprobability_b\ttext",
        "a\t0.75\t0.75\t0.25\ttext 0",
    ]


def test_predictor_reads_iterators_lazily(folder, monkeypatch):
    monkeypatch.setattr(kb.Predictor, "chunk_size", 8)
    read_so_far = 0

    def texts():
        nonlocal read_so_far
        for _ in range(100):
            read_so_far += 1
            yield "a fine film"

    predictions = kb.Predictor(folder)(texts())
    next(predictions)
    assert read_so_far == 8


# === Failures ===


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, kb.InputError])
def test_interrupted_output_keeps_the_old_file(tmp_path, monkeypatch, capfd, error):
    class Failing(StubPredictor):
        def __call__(self, texts, *arguments, **settings):
            yield from itertools.islice(super().__call__(texts, *arguments, **settings), 2)
            raise error("stop")

    monkeypatch.setattr("keras_bert.inference.Predictor", Failing)
    (tmp_path / "texts.txt").write_text("a\nb\nc\n")
    out = tmp_path / "out.csv"
    arguments = ["predict", "--model", str(tmp_path), "--input", str(tmp_path / "texts.txt"), "--output", str(out)]
    for old in (None, "old"):
        if old:
            out.write_text(old)
        assert main(arguments) == (130 if error is KeyboardInterrupt else 2)
        assert {path.name for path in tmp_path.iterdir()} == {"texts.txt", *([out.name] if old else [])}
    assert out.read_text() == "old"
    errors = [line for line in capfd.readouterr().err.splitlines() if line]  # click ends the line of ^C
    assert len(errors) == 2 and "stop" in errors[0]


def test_bad_line_leaves_nothing(folder, tmp_path, capfd):
    (tmp_path / "texts.txt").write_text("a fine film\n\nno fun\n")
    out = tmp_path / "out.tsv"
    arguments = ["predict", "--model", str(folder), "--input", str(tmp_path / "texts.txt"), "--output", str(out)]
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert "texts.txt" in error and "line 2" in error and error.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"texts.txt"}


@pytest.mark.slow
def test_closed_pipe(tmp_path):
    """`keras-bert predict … | head` ends without a traceback."""
    script = (
        "import sys, keras_bert.inference as inference; from tests.inference.test_prediction_files import *;"
        "inference.Predictor = StubPredictor; sys.exit(main(sys.argv[1:]))"
    )
    (tmp_path / "texts.txt").write_text("text\n" * 100_000)
    command = [
        sys.executable,
        "-c",
        script,
        "predict",
        "--model",
        str(tmp_path),
        "--input",
        str(tmp_path / "texts.txt"),
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=ROOT, text=True
    )
    assert process.stdout.readline().startswith("label\t")
    process.stdout.close()
    with process.stderr:
        assert "Traceback" not in process.stderr.read()
    assert process.wait(timeout=LIMIT) == 1


# === The command line ===


def test_texts_and_files_on_the_command_line(folder, tmp_path, capfd):
    (tmp_path / "texts.txt").write_text("a fine film\nno fun\n")
    both = []
    for arguments in (["a fine film", "no fun"], ["--input", str(tmp_path / "texts.txt")]):
        assert main(["predict", "--model", str(folder), *arguments, "--top-k", "2", "--batch-size", "1", "--json"]) == 0
        both.append(json.loads(capfd.readouterr().out.splitlines()[-1])["predictions"])
    assert both[0] == both[1] and [len(row["top_k"]) for row in both[0]] == [2, 2]


@pytest.mark.parametrize("columns", ["20", "80"])
def test_pipe_gets_whole_texts_as_tsv(monkeypatch, capfd, tmp_path, columns):
    """Nothing is wrapped or cut, also with a narrow `COLUMNS` and with colors for logs."""
    monkeypatch.setattr("keras_bert.inference.Predictor", StubPredictor)
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = "a long text " * 50
    assert main(["predict", "--model", str(tmp_path), text, "short"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines == [
        "label\tprobability\tprobability_a\tprobability_b\ttext",
        f"a\t0.75\t0.75\t0.25\t{text.strip()}",
        "a\t0.75\t0.75\t0.25\tshort",
    ]


def test_formats_of_standard_output(monkeypatch, capfd, tmp_path):
    monkeypatch.setattr("keras_bert.inference.Predictor", StubPredictor)
    shown = {}
    for name, options in {
        "csv": ["--format", "csv"],
        "csv by name": ["--output", "-", "--format", "csv"],
        "jsonl": ["--format", "jsonl"],
        "tsv": ["--output", "-"],
    }.items():
        assert main(["predict", "--model", str(tmp_path), "a, b", *options]) == 0
        shown[name] = capfd.readouterr().out
    assert shown["csv"] == shown["csv by name"] and shown["csv"].splitlines()[1] == 'a,0.75,0.75,0.25,"a, b"'
    assert json.loads(shown["jsonl"]) == {**ROW, "text": "a, b"}
    assert shown["tsv"].splitlines()[1] == "a\t0.75\t0.75\t0.25\ta, b"


def test_format_overrides_the_suffix(monkeypatch, tmp_path):
    monkeypatch.setattr("keras_bert.inference.Predictor", StubPredictor)
    out = tmp_path / "predictions.data"
    assert main(["predict", "--model", str(tmp_path), "a, b", "--output", str(out), "--format", "csv"]) == 0
    assert out.read_text().splitlines()[1].endswith('"a, b"')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "`--input`.*Received: neither"),
        (["a film", "--input", "FILE"], "`--input`.*Received: both"),
        (["a film", "--output", "out.parquet"], "`--output`.*--format"),
        (["a film", "--output", "."], "`--output`"),
        (["--input", "nothing.txt"], "nothing.txt"),
        (["a film", "--top-k", "0"], "--top-k"),
        (["a film", "--text-column", "x"], "`--text-column`.*without `--input`"),
        (["a film", "--input-format", "csv"], "`--input-format`.*without `--input`"),
        (["--input", "FILE", "--text-column", "x"], "`--text-column`.*`--input-format`"),
        (["a film", "--format", "csv", "--json"], "`--json`"),
        (["a film", "--output", "-", "--json"], "`--json`"),
    ],
)
def test_rejects_options(folder, tmp_path, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("a film\n")
    assert main(["predict", "--model", str(folder), *arguments]) == 2
    error = capfd.readouterr().err
    assert re.search(message, error) and error.count("\n") == 1


def test_notebook(monkeypatch):
    """Standard output of a notebook has no buffer of bytes."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert write_predictions("-", [ROW]) == 1
    assert out.getvalue().splitlines()[1] == "a\t0.75\t0.75\t0.25\tx"
