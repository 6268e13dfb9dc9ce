"""How Hugging Face calls and stores the tensors and settings of BERT, DistilBERT and ALBERT."""

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import shapes
from keras_bert.weights.tensor_mapping import TensorMapping

# The first of several names is the one that is written.
ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "relu": "relu"}
# Ours on the left. `kernel` is their `weight`, and so is `gamma`; `beta` is their `bias`.
EMBEDDINGS = {
    "word_embeddings": "embeddings.word_embeddings",
    "position_embedding": "embeddings.position_embeddings",
    "type_embeddings": "embeddings.token_type_embeddings",
    "embeddings/layer_norm": "embeddings.LayerNorm",
}
BERT = {
    **EMBEDDINGS,
    "self_attention/query": "attention.self.query",
    "self_attention/key": "attention.self.key",
    "self_attention/value": "attention.self.value",
    "self_attention/attention_output": "attention.output.dense",
    "self_attention_layer_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_layer_norm": "output.LayerNorm",
    "pooler_transform": "pooler.dense",
    "bert/cls/predictions/transform/dense": "cls.predictions.transform.dense",
    "bert/cls/predictions/transform/LayerNorm": "cls.predictions.transform.LayerNorm",
    "bert/cls/predictions/output_bias": "cls.predictions",
    "bert/cls/seq_relationship": "cls.seq_relationship",
}
DISTILBERT = {
    **EMBEDDINGS,
    "self_attention/query": "attention.q_lin",
    "self_attention/key": "attention.k_lin",
    "self_attention/value": "attention.v_lin",
    "self_attention/attention_output": "attention.out_lin",
    "self_attention_layer_norm": "sa_layer_norm",
    "intermediate": "ffn.lin1",
    "output": "ffn.lin2",
    "output_layer_norm": "output_layer_norm",
    "bert/cls/predictions/transform/dense": "vocab_transform",
    "bert/cls/predictions/transform/LayerNorm": "vocab_layer_norm",
    "bert/cls/predictions/output_bias": "vocab_projector",
}
ALBERT = {
    **EMBEDDINGS,
    "embedding_projection": "encoder.embedding_hidden_mapping_in",
    "self_attention/query": "attention.query",
    "self_attention/key": "attention.key",
    "self_attention/value": "attention.value",
    "self_attention/attention_output": "attention.dense",
    "self_attention_layer_norm": "attention.LayerNorm",
    "intermediate": "ffn",
    "output": "ffn_output",
    "output_layer_norm": "full_layer_layer_norm",
    "pooler_transform": "pooler",
    "bert/cls/predictions/transform/dense": "predictions.dense",
    "bert/cls/predictions/transform/LayerNorm": "predictions.LayerNorm",
    "bert/cls/predictions/output_bias": "predictions",
    "bert/cls/seq_relationship": "sop_classifier.classifier",
}
HEADS = {"pre_classifier": "pre_classifier", "classifier": "classifier", "spans": "qa_outputs", "tokens": "classifier"}
MODELS = {  # model type: names, what a layer is called
    "bert": (BERT, "encoder.layer.{}."),
    "distilbert": (DISTILBERT, "transformer.layer.{}."),
    "albert": (ALBERT, "encoder.albert_layer_groups.0.albert_layers.{}."),
}
CLASSIFIER_DROPOUT = {  # by model type and head; DistilBERT's tags have the encoder's rate
    "bert": {"classifier": "classifier_dropout", "tokens": "classifier_dropout"},
    "distilbert": {"classifier": "seq_classif_dropout"},
    "albert": {"classifier": "classifier_dropout_prob", "tokens": "classifier_dropout_prob"},
}
SENTENCE_HEADS = {"bert": "next_sentence", "albert": "sentence_order"}
ARCHITECTURES = {  # by its heads, what comes after Bert, DistilBert or Albert
    (): "Model",
    ("masked_lm", "next_sentence"): "ForPreTraining",
    ("masked_lm", "sentence_order"): "ForPreTraining",
    ("masked_lm",): "ForMaskedLM",
    ("next_sentence",): "ForNextSentencePrediction",
    ("classifier",): "ForSequenceClassification",
    ("spans",): "ForQuestionAnswering",
    ("tokens",): "ForTokenClassification",
}
SETTINGS = {  # our field: theirs, by model type
    "bert": {
        "vocab_size": "vocab_size",
        "hidden_size": "hidden_size",
        "num_layers": "num_hidden_layers",
        "num_heads": "num_attention_heads",
        "intermediate_size": "intermediate_size",
        "max_position_embeddings": "max_position_embeddings",
        "type_vocab_size": "type_vocab_size",
        "activation": "hidden_act",
        "hidden_dropout": "hidden_dropout_prob",
        "attention_dropout": "attention_probs_dropout_prob",
        "initializer_range": "initializer_range",
        "layer_norm_epsilon": "layer_norm_eps",
    },
    "distilbert": {
        "vocab_size": "vocab_size",
        "hidden_size": "dim",
        "num_layers": "n_layers",
        "num_heads": "n_heads",
        "intermediate_size": "hidden_dim",
        "max_position_embeddings": "max_position_embeddings",
        "activation": "activation",
        "hidden_dropout": "dropout",
        "attention_dropout": "attention_dropout",
        "initializer_range": "initializer_range",
    },
}
SETTINGS["albert"] = {**SETTINGS["bert"], "embedding_size": "embedding_size"}
# What transformers' configuration classes take where a file is silent, if it is not what ours takes.
USUAL = {
    "bert": {"hidden_act": "gelu"},
    "distilbert": {"activation": "gelu", "seq_classif_dropout": 0.2},
    "albert": {
        **{"vocab_size": 30000, "embedding_size": 128, "hidden_size": 4096, "num_attention_heads": 64},
        **{"intermediate_size": 16384, "hidden_act": "gelu_new", "hidden_dropout_prob": 0.0},
        **{"attention_probs_dropout_prob": 0.0, "classifier_dropout_prob": 0.1},
    },
}


