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
from keras_bert.weights.changes import (
    FIELDS,
    change_model,
    check_allowed,
    check_changes,
    measure_difference,
    needed_changes,
)
from keras_bert.weights.formats import format_named
from keras_bert.weights.load import build_model, open_source
from keras_bert.weights.source import Source
from keras_bert.weights.spare_tokens import spare_tokens


def convert(source, to: str, out, allow_changes=()) -> dict:
    """Write a model in another format, read it back, and compare every number.

    What the format cannot express is an error, unless the change is allowed. An allowed change is made only if the
    format needs it, and its cost is measured.

    Args:
        source: as for `load_weights`.
        to: the format to write: `"tfhub"` (a SavedModel with the interface of TF-Hub's encoders), `"keras"` (a folder
            as `save_pretrained` writes it), `"huggingface"`, or `"google_research"` (a TensorFlow 1 checkpoint).
        out: the folder to write. An existing folder is replaced when the new one is complete and has been verified.
        allow_changes: what may be changed, a list of:

            - `"activation"`: the exact GELU becomes the tanh approximation (google_research);
            - `"layer_norm_epsilon"`: becomes 1e-12 (google_research; huggingface for DistilBERT);
            - `"pooler"`: an encoder without a pooler gets one that is not trained, the tanh of the first token's vector
              (google_research, tfhub). The other outputs stay the same;
            - `"type_vocab_size"`: an encoder without segments gets segment embeddings of 0, which change no output
              (google_research);
            - `"heads"`: the heads that the format does not store are left out;
            - `"added_tokens"`: they become tokens that the tokenizer splits (google_research).

    Returns:
        A dict: `out`, `to`, the model's `kind`, the numbers of `tensors` and `parameters` that were written, and
        `skipped`, the heads of the model that the format does not store; `not_read`, the names of what the source
        contains beside the weights, such as the slots of an optimizer; `changes`, a dict of each changed name to its
        old and its new value; and `difference`, how much the outputs differ by it (see `measure_difference` in
        `keras_bert.weights.changes`), None without a change of the computation.

    Raises:
        InputError: the source cannot be read, the format cannot express the model and the change is not allowed, or
            the written model differs from what it should be.

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
    allowed = check_changes(allow_changes)
    target = format_named(to)
    found = open_source(source)
    if found.vocabulary is not None:
        spare = spare_tokens(found.vocabulary, found.config.vocab_size, found.label)
        found = dataclasses.replace(found, vocabulary=[*found.vocabulary, *spare])
    model = original = build_model(found)
    if to != "keras":
        model = as_two_classes(model)  # other formats have no head with one logit, except for regression
    if Path(out).is_file():
        raise InputError(f"`out` must be a new folder or one to replace. Received: out={out} (a file)")
    vectorizer = _vectorizer(found)
    config = getattr(model, "encoder", model).config
    changes = needed_changes(config, nearest := target.nearest_config(config))
    skipped = target.missing_heads(model)
    if skipped and not target.skips_heads:
        changes["heads"] = (skipped, [])
    if to == "google_research" and found.added_tokens and vectorizer is not None:
        changes["added_tokens"] = (list(found.added_tokens), [])
    check_allowed(changes, allowed, to)
    if "heads" in changes or ("pooler" in changes and "classifier" in skipped):
        model = model.encoder
    if not changes.keys().isdisjoint(FIELDS):
        model = change_model(model, nearest)
    if "added_tokens" in changes:
        found = dataclasses.replace(found, added_tokens=[])
        vectorizer = _vectorizer(found)
    weights = to_numpy(model_weights(model))
    before = {name: tensor for part in weights if part not in skipped for name, tensor in weights[part].items()}
    labels = found.labels if hasattr(model, "num_classes") else None
    with atomic_write(out) as draft:
        target.write(model, draft, vectorizer, labels)
        written = open_source(draft)
        after = {name: tensor for tensors in written.parts.values() for name, tensor in tensors.items()}
        _check_same_tensors(before, after, to, out)
        _check_same_computation(getattr(model, "encoder", model).config, written.config, to, out)
        _check_same_tokenizer(found, written, to, out)
        difference = None
        if not changes.keys().isdisjoint(FIELDS):
            difference = measure_difference(as_two_classes(original), model, vectorizer)
    return {
        "out": str(out),
        "to": to,
        "kind": kind_of(model),
        "tensors": len(before),
        "parameters": sum(tensor.size for tensor in before.values()),
        "skipped": skipped,
        "not_read": found.skipped,
        "changes": {name: {"from": old, "to": new} for name, (old, new) in changes.items()},
        "difference": difference,
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
