"""The backends of Keras models: of those that the user has, and of those that `kb.load_pretrained` loads."""

import keras

from keras_bert.inference.backends import EmbeddingBackend, PretrainerBackend, TaskBackend
from keras_bert.inference.embed import embed
from keras_bert.inference.fill_mask import eager_outputs, mask_vectorizer
from keras_bert.inference.predict import predict_logits
from keras_bert.inference.rows import preprocessor_of
from keras_bert.models import kind_of
from keras_bert.models.task_model import class_count
from keras_bert.models.text_attributes import HEAD_ATTRIBUTES
from keras_bert.ops import WIDTH_STEP, predict_on_batch
from keras_bert.tasks import Preprocessor, TrainedModel, task_for
from keras_bert.weights.formats.keras_folder import check_labels


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
        vectorizer, labels: see `Predictor`.
    """
    kind = kind_of(model)
    settings = {name: getattr(model, name) for name in HEAD_ATTRIBUTES}
    if labels is not None:
        settings["labels"] = check_labels(model, labels)
    return _backend(model, kind, preprocessor_of(model, vectorizer, "texts"), settings)


def _backend(model, kind: str, preprocessor: Preprocessor, attributes: dict):
    if kind == "encoder":

        def embed_texts(texts, batch_size: int):
            return embed(model, preprocessor(texts), batch_size=batch_size)

        return EmbeddingBackend(embed_texts, model, preprocessor)
    if kind == "pretrainer":
        return PretrainerBackend(
            predict_on_batch(model),
            preprocessor,
            mask_vectorizer(preprocessor),
            model.sentence_task,
            model,
            predict_masked=eager_outputs(model),
            step=WIDTH_STEP,
        )
    task, labels = task_for(model), attributes["labels"]
    if labels is None and hasattr(model, "num_classes"):
        labels = [str(i) for i in range(class_count(model) or model.num_classes)]

    def outputs(ids: dict, batch_size: int):
        return predict_logits(model, ids, batch_size)

    settings = {name: attributes.get(name) for name in task.setting_names}
    return TaskBackend(task, TrainedModel(outputs, preprocessor, labels, settings), model)
