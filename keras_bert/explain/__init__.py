"""Explain a model: attributions with their checks, attention, the geometry of its layers, its summary, and figures."""

from keras_bert.explain.ablation import head_ablation
from keras_bert.explain.attribution import Attribution, LayerAttributions
from keras_bert.explain.charts import bar_chart, line_chart, matrix_chart
from keras_bert.explain.conductance import layer_conductance
from keras_bert.explain.connectivity import connectivity
from keras_bert.explain.contextuality import (
    anisotropy,
    contextuality,
    intra_sentence_similarity,
    maximum_explainable_variance,
    self_similarity,
)
from keras_bert.explain.correlations import AttentionCorrelations, attention_correlations
from keras_bert.explain.distances import layer_distances
from keras_bert.explain.embedding_sum import embeddings
from keras_bert.explain.faithfulness import Faithfulness, faithfulness
from keras_bert.explain.gradient_methods import gradient, gradient_x_input
from keras_bert.explain.head_statistics import AttentionStatistics, attention_statistics
from keras_bert.explain.integrated_gradients import integrated_gradients, layer_integrated_gradients
from keras_bert.explain.kernel_alignment import cka, linear_cka
from keras_bert.explain.lens import logit_lens
from keras_bert.explain.maps import attention_maps
from keras_bert.explain.model_summary import ModelSummary, summary
from keras_bert.explain.occlusion import occlusion
from keras_bert.explain.randomization import Randomization, randomization_test
from keras_bert.explain.rollout import attention_flow, attention_rollout
from keras_bert.explain.run_page import run_page
from keras_bert.explain.scatter import scatter_chart
from keras_bert.explain.sentences import similarity_map
from keras_bert.explain.text_attention import Attention, attention
from keras_bert.explain.word_context import word_in_context

__all__ = [
    "Attention",
    "AttentionCorrelations",
    "AttentionStatistics",
    "Attribution",
    "Faithfulness",
    "LayerAttributions",
    "ModelSummary",
    "Randomization",
    "anisotropy",
    "attention",
    "attention_correlations",
    "attention_flow",
    "attention_maps",
    "attention_rollout",
    "attention_statistics",
    "bar_chart",
    "cka",
    "connectivity",
    "contextuality",
    "embeddings",
    "faithfulness",
    "gradient",
    "gradient_x_input",
    "head_ablation",
    "integrated_gradients",
    "intra_sentence_similarity",
    "layer_conductance",
    "layer_distances",
    "layer_integrated_gradients",
    "line_chart",
    "linear_cka",
    "logit_lens",
    "matrix_chart",
    "maximum_explainable_variance",
    "occlusion",
    "randomization_test",
    "run_page",
    "scatter_chart",
    "self_similarity",
    "similarity_map",
    "summary",
    "word_in_context",
]
