"""A model trained in mixed precision becomes one like any other."""

from keras_bert.models import BertClassifier, BertPretrainer


def in_float32(model: BertPretrainer | BertClassifier) -> BertPretrainer | BertClassifier:
    """The model with its arithmetic in float32, as its weights are under a mixed policy: how it was trained is over.

    Args:
        model: a `BertPretrainer` or `BertClassifier`.

    Returns:
        A new model of the same class and weights, not compiled; `model` itself where it computes in float32 already.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config, dtype="mixed_bfloat16"))
    >>> in_float32(model).encoder.dtype_policy.name
    'float32'

    Source: Micikevicius et al. 2017 (arXiv:1710.03740), section 3.1, the float32 master copy of the weights.
    """
    if model.dtype_policy.name == "float32":
        return model
    copy = type(model)(**{**model.get_config(), "encoder": model.encoder.copy(dtype="float32")})
    copy.set_weights(model.get_weights())
    return copy
