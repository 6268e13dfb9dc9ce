"""Models in files, for the contestants that are runtimes: PyTorch's exports, or those of `export_onnx`."""

from pathlib import Path

import numpy as np

from benchmarks.contestants.protocol import INPUT_KEYS
from benchmarks.contestants.serving import TextServer, softmax
from benchmarks.contestants.tokenizers import NAMES, Tokenizers
from benchmarks.runtimes import KERAS_BERT_FILE


class ExportedFiles:
    """The folder of the exported files, and the names and the dtype of the three inputs. The first output is compared.

    Args:
        task: `files` holds the folders by exporter.
    """

    def __init__(self, task: dict):
        self.from_keras_bert = task.get("form") == KERAS_BERT_FILE
        self.folder = Path(task["files"]["keras_bert_onnx" if self.from_keras_bert else "huggingface"])
        self.names, self.dtype = (INPUT_KEYS, np.int32) if self.from_keras_bert else (NAMES, np.int64)

    def inputs(self, arrays) -> dict:
        """Name ids, mask and types."""
        return {name: value.astype(self.dtype) for name, value in zip(self.names, arrays, strict=True)}


class Forward:
    """The encoder on rows without padding.

    Args:
        task: see `workloads/forward.py`; a case is a batch size.
        load: function of `ExportedFiles` and a precision that returns a function from the inputs to the first output.
    """

    def __init__(self, task: dict, load):
        files = ExportedFiles(task)
        self.call = load(files, task["precision"])
        with np.load(task["batch"]) as rows:
            inputs = files.inputs([rows[name] for name in INPUT_KEYS])
        self.batches = {case: {name: value[: int(case)] for name, value in inputs.items()} for case in task["cases"]}

    def outputs(self) -> dict:
        return {case: np.array(self.call(inputs)) for case, inputs in self.batches.items()}

    def run(self, case: str, number: int) -> None:
        self.call(self.batches[case])


class Server(TextServer):
    """The classifier. The `tokenizers` library converts the texts, padded to the longest of the batch.

    Args:
        task: see `workloads/text_to_probabilities.py`.
        load: as for `Forward`.
    """

    def __init__(self, task: dict, load):
        super().__init__(task)
        self.tokenize = Tokenizers(task["vocabulary"], self.length)
        self.files = ExportedFiles(task)
        self.call = load(self.files, task["precision"])

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return softmax(self.call(self.files.inputs(self.tokenize(texts))))
