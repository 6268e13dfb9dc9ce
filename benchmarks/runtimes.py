"""Our ONNX file in the runtimes that peers are measured in: contestants of the same race, with rows of their own."""

import dataclasses
from collections.abc import Iterator

from benchmarks.race import Entry, Result
from benchmarks.rows import OURS

OUR_FILE = "our file"
RUNTIMES = ("ONNX Runtime", "OpenVINO")


def beside(entries: list[Entry]) -> list[Entry]:
    """The entries; after each that is a runtime, on what PyTorch exports, the same runtime on our file."""
    found = []
    for entry in entries:
        found.append(entry)
        if entry.peer in RUNTIMES:
            found.append(dataclasses.replace(entry, peer=f"{OUR_FILE} in {entry.peer}", form=OUR_FILE))
    return found


def tables(results: list[Result]) -> Iterator[tuple[str, list[Result]]]:
    """Each row's results, and what to add to its name: ours among the peers; our file and theirs in each runtime."""
    main = [result for result in results if result.entry.form != OUR_FILE]
    yield "", main
    for runtime in RUNTIMES:
        theirs = [result for result in results if result.entry.peer == runtime]
        ours = [
            dataclasses.replace(result, entry=dataclasses.replace(result.entry, peer=OURS))
            for result in results
            if result.entry.peer == f"{OUR_FILE} in {runtime}"
        ]
        if ours:
            yield f", in {runtime}", [*ours, *theirs]
