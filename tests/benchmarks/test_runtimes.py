"""Our file beside theirs: who takes part, and which results make which row."""

from benchmarks.race import Entry, Result
from benchmarks.rows import row
from benchmarks.runtimes import beside, tables

ENTRIES = [Entry("ours", "none"), Entry("Hugging Face", "none"), Entry("ONNX Runtime", "none")]


def results(entries):
    """The first takes 1 s, the next 2 s, and so on."""
    return [Result(entry, {"step": [float(seconds)]}) for seconds, entry in enumerate(beside(entries), 1)]


def test_our_file_takes_its_turn_after_theirs_and_has_a_row_of_its_own():
    found = dict(tables(results(ENTRIES)))
    assert list(found) == ["", ", in ONNX Runtime"]
    main, pair = (row("work", found[name], case="step", unit="s") for name in found)
    assert main["ours"]["value"] == 1 and set(main["peers"]) == {"Hugging Face", "ONNX Runtime"}
    assert pair["ours"]["value"] == 4 and {name: each["value"] for name, each in pair["peers"].items()} == {
        "ONNX Runtime": 3
    }
