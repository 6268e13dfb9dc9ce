"""`kb.Predictor` as a user calls it, on the ONNX folder of `export_onnx`, in any dtype.

It selects the runtime itself, except in the form `kb.Predictor, OpenVINO`.
"""

from pathlib import Path

import numpy as np

import keras_bert as kb
from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import TextServer


class Server(TextServer):
    """A classifier, with the default settings of `kb.Predictor` and the dtype of the task."""

    takes_all = True

    def __init__(self, task: dict):
        super().__init__(task)
        folder, precision = Path(task["files"]["keras_bert_onnx"]), task["precision"]
        if precision == "int8":
            self.predict = kb.Predictor(folder / "int8")
        else:  # the weights of the file are float32 for both dtypes
            runtime = "openvino" if task["form"].endswith("OpenVINO") else None
            self.predict = kb.Predictor(folder / "float32", runtime=runtime, dtype=precision)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return np.array([list(found["probabilities"].values()) for found in self.predict(texts)])


if __name__ == "__main__":
    serve({"text_to_probabilities": Server})
