"""Canonical names and shapes of all weights. Every format maps its names to and from these."""

import keras

from keras_bert.config import BertConfig
from keras_bert.errors import InputError

HEADS = ("masked_lm", "next_sentence", "sentence_order", "classifier", "spans", "tokens")


def encoder_weights(encoder) -> dict:
    """Return the encoder's weights by their names in TF-Hub's BERT, in TF-Hub's order.

    Weights of adapters and of custom blocks have no canonical name and are not included.

    Args:
        encoder: a `BertEncoder`.

    Returns:
        dict of name to `keras.Variable`. TF-Hub's tensors have the same shapes.

    Raises:
        InputError: a block is not a `TransformerBlock`.

    Source: variables of TF-Hub's `tensorflow/bert_en_uncased_L-12_H-768_A-12/4` and `tensorflow/albert_en_base/3`.
    """
    from keras_bert.layers import TransformerBlock

    embeddings = encoder.embeddings
    named = {
        "word_embeddings/embeddings": embeddings.word_embeddings.embeddings,  # [V, E]
        "position_embedding/embeddings": embeddings.position_embeddings.embeddings,  # [positions, E]
    }
    if embeddings.type_embeddings is not None:
        named["type_embeddings/embeddings"] = embeddings.type_embeddings.embeddings  # [segments, E]
    named.update(_layer_norm("embeddings/layer_norm", embeddings.layer_norm))
    if embeddings.projection is not None:
        named.update(_dense("embedding_projection", embeddings.projection))  # kernel [E, H], in ALBERT
    for i, block in enumerate(dict.fromkeys(encoder.blocks)):  # ALBERT repeats one block
        if not isinstance(block, TransformerBlock):
            raise InputError(
                f"`encoder` must consist of TransformerBlock layers, because only these have canonical names. "
                f"Received: {type(block).__name__} as block {i}"
            )
        layer, attention = f"transformer/layer_{i}", block.attention
        for part, dense in (
            ("query", attention.query_dense),  # kernel [H, A, H / A], bias [A, H / A]
            ("key", attention.key_dense),
            ("value", attention.value_dense),
            ("attention_output", attention.output_dense),  # kernel [A, H / A, H], bias [H]
        ):
            named.update(_dense(f"{layer}/self_attention/{part}", dense))
        named.update(_layer_norm(f"{layer}/self_attention_layer_norm", block.attention_layer_norm))
        named.update(_dense(f"{layer}/intermediate", block.intermediate))  # kernel [H, F]
        named.update(_dense(f"{layer}/output", block.output_dense))  # kernel [F, H]
        named.update(_layer_norm(f"{layer}/output_layer_norm", block.output_layer_norm))
    if encoder.pooler is not None:
        named.update(_dense("pooler_transform", encoder.pooler.dense))
    return named


def masked_lm_weights(pretrainer) -> dict:
    """Return the masked-LM head's weights by their names in the `.mlm` part of TF-Hub's BERT, in TF-Hub's order.

    Args:
        pretrainer: a `BertPretrainer`. The tied embedding belongs to its encoder and is not included.

    Returns:
        dict of name to `keras.Variable`.
    """
    head = pretrainer.mlm_head
    return {
        "bert/cls/predictions/output_bias/bias": head.output_bias,  # [V]
        **_dense("bert/cls/predictions/transform/dense", head.dense),  # kernel [H, E]
        **_layer_norm("bert/cls/predictions/transform/LayerNorm", head.layer_norm),
    }


def model_weights(model) -> dict[str, dict]:
    """Return a model's weights by part.

    Args:
        model: a `BertEncoder`, or a task model that contains one.

    Returns:
        dict with `"encoder"` and the model's heads (some of `HEADS`), each a dict of name to `keras.Variable`.

    Raises:
        InputError: the model is none of these, or is quantized.
    """
    parts = _weights_by_part(model)
    for weights in parts.values():
        for name, weight in weights.items():
            if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(weight.dtype)):
                raise InputError(
                    "`model` must not be quantized, because other formats store float weights. "
                    f"Received: {name} of dtype {keras.backend.standardize_dtype(weight.dtype)}"
                )
    return parts


def weights_to_write(model, written: str) -> dict[str, dict]:
    """Return the weights of a model by part, as NumPy arrays, LoRA merged, for a format that stores only weights.

    Args:
        model: a `BertEncoder`, or a task model that contains one.
        written: what is written, for the error message.

    Raises:
        InputError: the model is none of these, or computes something else than its config and these weights say.
    """
    from keras_bert.models.standard_sublayers import check_standard_sublayers

    parts = model_weights(model)
    check_standard_sublayers(model, written)
    return to_numpy(parts)


def _weights_by_part(model) -> dict[str, dict]:
    from keras_bert.models import BertClassifier, BertEncoder, BertPretrainer, BertSpanLabeler, BertTokenClassifier

    if isinstance(model, BertEncoder):
        return {"encoder": encoder_weights(model)}
    classes = (BertPretrainer, BertClassifier, BertSpanLabeler, BertTokenClassifier)
    if not isinstance(model, classes):
        raise InputError(_expected_model(model, "BertEncoder", *(cls.__name__ for cls in classes)))
    parts = {"encoder": encoder_weights(model.encoder)}
    if isinstance(model, BertPretrainer):
        parts["masked_lm"] = masked_lm_weights(model)
        for part, head in (("next_sentence", model.nsp_head), ("sentence_order", model.sop_head)):
            if head is not None:  # Google uses one name for both: BERT has the first head, ALBERT the second
                parts[part] = _dense("bert/cls/seq_relationship", head)  # kernel [H, 2]
    elif isinstance(model, BertClassifier):
        own_pooler = {} if model.encoder.pooler is not None else _dense("pre_classifier", model.pooler.dense)
        parts["classifier"] = own_pooler | _dense("classifier", model.head)  # kernel [H, C]
    else:
        part = "spans" if isinstance(model, BertSpanLabeler) else "tokens"
        parts[part] = _dense(part, model.head)  # kernel [H, 2] or [H, C]
    return parts


