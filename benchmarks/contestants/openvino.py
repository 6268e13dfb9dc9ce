"""OpenVINO with the file that it converts from PyTorch or with keras_bert's ONNX file, in float32 or bfloat16."""

import functools

import openvino

from benchmarks.contestants import exported_files
from benchmarks.contestants.protocol import serve

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


def load_compiled(files: exported_files.ExportedFiles, precision: str):
    """Return a function from the inputs to the first output."""
    settings = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision], "PERFORMANCE_HINT": "LATENCY"}
    path = files.folder / "float32" / "model.onnx" if files.from_keras_bert else files.folder / "model.xml"
    model = openvino.Core().compile_model(path, "CPU", settings)
    return lambda inputs: model(inputs)[0]


Forward = functools.partial(exported_files.Forward, load=load_compiled)
Server = functools.partial(exported_files.Server, load=load_compiled)


if __name__ == "__main__":
    serve({"forward": Forward, "text_to_probabilities": Server})
