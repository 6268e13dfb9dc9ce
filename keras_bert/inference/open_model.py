"""Opening of the models that `Predictor` accepts: trained, bundled and exported models."""

from pathlib import Path

import keras

from keras_bert.catalog.bundled import BUNDLED, find_bundled
from keras_bert.catalog.download import is_address, locate
from keras_bert.catalog.listing import resolve
from keras_bert.errors import InputError
from keras_bert.inference.backends import EmbeddingBackend, PretrainerBackend, TaskBackend
from keras_bert.inference.fill_mask import eager_outputs, mask_vectorizer
from keras_bert.inference.litert_model import open_litert
from keras_bert.inference.onnx_model import open_onnx
from keras_bert.inference.predict import predict_logits
from keras_bert.inference.rows import preprocessor_of
from keras_bert.inference.text_saved_model import open_text_saved_model, takes_text
from keras_bert.models import kind_of
from keras_bert.models.task_model import class_count
from keras_bert.models.text_attributes import HEAD_ATTRIBUTES
from keras_bert.ops import predict_on_batch
from keras_bert.tasks import Preprocessor, TrainedModel, task_for
from keras_bert.weights import load_pretrained
from keras_bert.weights.formats.keras_folder import check_labels


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
    if isinstance(source, keras.Model):
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
        return pretrained_backend(load_pretrained(source))
    folder = Path(source)
    if (folder / "model.onnx").is_file():
        return open_onnx(folder, runtime, dtype)
    _check_only_for_onnx(name, runtime, dtype)
    if (folder / "model.tflite").is_file():
        return open_litert(folder)
    if (folder / "saved_model.pb").is_file():
        if is_downloaded and takes_text(folder):
            raise InputError(
                "`source` must be a folder of a SavedModel that takes text, not its address, because its graph is a "
                f"program that would be run. Received: source={name}. If you trust it, use {folder}"
            )
        backend = open_text_saved_model(folder)
        if backend is not None:
            return backend
    return pretrained_backend(load_pretrained(source))


def _check_only_for_onnx(source: str, runtime, dtype) -> None:
    for argument, value in (("runtime", runtime), ("dtype", dtype)):
        if value is not None:
            raise InputError(
                f"`{argument}` must be None for a model that is not an ONNX folder. Received: {argument}={value!r}, "
                f"source={source}"
            )


def pretrained_backend(pretrained):
    """Return the backend of a loaded model.

    Args:
        pretrained: what `kb.load_pretrained` returns.
    """
    settings = {name: getattr(pretrained, name) for name in HEAD_ATTRIBUTES}
    return _backend(pretrained.model, pretrained.kind, Preprocessor.from_pretrained(pretrained), settings)


def model_backend(model: keras.Model, vectorizer=None, labels=None):
    """Return the backend of a Keras model of this package.

    Args:
        model: an encoder, or a model with a head.
        vectorizer, labels: see `open_backend`.
    """
    kind = kind_of(model)
    settings = {name: getattr(model, name) for name in HEAD_ATTRIBUTES}
    if labels is not None:
        settings["labels"] = check_labels(model, labels)
    return _backend(model, kind, preprocessor_of(model, vectorizer, "texts"), settings)


def _backend(model, kind: str, preprocessor: Preprocessor, attributes: dict):
    if kind == "encoder":
        return EmbeddingBackend.of_encoder(model, preprocessor)
    if kind == "pretrainer":
        return PretrainerBackend(
            predict_on_batch(model),
            preprocessor,
            mask_vectorizer(preprocessor),
            model.sentence_task,
            model,
            predict_masked=eager_outputs(model),
        )
    task, labels = task_for(model), attributes["labels"]
    if labels is None and hasattr(model, "num_classes"):
        labels = [str(i) for i in range(class_count(model) or model.num_classes)]

    def outputs(ids: dict, batch_size: int):
        return predict_logits(model, ids, batch_size)

    settings = {name: attributes.get(name) for name in task.setting_names}
    return TaskBackend(task, TrainedModel(outputs, preprocessor, labels, settings), model)
