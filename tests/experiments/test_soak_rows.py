"""The rows of docs/results.md that the soak prints."""

import pytest

from experiments import soak_rows


def test_only_lines_with_results_are_stored(monkeypatch):
    printed = [
        "tokens: 5 strings, 0 differences",
        "a message of a library",
        "ONNX: 5 texts, 0 differences, 10 to 11 MiB",
    ]
    monkeypatch.setattr(soak_rows, "run", lambda module: printed)
    assert soak_rows.served("")["result"] == f"{printed[0]}; {printed[2]}"


def test_a_failed_soak_gives_no_row():
    with pytest.raises(SystemExit, match="error: python -m tests.no_such_module failed with exit status 1"):
        soak_rows.run("tests.no_such_module")
