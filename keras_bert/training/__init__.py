"""Training on token-id arrays, on any Keras backend.

The names below are imported at their first use, so that the command line can read the defaults of `TrainingConfig`
without loading Keras. No submodule has the name of a function here: an imported submodule would hide the function.
"""

import importlib

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

__all__ = sorted(_MODULES)


def __getattr__(name: str):
    """Import a public name of this package at its first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
