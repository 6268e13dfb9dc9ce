"""`kb.Predictor` as a user calls it: on the ONNX folder of `export_onnx`; in bfloat16 on the SavedModel with text."""

from pathlib import Path

import numpy as np

import keras_bert as kb
from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import TextServer


class Server(TextServer):
    """A classifier, with the default settings of `kb.Predictor`."""

    takes_all = True

    def __init__(self, task: dict):
        super().__init__(task)
        files, precision = task["files"], task["precision"]
        is_onnx = precision != "bfloat16"  # `export_onnx` has no bfloat16
        self.predict = kb.Predictor(Path(files["keras_bert_onnx"]) / precision if is_onnx else files[precision])

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return np.array([list(found["probabilities"].values()) for found in self.predict(texts)])


if __name__ == "__main__":
    serve({"text_to_probabilities": Server})
