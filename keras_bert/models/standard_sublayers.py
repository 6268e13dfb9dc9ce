"""Check that a model computes what its config and the weights of its layers say, and nothing else."""

import keras

from keras_bert.errors import InputError
from keras_bert.layers import BertEmbeddings, MaskedLMHead, Pooler, TransformerBlock
from keras_bert.models.classifier import BertClassifier
from keras_bert.models.encoder import BertEncoder
from keras_bert.models.pretrainer import BertPretrainer
from keras_bert.models.span_labeler import BertSpanLabeler
from keras_bert.models.token_classifier import BertTokenClassifier
from keras_bert.ops.unmodified import has_standard_options, overridden_method

MODELS = (BertEncoder, BertClassifier, BertPretrainer, BertSpanLabeler, BertTokenClassifier)


def check_standard_sublayers(model, written: str = "the ONNX graph", by_config: bool = True) -> None:
    """Check that every layer of a model is standard, before its weights are written in another format.

    The format contains the weights of these layers. A layer that computes something else would be written with the
    wrong computation. LoRA is allowed: the `kernel` of a layer is then the sum of all its weights.

    Args:
        model: a `BertEncoder`, or a task model that has one.
        written: what is written, for the error message.
        by_config: whether activations and epsilons are written as in the `BertConfig`, not as in each layer.

    Raises:
        InputError: a layer is of another class (such as a subclass of the expected one), is quantized, or has options,
            a method, an activation or an epsilon of its own; or the class of the model or its encoder overrides `call`.
    """
    encoder = getattr(model, "encoder", model)
    config, pooler = encoder.config, _pooler(model)
    for name, layer, expected in _sublayers(model):
        if found := _difference(name, layer, expected, config if by_config else None, pooler):
            raise InputError(
                f"`model` must have standard layers only (no custom blocks), because {written} is written from their "
                f"weights. Received: {name} {found}. `kb.export_saved_model` traces the model and so exports modified "
                "layers."
            )


def _difference(name: str, layer, expected: type, config, pooler) -> str | None:
    """Return how a layer differs from a standard one of the class `expected`, or None."""
    if type(layer) is not expected:
        return f"of type {type(layer).__name__}"
    if layer is None:
        return None
    if layer.quantization_mode:
        return f"quantized to {layer.quantization_mode}"
    if method := overridden_method(layer):
        return f"with a method {method} of its own"
    if name == "pooler/dense":  # the only dense layer with an activation of its own
        if layer.bias is None or keras.activations.serialize(layer.activation) != pooler.activation:
            return "with other options, such as an activation of its own"
    elif not has_standard_options(layer):
        return "with other options, such as an activation of its own"
    if config is None:
        return None
    if isinstance(layer, keras.layers.LayerNormalization) and layer.epsilon != config.layer_norm_epsilon:
        return f"with epsilon={layer.epsilon}, not {config.layer_norm_epsilon} as in its BertConfig"
    if isinstance(layer, TransformerBlock | MaskedLMHead) and layer.activation != config.activation:
        return f"with activation={layer.activation!r}, not {config.activation!r} as in its BertConfig"
    return None


def _sublayers(model):
    """Yield the name, the layer and the expected class of everything that the graph is written from."""
    encoder = getattr(model, "encoder", model)
    for part in dict.fromkeys((model, encoder)):
        base = next(cls for cls in MODELS if isinstance(part, cls))
        overrides_call = type(part).call is not base.call
        yield type(part).__name__, part, base if overrides_call else type(part)

    embeddings = encoder.embeddings
    yield "embeddings", embeddings, BertEmbeddings
    for name in ("word_embeddings", "position_embeddings", "type_embeddings"):
        if table := getattr(embeddings, name):
            is_package_class = type(table).__module__ == BertEmbeddings.__module__
            yield f"embeddings/{name}", table, type(table) if is_package_class else keras.layers.Embedding
    yield "embeddings/layer_norm", embeddings.layer_norm, keras.layers.LayerNormalization
    if embeddings.projection is not None:
        yield "embeddings/projection", embeddings.projection, keras.layers.Dense

    for i, block in enumerate(encoder.blocks):
        yield from _block_sublayers(f"block_{i}", block)

    pooler = _pooler(model)
    if pooler is not None:
        yield "pooler", pooler, Pooler
        yield "pooler/dense", pooler.dense, keras.layers.Dense
    for name in ("head", "nsp_head", "sop_head"):
        if head := getattr(model, name, None):
            yield name, head, keras.layers.Dense
    if isinstance(model, BertPretrainer):
        yield "mlm_head", model.mlm_head, MaskedLMHead
        yield "mlm_head/dense", model.mlm_head.dense, keras.layers.Dense
        yield "mlm_head/layer_norm", model.mlm_head.layer_norm, keras.layers.LayerNormalization


def _pooler(model):
    """Return the pooler of a model: a classifier has its own if its encoder has none."""
    return getattr(model, "pooler", None) or getattr(model, "encoder", model).pooler


def _block_sublayers(name: str, block):
    """Yield the name, the layer and the expected class of each sublayer of a block."""
    yield name, block, TransformerBlock
    for part, expected in (
        ("attention", keras.layers.MultiHeadAttention),
        ("attention_dropout", keras.layers.Dropout),
        ("after_attention", type(None)),
        ("attention_layer_norm", keras.layers.LayerNormalization),
        ("intermediate", keras.layers.Dense),
        ("output_dense", keras.layers.Dense),
        ("output_dropout", keras.layers.Dropout),
        ("after_feed_forward", type(None)),
        ("output_layer_norm", keras.layers.LayerNormalization),
    ):
        yield f"{name}/{part}", getattr(block, part), expected
    for part in ("query_dense", "key_dense", "value_dense", "output_dense"):
        yield f"{name}/attention/{part}", getattr(block.attention, part), keras.layers.EinsumDense
