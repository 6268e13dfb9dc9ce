"""Explain a model: the attention of its heads, the geometry of its layers, and figures of its training and outputs."""

from keras_bert.explain.ablation import head_ablation
from keras_bert.explain.attention import attention_maps
from keras_bert.explain.contextuality import (
    anisotropy,
    contextuality,
    intra_sentence_similarity,
    maximum_explainable_variance,
    self_similarity,
)
from keras_bert.explain.distances import layer_distances
from keras_bert.explain.embedding_sum import embeddings
from keras_bert.explain.kernel_alignment import cka, linear_cka
from keras_bert.explain.lens import logit_lens
from keras_bert.explain.sentences import similarity_map
from keras_bert.explain.word_context import word_in_context

__all__ = [
    "anisotropy",
    "attention_maps",
    "cka",
    "contextuality",
    "embeddings",
    "head_ablation",
    "intra_sentence_similarity",
    "layer_distances",
    "linear_cka",
    "logit_lens",
    "maximum_explainable_variance",
    "self_similarity",
    "similarity_map",
    "word_in_context",
]
