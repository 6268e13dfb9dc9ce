"""Opening of the models that `Predictor` accepts: trained, bundled and exported models.

Keras takes longer to import than a small exported model to answer, so what needs it is imported inside functions.
"""

import os
from pathlib import Path

from keras_bert.catalog.bundled import BUNDLED, find_bundled
from keras_bert.catalog.download import is_address, locate
from keras_bert.catalog.listing import resolve
from keras_bert.errors import InputError
from keras_bert.inference.litert_model import open_litert
from keras_bert.inference.onnx_model import open_onnx


def open_backend(source, vectorizer=None, labels=None, runtime=None, dtype=None):
    """Open a model for prediction.

    Args:
        source: a Keras model of this package; the name or the address of a model; or a folder: of
            `kb.save_pretrained`, of `kb.export_saved_model` with text as input, whose graph is run, of
            `kb.export_onnx`, of `kb.export_litert`, or another source of `kb.load_pretrained`.
        vectorizer: of a Keras model, the `BertTextVectorization`. None uses the model's own.
        labels: of a Keras model, the names of its classes. None uses the model's own.
        runtime, dtype: of an ONNX folder, see `open_onnx`.

    Returns:
        A `TaskBackend`, `PretrainerBackend` or `EmbeddingBackend`.

    Raises:
        InputError: the model does not exist or cannot be loaded, a Keras model has no vectorizer, or an argument is
            given for another kind of source.
    """
    if not isinstance(source, str | os.PathLike):
        import keras

        if isinstance(source, keras.Model):
            from keras_bert.inference.keras_backends import model_backend

            _check_only_for_onnx(type(source).__name__, runtime, dtype)
            return model_backend(source, vectorizer, labels)
    for argument, value in (("vectorizer", vectorizer), ("labels", labels)):
        if value is not None:
            raise InputError(f"`{argument}` must be None for a name or folder, which has its own. Received: {argument}")
    name = str(source)
    is_bundled = name in BUNDLED and not Path(name).exists()
    is_downloaded = not is_bundled and is_address(resolve(name))
    source = find_bundled(name) if is_bundled else locate(name)
    if is_address(source):  # a TF-Hub handle
        _check_only_for_onnx(name, runtime, dtype)
        return _open_with_keras(source)
    folder = Path(source)
    if (folder / "model.onnx").is_file():
        return open_onnx(folder, runtime, dtype)
    _check_only_for_onnx(name, runtime, dtype)
    if (folder / "model.tflite").is_file():
        return open_litert(folder)
    if (folder / "saved_model.pb").is_file():
        from keras_bert.inference.text_saved_model import open_text_saved_model, takes_text

        if is_downloaded and takes_text(folder):
            raise InputError(
                "`source` must be a folder of a SavedModel that takes text, not its address, because its graph is a "
                f"program that would be run. Received: source={name}. If you trust it, use {folder}"
            )
        backend = open_text_saved_model(folder)
        if backend is not None:
            return backend
    return _open_with_keras(source)


def _open_with_keras(source):
    """Return the backend of a source of `kb.load_pretrained`."""
    from keras_bert.inference.keras_backends import pretrained_backend
    from keras_bert.weights import load_pretrained

    return pretrained_backend(load_pretrained(source))


def _check_only_for_onnx(source: str, runtime, dtype) -> None:
    for argument, value in (("runtime", runtime), ("dtype", dtype)):
        if value is not None:
            raise InputError(
                f"`{argument}` must be None for a model that is not an ONNX folder. Received: {argument}={value!r}, "
                f"source={source}"
            )
