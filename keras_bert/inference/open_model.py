"""Opening of the models that `Predictor` accepts: trained and bundled models, SavedModels of text, ONNX folders."""

from pathlib import Path

from keras_bert.catalog.bundled import BUNDLED, find_bundled
from keras_bert.inference.backends import EncoderBackend, PretrainerBackend, TaskBackend
from keras_bert.inference.fill_mask import eager_outputs, mask_vectorizer
from keras_bert.inference.onnx_model import open_onnx
from keras_bert.inference.predict import predict_logits
from keras_bert.inference.text_saved_model import open_text_saved_model
from keras_bert.ops import predict_on_batch
from keras_bert.tasks import Preprocessor, TrainedModel, task_for
from keras_bert.weights import load_pretrained


def open_backend(source):
    """Open a model for prediction.

    Args:
        source: name of a bundled model, or a folder: of `kb.save_pretrained`, of `kb.export_saved_model` with text as
            input, of `kb.export_onnx`, or another source of `kb.load_pretrained`.

    Returns:
        A `TaskBackend`, `PretrainerBackend` or `EncoderBackend`.

    Raises:
        InputError: the model does not exist or cannot be loaded.
    """
    name = str(source)
    folder = find_bundled(name) if name in BUNDLED and not Path(name).exists() else Path(name)
    if (folder / "model.onnx").is_file():
        return open_onnx(folder)
    if (folder / "saved_model.pb").is_file():
        backend = open_text_saved_model(folder)
        if backend is not None:
            return backend
        source = folder
    return pretrained_backend(load_pretrained(source))


def pretrained_backend(pretrained):
    """Return the backend of a loaded model.

    Args:
        pretrained: what `kb.load_pretrained` returns.
    """
    model, preprocessor = pretrained.model, Preprocessor.from_pretrained(pretrained)
    if pretrained.kind == "encoder":
        return EncoderBackend(model, preprocessor)
    if pretrained.kind == "pretrainer":
        return PretrainerBackend(
            predict_on_batch(model),
            preprocessor,
            mask_vectorizer(pretrained),
            model.sentence_task,
            model,
            predict_masked=eager_outputs(model),
        )
    task = task_for(model)
    labels = pretrained.labels
    if labels is None and hasattr(model, "num_classes"):
        labels = [str(i) for i in range(model.num_classes)]

    def outputs(ids: dict, batch_size: int):
        return predict_logits(model, ids, batch_size)

    settings = {name: getattr(pretrained, name, None) for name in task.setting_names}
    return TaskBackend(task, TrainedModel(outputs, preprocessor, labels, settings), model)
