"""Explain a model: attributions with their checks, attention, the geometry of its layers, its summary, and figures."""

from keras_bert.explain.attribution.attention_correlations import AttentionCorrelations, attention_correlations
from keras_bert.explain.attribution.conductance import layer_conductance
from keras_bert.explain.attribution.faithfulness import Faithfulness, faithfulness
from keras_bert.explain.attribution.gradient_methods import gradient, gradient_x_input
from keras_bert.explain.attribution.integrated_gradients import integrated_gradients, layer_integrated_gradients
from keras_bert.explain.attribution.occlusion import occlusion
from keras_bert.explain.attribution.randomization import Randomization, randomization_test
from keras_bert.explain.attribution.result import Attribution, LayerAttributions
from keras_bert.explain.figures.charts import bar_chart, line_chart, matrix_chart
from keras_bert.explain.figures.diagrams import cell_chart, flow_chart
from keras_bert.explain.figures.scatter import scatter_chart
from keras_bert.explain.geometry.contextuality import (
    anisotropy,
    contextuality,
    intra_sentence_similarity,
    maximum_explainable_variance,
    self_similarity,
)
from keras_bert.explain.geometry.distances import layer_distances
from keras_bert.explain.geometry.embedding_sum import embeddings
from keras_bert.explain.geometry.kernel_alignment import cka, linear_cka
from keras_bert.explain.geometry.logit_lens import logit_lens
from keras_bert.explain.geometry.sentences import similarity_map
from keras_bert.explain.geometry.word_context import word_in_context
from keras_bert.explain.model.summary import ModelSummary, summary
from keras_bert.explain.pages.run_page import run_page
from keras_bert.explain.self_attention.connectivity import connectivity
from keras_bert.explain.self_attention.head_ablation import head_ablation
from keras_bert.explain.self_attention.head_statistics import AttentionStatistics, attention_statistics
from keras_bert.explain.self_attention.maps import attention_maps
from keras_bert.explain.self_attention.rollout import attention_flow, attention_rollout
from keras_bert.explain.self_attention.text_attention import Attention, attention

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
    "cell_chart",
    "cka",
    "connectivity",
    "contextuality",
    "embeddings",
    "faithfulness",
    "flow_chart",
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
