"""OpenVINO on what it converts from PyTorch or on our ONNX file, in float32 or bfloat16."""

import functools

import openvino

from benchmarks.contestants import exported
from benchmarks.contestants.protocol import serve

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


def compiled(files: exported.Exported, precision: str):
    settings = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision], "PERFORMANCE_HINT": "LATENCY"}
    path = files.folder / "float32" / "model.onnx" if files.ours else files.folder / "model.xml"
    model = openvino.Core().compile_model(path, "CPU", settings)
    return lambda inputs: model(inputs)[0]


Forward = functools.partial(exported.Forward, load=compiled)
Served = functools.partial(exported.Served, load=compiled)


if __name__ == "__main__":
    serve({"forward": Forward, "text_to_probabilities": Served})
