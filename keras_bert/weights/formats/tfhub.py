"""Reader of TF-Hub's BERT encoders, which are SavedModels, from a handle or a folder."""

import dataclasses
from pathlib import Path

from keras_bert.catalog.download import is_address, locate
from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.extras import require, require_tensorflow
from keras_bert.text.splitting import Splitting
from keras_bert.text.vocabulary import load_vocabulary
from keras_bert.weights.canonical_names import encoder_weights
from keras_bert.weights.formats.format import Format
from keras_bert.weights.formats.saved_model import (
    ADDED_TOKENS_ASSET,
    CONFIG_ASSET,
    SPLITTING_ASSET,
    LoadedSavedModel,
    StoredSavedModel,
    readable,
)
from keras_bert.weights.formats.tfhub_config import TOKEN_TABLE, read_config
from keras_bert.weights.json_file import read_json
from keras_bert.weights.messages import first_line
from keras_bert.weights.report import assign_exactly_once
from keras_bert.weights.source import Source


class TFHub(Format):
    """SavedModels with the interface of TF-Hub's BERT encoders; the graph is neither loaded nor run."""

    name = "tfhub"
    marker_files = ("saved_model.pb",)
    heads = ("masked_lm",)  # the interface has no other heads
    skips_heads = True

    def nearest_config(self, config: BertConfig) -> BertConfig:
        """See `Format.nearest_config`. The interface returns `pooled_output`."""
        return dataclasses.replace(config, pooler=True)

    def read(self, source) -> Source:
        """See `Format.read`. The config is read from an asset if this package wrote the SavedModel, else inferred."""
        model = read_tfhub(source)
        tensors = {"encoder": read_tensors(model), "masked_lm": read_masked_lm_tensors(model)}
        if not tensors["masked_lm"]:
            del tensors["masked_lm"]
        vocabulary, lowercase = read_vocabulary(model)
        return Source(
            label=model.label,
            format=self.name,
            tensors=tensors,
            read_config=lambda: read_config(model, tensors["encoder"]),
            has_full_config=model.asset_path(CONFIG_ASSET) is not None,
            vocabulary=vocabulary,
            lowercase=lowercase,
            added_tokens=read_added_tokens(model),
            splitting=read_splitting(model),
        )

    def read_vectorizer(self, source) -> dict:
        """See `Format.read_vectorizer`."""
        model = read_tfhub(source)
        vocabulary, lowercase = read_vocabulary(model)
        found = Source(
            label=model.label,
            format=self.name,
            vocabulary=vocabulary,
            lowercase=lowercase,
            added_tokens=read_added_tokens(model),
            splitting=read_splitting(model),
        )
        rows = next(variable.shape[0] for variable in model.variables() if _name(variable) == TOKEN_TABLE)
        return {**found.vectorizer_arguments, "vocab_size": rows}

    def write(self, model, path, vectorizer=None, labels=None) -> Path:
        """See `Format.write`. Of a task model other than a `BertPretrainer`, only the encoder is written."""
        from keras_bert.models import BertPretrainer
        from keras_bert.weights.formats.tfhub_writer import save_tfhub

        if not isinstance(model, BertPretrainer):
            model = getattr(model, "encoder", model)
        return save_tfhub(model, path, vectorizer)


def open_tfhub(source):
    """Load a SavedModel with the interface of TF-Hub's BERT encoders, so that it can be called. Its initializers run.

    The interface is checked in the files first, so a SavedModel of another kind is rejected before anything runs.

    Args:
        source: a TF-Hub handle (`"https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4"`), a folder that
            contains `saved_model.pb`, or an object that is already loaded.

    Returns:
        The loaded object.

    Raises:
        InputError: the folder does not exist or contains no SavedModel, the handle cannot be downloaded, or the
            SavedModel has another interface.
    """
    loaded = source
    if isinstance(source, (str, Path)):
        tf = require_tensorflow(f"the SavedModel {source}")
        folder = _folder(str(source))
        _checked(StoredSavedModel(folder, str(source)))
        with readable(folder):
            loaded = tf.saved_model.load(folder)
    return _checked(LoadedSavedModel(loaded, label(source))).loaded


def read_tfhub(source) -> StoredSavedModel | LoadedSavedModel:
    """Open a SavedModel with the interface of TF-Hub's BERT encoders for reading; nothing of it is run.

    Args:
        source: as for `open_tfhub`.

    Raises:
        InputError: as `open_tfhub`.
    """
    if not isinstance(source, (str, Path)):
        return _checked(LoadedSavedModel(source))
    return _checked(StoredSavedModel(_folder(str(source)), str(source)))


