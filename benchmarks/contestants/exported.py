"""Which files the runtimes load: what PyTorch exports or, in the form `our file`, what `export_onnx` writes."""

from pathlib import Path

import numpy as np

from benchmarks.contestants.fast_tokens import NAMES, FastTokens
from benchmarks.contestants.serving import TextServer, softmax
from benchmarks.runtimes import OUR_FILE

INPUTS = ("input_word_ids", "input_mask", "input_type_ids")


class Exported:
    """The files of one side, and the names and dtype of its three inputs; the first output is the one to compare."""

    def __init__(self, task: dict):
        self.ours = task.get("form") == OUR_FILE
        self.folder = Path(task["files"]["onnx" if self.ours else "exchange"])
        self.names, self.dtype = (INPUTS, np.int32) if self.ours else (NAMES, np.int64)

    def inputs(self, rows) -> dict:
        """Ids, mask and types by their names."""
        return {name: value.astype(self.dtype) for name, value in zip(self.names, rows, strict=True)}


class Forward:
    """The encoder on full rows; `load(exported, precision)` gives a function of the inputs, the first output."""

    def __init__(self, task: dict, load):
        exported = Exported(task)
        self.call = load(exported, task["precision"])
        with np.load(task["batch"]) as rows:
            every = exported.inputs([rows[name] for name in INPUTS])
        self.batches = {
            case: {name: value[: int(case)] for name, value in every.items()} for case in task["cases"]
        }  # a case is its batch size

    def answers(self) -> dict:
        return {case: np.array(self.call(inputs)) for case, inputs in self.batches.items()}

    def run(self, case: str, number: int) -> None:
        self.call(self.batches[case])


class Served(TextServer):
    """The classifier; text goes through the `tokenizers` library, padded to the batch's longest."""

    def __init__(self, task: dict, load):
        super().__init__(task)
        self.tokens = FastTokens(task["vocabulary"], self.length)
        self.exported = Exported(task)
        self.call = load(self.exported, task["precision"])

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return softmax(self.call(self.exported.inputs(self.tokens(texts))))
