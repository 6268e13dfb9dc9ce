"""Predictions of trained models: logits, labels, vectors, masked tokens, and their evaluation."""

from keras_bert.inference.embed import embed
from keras_bert.inference.evaluate import evaluate, predict_logits
from keras_bert.inference.fill_mask import fill_mask

__all__ = ["embed", "evaluate", "fill_mask", "predict_logits"]