def to_numpy(parts: dict[str, dict]) -> dict[str, dict]:
    """Convert the weights that `model_weights` returns to NumPy arrays."""
    return {
        part: {name: keras.ops.convert_to_numpy(weight) for name, weight in weights.items()}
        for part, weights in parts.items()
    }


def canonical_shapes(config: BertConfig, num_classes: int = 2) -> dict[str, dict[str, tuple]]:
    """Return the shapes of all weights, by part and by the names that `model_weights` uses.

    Args:
        config: a `BertConfig`.
        num_classes: C, the number of classes of the text classifier and the token classifier.

    Returns:
        dict of part (`"encoder"` and all of `HEADS`) to dict of name to shape.

    Example:

    >>> config = BertConfig(num_layers=1, hidden_size=8, num_heads=2, intermediate_size=16, vocab_size=10)
    >>> canonical_shapes(config)["encoder"]["transformer/layer_0/self_attention/query/kernel"]
    (8, 2, 4)
    """
    hidden, intermediate, heads = config.hidden_size, config.intermediate_size, config.num_heads
    embedding, head_size = config.embedding_size or hidden, config.head_size
    encoder = {
        "word_embeddings/embeddings": (config.vocab_size, embedding),
        "position_embedding/embeddings": (config.max_position_embeddings, embedding),
    }
    if config.type_vocab_size:
        encoder["type_embeddings/embeddings"] = (config.type_vocab_size, embedding)
    encoder |= _norm_shapes("embeddings/layer_norm", embedding)
    if config.embedding_size:
        encoder |= _dense_shapes("embedding_projection", (embedding,), (hidden,))
    for i in range(1 if config.share_blocks else config.num_layers):
        layer = f"transformer/layer_{i}"
        for part in ("query", "key", "value"):
            encoder |= _dense_shapes(f"{layer}/self_attention/{part}", (hidden,), (heads, head_size))
        encoder |= _dense_shapes(f"{layer}/self_attention/attention_output", (heads, head_size), (hidden,))
        encoder |= _norm_shapes(f"{layer}/self_attention_layer_norm", hidden)
        encoder |= _dense_shapes(f"{layer}/intermediate", (hidden,), (intermediate,))
        encoder |= _dense_shapes(f"{layer}/output", (intermediate,), (hidden,))
        encoder |= _norm_shapes(f"{layer}/output_layer_norm", hidden)
    if config.pooler:
        encoder |= _dense_shapes("pooler_transform", (hidden,), (hidden,))
    own_pooler = {} if config.pooler else _dense_shapes("pre_classifier", (hidden,), (hidden,))
    return {
        "encoder": encoder,
        "masked_lm": {
            "bert/cls/predictions/output_bias/bias": (config.vocab_size,),
            **_dense_shapes("bert/cls/predictions/transform/dense", (hidden,), (embedding,)),
            **_norm_shapes("bert/cls/predictions/transform/LayerNorm", embedding),
        },
        "next_sentence": _dense_shapes("bert/cls/seq_relationship", (hidden,), (2,)),
        "sentence_order": _dense_shapes("bert/cls/seq_relationship", (hidden,), (2,)),
        "classifier": own_pooler | _dense_shapes("classifier", (hidden,), (num_classes,)),
        "spans": _dense_shapes("spans", (hidden,), (2,)),
        "tokens": _dense_shapes("tokens", (hidden,), (num_classes,)),
    }


def encoder_and_pretrainer(model) -> tuple:
    """Return the encoder and the pretrainer of a model that TF-Hub's interface can represent.

    Args:
        model: a `BertEncoder` or a `BertPretrainer`.

    Returns:
        The `BertEncoder`, and the `BertPretrainer` or None.

    Raises:
        InputError: the model is neither a `BertEncoder` nor a `BertPretrainer`.
    """
    from keras_bert.models import BertEncoder, BertPretrainer

    if isinstance(model, BertPretrainer):
        return model.encoder, model
    if isinstance(model, BertEncoder):
        return model, None
    raise InputError(_expected_model(model, "BertEncoder", "BertPretrainer"))


def _expected_model(model, *names: str) -> str:
    """Return the error message for a model of another class than these."""
    hint = ". Use its `.encoder`." if hasattr(model, "encoder") else ""
    return f"`model` must be a {', '.join(names[:-1])} or {names[-1]}. Received: {type(model).__name__}{hint}"


def _dense(name, dense) -> dict:
    return {f"{name}/kernel": dense.kernel, f"{name}/bias": dense.bias}


def _layer_norm(name, norm) -> dict:
    return {f"{name}/gamma": norm.gamma, f"{name}/beta": norm.beta}


def _dense_shapes(name, inputs: tuple, outputs: tuple) -> dict:
    return {f"{name}/kernel": (*inputs, *outputs), f"{name}/bias": outputs}


def _norm_shapes(name, width: int) -> dict:
    return {f"{name}/gamma": (width,), f"{name}/beta": (width,)}
