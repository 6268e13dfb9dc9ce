"""Integrated gradients, at the output of the embedding layer or of any block."""

import numpy as np

from keras_bert.explain.attribution.context import BASELINE, Context, check_steps
from keras_bert.explain.attribution.result import Attribution
from keras_bert.explain.texts.tokenized_text import Text


def integrated_gradients(pretrained, text: Text, target=None, steps: int = 50, vectorizer=None) -> Attribution:
    """Attribute a logit to the tokens of a text by integrated gradients.

    The gradients are integrated along the straight line from a baseline to the text, by Gauss-Legendre quadrature. The
    line is between outputs of the embedding layer after its LayerNorm, so the sum of word, position and segment
    embeddings is normalized at both ends and not in between. The baseline has [PAD] in place of each token; [CLS],
    [SEP], the positions, the segments and the attention mask are those of the text.

    Args:
        pretrained: what `kb.load_pretrained` returns for a classifier, span labeler, token classifier or pretrainer; a
            Keras model of this package with a vectorizer; or a pair of a model and a vectorizer.
        text: a string, or a tuple of two strings for a pair.
        target: the logit to explain; None for what the model predicts. Of a classifier, the name or the number of a
            class, of a regression model the number of an output; of a span labeler `"start"` or `"end"`, or a pair of
            this and the number of a token; of a pretrainer a token at the first [MASK], or a pair of a token and the
            number of the [MASK]'s token; of a token classifier a pair of a tag and the number of a token.
        steps: number of points on the line.
        vectorizer: the `BertTextVectorization` of a Keras model that has none.

    Returns:
        An `Attribution`. Its `completeness_error` is the error of the quadrature: more steps make it smaller.

    Raises:
        InputError: the model has no head; the text is empty or has more tokens than the model reads; there is no such
            target; or `steps` is below 1.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config), num_classes=2)
    >>> found = integrated_gradients((classifier, vectorizer), "fine film", target=1)
    >>> found.target.name, found.scores.shape, found.completeness_error < 0.01
    ('1', (4,), True)

    Source: Sundararajan et al. 2017 (arXiv:1703.01365), section 3. The values equal those of Captum's
    `LayerIntegratedGradients` on the embedding layer of a Hugging Face model.
    """
    context = Context.create(pretrained, text, target, vectorizer)
    return integrate(context, steps)


def layer_integrated_gradients(
    pretrained, text: Text, target=None, steps: int = 50, layer: int = 0, vectorizer=None
) -> Attribution:
    """Attribute a logit to the positions of a layer by integrated gradients.

    The line is between the outputs of the layer for the baseline and for the text. A score belongs to a position of
    this layer: above the embedding layer, its vector also contains information of other tokens.

    Args:
        pretrained, text, target, steps, vectorizer: see `integrated_gradients`.
        layer: 0 for the output of the embedding layer, i for that of block i.

    Returns:
        An `Attribution`.

    Raises:
        InputError: as `integrated_gradients`, or there is no such layer.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config))
    >>> layer_integrated_gradients((classifier, vectorizer), "fine film", layer=2).scores[1:].tolist()
    [0.0, 0.0, 0.0]

    Source: Sundararajan et al. 2017 (arXiv:1703.01365), section 3; `LayerIntegratedGradients` of Captum.
    """
    context = Context.create(pretrained, text, target, vectorizer)
    return integrate(context, steps, layer, "layer_integrated_gradients")


def integrate(context: Context, steps: int, layer: int = 0, method: str = "integrated_gradients") -> Attribution:
    """Compute integrated gradients for a context."""
    check_steps(steps)
    context.check_layer(layer)
    ends = context.state(np.stack([context.text.ids, context.baseline_ids]), layer)  # [2, T, H]
    end, start = ends
    points, weights = np.polynomial.legendre.leggauss(steps)  # on the interval from -1 to 1, of length 2
    points, weights = ((points + 1) / 2).astype("float32"), weights / 2
    line = start + points[:, None, None] * (end - start)  # [S, T, H]
    values, gradients = context.gradients(np.concatenate([ends, line]), layer)  # [2 + S], [2 + S, T, H]
    mean = np.tensordot(weights, gradients[2:].astype("float64"), axes=1)  # [T, H]
    value, baseline_value = values[:2]
    scores = ((end - start) * mean).sum(-1)  # [T]
    return context.attribution(scores, value, baseline_value, method, steps=steps, layer=layer, baseline=BASELINE)
