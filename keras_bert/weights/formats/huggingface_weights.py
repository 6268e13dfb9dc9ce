"""The files with the weights in a folder of Hugging Face, and the plain names of their tensors."""

from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.weights.formats.pytorch_bin import read_bin
from keras_bert.weights.json_file import read_json
from keras_bert.weights.messages import first_line, first_names

# File: whether it is an index, which names the file of each tensor. The first one that exists is read.
WEIGHT_FILES = {
    "model.safetensors": False,
    "model.safetensors.index.json": True,
    "pytorch_model.bin": False,
    "pytorch_model.bin.index.json": True,
}
CONFIG_FILES = ("config.json", "bert_config.json")  # pytorch-pretrained-bert had the second one
NOT_WEIGHTS = ("embeddings.position_ids", "embeddings.token_type_ids")
TOKEN_TABLE = "embeddings.word_embeddings.weight"
# The output projection is tied to the token table. Some files store it and its bias twice.
TIED = {  # model type: (projection, bias)
    "bert": ("cls.predictions.decoder", "cls.predictions.bias"),
    "distilbert": ("vocab_projector", "vocab_projector.bias"),
    "albert": ("predictions.decoder", "predictions.bias"),
}


def has_weights(path: Path) -> bool:
    """Return whether a folder has one of `WEIGHT_FILES`."""
    return any((path / name).is_file() for name in WEIGHT_FILES)


def read_settings(path: Path) -> dict:
    """Read the config file of a folder.

    Files before transformers 2.3 do not state the type of the model: it is that of `architectures`, or BERT.

    Raises:
        InputError: there is no config file, or it is damaged.
    """
    file = next((path / name for name in CONFIG_FILES if (path / name).is_file()), path / CONFIG_FILES[0])
    settings = read_json(file)
    if "model_type" in settings or "num_hidden_layers" not in settings:
        return settings
    name = str(settings.get("architectures"))
    types = {"Albert": "albert", "DistilBert": "distilbert", "Bert": "bert", "None": "bert"}
    return {**settings, "model_type": next((found for part, found in types.items() if part in name), name)}


def read_weights(path: Path, model_type: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read the tensors of a folder by their plain names.

    Args:
        path: the folder.
        model_type: `"bert"`, `"distilbert"` or `"albert"`.

    Returns:
        A dict of name to array, and the names of what is no weight, such as the state of an optimizer. The names have
        no prefix: neither the model type nor that of a wrapper such as `DataParallel`.

    Raises:
        InputError: a file is missing or damaged, a tensor is stored twice, or there are several encoders.
    """
    name = next((name for name in WEIGHT_FILES if (path / name).is_file()), None)
    if name is None:
        names = " or ".join(name for name, is_index in WEIGHT_FILES.items() if not is_index)
        shards = sorted(file.name for file in path.glob("*-of-*") if file.suffix in (".safetensors", ".bin"))
        found = f"{first_names(shards)}, without the index file" if shards else "neither"
        raise InputError(f"`source` must be a folder with {names}. Received: source={path} ({found})")
    tensors, skipped = _read_shards(path, path / name) if WEIGHT_FILES[name] else _read_file(path / name)
    return _by_plain_name(tensors, model_type, path), skipped


def _read_file(file: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    if file.suffix == ".bin":
        return read_bin(file)
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(file), []
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError) as error:  # also for float8
        raise InputError(
            f"`source` must contain a complete {file.name}. Received: source={file} ({first_line(error)})"
        ) from None


def _read_shards(path: Path, index: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read the tensors that an index file names, from all its files."""
    files = read_json(index).get("weight_map")
    if not isinstance(files, dict) or not all(_is_name(file) for file in files.values()) or not files:
        raise InputError(
            "`weight_map` must map tensors to files in the same folder. "
            f"Received: weight_map={type(files).__name__} in {index}"
        )
    missing = sorted({file for file in files.values() if not (path / file).is_file()})
    if missing:
        raise InputError(
            f"`source` must contain every file that its index names. Received: source={index} ({first_names(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing). Download the missing files into that folder."
        )
    tensors, skipped = {}, []
    for file in sorted(set(files.values())):
        found, other = _read_file(path / file)
        skipped += other
        tensors |= {name: tensor for name, tensor in found.items() if files.get(name) == file}
    missing = [name for name in files if name not in tensors]
    if missing:
        raise InputError(
            "`source` must contain every tensor that its index names. "
            f"Received: source={index} (no {first_names(missing)} in {files[missing[0]]})"
        )
    return tensors, skipped


def _is_name(file) -> bool:
    return isinstance(file, str) and Path(file).name == file and Path(file).suffix in (".safetensors", ".bin")


def _by_plain_name(tensors: dict, model_type: str, path: Path) -> dict:
    """Remove prefixes from the names, and replace the old names of LayerNorm's weights by the current ones."""
    tables = [name.removesuffix(TOKEN_TABLE) for name in tensors if name.endswith(TOKEN_TABLE)]
    standard = [prefix for prefix in tables if prefix in ("", f"{model_type}.")]
    if len(tables) > 1 and len(standard) != 1:
        raise InputError(
            "`source` must contain one encoder. "
            f"Received: source={path} ({first_names(f'{prefix}{TOKEN_TABLE}' for prefix in tables)})"
        )
    encoder = (standard or tables or [""])[0]  # such as "module.bert."
    outer = encoder.removesuffix(f"{model_type}.")
    if outer == encoder:  # the attribute has another name than in transformers, such as "model.encoder."
        outer = encoder[: encoder.rstrip(".").rfind(".") + 1]
    found, names = {}, {}
    for name, tensor in tensors.items():
        if name.endswith(NOT_WEIGHTS):
            continue
        plain = name.removeprefix(encoder) if name.startswith(encoder) else name.removeprefix(outer)
        plain = plain.removeprefix(f"{model_type}.")
        plain = plain.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
        if plain in found:
            raise InputError(f"`source` must contain each tensor once. Received: {names[plain]} and {name} in {path}")
        found[plain], names[plain] = tensor, name
    return found


def drop_tied(tensors: dict, model_type: str) -> list[str]:
    """Remove the second copies of tied tensors. If they differ, the decoder is not tied: return their names."""
    decoder, bias = TIED[model_type]
    untied = []
    for copy, name in ((f"{decoder}.weight", TOKEN_TABLE), (f"{decoder}.bias", bias)):
        if copy in tensors and copy != name:
            if name in tensors and not np.array_equal(tensors[copy], tensors[name]):
                untied.append(copy)
            else:
                del tensors[copy]
    return untied
