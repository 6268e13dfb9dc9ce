"""Not a contestant: our ONNX files, which `onnx_runtime` and `openvino` load in the form `our file`."""

from pathlib import Path

from benchmarks.contestants.ours import classifier
from benchmarks.contestants.protocol import serve
from keras_bert.export import export_onnx


class Export:
    """The encoder as float32, or the classifier as float32 and int8: a folder each."""

    def __init__(self, task: dict):
        model = classifier(task)
        if task["model"] == "encoder":
            export_onnx(model.encoder, Path(task["folder"]) / "float32")
        else:
            for dtype in ("float32", "int8"):
                export_onnx(model, Path(task["folder"]) / dtype, dtype=dtype)

    def answers(self) -> dict:
        return {}


if __name__ == "__main__":
    serve({"export": Export})
