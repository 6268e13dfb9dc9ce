"""Weights in and out: TF-Hub's BERT, KerasHub's, a folder of our own, and the report of how alike two models are."""

from keras_bert.weights.by_name import list_pretrained, load_pretrained
from keras_bert.weights.check import CheckReport, check
from keras_bert.weights.folder import Pretrained, save_pretrained
from keras_bert.weights.kerashub import to_keras_hub
from keras_bert.weights.parity import Parity, compare, parity_inputs
from keras_bert.weights.published_models import Identity, PublishedModel, identify, list_published
from keras_bert.weights.report import LoadReport
from keras_bert.weights.source import load_weights
from keras_bert.weights.tfhub import encoder_from_tfhub

__all__ = [
    "CheckReport",
    "Identity",
    "LoadReport",
    "Parity",
    "Pretrained",
    "PublishedModel",
    "check",
    "compare",
    "encoder_from_tfhub",
    "identify",
    "list_pretrained",
    "list_published",
    "load_pretrained",
    "load_weights",
    "parity_inputs",
    "save_pretrained",
    "to_keras_hub",
]
