"""Rows for the runtimes: PyTorch's file beside that of `export_onnx`."""

from benchmarks.contestant import Entry, Result
from benchmarks.rows import make_row
from benchmarks.runtimes import add_keras_bert_files, split_by_runtime

ENTRIES = [Entry("keras_bert", "none"), Entry("Hugging Face", "none"), Entry("ONNX Runtime", "none")]


def test_split_by_runtime():
    # The first entry takes 1 s, the next 2 s, and so on.
    results = [Result(entry, {"step": [float(i)]}) for i, entry in enumerate(add_keras_bert_files(ENTRIES), 1)]
    found = dict(split_by_runtime(results))
    assert list(found) == ["", ", in ONNX Runtime"]
    main, pair = (make_row("workload", found[name], case="step", unit="s") for name in found)
    assert main["keras_bert"]["value"] == 1 and set(main["peers"]) == {"Hugging Face", "ONNX Runtime"}
    assert pair["keras_bert"]["value"] == 4
    assert {name: each["value"] for name, each in pair["peers"].items()} == {"ONNX Runtime": 3}