def encoder_from_tfhub(source, **changes):
    """Build an encoder of the source's size and load its weights.

    Args:
        source: as for `open_tfhub`.
        **changes: config fields to set to other values than in the source, such as `hidden_dropout=0.0`.

    Returns:
        A pair of the `BertEncoder` and its `LoadReport`.

    Raises:
        InputError: as `load_weights`.
    """
    from keras_bert.models import BertEncoder

    model = read_tfhub(source)
    tensors = read_tensors(model)
    encoder = BertEncoder(read_config(model, tensors, **changes))
    return encoder, assign_exactly_once(encoder_weights(encoder), tensors, model.label)


def read_tensors(model) -> dict:
    """Read the encoder's tensors by canonical name; `do_lower_case`, the only one that is not floating, is left out.

    Raises:
        InputError: two tensors have the same name.
    """
    tensors = _by_name((variable for variable in model.variables() if variable.dtype.is_floating), model.label)
    return {canonical_name(name): tensor for name, tensor in tensors.items()}


def read_masked_lm_tensors(model) -> dict:
    """Read the tensors that only the `.mlm` part has, by canonical name; empty if there is no such part."""
    encoder = {_name(variable) for variable in model.variables()}
    return _by_name((each for each in model.variables("mlm") if _name(each) not in encoder), model.label)


def canonical_name(name: str) -> str:
    """Return the canonical name of a TF-Hub tensor. Only ALBERT's name of the shared block differs: it has no number.

    Example:

    >>> canonical_name("transformer/intermediate/kernel"), canonical_name("transformer/layer_1/intermediate/kernel")
    ('transformer/layer_0/intermediate/kernel', 'transformer/layer_1/intermediate/kernel')
    """
    if name.startswith("transformer/") and not name.startswith("transformer/layer_"):
        return name.replace("transformer/", "transformer/layer_0/", 1)
    return name


def read_vocabulary(model) -> tuple[list[str] | None, bool]:
    """Read the vocabulary of a SavedModel, or None without one, and whether text is lowercased."""
    file, lowercase = model.asset_path("vocab_file"), model.flag("do_lower_case")
    if file is None or lowercase is None:
        return None, True
    return load_vocabulary(file), lowercase


def read_added_tokens(model) -> list[str]:
    """Read the added tokens of a SavedModel that this package wrote; empty if there are none."""
    file = model.asset_path(ADDED_TOKENS_ASSET)
    return [] if file is None else Path(file).read_text(encoding="utf-8").split("\n")[:-1]


def read_splitting(model) -> Splitting:
    """Read how the tokenizer of a SavedModel that this package wrote differs from the original one."""
    file = model.asset_path(SPLITTING_ASSET)
    return Splitting() if file is None else Splitting.from_dict(read_json(Path(file)))


def label(source) -> str:
    """Return the source's name in messages."""
    return str(source) if isinstance(source, (str, Path)) else "the loaded model"


def _checked(model):
    """Return the model if it has the interface of TF-Hub's BERT encoders."""
    names = {_name(variable) for variable in model.variables()}
    if not model.has_call or TOKEN_TABLE not in names:
        found = f"{len(names)} variables without {TOKEN_TABLE}" if names else "no variables"
        hint = "" if names else ". A preprocessing model is not an encoder."
        raise InputError(
            "`source` must be a SavedModel with the interface of TF-Hub's BERT encoders, or one that takes text and "
            f"that `kb.export_saved_model` wrote. Received: source={model.label} ({found}){hint}"
        )
    return model


def _folder(source: str) -> str:
    """Return the folder of a SavedModel; a name, an address or a handle is downloaded first."""
    source = str(locate(source))
    if is_address(source):
        source = _download(source)
    if not (Path(source) / "saved_model.pb").is_file():
        problem = "no saved_model.pb in it" if Path(source).exists() else "no such folder"
        raise InputError(
            f"`source` must be a folder that contains saved_model.pb, or a TF-Hub handle (https://...). "
            f"Received: source={source} ({problem})"
        )
    return source


def _download(handle: str) -> str:
    hub = require("tensorflow_hub", f"the TF-Hub handle {handle}")
    try:
        return hub.resolve(handle)
    except Exception as error:  # urllib, SSL, kagglehub and TensorFlow raise unrelated error types
        raise InputError(
            f"`source` must be a TF-Hub handle that can be downloaded. Received: source={handle} "
            f"({first_line(error)}). Without network: download it elsewhere, unpack it, and give the folder that "
            "contains saved_model.pb."
        ) from None


def _by_name(variables, source: str) -> dict:
    tensors = {}
    for variable in variables:
        name = _name(variable)
        if name in tensors:
            raise InputError(f"`source` must contain each tensor once. Received: source={source} ({name} twice)")
        tensors[name] = variable.numpy()
    return tensors


def _name(variable) -> str:
    return variable.name.removesuffix(":0")
