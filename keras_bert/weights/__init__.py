"""Weights in and out of every published format."""

from keras_bert.weights.formats.keras_folder import Pretrained, save_pretrained
from keras_bert.weights.formats.keras_hub import to_keras_hub
from keras_bert.weights.formats.tfhub import encoder_from_tfhub
from keras_bert.weights.load import list_pretrained, load_pretrained
from keras_bert.weights.report import LoadReport
from keras_bert.weights.source import load_weights

__all__ = [
    "LoadReport",
    "Pretrained",
    "encoder_from_tfhub",
    "list_pretrained",
    "load_pretrained",
    "load_weights",
    "save_pretrained",
    "to_keras_hub",
]
