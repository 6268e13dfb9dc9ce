"""Check that a model has only layers that the ONNX graph can represent."""

import keras

from keras_bert.errors import InputError
from keras_bert.layers import BertEmbeddings, MaskedLMHead, Pooler, TransformerBlock
from keras_bert.models import BertClassifier, BertEncoder, BertPretrainer, BertSpanLabeler, BertTokenClassifier

MODELS = (BertEncoder, BertClassifier, BertPretrainer, BertSpanLabeler, BertTokenClassifier)


def check_standard_sublayers(model) -> None:
    """Check that every layer of a model is standard.

    The ONNX graph is written from the weights of these layers. A layer that computes
    something else would be exported with the wrong computation.

    Args:
        model: a `BertEncoder`, or a task model that has one.

    Raises:
        InputError: a layer is of another class (such as a subclass of the expected one), is quantized or has LoRA
            enabled; or the class of the model or its encoder overrides `call`.
    """
    for name, layer, expected in _sublayers(model):
        if type(layer) is not expected:
            found = f"{name} of type {type(layer).__name__}"
        elif getattr(layer, "quantization_mode", None):
            found = f"{name} quantized to {layer.quantization_mode}"
        elif getattr(layer, "lora_enabled", False):
            found = f"{name} with LoRA enabled"
        else:
            continue
        raise InputError(
            "`model` must have standard layers only (no custom blocks), because the ONNX graph is written from their "
            f"weights. Received: {found}. `kb.export_saved_model` traces the model and so exports modified layers."
        )


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

    pooler = getattr(model, "pooler", None) or encoder.pooler  # a classifier has its own pooler if its encoder has none
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
