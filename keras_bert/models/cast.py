"""A function that changes the dtype policy of a model."""

import keras

from keras_bert.models.encoder import BertEncoder
from keras_bert.models.pretrained_model import PretrainedModel


def cast_model(model: PretrainedModel, dtype) -> PretrainedModel:
    """Return a model with the same weights and another dtype policy.

    `"float32"` is for a model that was trained under a mixed policy. Its weights already are float32.
    `"bfloat16"` halves the size of a model for serving: the weights are cast once, not at every call as under a mixed
    policy. LayerNorm computes in float32 under every policy.

    Args:
        model: a `BertEncoder` or a task model.
        dtype: a Keras dtype policy, such as `"float32"`, `"bfloat16"` or `"mixed_bfloat16"`.

    Returns:
        A new model of the same class that is not compiled, or `model` itself if it has this policy.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config, dtype="mixed_bfloat16"))
    >>> cast_model(model, "float32").encoder.dtype_policy.name
    'float32'

    Source: Micikevicius et al. 2017 (arXiv:1710.03740), section 3.1, for the float32 weights of mixed precision.
    """
    if model.dtype_policy.name == keras.dtype_policies.get(dtype).name:
        return model
    if isinstance(model, BertEncoder):
        return model.copy(dtype=dtype)
    return model.with_encoder(model.encoder.copy(dtype=dtype))
