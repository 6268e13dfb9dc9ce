"""Google's name for every weight of ours: the one list that reading and writing foreign formats go by."""

from keras_bert.config import BertConfig
from keras_bert.errors import InputError

HEADS = ("masked_lm", "next_sentence", "sentence_order", "classifier", "spans", "tokens")


def encoder_weights(encoder) -> dict:
    """The encoder's weights by the names they bear in TF-Hub's BERT, in its order.

    What stands in the slots of blocks, and blocks of one's own, have no names there and are not among them.

    Args:
        encoder: a `BertEncoder`.

    Returns:
        dict of name to `keras.Variable`. The shapes are the same on both sides, so no tensor is ever reshaped.

    Raises:
        InputError: a block is no `TransformerBlock`.

    Source: variables of TF-Hub's `tensorflow/bert_en_uncased_L-12_H-768_A-12/4` and `tensorflow/albert_en_base/3`.
    """
    from keras_bert.layers import TransformerBlock

    embeddings = encoder.embeddings
    named = {
        "word_embeddings/embeddings": embeddings.word_embeddings.embeddings,  # [V, E]
        "position_embedding/embeddings": embeddings.position_embeddings.embeddings,  # [P, E]
    }
    if embeddings.type_embeddings is not None:
        named["type_embeddings/embeddings"] = embeddings.type_embeddings.embeddings  # [S, E]
    named.update(_layer_norm("embeddings/layer_norm", embeddings.layer_norm))
    if embeddings.projection is not None:
        named.update(_dense("embedding_projection", embeddings.projection))  # kernel [E, H], ALBERT's
    for i, block in enumerate(dict.fromkeys(encoder.blocks)):  # ALBERT has one
        if not isinstance(block, TransformerBlock):
            raise InputError(f"weights have names in a TransformerBlock. Received: {type(block).__name__} as block {i}")
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
    """The masked-word head's own weights by the names they bear in the `.mlm` of TF-Hub's BERT, in its order.

    Args:
        pretrainer: a `BertPretrainer`. The table that its head shares with the encoder is the encoder's.

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
    """A model's weights by part: `"encoder"`, and of `HEADS` those it has, each a dict of name to `keras.Variable`.

    Args:
        model: a `BertEncoder` or one of the models on it.

    Raises:
        InputError: it is none of these.
    """
    from keras_bert.models import BertClassifier, BertEncoder, BertPretrainer, BertSpanLabeler, BertTokenClassifier

    if isinstance(model, BertEncoder):
        return {"encoder": encoder_weights(model)}
    kinds = (BertPretrainer, BertClassifier, BertSpanLabeler, BertTokenClassifier)
    if not isinstance(model, kinds):
        hint = " (its .encoder is one)" if hasattr(model, "encoder") else ""
        names = ", ".join(kind.__name__ for kind in kinds)
        raise InputError(f"expected a BertEncoder, {names}. Received: {type(model).__name__}{hint}")
    parts = {"encoder": encoder_weights(model.encoder)}
    if isinstance(model, BertPretrainer):
        parts["masked_lm"] = masked_lm_weights(model)
        for part, head in (("next_sentence", model.nsp_head), ("sentence_order", model.sop_head)):
            if head is not None:  # of one name at Google: a BERT's is the first, an ALBERT's the second
                parts[part] = _dense("bert/cls/seq_relationship", head)  # kernel [H, 2]
    elif isinstance(model, BertClassifier):
        own = {} if model.encoder.pooler is not None else _dense("pre_classifier", model.pooler.dense)
        parts["classifier"] = own | _dense("classifier", model.head)  # kernel [H, C]
    else:
        part = "spans" if isinstance(model, BertSpanLabeler) else "tokens"
        parts[part] = _dense(part, model.head)  # kernel [H, 2] or [H, C]
    return parts


def shapes(config: BertConfig, num_classes: int = 2) -> dict[str, dict[str, tuple]]:
    """The shapes that all parts have at these sizes, by the names of `model_weights`.

    Args:
        config: a `BertConfig`.
        num_classes: C, of the two classifiers.

    Example:

    >>> config = BertConfig(num_layers=1, hidden_size=8, num_heads=2, intermediate_size=16, vocab_size=10)
    >>> shapes(config)["encoder"]["transformer/layer_0/self_attention/query/kernel"]
    (8, 2, 4)
    """
    hidden, inner, heads = config.hidden_size, config.intermediate_size, config.num_heads
    width, size = config.embedding_size or hidden, config.head_size
    encoder = {
        "word_embeddings/embeddings": (config.vocab_size, width),
        "position_embedding/embeddings": (config.max_position_embeddings, width),
    }
    if config.type_vocab_size:
        encoder["type_embeddings/embeddings"] = (config.type_vocab_size, width)
    encoder |= _norm_shapes("embeddings/layer_norm", width)
    if config.embedding_size:
        encoder |= _dense_shapes("embedding_projection", (width,), (hidden,))
    for i in range(1 if config.share_blocks else config.num_layers):
        layer = f"transformer/layer_{i}"
        for part in ("query", "key", "value"):
            encoder |= _dense_shapes(f"{layer}/self_attention/{part}", (hidden,), (heads, size))
        encoder |= _dense_shapes(f"{layer}/self_attention/attention_output", (heads, size), (hidden,))
        encoder |= _norm_shapes(f"{layer}/self_attention_layer_norm", hidden)
        encoder |= _dense_shapes(f"{layer}/intermediate", (hidden,), (inner,))
        encoder |= _dense_shapes(f"{layer}/output", (inner,), (hidden,))
        encoder |= _norm_shapes(f"{layer}/output_layer_norm", hidden)
    if config.pooler:
        encoder |= _dense_shapes("pooler_transform", (hidden,), (hidden,))
    own = {} if config.pooler else _dense_shapes("pre_classifier", (hidden,), (hidden,))
    return {
        "encoder": encoder,
        "masked_lm": {
            "bert/cls/predictions/output_bias/bias": (config.vocab_size,),
            **_dense_shapes("bert/cls/predictions/transform/dense", (hidden,), (width,)),
            **_norm_shapes("bert/cls/predictions/transform/LayerNorm", width),
        },
        "next_sentence": _dense_shapes("bert/cls/seq_relationship", (hidden,), (2,)),
        "sentence_order": _dense_shapes("bert/cls/seq_relationship", (hidden,), (2,)),
        "classifier": own | _dense_shapes("classifier", (hidden,), (num_classes,)),
        "spans": _dense_shapes("spans", (hidden,), (2,)),
        "tokens": _dense_shapes("tokens", (hidden,), (num_classes,)),
    }


def parts(model) -> tuple:
    """(encoder, pretrainer or None) of a model whose weights have names at TF-Hub.

    Raises:
        InputError: it is neither a `BertEncoder` nor a `BertPretrainer`.
    """
    from keras_bert.models import BertEncoder, BertPretrainer

    if isinstance(model, BertPretrainer):
        return model.encoder, model
    if isinstance(model, BertEncoder):
        return model, None
    hint = " (its .encoder is one)" if hasattr(model, "encoder") else ""
    raise InputError(f"expected a BertEncoder or a BertPretrainer. Received: {type(model).__name__}{hint}")


def _dense(name, dense) -> dict:
    return {f"{name}/kernel": dense.kernel, f"{name}/bias": dense.bias}


def _layer_norm(name, norm) -> dict:
    return {f"{name}/gamma": norm.gamma, f"{name}/beta": norm.beta}


def _dense_shapes(name, inputs: tuple, outputs: tuple) -> dict:
    return {f"{name}/kernel": (*inputs, *outputs), f"{name}/bias": outputs}


def _norm_shapes(name, width: int) -> dict:
    return {f"{name}/gamma": (width,), f"{name}/beta": (width,)}
