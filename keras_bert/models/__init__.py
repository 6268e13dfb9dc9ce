"""Whole models: the encoder, and the encoder with heads; functional Keras models on every backend."""

from keras_bert.models.classifier import BertClassifier
from keras_bert.models.encoder import BertEncoder
from keras_bert.models.feature_classifier import BertFeatureClassifier
from keras_bert.models.pretrainer import BertPretrainer
from keras_bert.models.span_labeler import BertSpanLabeler
from keras_bert.models.token_classifier import BertTokenClassifier

__all__ = [
    "BertClassifier",
    "BertEncoder",
    "BertFeatureClassifier",
    "BertPretrainer",
    "BertSpanLabeler",
    "BertTokenClassifier",
]
