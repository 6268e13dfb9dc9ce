"""Inference with trained models: logits, metrics, embeddings, masked tokens, and `Predictor` from texts to dicts.

The names below are imported at their first use, so that `Predictor` opens exported models without loading Keras. The
functions `embed`, `evaluate` and `fill_mask` have the names of their modules.
"""

from typing import TYPE_CHECKING

from keras_bert import _lazy

if TYPE_CHECKING:  # type checkers and editors do not run `__getattr__`
    from keras_bert.inference.predict import predict_logits
    from keras_bert.inference.predictor import Predictor

__all__ = ["Predictor", "predict_logits"]

__getattr__ = _lazy.attributes(__name__, {"Predictor": "predictor", "predict_logits": "predict"})
