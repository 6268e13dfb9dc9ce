"""Whole models: the encoder, and the encoder with heads; functional Keras models on every backend."""

from keras_bert.models.classifier import BertClassifier
from keras_bert.models.encoder import BertEncoder
from keras_bert.models.pretrainer import BertPretrainer

__all__ = ["BertClassifier", "BertEncoder", "BertPretrainer"]
