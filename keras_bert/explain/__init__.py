"""Explain a model: the attention of its heads, and figures of its training and outputs."""

from keras_bert.explain.attention import attention_maps

__all__ = ["attention_maps"]
