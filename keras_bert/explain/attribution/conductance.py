"""Layer conductance: the part of integrated gradients that flows through each position of each layer."""

import numpy as np
from keras import ops

from keras_bert.explain.attribution.context import BASELINE, Context, check_steps
from keras_bert.explain.attribution.explained_model import batches
from keras_bert.explain.attribution.gradients import value_and_gradients
from keras_bert.explain.attribution.result import LayerAttributions
from keras_bert.explain.texts.tokenized_text import Text


def layer_conductance(pretrained, text: Text, target=None, steps: int = 50, vectorizer=None) -> LayerAttributions:
    """Attribute a logit to the positions of every layer by conductance.

    The line is that of `integrated_gradients`, at the output of the embedding layer. Along it, the hidden states of all
    layers change. The conductance of a position is the integral of the gradient of the logit with respect to the hidden
    state, multiplied with the change of this state. At each layer it adds up to the change of the logit. The integral
    is computed by the trapezoidal rule.

    Args:
        pretrained, text, target, vectorizer: see `integrated_gradients`.
        steps: number of steps on the line.

    Returns:
        `LayerAttributions` of L + 1 layers, with the completeness error of each one.

    Raises:
        InputError: as `integrated_gradients`; or a feature classifier pools several layers.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> found = layer_conductance((kb.BertClassifier(kb.BertEncoder(config)), vectorizer), "fine film")
    >>> found.scores.shape, bool((found.completeness_errors < 0.01).all())
    ((3, 4), True)

    Source: Dhamdhere et al. 2018 (arXiv:1805.12233); `LayerConductance` of Captum, which uses a left Riemann sum.
    """
    check_steps(steps)
    context = Context.create(pretrained, text, target, vectorizer)
    context.check_layer(context.explained.num_layers)
    end, start = context.state(np.stack([context.text.ids, context.baseline_ids]))  # [T, H] each
    layers = context.explained.num_layers + 1
    scores, ends, last = np.zeros((layers, len(end))), [], None
    points = np.linspace(0, 1, steps + 1, dtype="float32")
    for rows in batches(steps + 1, layers * len(end)):
        x = start + points[rows, None, None] * (end - start)  # [S, T, H]
        values, gradients, states = value_and_gradients(_with_offsets(context, x), [np.zeros_like(x)] * layers)
        found = np.stack([gradients, states]).astype("float64")  # [2, L + 1, S, T, H]
        if last is not None:  # the last point of the batch before
            found = np.concatenate([last, found], axis=2)
        last, (gradient, state) = found[:, :, -1:], found
        mean = (gradient[:, 1:] + gradient[:, :-1]) / 2
        scores += (mean * np.diff(state, axis=1)).sum((1, 3))
        ends += [values[0], values[-1]]
    settings = {"steps": steps, "baseline": BASELINE}
    return LayerAttributions(
        [
            context.attribution(row, ends[-1], ends[0], "layer_conductance", layer=layer, **settings)
            for layer, row in enumerate(scores)
        ]
    )


def _with_offsets(context: Context, x):
    """Return the function of offsets of the hidden states of all layers: its gradients are those of the states."""

    def function(*offsets):
        return context.value_of(ops.convert_to_tensor(x), offsets=offsets)

    return function
