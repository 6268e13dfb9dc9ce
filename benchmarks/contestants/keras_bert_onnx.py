"""Not a contestant: writes the folders of `export_onnx`, which `onnx_runtime`, `openvino` and `predictor` load."""

from pathlib import Path

import keras_bert as kb
from benchmarks.contestants.keras_bert import load_classifier
from benchmarks.contestants.protocol import serve


class Export:
    """Write the encoder in float32, or the classifier in float32 and int8, one folder each."""

    def __init__(self, task: dict):
        model = load_classifier(task)
        if task["model"] == "encoder":
            kb.export_onnx(model.encoder, Path(task["folder"]) / "float32")
        else:
            vectorizer = kb.BertTextVectorization(task["vocabulary"], sequence_length=task["length"])
            for dtype in ("float32", "int8"):
                kb.export_onnx(model, Path(task["folder"]) / dtype, vectorizer, dtype=dtype)

    def outputs(self) -> dict:
        return {}


if __name__ == "__main__":
    serve({"export": Export})
