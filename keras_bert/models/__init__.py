"""The encoder and the task models: functional Keras models that run on every Keras backend."""

from keras_bert.models.classifier import BertClassifier
from keras_bert.models.encoder import BertEncoder
from keras_bert.models.feature_classifier import BertFeatureClassifier
from keras_bert.models.pretrained_model import MODEL_CLASSES, PretrainedModel, kind_of
from keras_bert.models.pretrainer import BertPretrainer
from keras_bert.models.resize import check_vocabulary_size
from keras_bert.models.span_labeler import BertSpanLabeler
from keras_bert.models.task_model import TaskModel
from keras_bert.models.token_classifier import BertTokenClassifier

__all__ = [
    "MODEL_CLASSES",
    "BertClassifier",
    "BertEncoder",
    "BertFeatureClassifier",
    "BertPretrainer",
    "BertSpanLabeler",
    "BertTokenClassifier",
    "PretrainedModel",
    "TaskModel",
    "check_vocabulary_size",
    "kind_of",
]
