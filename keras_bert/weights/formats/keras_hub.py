"""KerasHub's BERT, DistilBERT and ALBERT: out of presets and `.keras` files, and made anew with our weights."""

import json
from pathlib import Path

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import model_weights, parts, shapes
from keras_bert.weights.report import assign_exactly_once
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import TensorMapping, to_ours, to_theirs

# Our (that is, Google's) names on the left. In KerasHub `feedforward_layer_norm` is the norm after the output dense.
NAMES = {
    "word_embeddings": "token_embedding",
    "position_embedding": "position_embedding",
    "type_embeddings": "segment_embedding",
    "embeddings/layer_norm": "embeddings_layer_norm",
    "embedding_projection": "embedding_projection",
    "self_attention_layer_norm": "self_attention_layer_norm",
    "intermediate": "feedforward_intermediate_dense",
    "output": "feedforward_output_dense",
    "output_layer_norm": "feedforward_layer_norm",
    "pooler_transform": "pooled_dense",
    "bert/cls/predictions/transform/dense": "mlm_head/intermediate_dense",
    "bert/cls/predictions/transform/LayerNorm": "mlm_head/intermediate_layer_norm",
    "pre_classifier": "pooled_dense",
    "classifier": "logits",
}
DISTILBERT = {
    "word_embeddings": "token_and_position_embedding/token_embedding",
    "position_embedding": "token_and_position_embedding/position_embedding",
}
# Backbone: what it computes with, whatever its weights.
FIXED = {
    "BertBackbone": {"activation": "gelu_tanh"},
    "DistilBertBackbone": {"activation": "gelu", "type_vocab_size": 0, "pooler": False},
    "AlbertBackbone": {"activation": "gelu_tanh", "share_blocks": True},
}
SETTINGS = {  # our field: theirs
    "vocab_size": "vocabulary_size",
    "hidden_size": "hidden_dim",
    "num_layers": "num_layers",
    "num_heads": "num_heads",
    "intermediate_size": "intermediate_dim",
    "max_position_embeddings": "max_sequence_length",
    "type_vocab_size": "num_segments",
    "embedding_size": "embedding_dim",
    "hidden_dropout": "dropout",
    "attention_dropout": "dropout",
}
PARTS = ("encoder", "masked_lm", "classifier")


def matches(path: Path) -> bool:
    """Whether it is a folder that `save_to_preset` wrote, or a `.keras` file, KerasHub's or ours."""
    return path.suffix == ".keras" or ((path / "config.json").is_file() and (path / "model.weights.h5").is_file())


def read_source(path: Path) -> Source:
    """A preset's or a file's weights, config and vocabulary.

    KerasHub's masked-word heads add 1e-5 in their LayerNorm, and BERT's has the exact GELU; ours are as Google's, so
    that logits differ in the fourth digit there.

    Raises:
        InputError: it is damaged, or holds another model than these three.
    """
    model = _open(path)
    if type(model).__module__.startswith("keras_bert."):
        found = {
            part: {name: weight.numpy() for name, weight in weights.items()}
            for part, weights in model_weights(model).items()
        }
        return Source(str(path), "keras", found, lambda: getattr(model, "encoder", model).config)
    backbone = getattr(model, "backbone", model)
    config = read_config(backbone, str(path))
    heads = {"MaskedLM": "masked_lm", "TextClassifier": "classifier"}
    head = next((part for word, part in heads.items() if type(model).__name__.endswith(word)), None)
    if head is None and model is not backbone:
        raise InputError(
            f"a backbone, a masked LM or a text classifier is expected. Received: {type(model).__name__} in {path}"
        )
    classes = model.num_classes if head == "classifier" else 2
    where = {part: found for part, found in tensor_mappings(config, classes).items() if part in ("encoder", head)}
    tensors = {weight.path: weight.numpy() for weight in model.weights if "seed_generator" not in weight.path}
    vocabulary, lowercase = _vocabulary(path)
    found = to_ours(where, tensors, str(path))
    return Source(str(path), "kerashub", found, lambda: config, True, vocabulary, lowercase)


def read_config(backbone, source: str) -> BertConfig:
    """The `BertConfig` of a backbone.

    Raises:
        InputError: it is none of the three, or an ALBERT of several groups.
    """
    kind = type(backbone).__name__
    if kind not in FIXED:
        raise InputError(f"expected one of {', '.join(FIXED)}. Received: {kind} in {source}")
    settings = backbone.get_config()
    for name in ("num_groups", "num_inner_repetitions"):
        if settings.get(name, 1) != 1:
            raise InputError(f"{name} is 1 in every model we know. Received: {settings[name]} in {source}")
    values = {ours: settings[theirs] for ours, theirs in SETTINGS.items() if theirs in settings}
    return BertConfig.from_dict({**values, **FIXED[kind]})


