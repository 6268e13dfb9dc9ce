"""KerasHub's independent BERT, holding our weights."""

from keras_bert.errors import InputError
from keras_bert.weights.names import encoder_weights, parts
from keras_bert.weights.report import assign_exactly_once

# Our (that is, Google's) names on the left. In KerasHub `feedforward_layer_norm` is the norm after the output dense.
TOP = {
    "word_embeddings/": "token_embedding/",
    "type_embeddings/": "segment_embedding/",
    "embeddings/layer_norm/": "embeddings_layer_norm/",
    "pooler_transform/": "pooled_dense/",
}
IN_LAYER = {
    "self_attention/": "self_attention_layer/",
    "intermediate/": "feedforward_intermediate_dense/",
    "output/": "feedforward_output_dense/",
    "output_layer_norm/": "feedforward_layer_norm/",
}


def _renamed(name: str) -> str:
    prefix, names = "", TOP
    if name.startswith("transformer/layer_"):
        _, layer, name = name.split("/", 2)
        prefix, names = f"transformer_{layer}/", IN_LAYER
    for ours, theirs in names.items():
        if name.startswith(ours):
            name = theirs + name.removeprefix(ours)
            break
    return prefix + name


def to_keras_hub(encoder):
    """A `keras_hub.models.BertBackbone` with the same weights: another implementation, to check ours against.

    Args:
        encoder: a `BertEncoder` with what KerasHub's BERT fixes: tanh GELU, epsilon 1e-12, one dropout rate.

    Returns:
        The backbone; each of its tensors was filled exactly once.

    Raises:
        InputError: the encoder differs from KerasHub's BERT in activation, epsilon or dropout rates.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.weights import to_keras_hub
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> to_keras_hub(kb.BertEncoder(config)).count_params()
    29312

    Source: keras-team/keras-hub, `bert_backbone.py`.
    """
    import keras_hub

    encoder, _ = parts(encoder)
    config = encoder.config
    fixed = {
        "activation": (config.activation, "gelu_tanh"),
        "layer_norm_epsilon": (config.layer_norm_epsilon, 1e-12),
        "attention_dropout": (config.attention_dropout, config.hidden_dropout),
    }
    for field, (received, expected) in fixed.items():
        if received != expected:
            raise InputError(f"KerasHub's BERT has {field}={expected!r}. Received: {field}={received!r}")
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=config.vocab_size,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        hidden_dim=config.hidden_size,
        intermediate_dim=config.intermediate_size,
        dropout=config.hidden_dropout,
        max_sequence_length=config.max_position_embeddings,
        num_segments=config.type_vocab_size,
        dtype="float32",
    )
    tensors = {_renamed(name): weight.numpy() for name, weight in encoder_weights(encoder).items()}
    targets = {variable.path: variable for variable in backbone.trainable_variables}
    assign_exactly_once(targets, tensors, "the encoder")
    return backbone


def run_keras_hub(backbone, inputs: dict) -> dict:
    """A KerasHub BERT on our inputs, its outputs under our keys, the layers' included."""
    import keras

    outputs = {**backbone.output}
    for i in range(backbone.num_layers):
        outputs[f"encoder_outputs_{i}"] = backbone.get_layer(f"transformer_layer_{i}").output
    names = {"token_ids": "input_word_ids", "segment_ids": "input_type_ids", "padding_mask": "input_mask"}
    model = keras.Model(backbone.input, outputs)
    return model({theirs: inputs[ours] for theirs, ours in names.items()}, training=False)
