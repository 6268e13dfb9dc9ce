"""ONNX files in OpenVINO, which reads them without a conversion."""

import queue
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


def check_bfloat16(openvino) -> None:
    """Raise InputError if the processor has no instructions for bfloat16."""
    found = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in found:
        raise InputError(
            '`dtype` must be None or "float32" on this processor, which has no instructions for bfloat16. '
            "Received: dtype='bfloat16'"
        )


class OpenVinoSession:
    """A compiled model of OpenVINO, see `open_id_folder`. Several threads may call it.

    Args:
        openvino: the module.
        path: of the ONNX file.
        dtype: of the computation, `"float32"` or `"bfloat16"`. The outputs are float32.
    """

    def __init__(self, openvino, path: Path, dtype: str):
        # Without the first setting, OpenVINO computes in bfloat16 where the processor supports it.
        settings = {"INFERENCE_PRECISION_HINT": PRECISIONS[dtype], "PERFORMANCE_HINT": "LATENCY"}
        self.compiled = openvino.Core().compile_model(path, "CPU", settings)
        self.shapes = {output.get_any_name(): _shape(output.get_partial_shape()) for output in self.compiled.outputs}
        self.requests = queue.SimpleQueue()  # those that no thread uses; a request holds the tensors of one call

    def run(self, batch: dict, names: list[str]) -> dict[str, np.ndarray]:
        try:
            request = self.requests.get_nowait()
        except queue.Empty:
            request = self.compiled.create_infer_request()
        outputs = request.infer(batch, share_outputs=True)
        found = {name: np.array(outputs[name]) for name in names}  # copies: the next call overwrites the tensors
        self.requests.put(request)
        return found


def _shape(shape) -> tuple:
    """Return a shape with None for the axes of any size."""
    return tuple(size.get_length() if size.is_static else None for size in shape)
