"""Metrics as tables: on a pipe, on terminals of several widths, with many classes and long names."""

import functools
import io

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

import keras_bert as kb
from keras_bert.cli.output import shorten, show_metrics, show_table
from keras_bert.metrics import (
    Bootstrap,
    classification_report,
    entity_f1,
    format_metrics,
    format_table,
    metric_tables,
    regression_metrics,
)

LONG = tuple(f"a rather long name of class {i}" for i in range(20))


@functools.cache
def report(names, bootstrap=None, rows=400):
    rng, classes = np.random.default_rng(0), len(names)
    labels = rng.integers(0, classes, rows)
    logits = rng.normal(size=(rows, classes)) + 2 * np.eye(classes)[labels]
    return {**classification_report(logits, labels, names, bootstrap), "examples": rows}


def shown(metrics, width, terminal):
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=width, highlight=False, color_system=None)
    show_metrics(console, "dev.tsv", metrics)
    return file.getvalue()


def test_command_and_library_show_the_same():
    metrics = report(("bad", "good"), Bootstrap(100))
    text = format_metrics(metrics)
    assert shown(metrics, 80, terminal=False) == f"dev.tsv\n{text}\n"
    on_terminal = shown(metrics, 100, terminal=True)
    assert on_terminal.split() == f"dev.tsv\n{text}".split()  # the same words and numbers
    assert kb.format_metrics is format_metrics


def test_every_number_is_shown():
    metrics = report(("bad", "good"), Bootstrap(100))
    lines = [line.split() for line in format_metrics(metrics).splitlines()]
    for name, value in metrics.items():
        if isinstance(value, float):
            low_high = metrics["intervals"].get(name)
            row = [name, f"{value:.4f}", *([f"{low_high[0]:.4f}", "…", f"{low_high[1]:.4f}"] if low_high else [])]
            assert row in lines
    for name, row in metrics["classes"].items():
        assert [name, *(f"{row[key]:.4f}" for key in list(row)[:4]), str(row["examples"])] in lines
    for name, row in zip(["bad", "good"], metrics["confusion"], strict=True):
        assert [name, *map(str, row)] in lines
    assert ["examples", "400"] in lines


def test_reason_of_a_missing_value():
    metrics = classification_report(np.eye(3), [0, 1, 1], ["a", "b", "c"])
    row = next(line for line in format_metrics(metrics).splitlines() if line.startswith("roc_auc"))
    assert row.split()[1] == "-" and row.endswith(metrics["notes"]["roc_auc"])


def test_other_tasks():
    entities = format_metrics(entity_f1([["B-PER", "O"]], [["B-PER", "B-LOC"]]))
    assert [line.split() for line in entities.splitlines()][-1] == ["PER", "1.0000", "1.0000", "1.0000", "1"]
    assert "pearson" in format_metrics(regression_metrics(np.arange(3.0), np.arange(3.0) ** 2))


@pytest.mark.parametrize("width", [20, 80])
def test_pipe_is_never_wrapped_or_cut(width):
    text = shown(report(LONG), width, terminal=False)
    lines = text.splitlines()
    for i, name in enumerate(LONG, 1):
        assert sum(line.startswith(f"{name} ") for line in lines) == 1  # its metrics
        row = next(line for line in lines if line.startswith(f"[{i}] {name} "))  # its row of the confusion matrix
        assert len(row.removeprefix(f"[{i}] {name}").split()) == 20
    assert "…" not in text.replace(" … ", "") and not any(line.endswith(" ") for line in lines)


@pytest.mark.parametrize("width", [30, 60, 80, 120, 250])
@pytest.mark.parametrize("names", [("bad", "good"), LONG, ("日本語", "Ελληνικά", "science and technology")])
def test_terminal(width, names):
    """No number is cut or folded; lines fit unless the numbers alone do not."""
    metrics = report(names, Bootstrap(100))
    text = shown(metrics, width, terminal=True)
    for row in metrics["classes"].values():
        assert any(
            line.split()[-4:-1] == [f"{row[k]:.4f}" for k in ("recall", "f1", "roc_auc")] for line in text.splitlines()
        )
    for name in ("weighted_precision", "matthews_correlation"):
        assert any(line.startswith(f"{name} ") for line in text.splitlines())
    if width >= 80:
        assert max(map(cell_len, text.splitlines())) <= width
    if names is LONG:
        assert ("confusion matrix" in text) == (width == 250) and ("most frequent confusions" in text) == (width != 250)


def test_most_frequent_confusions():
    metrics = {"confusion": [[5, 3, 0], [1, 9, 0], [0, 1200, 1]], "class_names": ["a", "b", "c"]}
    assert metric_tables(metrics, width=80)[1].columns == ("", "a", "b", "c")
    table = metric_tables(metrics, width=10)[1]
    assert table.columns == ("expected", "predicted", "examples") and "3 of 3" in table.title
    assert table.rows == [("c", "b", "1,200"), ("a", "b", "3"), ("b", "a", "1")]


def test_format_table_keeps_rows_on_one_line():
    lines = format_table(("text", "n"), [("two\nlines\tand a tab", 1), ("日本", 22)], right=("n",))
    assert lines == [f"text{17 * ' '} n", "two lines and a tab   1", f"日本{17 * ' '}22"]


@pytest.mark.parametrize("terminal", [True, False])
def test_texts_are_cut_on_terminals_only(terminal):
    file, text = io.StringIO(), "word " * 100
    console = Console(file=file, force_terminal=terminal, width=80, color_system=None)
    assert (shorten(console, text) == text.strip()) != terminal
    show_table(console, "title " * 30, ("text", "number"), [(text, 1)], right=("number",))
    assert ("\n" in file.getvalue().strip().split("text", 1)[0].rstrip("\n")) == terminal
    assert (text.strip() in file.getvalue()) != terminal


def test_numbers_are_never_folded():
    """Text is folded between words, down to its longest word; below that, rows are printed whole."""
    text, number, columns = "some words to fold here", "0.4000 … 1.0000", ("", "text", "interval")
    for width in range(1, 60):
        file = io.StringIO()
        console = Console(file=file, force_terminal=True, width=width, color_system=None)
        show_table(console, "", columns, [("", text, number)], right=("interval",))
        lines = [line.rstrip() for line in file.getvalue().splitlines()]
        assert any(line.endswith(number) for line in lines)
        assert " ".join(" ".join(lines[1:]).replace(number, "").split()) == text
        assert len(lines) == 2 or max(map(cell_len, lines)) <= width


def test_brackets_are_no_markup():
    for terminal in (True, False):
        file = io.StringIO()
        show_table(Console(file=file, force_terminal=terminal, color_system=None), "[b]t", ("[red]c",), [("[MASK]",)])
        assert all(text in file.getvalue() for text in ("[b]t", "[red]c", "[MASK]"))
