"""Explain a model: the attention of its heads, and figures of its training and outputs."""

from keras_bert.explain.connectivity import connectivity
from keras_bert.explain.correlations import AttentionCorrelations, attention_correlations
from keras_bert.explain.head_statistics import AttentionStatistics, attention_statistics
from keras_bert.explain.maps import attention_maps
from keras_bert.explain.rollout import attention_flow, attention_rollout
from keras_bert.explain.text_attention import Attention, attention

__all__ = [
    "Attention",
    "AttentionCorrelations",
    "AttentionStatistics",
    "attention",
    "attention_correlations",
    "attention_flow",
    "attention_maps",
    "attention_rollout",
    "attention_statistics",
    "connectivity",
]