def to_keras_hub(encoder):
    """A KerasHub backbone with the same weights: another implementation, to check ours against.

    Args:
        encoder: a `BertEncoder` with what KerasHub's BERT, DistilBERT or ALBERT fixes: the activation, epsilon 1e-12,
            one dropout rate.

    Returns:
        The `BertBackbone`, `DistilBertBackbone` or `AlbertBackbone`; each of its tensors was filled exactly once.

    Raises:
        InputError: the encoder differs from KerasHub's in activation, epsilon, dropout rates or parts.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.weights import to_keras_hub
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> to_keras_hub(kb.BertEncoder(config)).count_params()
    29312

    Source: keras-team/keras-hub, `bert_backbone.py`, `distil_bert_backbone.py`, `albert_backbone.py`.
    """
    import keras_hub

    encoder, _ = parts(encoder)
    config = encoder.config
    kind = "AlbertBackbone" if config.share_blocks else "BertBackbone" if config.pooler else "DistilBertBackbone"
    expected = {
        **{"type_vocab_size": config.type_vocab_size or 2, "pooler": True, "share_blocks": False},
        "embedding_size": (config.embedding_size or config.hidden_size) if config.share_blocks else None,
        **FIXED[kind],
        **{"layer_norm_epsilon": 1e-12, "attention_dropout": config.hidden_dropout},
    }
    for field, value in expected.items():
        if getattr(config, field) != value:
            name = {"BertBackbone": "BERT", "DistilBertBackbone": "DistilBERT", "AlbertBackbone": "ALBERT"}[kind]
            raise InputError(f"KerasHub's {name} has {field}={value!r}. Received: {field}={getattr(config, field)!r}")
    settings = {theirs: getattr(config, ours) for ours, theirs in SETTINGS.items() if getattr(config, ours)}
    settings["dropout"] = config.hidden_dropout
    backbone = getattr(keras_hub.models, kind)(**settings, dtype="float32")
    ours = {name: weight.numpy() for name, weight in model_weights(encoder)["encoder"].items()}
    tensors = to_theirs({"encoder": tensor_mappings(config)["encoder"]}, {"encoder": ours})
    targets = {variable.path: variable for variable in backbone.trainable_variables}
    assign_exactly_once(targets, tensors, "the encoder")
    return backbone


def tensor_mappings(config: BertConfig, num_classes: int = 2) -> dict[str, list[TensorMapping]]:
    """Where each tensor of ours is in KerasHub's models; the shapes are the same."""
    names = NAMES if config.type_vocab_size else NAMES | DISTILBERT

    def theirs(name: str) -> str:
        if name == "bert/cls/predictions/output_bias/bias":
            return "mlm_head/output_bias"
        prefix = ""
        if name.startswith("transformer/layer_"):
            _, number, name = name.split("/", 2)
            number = number.removeprefix("layer_")
            prefix = f"group_0_inner_layer_{number}/" if config.share_blocks else f"transformer_layer_{number}/"
            if name.startswith("self_attention/"):
                return prefix + name.replace("self_attention/", "self_attention_layer/")
        name, leaf = name.rsplit("/", 1)
        return f"{prefix}{names[name]}/{leaf}"

    return {
        part: [TensorMapping(name, theirs(name), shape, flat=False) for name, shape in tensors.items()]
        for part, tensors in shapes(config, num_classes).items()
        if part in PARTS
    }


def open_backbone(found: Source):
    """A source's backbone as KerasHub itself opens it: another implementation, to check ours against.

    A `.keras` file keeps its dtype policy. Ours computes in float32, and so does what it is held against.
    """
    model = _open(Path(found.label))
    backbone = getattr(model, "backbone", model)
    if backbone.dtype_policy.name == "float32":
        return backbone
    plain = type(backbone).from_config({**backbone.get_config(), "dtype": "float32"})
    plain.set_weights(backbone.get_weights())
    return plain


def _open(path: Path):
    import keras
    import keras_hub

    try:
        if path.suffix == ".keras":
            return keras.saving.load_model(path, compile=False)  # in safe mode: no code of the file runs
        if not (path / "task.json").is_file():
            return keras_hub.models.Backbone.from_preset(str(path))
        task = json.loads((path / "task.json").read_text(encoding="utf-8"))["class_name"]
        return getattr(keras_hub.models, task).from_preset(str(path), preprocessor=None)
    except Exception as error:  # Keras, h5py, zipfile and json fail in many ways on damaged or foreign files
        line = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(f"a preset or .keras file of KerasHub is expected. Received: {path} ({line})") from None


def _vocabulary(path: Path) -> tuple[list[str] | None, bool]:
    from keras_bert.text.vocabulary import load_vocabulary

    file = path / "assets" / "tokenizer" / "vocabulary.txt"
    if not file.is_file():
        return None, True
    try:
        settings = json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))["config"]
        lowercase = bool(settings.get("lowercase", False))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        line = f"{type(error).__name__}: {error}"
        raise InputError(f"a tokenizer.json of KerasHub is expected. Received: one in {path} ({line})") from None
    return load_vocabulary(file), lowercase
