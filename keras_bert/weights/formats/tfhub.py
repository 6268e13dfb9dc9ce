"""TF-Hub's BERT: open it by handle or folder, read its tensors, say what size it is, copy it into ours."""

import re
from pathlib import Path

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import encoder_weights, shapes
from keras_bert.weights.formats.saved_model import asset_path, first_line, open_saved_model, promised_lengths, readable
from keras_bert.weights.report import assign_exactly_once
from keras_bert.weights.source import Source

BY_HAND = "download it on a machine with network, unpack it, and give the folder that holds saved_model.pb"
CONFIG = "keras_bert_config"  # the asset by which an export of ours says what tensors do not


def open_tfhub(source):
    """A SavedModel with the interface of TF-Hub's BERT encoder, loaded: to be called, which runs what is in it.

    Args:
        source: a TF-Hub handle (`"https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4"`), a folder holding
            `saved_model.pb`, or an object already loaded.

    Returns:
        The restored object.

    Raises:
        InputError: no such folder, no SavedModel in it, a handle that cannot be reached, or no BERT.
    """
    loaded = source
    if isinstance(source, (str, Path)):
        import tensorflow as tf

        folder = _folder(str(source))
        with readable(folder):
            loaded = tf.saved_model.load(folder)
    return _checked(loaded, source, callable(loaded))


def read_tfhub(source):
    """As `open_tfhub`, but a handle or a folder comes back as a `StoredObject`: its graph is not loaded, nothing runs.

    Raises:
        InputError: as `open_tfhub`.
    """
    if not isinstance(source, (str, Path)):
        return open_tfhub(source)
    stored = open_saved_model(_folder(str(source)))
    return _checked(stored, source, stored.has_call)


def _checked(model, source, can_be_called: bool):
    names = {_plain(variable) for variable in getattr(model, "variables", ())}
    if not can_be_called or "word_embeddings/embeddings" not in names:
        found = f"{len(names)} variables, none of them word_embeddings/embeddings"
        found = found if names else "no variables (a preprocessing model is no encoder)"
        raise InputError(
            f"expected a SavedModel with the interface of TF-Hub's BERT. Received: {label(source)} with {found}"
        )
    return model


def _folder(source: str) -> str:
    if re.match(r"[a-z0-9]+://", source):
        source = _download(source)
    folder = Path(source)
    if not folder.exists():
        raise InputError(
            f"expected a SavedModel folder or a TF-Hub handle (https://…). Received: {source}, which is not there"
        )
    if not (folder / "saved_model.pb").is_file():
        raise InputError(f"a SavedModel is a folder holding saved_model.pb. Received: {source}, which has none")
    return source


def _download(handle: str) -> str:
    import tensorflow_hub as hub

    try:
        return hub.resolve(handle)
    except Exception as error:  # urllib, SSL, kagglehub and TensorFlow have no error in common
        raise InputError(f"cannot reach this handle; {BY_HAND}. Received: {handle} ({first_line(error)})") from None


def read_tensors(loaded, source="the source") -> dict:
    """The encoder's tensors by name, as numpy arrays; `do_lower_case`, the one that is not of floats, is left out.

    Raises:
        InputError: two tensors of one name.
    """
    tensors = _by_name((v for v in loaded.variables if v.dtype.is_floating), source)
    return {ours_from_tfhub(name): tensor for name, tensor in tensors.items()}


def ours_from_tfhub(name: str) -> str:
    """Our name for a tensor of TF-Hub's: the same, but that ALBERT's one block has no number there.

    Example:

    >>> ours_from_tfhub("transformer/intermediate/kernel"), ours_from_tfhub("transformer/layer_1/intermediate/kernel")
    ('transformer/layer_0/intermediate/kernel', 'transformer/layer_1/intermediate/kernel')
    """
    if name.startswith("transformer/") and not name.startswith("transformer/layer_"):
        return name.replace("transformer/", "transformer/layer_0/", 1)
    return name


def read_masked_lm_tensors(loaded, source="the source") -> dict:
    """The tensors that only the `.mlm` part holds, by name; empty where there is no such part."""
    own = {_plain(v) for v in loaded.variables}
    head = getattr(getattr(loaded, "mlm", None), "variables", ())
    return _by_name((v for v in head if _plain(v) not in own), source)


def _by_name(variables, source) -> dict:
    tensors = {}
    for variable in variables:
        name = _plain(variable)
        if name in tensors:
            raise InputError(f"every tensor has a name of its own. Received: {name} twice in {source}")
        tensors[name] = variable.numpy()
    return tensors