def read_config(settings: dict, source: str) -> BertConfig:
    """The `BertConfig` of a `config.json`.

    Raises:
        InputError: another model than these three, or one that computes as none of ours does.
    """
    kind = settings.get("model_type")
    if str(kind) not in MODELS:
        raise InputError(f"a model type is one of {', '.join(MODELS)}. Received: {kind!r} in {source}")
    fixed = {"position_embedding_type": "absolute", "num_hidden_groups": 1, "inner_group_num": 1, "is_decoder": False}
    for name, value in fixed.items():
        if settings.get(name, value) != value:
            raise InputError(f"{name} is {value!r} in every model we know. Received: {settings[name]!r} in {source}")
    settings = {**USUAL[kind], **settings}
    values = {ours: settings[theirs] for ours, theirs in SETTINGS[kind].items() if theirs in settings}
    if str(values["activation"]) not in ACTIVATIONS:
        names = ", ".join(ACTIVATIONS)
        raise InputError(f"an activation is one of {names}. Received: {values['activation']!r} in {source}")
    values["activation"] = ACTIVATIONS[values["activation"]]
    if kind == "distilbert":
        values |= {"type_vocab_size": 0, "pooler": False}
    return BertConfig.from_dict({**values, "share_blocks": kind == "albert"})


def read_classifier_dropout(settings: dict, head: str, source: str) -> float | None:
    """The rate before a `"classifier"` or `"tokens"` by a `config.json`; None for the encoder's.

    Raises:
        InputError: a rate that is none.
    """
    kind = settings["model_type"]
    name = CLASSIFIER_DROPOUT[kind].get(head)
    rate = {**USUAL[kind], **settings}.get(name)
    if rate is not None and (type(rate) not in (int, float) or not 0 <= rate < 1):
        raise InputError(f"{name} is a number of at least 0 and below 1. Received: {rate!r:.40} in {source}")
    return rate


def write_config(config: BertConfig, kind: str) -> dict:
    """The settings of a `config.json`, without architecture and labels.

    Raises:
        InputError: a DistilBERT of another epsilon than 1e-12: its file has no field for one.
    """
    if kind == "distilbert" and config.layer_norm_epsilon != 1e-12:
        received = f"layer_norm_epsilon={config.layer_norm_epsilon!r}"
        raise InputError(f"a DistilBERT has layer_norm_epsilon=1e-12 at Hugging Face. Received: {received}")
    names = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}
    values = {**config.to_dict(), "activation": names[config.activation]}
    return {"model_type": kind, **{theirs: values[ours] for ours, theirs in SETTINGS[kind].items()}}


def kind_of(config: BertConfig) -> str:
    """The model type that an encoder is there.

    Raises:
        InputError: it is none of them: shared blocks without factorised embeddings, say.
    """
    facts = (config.share_blocks, bool(config.embedding_size), config.type_vocab_size > 0)
    kinds = {(False, False, True): "bert", (False, False, False): "distilbert", (True, True, True): "albert"}
    if facts not in kinds or (kinds[facts] == "distilbert" and config.pooler):
        raise InputError(
            "an encoder is a BERT, a DistilBERT (no segments, no pooler) or an ALBERT (factorised embeddings, one "
            f"block) at Hugging Face. Received: share_blocks={facts[0]}, embedding_size={config.embedding_size}, "
            f"type_vocab_size={config.type_vocab_size}, pooler={config.pooler}"
        )
    return kinds[facts]


def tensor_mappings(kind: str, config: BertConfig, num_classes: int) -> dict[str, list[TensorMapping]]:
    """Where each tensor of ours is; the encoder's without the prefix that models with heads have."""
    names, layer = MODELS[kind]
    return {
        part: [
            TensorMapping(ours, _theirs(ours, {**names, **HEADS}, layer), shape, transposed=_is_linear(ours))
            for ours, shape in tensors.items()
        ]
        for part, tensors in shapes(config, num_classes).items()
        if part not in SENTENCE_HEADS.values() or part == SENTENCE_HEADS.get(kind)
    }


def _theirs(name: str, names: dict, layer: str) -> str:
    prefix = ""
    if name.startswith("transformer/layer_"):
        _, number, name = name.split("/", 2)
        prefix = layer.format(number.removeprefix("layer_"))
    name, leaf = name.rsplit("/", 1)
    leaf = {"embeddings": "weight", "kernel": "weight", "gamma": "weight", "beta": "bias"}.get(leaf, leaf)
    return f"{prefix}{names[name]}.{leaf}"


def _is_linear(name: str) -> bool:
    return name.endswith("/kernel")
