"""A binary classifier with one logit as its equivalent with two logits, for formats that have no head with one."""

import numpy as np

from keras_bert.models.classifier import BertClassifier


def as_two_classes(model):
    """Return a `BertClassifier` with one logit as one with two, and any other model unchanged.

    The logits become (0, x). Their softmax is (1 - sigmoid(x), sigmoid(x)), so the probabilities are the same.

    Args:
        model: any model.

    Returns:
        A model with the same encoder, or `model`.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> as_two_classes(kb.BertClassifier(kb.BertEncoder(config), num_classes=1)).num_classes
    2
    """
    if getattr(model, "problem_type", None) != "binary":
        return model
    two = BertClassifier(model.encoder, 2, model.dropout_rate, name=model.name)
    two.pooler.set_weights(model.pooler.get_weights())
    two.head.set_weights([np.concatenate([0 * array, array], -1) for array in model.head.get_weights()])
    two.labels, two.pairs = model.labels, model.pairs
    return two
