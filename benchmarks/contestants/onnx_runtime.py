"""ONNX Runtime on what PyTorch exports or on our file, all graph optimizations on; int8 is its dynamic quantization."""

import functools

import onnxruntime

from benchmarks.contestants import exported
from benchmarks.contestants.protocol import serve

FILES = {"float32": "model.onnx", "int8": "int8.onnx"}


def session_of(files: exported.Exported, precision: str):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    path = files.folder / precision / "model.onnx" if files.ours else files.folder / FILES[precision]
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first = [session.get_outputs()[0].name]
    return lambda inputs: session.run(first, inputs)[0]


Forward = functools.partial(exported.Forward, load=session_of)
Served = functools.partial(exported.Served, load=session_of)


if __name__ == "__main__":
    serve({"forward": Forward, "text_to_probabilities": Served})
