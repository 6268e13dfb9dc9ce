"""Explain a model: attributions with their checks, attention, the geometry of its layers, its summary, and figures."""

from keras_bert.explain.attribution import Attribution, LayerAttributions
from keras_bert.explain.conductance import layer_conductance
from keras_bert.explain.faithfulness import Faithfulness, faithfulness
from keras_bert.explain.gradient_methods import gradient, gradient_x_input
from keras_bert.explain.integrated_gradients import integrated_gradients, layer_integrated_gradients
from keras_bert.explain.maps import attention_maps
from keras_bert.explain.model_summary import ModelSummary, summary
from keras_bert.explain.occlusion import occlusion
from keras_bert.explain.randomization import Randomization, randomization_test
from keras_bert.explain.run_page import run_page
from keras_bert.explain.text_attention import Attention, attention

__all__ = [
    "Attention",
    "Attribution",
    "Faithfulness",
    "LayerAttributions",
    "ModelSummary",
    "Randomization",
    "attention",
    "attention_maps",
    "faithfulness",
    "gradient",
    "gradient_x_input",
    "integrated_gradients",
    "layer_conductance",
    "layer_integrated_gradients",
    "occlusion",
    "randomization_test",
    "run_page",
    "summary",
]
