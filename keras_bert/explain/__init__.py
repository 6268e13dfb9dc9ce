"""Explain a model: the attention of its heads, and figures of its training and outputs."""

from keras_bert.explain.maps import attention_maps
from keras_bert.explain.text_attention import Attention, attention

__all__ = ["Attention", "attention", "attention_maps"]
