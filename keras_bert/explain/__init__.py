"""Explain a model: the attention of its heads, and figures of its training and outputs."""

from keras_bert.explain.attention import attention_maps
from keras_bert.explain.model_summary import ModelSummary, summary
from keras_bert.explain.run_page import run_page

__all__ = ["ModelSummary", "attention_maps", "run_page", "summary"]
