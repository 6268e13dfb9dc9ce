"""From any format to another, and proof that what was written is what was read."""

from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.weights.canonical_names import model_weights

FORMATS = ("tfhub", "keras", "huggingface", "google")


def convert(source, to: str, path) -> dict:
    """Write a model in another format, read it back, and compare every number.

    Args:
        source: as for `load_weights`, or a folder of `save_pretrained`.
        to: `"tfhub"`: the interface of TF-Hub's encoders; `"keras"`: a folder of `save_pretrained`; `"huggingface"`;
            `"google"`: a TensorFlow 1 checkpoint.
        path: the folder to write; one that is there is replaced when the new one is complete and reads as it should.

    Returns:
        A dict: `out`, `to`, `kind` of the model, `tensors` and `parameters` that are in what was written, and `left`,
        the heads that the format has no place for.

    Raises:
        InputError: the source cannot be read, the format has no such model, or what was written reads otherwise.
    """
    from keras_bert.export.saved_model import export_saved_model
    from keras_bert.models import kind_of
    from keras_bert.weights.formats.google_research import save_google
    from keras_bert.weights.formats.huggingface import save_huggingface
    from keras_bert.weights.formats.keras_folder import read_folder, save_pretrained
    from keras_bert.weights.load import find
    from keras_bert.weights.source import is_external, model_of, open_source

    if to not in FORMATS:
        raise InputError(f"a format to write is one of {', '.join(FORMATS)}. Received: {to!r}")
    source = find(source)
    ours = (
        isinstance(source, (str, Path)) and (Path(source) / "model.keras").is_file() and not is_external(Path(source))
    )
    found = read_folder(source) if ours else open_source(source)
    model = found.model if ours else model_of(found)
    vectorizer = _vectorizer(found)
    if to == "keras" and vectorizer is None:
        raise InputError(f"such a folder holds a vocabulary. Received: {found.label}, which has none")
    if Path(path).is_file():
        raise InputError(f"a model is written as a folder. Received: {path}, which is a file")
    left = [part for part in model_weights(model) if part not in ("encoder", "masked_lm")] if to == "tfhub" else []
    before = {n: w for part, weights in model_weights(model).items() if part not in left for n, w in weights.items()}
    with atomic_write(path) as draft:  # which takes its place once it reads as it should
        if to == "tfhub":
            kept = model if kind_of(model) in ("encoder", "pretrainer") else model.encoder
            export_saved_model(kept, draft, vectorizer, interface="tfhub")
        elif to == "keras":
            save_pretrained(model, draft, vectorizer, found.labels if hasattr(model, "num_classes") else None)
        elif to == "huggingface":
            save_huggingface(model, draft, vectorizer, found.labels)
        else:
            save_google(model, draft, vectorizer)
        again = read_folder(draft) if to == "keras" else open_source(draft)
        parts = model_weights(again.model) if to == "keras" else again.parts
        after = {name: tensor for tensors in parts.values() for name, tensor in tensors.items()}
        _check_same(before, after, path)
        _check_same_computation(getattr(model, "encoder", model).config, again, path)
    return {
        "out": str(path),
        "to": to,
        "kind": kind_of(model),
        "tensors": len(before),
        "parameters": int(sum(np.prod(weight.shape) for weight in before.values())),
        "left": left,
    }


def _vectorizer(found):
    if found.vocabulary is None:
        return None
    from keras_bert.text.vectorization import BertTextVectorization

    length = getattr(found, "sequence_length", None)
    return BertTextVectorization(vocabulary=found.vocabulary, lowercase=found.lowercase, sequence_length=length)


def _check_same_computation(config, again, path) -> None:
    """A format that cannot say how its weights are computed with would give other numbers without a word."""
    written = again.encoder.config if hasattr(again, "encoder") else again.config
    for field in ("activation", "layer_norm_epsilon", "num_layers", "num_heads", "share_blocks"):
        ours, theirs = getattr(config, field), getattr(written, field)
        if ours != theirs:
            raise InputError(f"{path} computes as what it was made of, {field}={ours!r}. Received: {theirs!r}")


def _check_same(before: dict, after: dict, path) -> None:
    import keras

    for name in {**before, **after}:
        one, two = (keras.ops.convert_to_numpy(side[name]) if name in side else None for side in (before, after))
        if one is None or two is None or not np.array_equal(one, two):
            raise InputError(f"what is written reads as it was. Received: another {name} in {path}")
