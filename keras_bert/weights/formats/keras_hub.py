"""KerasHub's BERT, DistilBERT and ALBERT: presets and `.keras` files, and backbones built from an encoder."""

import json
from pathlib import Path

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.extras import require
from keras_bert.text.splitting import ORIGINAL, Splitting
from keras_bert.text.vocabulary import load_vocabulary
from keras_bert.weights.canonical_names import canonical_shapes, encoder_and_pretrainer, weights_to_write
from keras_bert.weights.formats.format import Format
from keras_bert.weights.messages import first_line, one_line
from keras_bert.weights.report import assign_exactly_once
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import TensorMapping, to_canonical, to_format

NAMES = {  # canonical name: name in KerasHub; its `feedforward_layer_norm` is the norm after the output dense layer
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
DISTILBERT_NAMES = {
    "word_embeddings": "token_and_position_embedding/token_embedding",
    "position_embedding": "token_and_position_embedding/position_embedding",
}
# Backbone: config fields that are the same for all its weights.
FIXED = {
    "BertBackbone": {"activation": "gelu_tanh"},
    "DistilBertBackbone": {"activation": "gelu", "type_vocab_size": 0, "pooler": False},
    "AlbertBackbone": {"activation": "gelu_tanh", "share_blocks": True},
}
FIELDS = {  # field of BertConfig: field of the backbone
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
MODEL_NAMES = {"BertBackbone": "BERT", "DistilBertBackbone": "DistilBERT", "AlbertBackbone": "ALBERT"}
PARTS = ("encoder", "masked_lm", "classifier")


class KerasHub(Format):
    """Folders that KerasHub's `save_to_preset` writes, and `.keras` files with a KerasHub model."""

    name = "keras_hub"
    marker_files = ("config.json", "model.weights.h5")

    def matches(self, path: Path) -> bool:
        """See `Format.matches`. Every `.keras` file matches; `find_format` checks `KerasFolder` first."""
        return path.suffix == ".keras" or super().matches(path)

    def read(self, source) -> Source:
        """See `Format.read`.

        KerasHub's masked-LM heads use LayerNorm epsilon 1e-5, and BERT's uses the exact GELU. This package computes
        them as Google does, so the masked-LM logits differ in the fourth digit.
        """
        path = Path(source)
        model = load_keras_hub(path)
        backbone = getattr(model, "backbone", model)
        config = read_config(backbone, str(path))
        heads = {"MaskedLM": "masked_lm", "TextClassifier": "classifier"}
        head = next((part for suffix, part in heads.items() if type(model).__name__.endswith(suffix)), None)
        if head is None and model is not backbone:
            raise InputError(
                "`source` must contain a backbone, a masked LM or a text classifier. "
                f"Received: source={path} ({type(model).__name__})"
            )
        mappings = tensor_mappings(config, model.num_classes if head == "classifier" else 2)
        mappings = {part: mappings[part] for part in mappings if part in ("encoder", head)}
        tensors = {weight.path: weight.numpy() for weight in model.weights if "seed_generator" not in weight.path}
        return Source(
            label=str(path),
            format=self.name,
            tensors=to_canonical(mappings, tensors, str(path)),
            read_config=lambda: config,
            **dict(zip(("vocabulary", "lowercase", "splitting"), read_vocabulary(path), strict=True)),
        )


def load_keras_hub(path: Path):
    """Load a preset or a `.keras` file with KerasHub, in safe mode: no code of the file is run.

    Raises:
        InputError: the file or folder is damaged, or is neither of these.
    """
    import keras

    keras_hub = require("keras_hub", f"the KerasHub model {path}")
    try:
        if path.suffix == ".keras":
            return keras.saving.load_model(path, compile=False)
        if not (path / "task.json").is_file():
            return keras_hub.models.Backbone.from_preset(str(path))
        task = json.loads((path / "task.json").read_text(encoding="utf-8"))["class_name"]
        return getattr(keras_hub.models, task).from_preset(str(path), preprocessor=None)
    except Exception as error:  # Keras, h5py, zipfile and json raise many error types on damaged or unknown files
        raise InputError(
            f"`source` must be a KerasHub preset or .keras file. Received: source={path} ({one_line(error)})"
        ) from None


def open_backbone(source: Source):
    """Load a source's backbone with KerasHub, in float32 also if a `.keras` file stores another dtype policy."""
    model = load_keras_hub(Path(source.label))
    backbone = getattr(model, "backbone", model)
    if backbone.dtype_policy.name == "float32":
        return backbone
    copy = type(backbone).from_config({**backbone.get_config(), "dtype": "float32"})
    copy.set_weights(backbone.get_weights())
    return copy


def read_config(backbone, source: str) -> BertConfig:
    """Convert a backbone's config to a `BertConfig`.

    Raises:
        InputError: it is none of the three backbones, or an ALBERT with several groups of layers.
    """
    name = type(backbone).__name__
    if name not in FIXED:
        raise InputError(f"`source` must contain one of {', '.join(FIXED)}. Received: source={source} ({name})")
    settings = backbone.get_config()
    for field in ("num_groups", "num_inner_repetitions"):
        if settings.get(field, 1) != 1:
            raise InputError(f"`{field}` must be 1. Received: {field}={settings[field]} in {source}")
    values = {field: settings[name] for field, name in FIELDS.items() if name in settings}
    return BertConfig.from_dict({**values, **FIXED[name]})


def read_vocabulary(path: Path) -> tuple[list[str] | None, bool, Splitting]:
    """Read the vocabulary of a preset, or None without one, whether text is lowercased, and how it is split.

    KerasHub's tokenizer keeps accents unless its settings say otherwise, also in lowercased texts.

    Raises:
        InputError: `tokenizer.json` is missing or damaged, or has settings that this package does not support.
    """
    file = path / "assets" / "tokenizer" / "vocabulary.txt"
    if not file.is_file():
        return None, True, ORIGINAL
    try:
        settings = json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))["config"]
        lowercase = bool(settings.get("lowercase", False))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            "`source` must contain a tokenizer.json of KerasHub. "
            f"Received: source={path} ({type(error).__name__}: {first_line(error)})"
        ) from None
    for name, value in {"split": True, "suffix_indicator": "##", "oov_token": "[UNK]"}.items():
        if settings.get(name, value) != value:
            received = f"source={path} ({name}={settings[name]!r:.60})"
            raise InputError(f"`source` must have a tokenizer with {name}={value!r}. Received: {received}")
    accents = settings.get("strip_accents", False)
    splitting = Splitting(None if accents is lowercase else accents, settings.get("split_on_cjk", True))
    return load_vocabulary(file), lowercase, splitting


