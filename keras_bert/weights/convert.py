"""Conversion from any format to another, with a check that the written numbers equal those of the source."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.models import kind_of
from keras_bert.models.two_classes import as_two_classes
from keras_bert.weights.canonical_names import model_weights, to_numpy
from keras_bert.weights.formats import format_named
from keras_bert.weights.load import build_model, open_source
from keras_bert.weights.source import Source
from keras_bert.weights.spare_tokens import spare_tokens


def convert(source, to: str, out) -> dict:
    """Write a model in another format, read it back, and compare every number.

    Args:
        source: as for `load_weights`.
        to: the format to write: `"tfhub"` (a SavedModel with the interface of TF-Hub's encoders), `"keras"` (a folder
            as `save_pretrained` writes it), `"huggingface"`, or `"google_research"` (a TensorFlow 1 checkpoint).
        out: the folder to write. An existing folder is replaced when the new one is complete and has been verified.

    Returns:
        A dict: `out`, `to`, the model's `kind`, the numbers of `tensors` and `parameters` that were written, and
        `skipped`, the heads of the model that the format does not store, and `not_read`, the names of what the source
        contains beside the weights, such as the slots of an optimizer.

    Raises:
        InputError: the source cannot be read, the format cannot represent the model, or the written model differs from
            the source.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> folder = kb.save_pretrained(kb.BertEncoder(config), tempfile.mkdtemp() + "/bert", vectorizer)
    >>> facts = kb.convert(folder, to="huggingface", out=tempfile.mkdtemp() + "/converted")
    >>> facts["kind"], facts["tensors"]
    ('encoder', 23)

    Source: the modules in `keras_bert/weights/formats` state the source of each format.
    """
    target = format_named(to)
    found = open_source(source)
    if found.vocabulary is not None:
        spare = spare_tokens(found.vocabulary, found.config.vocab_size, found.label)
        found = dataclasses.replace(found, vocabulary=[*found.vocabulary, *spare])
    model = build_model(found)
    if to != "keras":
        model = as_two_classes(model)  # other formats have no head with one logit, except for regression
    if Path(out).is_file():
        raise InputError(f"`out` must be a new folder or one to replace. Received: out={out} (a file)")
    weights = to_numpy(model_weights(model))
    skipped = [part for part in weights if part not in ("encoder", *target.heads)]
    before = {name: tensor for part in weights if part not in skipped for name, tensor in weights[part].items()}
    labels = found.labels if hasattr(model, "num_classes") else None
    with atomic_write(out) as draft:
        target.write(model, draft, _vectorizer(found), labels)
        written = open_source(draft)
        after = {name: tensor for tensors in written.parts.values() for name, tensor in tensors.items()}
        _check_same_tensors(before, after, to, out)
        _check_same_computation(getattr(model, "encoder", model).config, written.config, to, out)
        _check_same_tokenizer(found, written, to, out)
    return {
        "out": str(out),
        "to": to,
        "kind": kind_of(model),
        "tensors": len(before),
        "parameters": sum(tensor.size for tensor in before.values()),
        "skipped": skipped,
        "not_read": found.skipped,
    }


def _vectorizer(found: Source):
    if found.vocabulary is None:
        return None
    from keras_bert.text.vectorization import BertTextVectorization

    return BertTextVectorization(**found.vectorizer_arguments)


def _check_same_tensors(before: dict, after: dict, to: str, out) -> None:
    """Raise InputError if a tensor was lost, added or changed."""
    for name in {**before, **after}:
        if name not in before or name not in after or not np.array_equal(before[name], after[name]):
            raise InputError(
                f"`to` must be a format that stores the model exactly. Received: to={to!r} (round-trip check failed: "
                f"tensor {name} in {out} differs from the source)"
            )


def _check_same_tokenizer(before: Source, after: Source, to: str, out) -> None:
    """Raise InputError if a text would have other ids."""
    if before.vocabulary is None:
        return
    for name in ("vocabulary", "lowercase", "added_tokens", "splitting"):
        if getattr(before, name) != getattr(after, name):
            raise InputError(
                f"`to` must be a format that stores the model exactly. Received: to={to!r} (round-trip check failed: "
                f"the {name} of the tokenizer in {out} differs from the source)"
            )


def _check_same_computation(before: BertConfig, after: BertConfig, to: str, out) -> None:
    """Raise InputError if a config field that changes the outputs differs, because equal weights are not enough."""
    for field in ("activation", "layer_norm_epsilon", "num_layers", "num_heads", "share_blocks"):
        expected, received = getattr(before, field), getattr(after, field)
        if expected != received:
            raise InputError(
                f"`to` must be a format that stores the model exactly. Received: to={to!r} (round-trip check failed: "
                f"{out} has {field}={received!r}, the source has {field}={expected!r})"
            )
