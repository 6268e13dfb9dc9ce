"""OpenVINO on what it converts from PyTorch, in float32 or bfloat16.

Text goes through the `tokenizers` library, padded to the batch's longest.
"""

import numpy as np
import openvino

from benchmarks.workers.fast_tokens import NAMES, FastTokens
from benchmarks.workers.protocol import serve
from benchmarks.workers.serving import TextServer, softmax

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


def compiled(path: str, precision: str):
    settings = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision], "PERFORMANCE_HINT": "LATENCY"}
    return openvino.Core().compile_model(path, "CPU", settings)


class Served(TextServer):
    def __init__(self, task: dict):
        super().__init__(task)
        self.tokens = FastTokens(task["vocabulary"], self.length)
        self.model = compiled(f"{task['files']['exchange']}/model.xml", task["precision"])

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return softmax(self.model(dict(zip(NAMES, self.tokens(texts), strict=True)))[0])


if __name__ == "__main__":
    serve({"text_to_probabilities": Served})
