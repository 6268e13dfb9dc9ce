"""Rows for runtimes that load files: each is measured with PyTorch's export and with the file of `export_onnx`."""

import dataclasses
from collections.abc import Iterator

from benchmarks.contestant import Entry, Result
from benchmarks.rows import KERAS_BERT

KERAS_BERT_FILE = "keras_bert file"  # the form of an entry that loads the file of `export_onnx`
RUNTIMES = ("ONNX Runtime", "OpenVINO")


def add_keras_bert_files(entries: list[Entry]) -> list[Entry]:
    """Add an entry after each runtime: the same runtime with the file of `export_onnx`."""
    found = []
    for entry in entries:
        found.append(entry)
        if entry.peer in RUNTIMES:
            found.append(dataclasses.replace(entry, peer=f"{KERAS_BERT_FILE} in {entry.peer}", form=KERAS_BERT_FILE))
    return found


def split_by_runtime(results: list[Result]) -> Iterator[tuple[str, list[Result]]]:
    """Divide results into rows.

    Args:
        results: of the entries that `add_keras_bert_files` returned.

    Yields:
        What to append to the name of the row, and its results: first keras_bert and all peers, then, for each runtime,
        the file of keras_bert (under the name of keras_bert) and the file of PyTorch.
    """
    yield "", [result for result in results if result.entry.form != KERAS_BERT_FILE]
    for runtime in RUNTIMES:
        peers = [result for result in results if result.entry.peer == runtime]
        own = [
            dataclasses.replace(result, entry=dataclasses.replace(result.entry, peer=KERAS_BERT))
            for result in results
            if result.entry.peer == f"{KERAS_BERT_FILE} in {runtime}"
        ]
        if own:
            yield f", in {runtime}", [*own, *peers]
