"""Training on token-id arrays, on any Keras backend.

The names below are imported at their first use, so that the command line can read the defaults of `TrainingConfig`
without loading Keras. No submodule may have the name of a function here, because it would replace the function.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers and editors do not run `__getattr__`
    from keras_bert.training.batches import LengthGroupedBatches, MaskedBatches
    from keras_bert.training.config import TrainingConfig
    from keras_bert.training.distillation import distill
    from keras_bert.training.features import fit_features
    from keras_bert.training.finetuning import finetune
    from keras_bert.training.freezing import freeze
    from keras_bert.training.optimizer import bert_adamw
    from keras_bert.training.pretraining import pretrain
    from keras_bert.training.pretraining_metrics import evaluate_pretrainer
    from keras_bert.training.schedule import WarmupLinearDecay
    from keras_bert.training.student import init_student

_MODULES = {
    "LengthGroupedBatches": "batches",
    "MaskedBatches": "batches",
    "TrainingConfig": "config",
    "WarmupLinearDecay": "schedule",
    "bert_adamw": "optimizer",
    "distill": "distillation",
    "evaluate_pretrainer": "pretraining_metrics",
    "finetune": "finetuning",
    "fit_features": "features",
    "freeze": "freezing",
    "init_student": "student",
    "pretrain": "pretraining",
}

__all__ = [
    "LengthGroupedBatches",
    "MaskedBatches",
    "TrainingConfig",
    "WarmupLinearDecay",
    "bert_adamw",
    "distill",
    "evaluate_pretrainer",
    "finetune",
    "fit_features",
    "freeze",
    "init_student",
    "pretrain",
]


def __getattr__(name: str):
    """Import a public name of this package at its first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
