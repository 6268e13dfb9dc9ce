"""The attribution methods by name, and two rows to compare them with: attention and random scores."""

from collections.abc import Callable

import numpy as np

from keras_bert.explain.attribution.context import Context
from keras_bert.explain.attribution.gradient_methods import gradient_norms, gradient_products
from keras_bert.explain.attribution.integrated_gradients import integrate
from keras_bert.explain.attribution.occlusion import leave_one_out
from keras_bert.explain.attribution.result import Attribution
from keras_bert.explain.self_attention.text_attention import maps_of

# Name to function of a context, the number of steps, and the mode of occlusion.
METHODS: dict[str, Callable[[Context, int, str], Attribution]] = {
    "integrated_gradients": lambda context, steps, mode: integrate(context, steps),
    "gradient_x_input": lambda context, steps, mode: gradient_products(context),
    "gradient": lambda context, steps, mode: gradient_norms(context),
    "occlusion": lambda context, steps, mode: leave_one_out(context, mode),
}
UNSIGNED = ("gradient", "attention")  # their scores are never negative


def attention_scores(context: Context) -> Attribution:
    """Return the attention of [CLS] to each token in the last block, the mean over the heads.

    It is no attribution to a target: it is the same for every class. It is a row to compare with.

    Source: Jain and Wallace 2019 (arXiv:1902.10186).
    """
    maps = maps_of(context.explained, context.text.inputs())
    value = context.values(context.text.ids[None])[0]
    return context.attribution(maps[-1][0, :, 0].mean(0), value, None, "attention")


def random_scores(context: Context, rng: np.random.Generator) -> Attribution:
    """Return a normally distributed random score for each token."""
    value = context.values(context.text.ids[None])[0]
    return context.attribution(rng.standard_normal(len(context.text.tokens)), value, None, "random")
