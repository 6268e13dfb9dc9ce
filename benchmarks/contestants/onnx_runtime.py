"""ONNX Runtime with PyTorch's file or keras_bert's, with all graph optimizations; int8 is dynamic quantization."""

import functools

import onnxruntime

from benchmarks.contestants import exported_files
from benchmarks.contestants.protocol import serve

FILES = {"float32": "model.onnx", "int8": "int8.onnx"}


def load_session(files: exported_files.ExportedFiles, precision: str):
    """Return a function from the inputs to the first output."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    path = files.folder / precision / "model.onnx" if files.from_keras_bert else files.folder / FILES[precision]
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first = [session.get_outputs()[0].name]
    return lambda inputs: session.run(first, inputs)[0]


Forward = functools.partial(exported_files.Forward, load=load_session)
Server = functools.partial(exported_files.Server, load=load_session)


if __name__ == "__main__":
    serve({"forward": Forward, "text_to_probabilities": Server})
