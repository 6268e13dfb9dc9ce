"""Google's name for every weight of ours: the one list that reading and writing foreign formats go by."""

from keras_bert.errors import InputError


def encoder_weights(encoder) -> dict:
    """The encoder's weights by the names they bear in TF-Hub's BERT, in its order.

    Args:
        encoder: a `BertEncoder`.

    Returns:
        dict of name to `keras.Variable`. The shapes are the same on both sides, so no tensor is ever reshaped.

    Source: variables of TF-Hub's `tensorflow/bert_en_uncased_L-12_H-768_A-12/4`.
    """
    embeddings = encoder.embeddings
    named = {
        "word_embeddings/embeddings": embeddings.word_embeddings.embeddings,  # [V, H]
        "position_embedding/embeddings": embeddings.position_embeddings.embeddings,  # [P, H]
    }
    if embeddings.type_embeddings is not None:
        named["type_embeddings/embeddings"] = embeddings.type_embeddings.embeddings  # [S, H]
    named.update(_layer_norm("embeddings/layer_norm", embeddings.layer_norm))
    if embeddings.projection is not None:
        named.update(_dense("embedding_projection", embeddings.projection))  # kernel [E, H], ALBERT's
    for i, block in enumerate(dict.fromkeys(encoder.blocks)):  # ALBERT has one
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
        **_dense("bert/cls/predictions/transform/dense", head.dense),  # kernel [H, H]
        **_layer_norm("bert/cls/predictions/transform/LayerNorm", head.layer_norm),
    }


def parts(model) -> tuple:
    """(encoder, pretrainer or None) of a model whose weights have names at Google.

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
