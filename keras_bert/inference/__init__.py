"""Inference with trained models: logits, metrics, embeddings, masked tokens, and `Predictor` from texts to dicts."""

from keras_bert.inference.embed import embed
from keras_bert.inference.evaluate import evaluate
from keras_bert.inference.fill_mask import fill_mask
from keras_bert.inference.predict import predict_logits
from keras_bert.inference.predictor import Predictor

__all__ = ["Predictor", "embed", "evaluate", "fill_mask", "predict_logits"]
