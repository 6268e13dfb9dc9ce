"""Opening of models that `kb.export_onnx` wrote. ONNX Runtime or OpenVINO runs them on token ids."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require
from keras_bert.inference.id_folder import open_id_folder
from keras_bert.inference.openvino_session import OpenVinoSession, check_bfloat16

RUNTIMES = ("onnxruntime", "openvino")
DTYPES = ("float32", "bfloat16")


def open_onnx(folder: Path, runtime: str | None = None, dtype: str | None = None):
    """Open an ONNX folder.

    Args:
        folder: folder with `model.onnx`, `vocab.txt` and `config.json`.
        runtime: `"onnxruntime"` or `"openvino"`. Default: OpenVINO if `dtype` is `"bfloat16"` or only OpenVINO is
            installed, otherwise ONNX Runtime. An int8 file always runs in ONNX Runtime.
        dtype: of the computation, `"float32"` or, with OpenVINO, `"bfloat16"`. Default: float32, and for an int8 file
            what the file says.

    Returns:
        A `TaskBackend`, `PretrainerBackend` or `EmbeddingBackend`.

    Raises:
        InputError: the runtime is not installed, an argument does not fit the file or the processor, a file is missing
            or damaged, or the model has no head.
    """
    runtime = choose_runtime(folder, runtime, dtype)
    module = require(runtime, f"the ONNX model {folder}")
    if runtime == "onnxruntime":
        return open_id_folder(folder, "model.onnx", lambda path: OnnxRuntimeSession(module, path))
    if dtype == "bfloat16":
        check_bfloat16(module)
    return open_id_folder(folder, "model.onnx", lambda path: OpenVinoSession(module, path, dtype or "float32"))


def choose_runtime(folder: Path, runtime: str | None = None, dtype: str | None = None) -> str:
    """Return the name of the runtime for an ONNX folder, see `open_onnx`. The runtime need not be installed.

    An int8 file has the operations of ONNX Runtime's dynamic quantization; OpenVINO replaces each by several others and
    rounds differently.
    """
    for name, value, choices in (("runtime", runtime, RUNTIMES), ("dtype", dtype, DTYPES)):
        if value is not None and value not in choices:
            raise InputError(f'`{name}` must be None, "{choices[0]}" or "{choices[1]}". Received: {name}={value!r}')
    if dtype == "bfloat16" and runtime == "onnxruntime":
        raise InputError("`dtype` must be None or \"float32\" for ONNX Runtime. Received: dtype='bfloat16'")
    if _is_int8(folder):
        for name, value in (("dtype", dtype), ("runtime", None if runtime == "onnxruntime" else runtime)):
            if value is not None:
                raise InputError(
                    f"`{name}` must be None for an int8 file, which ONNX Runtime runs. Received: {name}={value!r}"
                )
        return "onnxruntime"
    if runtime is None and dtype != "bfloat16":
        return "openvino" if find_spec("openvino") and not find_spec("onnxruntime") else "onnxruntime"
    return runtime or "openvino"


def _is_int8(folder: Path) -> bool:
    """Return whether `export_onnx` wrote int8 weights. `open_id_folder` rejects a damaged `config.json`."""
    try:
        return json.loads((folder / "config.json").read_text(encoding="utf-8")).get("dtype") == "int8"
    except (OSError, ValueError, AttributeError):
        return False


class OnnxRuntimeSession:
    """A session of ONNX Runtime, see `open_id_folder`."""

    def __init__(self, onnxruntime, path: Path):
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.shapes = {output.name: tuple(output.shape) for output in self.session.get_outputs()}

    def run(self, batch: dict, names: list[str]) -> dict[str, np.ndarray]:
        return dict(zip(names, self.session.run(names, batch), strict=True))