def infer_config(tensors: dict, **changes) -> BertConfig:
    """The config that these tensors' shapes belong to.

    Shapes say nothing of the activation, the epsilon and the dropout rates: those are Google's (tanh GELU, 1e-12, 0.1);
    nor of how often ALBERT's one block runs, which is for `changes` to say.

    Args:
        tensors: name to array, as `read_tensors` gives them.
        **changes: fields to set otherwise.

    Returns:
        A `BertConfig`.

    Raises:
        InputError: a tensor that decides a size is missing or of an odd shape.
    """
    try:
        vocab_size, width = tensors["word_embeddings/embeddings"].shape
        hidden_size, num_heads, head_size = tensors["transformer/layer_0/self_attention/query/kernel"].shape
        positions, types = (len(tensors[f"{name}/embeddings"]) for name in ("position_embedding", "type_embeddings"))
        intermediate_size = len(tensors["transformer/layer_0/intermediate/bias"])
    except KeyError as error:
        raise InputError(
            f"expected the tensors of TF-Hub's BERT. Received: {len(tensors)} tensors, no {error}"
        ) from None
    except ValueError:
        kernel = tensors["transformer/layer_0/self_attention/query/kernel"].shape
        raise InputError(f"a query kernel has three axes, (H, A, H / A). Received: {kernel}") from None
    if num_heads * head_size != hidden_size:
        raise InputError(f"A heads of H / A make H={hidden_size}. Received: {num_heads} heads of {head_size}")
    layers = {match[1] for name in tensors if (match := re.match(r"transformer/layer_(\d+)/", name))}
    sizes = {
        "vocab_size": vocab_size,
        "hidden_size": hidden_size,
        "num_layers": len(layers),
        "num_heads": num_heads,
        "intermediate_size": intermediate_size,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "activation": "gelu_tanh",
        "layer_norm_epsilon": 1e-12,
    }
    if "embedding_projection/kernel" in tensors:
        sizes |= {"embedding_size": width, "share_blocks": True}
    return BertConfig.from_dict({**sizes, **changes})


def _config(model, tensors: dict, **changes) -> BertConfig:
    """The config that our export lays beside the weights, or else what shapes and promised outputs say."""
    file = asset_path(model, CONFIG)
    if file is None:
        return infer_config(tensors, **{**_layers_of_albert(model, tensors), **changes})
    config = BertConfig.from_json(file)
    expected, found = shapes(config)["encoder"], {name: tensor.shape for name, tensor in tensors.items()}
    for name in {**expected, **found}:
        if expected.get(name) != found.get(name):
            said = f"Received: {name} of {found.get(name)}, and {expected.get(name)} by {file}"
            raise InputError(f"tensors and the config beside them are of one model. {said}")
    return BertConfig.from_dict({**config.to_dict(), **changes})


def _layers_of_albert(model, tensors: dict) -> dict:
    """`num_layers`, by the outputs that a SavedModel promises, where its tensors do not say; otherwise nothing."""
    if "embedding_projection/kernel" not in tensors:
        return {}
    lengths = promised_lengths(model, "encoder_outputs")
    return {"num_layers": lengths[0]} if lengths else {}


def encoder_from_tfhub(source, **changes):
    """A new encoder of the source's size, holding its weights.

    Args:
        source: as for `load_weights`.
        **changes: config fields to set otherwise than the source says, such as `hidden_dropout=0.0`.

    Returns:
        A pair of the `BertEncoder` and its `LoadReport`.

    Raises:
        InputError: as `load_weights`.
    """
    from keras_bert.models import BertEncoder

    model = read_tfhub(source)
    tensors = read_tensors(model, label(source))
    encoder = BertEncoder(_config(model, tensors, **changes))
    return encoder, assign_exactly_once(encoder_weights(encoder), tensors, label(source))


def read_source(source) -> Source:
    """A SavedModel's weights, the vocabulary that came with it, and the config where the export is ours.

    Raises:
        InputError: as `open_tfhub`.
    """
    model = read_tfhub(source)
    tensors, head = read_tensors(model, label(source)), read_masked_lm_tensors(model, label(source))
    file, lowercase = vocabulary_file(model)
    vocabulary = None
    if file is not None:
        from keras_bert.text.vocabulary import load_vocabulary

        vocabulary = load_vocabulary(file)
    parts = {"encoder": tensors, **({"masked_lm": head} if head else {})}
    says_config = asset_path(model, CONFIG) is not None
    return Source(label(source), "tfhub", parts, lambda: _config(model, tensors), says_config, vocabulary, lowercase)


def vocabulary_file(model) -> tuple:
    """(path of the vocabulary that came with the model or None, whether it is lower-cased)."""
    file, lowercase = asset_path(model, "vocab_file"), getattr(model, "do_lower_case", None)
    if file is None or not hasattr(lowercase, "numpy"):
        return None, True
    return file, bool(lowercase.numpy())


def label(source) -> str:
    """What to call a source in a message."""
    return str(source) if isinstance(source, (str, Path)) else "the loaded model"


def _plain(variable) -> str:
    return variable.name.removesuffix(":0")