def to_keras_hub(encoder):
    """Build a KerasHub backbone with the weights of an encoder, for example to compare the two implementations.

    Args:
        encoder: a `BertEncoder` with the config fields that are fixed in KerasHub's BERT, DistilBERT or ALBERT: the
            activation, epsilon 1e-12, one dropout rate.

    Returns:
        The `BertBackbone`, `DistilBertBackbone` or `AlbertBackbone`. Each of its tensors was assigned exactly once.

    Raises:
        InputError: the encoder differs from KerasHub's in activation, epsilon, dropout rates or structure.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.weights import to_keras_hub
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> to_keras_hub(kb.BertEncoder(config)).count_params()
    29312

    Source: keras-team/keras-hub, `bert_backbone.py`, `distil_bert_backbone.py`, `albert_backbone.py`.
    """
    keras_hub = require("keras_hub", "a KerasHub backbone")
    encoder, _ = encoder_and_pretrainer(encoder)
    config = encoder.config
    name = "AlbertBackbone" if config.share_blocks else "BertBackbone" if config.pooler else "DistilBertBackbone"
    expected = {
        "type_vocab_size": config.type_vocab_size or 2,
        "pooler": True,
        "share_blocks": False,
        "embedding_size": (config.embedding_size or config.hidden_size) if config.share_blocks else None,
        **FIXED[name],
        "layer_norm_epsilon": 1e-12,
        "attention_dropout": config.hidden_dropout,
    }
    for field, value in expected.items():
        if getattr(config, field) != value:
            raise InputError(
                f"`encoder` must have {field}={value!r}, as KerasHub's {MODEL_NAMES[name]} has. "
                f"Received: {field}={getattr(config, field)!r}"
            )
    settings = {name: getattr(config, field) for field, name in FIELDS.items() if getattr(config, field)}
    settings["dropout"] = config.hidden_dropout
    backbone = getattr(keras_hub.models, name)(**settings, dtype="float32")
    arrays = weights_to_write(encoder, "a KerasHub model")
    tensors = to_format({"encoder": tensor_mappings(config)["encoder"]}, arrays)
    targets = {variable.path: variable for variable in backbone.trainable_variables}
    assign_exactly_once(targets, tensors, "the encoder")
    return backbone


def tensor_mappings(config: BertConfig, num_classes: int = 2) -> dict[str, list[TensorMapping]]:
    """Return the mapping of each canonical tensor, by part; the shapes in KerasHub are the canonical ones."""
    names = NAMES if config.type_vocab_size else NAMES | DISTILBERT_NAMES

    def format_name(name: str) -> str:
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
        part: [TensorMapping(name, format_name(name), shape, merged_heads=False) for name, shape in shapes.items()]
        for part, shapes in canonical_shapes(config, num_classes).items()
        if part in PARTS
    }
