"""The gradient of a logit at each token, alone and multiplied with the input."""

import numpy as np

from keras_bert.explain.attribution.context import Context
from keras_bert.explain.attribution.result import Attribution
from keras_bert.explain.texts.tokenized_text import Text


def gradient(pretrained, text: Text, target=None, vectorizer=None) -> Attribution:
    """Measure how strongly a logit reacts to each token: the length of its gradient.

    The scores are the Euclidean norms of the gradient with respect to the output of the embedding layer. They have no
    sign and no baseline, so they do not add up to the logit.

    Args:
        pretrained, text, target, vectorizer: see `integrated_gradients`.

    Returns:
        An `Attribution`.

    Raises:
        InputError: as `integrated_gradients`.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> found = gradient((kb.BertClassifier(kb.BertEncoder(config)), vectorizer), "fine film")
    >>> bool((found.scores >= 0).all()), found.completeness_error
    (True, None)

    Source: Simonyan et al. 2013 (arXiv:1312.6034), section 3; the norm over the embedding axis as in Li et al. 2016
    (arXiv:1506.01066).
    """
    return gradient_norms(Context.create(pretrained, text, target, vectorizer))


def gradient_x_input(pretrained, text: Text, target=None, vectorizer=None) -> Attribution:
    """Attribute a logit to the tokens of a text by the product of gradient and input.

    The scores are dot products of the gradient with respect to the output of the embedding layer and of this output.
    The baseline is an output of zeros. The scores of a linear model add up to the change of its logit; those of a BERT
    usually do not, see `completeness_error`.

    Args:
        pretrained, text, target, vectorizer: see `integrated_gradients`.

    Returns:
        An `Attribution`.

    Raises:
        InputError: as `integrated_gradients`.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> gradient_x_input((kb.BertClassifier(kb.BertEncoder(config)), vectorizer), "fine film").scores.shape
    (4,)

    Source: Shrikumar et al. 2016 (arXiv:1605.01713); `LayerGradientXActivation` of Captum.
    """
    return gradient_products(Context.create(pretrained, text, target, vectorizer))


def gradient_norms(context: Context) -> Attribution:
    """Compute `gradient` for a context."""
    _, values, gradients = _gradients(context)
    return context.attribution(np.linalg.norm(gradients, axis=-1), values[0], None, "gradient")


def gradient_products(context: Context) -> Attribution:
    """Compute `gradient_x_input` for a context."""
    state, values, gradients = _gradients(context)
    scores = (state.astype("float64") * gradients).sum(-1)  # [T]
    return context.attribution(scores, *values, "gradient_x_input", baseline="zeros in place of the embeddings")


def _gradients(context: Context) -> tuple:
    """Return the output of the embedding layer `[T, H]`; the values of it and of zeros `[2]`; the gradient `[T, H]`."""
    state = context.state(context.text.ids[None])[0]
    values, gradients = context.gradients(np.stack([state, 0 * state]))
    return state, values, gradients[0]
