"""SavedModels that take text, with the assets from which this package rebuilds the model that they serve.

The graph is for other programs. The variables and two assets are enough to build the Keras model again: its config with
the settings of its texts, and the vocabulary. Nothing of the graph is loaded or run.
"""

import json
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.models import MODEL_CLASSES, check_vocabulary_size, kind_of
from keras_bert.text.splitting import Splitting
from keras_bert.text.vocabulary import load_vocabulary, save_vocabulary
from keras_bert.weights.formats.format import Format
from keras_bert.weights.formats.keras_folder import check_labels
from keras_bert.weights.formats.saved_model import StoredSavedModel
from keras_bert.weights.json_file import read_json
from keras_bert.weights.messages import one_line
from keras_bert.weights.source import Source

MODEL_ASSET = "keras_bert_model"  # a JSON file: the Keras config of the model, and the settings of its texts
VOCABULARY_ASSET = "keras_bert_vocabulary"  # a text file, one token per line
WEIGHTS = "weights"  # the list of the model's variables, in the order of `model.weights`
SETTINGS = {  # field of the JSON file: the types of its values
    "kind": str,
    "model": dict,
    "labels": list | None,
    "lowercase": bool,
    "added_tokens": list,
    "sequence_length": int | None,
    "pool": str | None,
    "normalize": bool,
}


class TextSavedModel(Format):
    """SavedModels of classifiers and encoders that take text, as `export_saved_model` writes them."""

    name = "text_saved_model"
    marker_files = ("saved_model.pb", f"assets/{MODEL_ASSET}.json", f"assets/{VOCABULARY_ASSET}.txt")

    def read(self, source) -> Source:
        """See `Format.read`."""
        folder = Path(source)
        settings = _read_settings(folder)
        vocabulary = load_vocabulary(folder / self.marker_files[2])
        model = _build(settings, folder)
        check_vocabulary_size(getattr(model, "encoder", model), len(vocabulary))
        _assign(model, StoredSavedModel(folder, str(source)).variables(WEIGHTS, is_list=True), folder)
        return Source(
            label=str(source),
            format=self.name,
            model=model,
            labels=check_labels(model, settings["labels"]),
            pairs=False if settings["kind"] != "encoder" else None,  # the graph takes single texts
            pool=settings["pool"],
            normalize=settings["normalize"],
            **_vectorizer_settings(settings, vocabulary),
        )

    def read_vectorizer(self, source) -> dict:
        """See `Format.read_vectorizer`. The model is not loaded."""
        settings, vocabulary = _read_settings(Path(source)), load_vocabulary(Path(source) / self.marker_files[2])
        return Source(str(source), self.name, **_vectorizer_settings(settings, vocabulary)).vectorizer_arguments


def add_model_assets(root, folder: Path, model, vectorizer, labels=None, pool=None, normalize=False) -> None:
    """Add the two assets to a SavedModel that is about to be written, see `TextSavedModel`.

    A model with a custom layer that has no config gets no assets: it can be served, and not be built again.

    Args:
        root: the trackable object. Its attribute `weights` has the values of `model.weights`.
        folder: an empty folder for the files. It must exist until the SavedModel is written.
        model: the encoder or the classifier.
        vectorizer: its `BertTextVectorization`.
        labels: names of the classes, or None.
        pool, normalize: see `export_saved_model`.
    """
    import keras
    import tensorflow as tf

    try:
        model_config = keras.saving.serialize_keras_object(model)
        json.dumps(model_config)
    except (NotImplementedError, TypeError, ValueError):  # of a layer without `get_config`, or with objects in it
        return
    settings = {
        "kind": kind_of(model),
        "model": model_config,
        "labels": labels,
        "lowercase": bool(vectorizer.lowercase),
        "added_tokens": list(vectorizer.added_tokens),
        **vectorizer.splitting.changes(),
        "sequence_length": vectorizer.sequence_length,
        "pool": pool,
        "normalize": normalize,
    }
    config, tokens = folder / f"{MODEL_ASSET}.json", folder / f"{VOCABULARY_ASSET}.txt"
    config.write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    save_vocabulary(vectorizer.get_vocabulary(), tokens)
    setattr(root, MODEL_ASSET, tf.saved_model.Asset(str(config)))
    setattr(root, VOCABULARY_ASSET, tf.saved_model.Asset(str(tokens)))


def _read_settings(folder: Path) -> dict:
    file = folder / "assets" / f"{MODEL_ASSET}.json"
    settings = read_json(file)
    for name, kind in SETTINGS.items():
        if name not in settings or not isinstance(settings[name], kind):
            found = f"{name}={settings[name]!r:.40}" if name in settings else f"{name} is missing"
            raise InputError(f"`source` must contain a {file.name} that keras_bert wrote. Received: {file} ({found})")
    return settings


def _vectorizer_settings(settings: dict, vocabulary: list[str]) -> dict:
    names = ("lowercase", "added_tokens", "sequence_length")
    settings = {"splitting": Splitting.from_dict(settings), **{name: settings[name] for name in names}}
    return {"vocabulary": vocabulary, **settings}


def _build(settings: dict, folder: Path):
    """Build the model of the config, with new weights."""
    import keras

    expected = MODEL_CLASSES.get(settings["kind"])
    try:
        model = keras.saving.deserialize_keras_object(settings["model"], safe_mode=True)
    except Exception as error:  # Keras raises many error types on unknown and damaged configs
        raise InputError(
            f"`source` must contain the config of a model that keras_bert can build. Received: source={folder} "
            f"({one_line(error)})"
        ) from None
    if expected is None or not isinstance(model, expected):
        found = f"kind={settings['kind']!r:.40}, {type(model).__name__}"
        raise InputError(
            f"`source` must contain a model of the kind that it states. Received: source={folder} ({found})"
        )
    return model


def _assign(model, variables: list, folder: Path) -> None:
    """Set the weights of a model to the stored ones, which are in the same order."""
    expected = [(tuple(weight.shape), weight.dtype) for weight in model.weights]
    found = [(tuple(variable.shape), variable.dtype.name) for variable in variables]
    for number, (weight, one, other) in enumerate(zip(model.weights, expected, found, strict=False)):
        if one != other:
            raise InputError(
                f"`source` must have the variable {number}, {weight.path}, of shape {one[0]} and dtype {one[1]}, as "
                f"its config states. Received: source={folder} (shape {other[0]}, dtype {other[1]})"
            )
    if len(expected) != len(found):
        raise InputError(
            f"`source` must have {len(expected)} variables, as its config states. Received: source={folder} "
            f"({len(found)} variables)"
        )
    for weight, variable in zip(model.weights, variables, strict=True):
        weight.assign(variable.numpy())
