"""Opening of models that `kb.export_onnx` wrote. ONNX Runtime runs them on the ids of `BertTextVectorization`."""

from pathlib import Path

import numpy as np

from keras_bert.extras import require
from keras_bert.inference.id_folder import open_id_folder


def open_onnx(folder: Path):
    """Open an ONNX folder.

    Args:
        folder: folder with `model.onnx`, `vocab.txt` and `config.json`.

    Returns:
        A `TaskBackend`, `PretrainerBackend` or `EmbeddingBackend`.

    Raises:
        InputError: ONNX Runtime is not installed, a file is missing or damaged, or the model has no head.
    """
    onnxruntime = require("onnxruntime", f"the ONNX model {folder}")
    return open_id_folder(folder, "model.onnx", lambda path: _Session(onnxruntime, path))


class _Session:
    """A session of ONNX Runtime, see `open_id_folder`."""

    def __init__(self, onnxruntime, path: Path):
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.shapes = {output.name: tuple(output.shape) for output in self.session.get_outputs()}

    def run(self, batch: dict, names: list[str]) -> dict[str, np.ndarray]:
        return dict(zip(names, self.session.run(names, batch), strict=True))
