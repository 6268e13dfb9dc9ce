"""Opening of models that `kb.export_litert` wrote. LiteRT's interpreter runs them on ids of `BertTextVectorization`."""

import warnings
from pathlib import Path

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.extras import require_tensorflow
from keras_bert.inference.id_folder import open_id_folder


def open_litert(folder: Path):
    """Open a LiteRT folder.

    Args:
        folder: folder with `model.tflite`, `vocab.txt` and `config.json`.

    Returns:
        A `TaskBackend`, `PretrainerBackend` or `EmbeddingBackend`.

    Raises:
        InputError: TensorFlow is not installed, a file is missing or damaged, or the model has no head.
    """
    tf = require_tensorflow(f"the LiteRT model {folder}")
    return open_id_folder(folder, "model.tflite", lambda path: _Session(tf, path))


class _Session:
    """An interpreter of LiteRT, see `open_id_folder`. It pads each batch to the length of the model."""

    def __init__(self, tf, path: Path):
        with warnings.catch_warnings():
            # It announces that TensorFlow 2.20 drops the interpreter, but 2.21 has it, and no other package is needed.
            warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated", category=UserWarning)
            interpreter = tf.lite.Interpreter(str(path))
        self.signature = interpreter.get_signature_runner("serving_default")
        self.length = int(self.signature.get_input_details()[INPUT_KEYS[0]]["shape_signature"][1])  # T
        details = self.signature.get_output_details()
        self.shapes = {name: tuple(map(int, details[name]["shape_signature"])) for name in details}

    def run(self, batch: dict, names: list[str]) -> dict[str, np.ndarray]:
        missing = self.length - batch[INPUT_KEYS[0]].shape[1]
        padded = {name: np.pad(batch[name], ((0, 0), (0, missing))) for name in INPUT_KEYS}
        outputs = self.signature(**{**batch, **padded})
        return {name: outputs[name] for name in names}
