"""ONNX Runtime on what PyTorch exports, all graph optimizations on; int8 is its dynamic quantization.

Text goes through the `tokenizers` library, padded to the batch's longest.
"""

import numpy as np
import onnxruntime

from benchmarks.workers.fast_tokens import NAMES, FastTokens
from benchmarks.workers.protocol import serve
from benchmarks.workers.serving import TextServer, softmax

FILES = {"float32": "model.onnx", "int8": "int8.onnx"}


def session_of(path: str):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Served(TextServer):
    def __init__(self, task: dict):
        super().__init__(task)
        self.tokens = FastTokens(task["vocabulary"], self.length)
        self.session = session_of(f"{task['files']['exchange']}/{FILES[task['precision']]}")

    def probabilities(self, texts: list[str]) -> np.ndarray:
        feed = dict(zip(NAMES, self.tokens(texts), strict=True))
        return softmax(self.session.run(None, feed)[0])


if __name__ == "__main__":
    serve({"text_to_probabilities": Served})
