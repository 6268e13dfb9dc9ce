"""Weights: loading, saving and conversion in every published format."""

from keras_bert.catalog.listing import list_pretrained
from keras_bert.weights.convert import convert
from keras_bert.weights.formats.keras_folder import save_pretrained
from keras_bert.weights.formats.keras_hub import to_keras_hub
from keras_bert.weights.formats.tfhub import encoder_from_tfhub
from keras_bert.weights.load import load_pretrained, load_weights
from keras_bert.weights.pretrained import Pretrained
from keras_bert.weights.report import LoadReport

__all__ = [
    "LoadReport",
    "Pretrained",
    "convert",
    "encoder_from_tfhub",
    "list_pretrained",
    "load_pretrained",
    "load_weights",
    "save_pretrained",
    "to_keras_hub",
]
