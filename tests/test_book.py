"""What the chapters of the book share: figures, the size of a run, and the record of MiniLM's numbers."""

import base64
import json
import logging
import sys
import types

import matplotlib.figure
import numpy as np
import pytest

from keras_bert import book
from keras_bert.errors import InputError


@pytest.fixture
def record(tmp_path, monkeypatch):
    """An empty record, and no MiniLM."""
    path = tmp_path / "record.json"
    path.write_text('{"03.stored": [1.0, 2.0]}', encoding="utf-8")
    monkeypatch.setattr(book, "RECORD", path)
    monkeypatch.setattr(book, "PACKAGE", "no_package_of_this_name")
    for name in ("KERAS_BERT_MINILM", "KERAS_BERT_RECORD"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def plot():
    figure = matplotlib.figure.Figure(figsize=(2, 1))
    figure.add_subplot().plot([1, 2])
    return types.SimpleNamespace(figure=figure, caption="A line.", alt="Line chart")  # as `Figure` of kb.explain


def test_show_writes_a_file(plot, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(book, "_in_notebook", lambda: False)
    book.Chapter(3).show(plot, "line")
    path = tmp_path / "tutorials" / "out" / "03_line.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out == f"figure: {path.resolve()}\nA line.\n"


def test_show_accepts_matplotlib(plot, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(book, "_in_notebook", lambda: False)
    book.Chapter(3).show(plot.figure, "plain")
    assert capsys.readouterr().out.count("\n") == 1  # no caption
    assert (tmp_path / "tutorials" / "out" / "03_plain.png").is_file()


@pytest.mark.parametrize("alt, expected", [("", "Line chart"), ("Two points", "Two points")])
def test_show_displays_in_a_notebook(alt, expected, plot, tmp_path, monkeypatch, capsys):
    displayed = []
    module = types.SimpleNamespace(display=lambda data, **settings: displayed.append((data, settings)))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.chdir(tmp_path)
    book.Chapter(3).show(plot, "line", alt)
    (data, settings), below = displayed
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert settings == {"raw": True, "metadata": {"image/png": {"alt": expected}}}
    assert data["text/plain"] == f"[figure: {expected}]"
    assert below == ({"text/plain": "A line."}, {"raw": True})
    assert capsys.readouterr().out == "" and not list(tmp_path.iterdir())


def test_full(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["03_attention.py", "--full"])
    assert book.Chapter(3).full


def test_reviews_are_the_sample(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["03_attention.py"])
    assert set(book.Chapter(3).reviews().label_names) == {"negative", "positive"}


def test_reviews_of_a_full_run(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["03_attention.py", "--full"])
    monkeypatch.setattr(book, "load_labeled", lambda name, label_names: (name, label_names))
    monkeypatch.setenv("KERAS_BERT_DATA", str(tmp_path))
    assert book.Chapter(3).reviews() == ("sst2", ("negative", "positive"))
    (tmp_path / "data" / "SST-2").mkdir(parents=True)
    assert book.Chapter(3).reviews()[0] == str(tmp_path / "data" / "SST-2")


def test_labels_of_a_full_run_have_names(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["03_attention.py", "--full"])
    monkeypatch.setenv("KERAS_BERT_DATA", str(tmp_path))
    folder = tmp_path / "data" / "SST-2"
    folder.mkdir(parents=True)
    for part in ("train", "dev"):
        (folder / f"{part}.tsv").write_text("sentence\tlabel\na fine film\t1\na dull film\t0\n", encoding="utf-8")
    data = book.Chapter(3).reviews()
    assert [data.label_names[i] for i in data.train_labels] == ["positive", "negative"]


def test_results_of_an_unknown_name():
    with pytest.raises(InputError, match="`name` must be one of sst2, .*Received: name=sst3"):
        book.Chapter(8).results("sst3")


def test_minilm_is_absent(record):
    assert book.minilm_folder() is None
    assert book.Chapter(3).minilm("stored", lambda folder: 1 / 0) == [1.0, 2.0]
    with pytest.raises(InputError, match="`name`.*Received: name=other"):
        book.Chapter(3).minilm("other", lambda folder: 1 / 0)
    with pytest.raises(InputError, match="`name`"):
        book.Chapter(4).minilm("stored", lambda folder: 1 / 0)  # of another chapter


def test_minilm_is_computed_and_compared(record, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BERT_MINILM", str(tmp_path))
    chapter = book.Chapter(3)
    assert chapter.minilm("stored", lambda folder: np.float32([1.001, 2.002])) == [1.001, 2.002]
    for other in ([1.0, 2.1], [1.0, float("nan")]):
        with pytest.raises(AssertionError, match="03.stored"):
            chapter.minilm("stored", lambda folder, other=other: other)
    with pytest.raises(AssertionError, match="KERAS_BERT_RECORD=1"):
        chapter.minilm("new", lambda folder: [1.0])


def test_minilm_of_a_full_run_is_not_compared(record, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["03_attention.py", "--full"])
    monkeypatch.setattr(book, "load_labeled", lambda name, label_names: None)
    chapter = book.Chapter(3)
    chapter.reviews()
    assert chapter.minilm("stored", lambda folder: [3.0, 4.0]) == [1.0, 2.0]
    assert "of the sample" in capsys.readouterr().out
    monkeypatch.setenv("KERAS_BERT_MINILM", str(tmp_path))
    monkeypatch.setenv("KERAS_BERT_RECORD", "1")
    assert chapter.minilm("stored", lambda folder: [3.0, 4.0]) == [3.0, 4.0]
    assert json.loads(record.read_text(encoding="utf-8"))["03.stored"] == [1.0, 2.0]


def test_minilm_is_recorded(record, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BERT_MINILM", str(tmp_path))
    monkeypatch.setenv("KERAS_BERT_RECORD", "1")
    numbers = {"cosine": np.float32(0.123456789), "words": ["a", "b"], "shape": np.array([2, 3]), "name": "x"}
    expected = {"cosine": 0.123457, "words": ["a", "b"], "shape": [2, 3], "name": "x"}
    seen = []
    assert book.Chapter(3).minilm("new", lambda folder: seen.append(folder) or numbers) == expected
    assert seen == [tmp_path]
    assert json.loads(record.read_text(encoding="utf-8")) == {"03.stored": [1.0, 2.0], "03.new": expected}
    monkeypatch.delenv("KERAS_BERT_RECORD")
    monkeypatch.delenv("KERAS_BERT_MINILM")
    assert book.Chapter(3).minilm("new", lambda folder: 1 / 0) == expected


@pytest.mark.parametrize(
    "value", [{"a": 1.0}, {"a": 2.0, "b": "x"}, {"a": 1.0, "b": "y"}, {"a": 1.0, "b": "x", "c": 1}]
)
def test_other_values_than_the_record(value):
    with pytest.raises(AssertionError):
        book._assert_close(value, {"a": 1.0, "b": "x"}, 1e-3, "key")


def test_lists_of_texts_are_compared():
    stored = [{"token": "team", "probability": 0.5}, {"token": "band", "probability": 0.25}]
    book._assert_close([{"token": "team", "probability": 0.5001}, stored[1]], stored, 1e-2, "key")
    with pytest.raises(AssertionError, match=r"key\[1\].token"):
        book._assert_close([stored[0], {**stored[1], "token": "club"}], stored, 1e-2, "key")
    with pytest.raises(AssertionError, match="key"):
        book._assert_close(stored[:1], stored, 1e-2, "key")


def test_folder_of_minilm(record, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BERT_MINILM", str(tmp_path / "missing"))
    with pytest.raises(InputError, match="`KERAS_BERT_MINILM` must name a folder. Received: KERAS_BERT_MINILM="):
        book.minilm_folder()
    monkeypatch.delenv("KERAS_BERT_MINILM")
    (tmp_path / "fake_minilm").mkdir()
    (tmp_path / "fake_minilm" / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(book, "PACKAGE", "fake_minilm")
    assert book.minilm_folder() == tmp_path / "fake_minilm" / "model"


def test_only_errors_of_tensorflow_are_logged():
    book.Chapter(1)
    logger = logging.getLogger("tensorflow")
    records = [logger.makeRecord("tensorflow", level, "", 0, "text", (), None) for level in (30, 40)]
    assert [bool(logger.filter(record)) for record in records] == [False, True]  # a warning, an error
