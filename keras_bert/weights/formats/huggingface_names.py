"""Names of the tensors and config fields of BERT, DistilBERT and ALBERT in Hugging Face's format."""

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import canonical_shapes
from keras_bert.weights.formats.google_config import FIELDS as GOOGLE_FIELDS
from keras_bert.weights.tensor_mapping import TensorMapping

# Name in the file: activation. Of several names for one activation, the first is written.
ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "relu": "relu"}
# Canonical name: name in the file. The last component differs too: `kernel` and `gamma` are `weight`, `beta` is `bias`.
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
HEAD_NAMES = {
    "pre_classifier": "pre_classifier",
    "classifier": "classifier",
    "spans": "qa_outputs",
    "tokens": "classifier",
}
MODEL_TYPES = {  # model type: names, prefix of a layer
    "bert": (BERT, "encoder.layer.{}."),
    "distilbert": (DISTILBERT, "transformer.layer.{}."),
    "albert": (ALBERT, "encoder.albert_layer_groups.0.albert_layers.{}."),
}
CLASSIFIER_DROPOUT = {  # model type: head: field; DistilBERT's token classifier uses the encoder's rate
    "bert": {"classifier": "classifier_dropout", "tokens": "classifier_dropout"},
    "distilbert": {"classifier": "seq_classif_dropout"},
    "albert": {"classifier": "classifier_dropout_prob", "tokens": "classifier_dropout_prob"},
}
SENTENCE_HEADS = {"bert": "next_sentence", "albert": "sentence_order"}
ARCHITECTURES = {  # heads: end of the class name, after Bert, DistilBert or Albert
    (): "Model",
    ("masked_lm", "next_sentence"): "ForPreTraining",
    ("masked_lm", "sentence_order"): "ForPreTraining",
    ("masked_lm",): "ForMaskedLM",
    ("next_sentence",): "ForNextSentencePrediction",
    ("classifier",): "ForSequenceClassification",
    ("spans",): "ForQuestionAnswering",
    ("tokens",): "ForTokenClassification",
}
FIELDS = {  # model type: field of BertConfig: field of config.json
    "bert": {**GOOGLE_FIELDS, "layer_norm_epsilon": "layer_norm_eps"},
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
FIELDS["albert"] = {**FIELDS["bert"], "embedding_size": "embedding_size"}
# Defaults of transformers' config classes for fields that a file does not contain, if they differ from BertConfig's.
DEFAULTS = {
    "bert": {"hidden_act": "gelu"},
    "distilbert": {"activation": "gelu", "seq_classif_dropout": 0.2},
    "albert": {
        **{"vocab_size": 30000, "embedding_size": 128, "hidden_size": 4096, "num_attention_heads": 64},
        **{"intermediate_size": 16384, "hidden_act": "gelu_new", "hidden_dropout_prob": 0.0},
        **{"attention_probs_dropout_prob": 0.0, "classifier_dropout_prob": 0.1},
    },
}


def read_config(settings: dict, source: str) -> BertConfig:
    """Convert the content of a `config.json` to a `BertConfig`.

    Raises:
        InputError: the model type or the activation is unknown, or a field has a value that this package does not
            support.
    """
    model_type = settings.get("model_type")
    if str(model_type) not in MODEL_TYPES:
        raise InputError(
            f"`model_type` must be one of {', '.join(MODEL_TYPES)}. Received: model_type={model_type!r} in {source}"
        )
    fixed = {"position_embedding_type": "absolute", "num_hidden_groups": 1, "inner_group_num": 1, "is_decoder": False}
    for name, value in fixed.items():
        if settings.get(name, value) != value:
            raise InputError(f"`{name}` must be {value!r}. Received: {name}={settings[name]!r} in {source}")
    settings = {**DEFAULTS[model_type], **settings}
    values = {field: settings[name] for field, name in FIELDS[model_type].items() if name in settings}
    activation = values["activation"]
    if str(activation) not in ACTIVATIONS:
        name = FIELDS[model_type]["activation"]
        raise InputError(
            f"`{name}` must be one of {', '.join(ACTIVATIONS)}. Received: {name}={activation!r} in {source}"
        )
    values["activation"] = ACTIVATIONS[activation]
    if model_type == "distilbert":
        values |= {"type_vocab_size": 0, "pooler": False}
    return BertConfig.from_dict({**values, "share_blocks": model_type == "albert"})


def read_classifier_dropout(settings: dict, head: str, source: str) -> float | None:
    """Read the dropout rate before a head from the content of a `config.json`; None for the encoder's rate.

    Args:
        settings: the content of the file.
        head: `"classifier"` or `"tokens"`.
        source: name of the source in error messages.

    Raises:
        InputError: the value is not a rate.
    """
    model_type = settings["model_type"]
    name = CLASSIFIER_DROPOUT[model_type].get(head)
    rate = {**DEFAULTS[model_type], **settings}.get(name)
    if rate is not None and (type(rate) not in (int, float) or not 0 <= rate < 1):
        raise InputError(f"`{name}` must be a number in [0, 1). Received: {name}={rate!r:.40} in {source}")
    return rate


def write_config(config: BertConfig, model_type: str) -> dict:
    """Return the content of a `config.json`, without architecture and labels.

    Raises:
        InputError: the epsilon of a DistilBERT is not 1e-12. Its config has no field for another value.
    """
    if model_type == "distilbert" and config.layer_norm_epsilon != 1e-12:
        raise InputError(
            "`model` must have layer_norm_epsilon=1e-12, as every DistilBERT of Hugging Face has. "
            f"Received: layer_norm_epsilon={config.layer_norm_epsilon!r}"
        )
    names = {activation: name for name, activation in reversed(ACTIVATIONS.items())}
    values = {**config.to_dict(), "activation": names[config.activation]}
    return {"model_type": model_type, **{name: values[field] for field, name in FIELDS[model_type].items()}}


def model_type_of(config: BertConfig) -> str:
    """Return the model type of an encoder in Hugging Face's format.

    Raises:
        InputError: there is no such model type, for example for shared blocks without factorized embeddings.
    """
    features = (config.share_blocks, bool(config.embedding_size), config.type_vocab_size > 0)
    types = {(False, False, True): "bert", (False, False, False): "distilbert", (True, True, True): "albert"}
    if features not in types or (types[features] == "distilbert" and config.pooler):
        raise InputError(
            "`model` must be a BERT, a DistilBERT (no segments, no pooler) or an ALBERT (factorized embeddings, shared "
            f"blocks). Received: share_blocks={features[0]}, embedding_size={config.embedding_size}, "
            f"type_vocab_size={config.type_vocab_size}, pooler={config.pooler}"
        )
    return types[features]


def tensor_mappings(model_type: str, config: BertConfig, num_classes: int) -> dict[str, list[TensorMapping]]:
    """Return the mapping of each canonical tensor, by part.

    The encoder's names have no prefix; in models with heads they start with the model type.
    """
    names, layer = MODEL_TYPES[model_type]
    return {
        part: [
            TensorMapping(name, _format_name(name, {**names, **HEAD_NAMES}, layer), shape, transposed=_is_linear(name))
            for name, shape in shapes.items()
        ]
        for part, shapes in canonical_shapes(config, num_classes).items()
        if part not in SENTENCE_HEADS.values() or part == SENTENCE_HEADS.get(model_type)
    }


def _format_name(name: str, names: dict, layer: str) -> str:
    prefix = ""
    if name.startswith("transformer/layer_"):
        _, number, name = name.split("/", 2)
        prefix = layer.format(number.removeprefix("layer_"))
    name, leaf = name.rsplit("/", 1)
    leaf = {"embeddings": "weight", "kernel": "weight", "gamma": "weight", "beta": "bias"}.get(leaf, leaf)
    return f"{prefix}{names[name]}.{leaf}"


def _is_linear(name: str) -> bool:
    return name.endswith("/kernel")
