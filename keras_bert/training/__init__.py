"""Training on token-id arrays, on any Keras backend.

The names below are imported at their first use, so that the command line can read the defaults of `TrainingConfig`
without loading Keras. No submodule may have the name of a function here, because it would replace the function.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers and editors do not run `__getattr__`
    from keras_bert.training.aligned_rows import align_documents
    from keras_bert.training.batches import LengthGroupedBatches, MaskedBatches
    from keras_bert.training.config import TrainingConfig
    from keras_bert.training.distillation import distill
    from keras_bert.training.encoder_distillation import distill_encoder
    from keras_bert.training.features import fit_features
    from keras_bert.training.fill_mask_log import FillMaskLog
    from keras_bert.training.finetuning import finetune
    from keras_bert.training.freezing import freeze
    from keras_bert.training.optimizer import bert_adamw
    from keras_bert.training.prediction_log import PredictionLog, log_predictions
    from keras_bert.training.pretraining import pretrain
    from keras_bert.training.pretraining_metrics import evaluate_pretrainer
    from keras_bert.training.schedule import WarmupLinearDecay
    from keras_bert.training.student import init_student
    from keras_bert.training.temperature_scaling import calibrate
    from keras_bert.training.vocabulary_trimming import (
        count_pieces,
        keep_lowest_layers,
        most_frequent_pieces,
        trim_vocabulary,
    )

_MODULES = {
    "FillMaskLog": "fill_mask_log",
    "LengthGroupedBatches": "batches",
    "MaskedBatches": "batches",
    "PredictionLog": "prediction_log",
    "TrainingConfig": "config",
    "WarmupLinearDecay": "schedule",
    "align_documents": "aligned_rows",
    "bert_adamw": "optimizer",
    "calibrate": "temperature_scaling",
    "count_pieces": "vocabulary_trimming",
    "distill": "distillation",
    "distill_encoder": "encoder_distillation",
    "evaluate_pretrainer": "pretraining_metrics",
    "finetune": "finetuning",
    "fit_features": "features",
    "freeze": "freezing",
    "init_student": "student",
    "keep_lowest_layers": "vocabulary_trimming",
    "log_predictions": "prediction_log",
    "most_frequent_pieces": "vocabulary_trimming",
    "pretrain": "pretraining",
    "trim_vocabulary": "vocabulary_trimming",
}

__all__ = [
    "FillMaskLog",
    "LengthGroupedBatches",
    "MaskedBatches",
    "PredictionLog",
    "TrainingConfig",
    "WarmupLinearDecay",
    "align_documents",
    "bert_adamw",
    "calibrate",
    "count_pieces",
    "distill",
    "distill_encoder",
    "evaluate_pretrainer",
    "finetune",
    "fit_features",
    "freeze",
    "init_student",
    "keep_lowest_layers",
    "log_predictions",
    "most_frequent_pieces",
    "pretrain",
    "trim_vocabulary",
]


def __getattr__(name: str):
    """Import a public name of this package at its first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
