"""Training from id arrays, on any Keras backend; nothing here imports TensorFlow."""

from keras_bert.training.batches import LengthGroupedBatches, MaskedBatches
from keras_bert.training.distill import distill, init_student
from keras_bert.training.features import fit_features
from keras_bert.training.finetune import finetune
from keras_bert.training.freeze import freeze
from keras_bert.training.optimizer import bert_adamw
from keras_bert.training.pretrain import evaluate_pretrainer, pretrain
from keras_bert.training.schedule import WarmupLinearDecay

__all__ = [
    "LengthGroupedBatches",
    "MaskedBatches",
    "WarmupLinearDecay",
    "bert_adamw",
    "distill",
    "evaluate_pretrainer",
    "finetune",
    "fit_features",
    "freeze",
    "pretrain",
    "init_student",
]
