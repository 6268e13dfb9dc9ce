"""The list of pretrained models that can be loaded by name."""

import dataclasses
import difflib
from pathlib import Path

from keras_bert.catalog.bundled import BUNDLED, find_bundled, is_bundled
from keras_bert.catalog.published_models import PublishedModel, find_published, hub_names, list_published

TFHUB = "https://tfhub.dev/tensorflow/"  # the SavedModels with the interface that this package reads
NO_TOKENIZER = "; without its tokenizer, for `load_weights`"  # ALBERT's vocabulary is not a WordPiece vocabulary
KERAS_HUB = {  # family at Kaggle: names of KerasHub's presets and their versions, as in keras_hub 0.32
    "bert": {
        **{f"bert_{size}_en_uncased": 3 for size in ("tiny", "small", "medium", "base", "large")},
        **{f"bert_{name}": 3 for name in ("base_en", "base_zh", "base_multi", "large_en")},
        "bert_tiny_en_uncased_sst2": 5,
    },
    "distil_bert": {f"distil_bert_base_{name}": 3 for name in ("en_uncased", "en", "multi")},
    "albert": {
        "albert_base_en_uncased": 5,
        **{f"albert_{size}_en_uncased": 3 for size in ("large", "extra_large", "extra_extra_large")},
    },
}
KERAS_HUB_ADDRESSES = {
    name: f"kaggle://keras/{family}/keras/{name}/{version}"
    for family, names in KERAS_HUB.items()
    for name, version in names.items()
}


@dataclasses.dataclass(frozen=True)
class PretrainedInfo:
    """One pretrained model that can be loaded by name.

    Attributes:
        name: the name that `load_pretrained`, `load_weights` and `from_pretrained` take.
        description: one line of text.
        source: the folder of a bundled model, or the address from which a model is downloaded.
        bundled: whether the model is part of this installation and needs no network.
        parameters: number of parameters of the encoder, including the pooler if there is one; None for a bundled model
            and for a preset of KerasHub.
    """

    name: str
    description: str
    source: str
    bundled: bool
    parameters: int | None = None


def list_pretrained() -> list[PretrainedInfo]:
    """List the bundled models of this installation, the published models, and KerasHub's presets of them.

    A published model has its name at TF-Hub, its name at the Hugging Face Hub, or both.

    Returns:
        A list of `PretrainedInfo`.

    Example:

    >>> import keras_bert as kb
    >>> [info.name for info in kb.list_pretrained() if not info.bundled][:2]
    ['bert_en_uncased_L-12_H-768_A-12', 'bert-base-uncased']

    Source: the handles of https://tfhub.dev/google/collections/bert and the names of https://huggingface.co/google-bert,
    https://huggingface.co/distilbert and https://huggingface.co/albert; the presets of keras-team/keras-hub.
    """
    bundled = [
        PretrainedInfo(name, description, str(find_bundled(name)), True)
        for name, description in BUNDLED.items()
        if is_bundled(name)
    ]
    published = [
        PretrainedInfo(name, _description(model, address), address, False, model.parameters)
        for model in list_published()
        for name, address in _addresses(model).items()
    ]
    keras_hub = [
        PretrainedInfo(name, "KerasHub's preset" + (NO_TOKENIZER if "albert" in name else ""), address, False)
        for name, address in KERAS_HUB_ADDRESSES.items()
    ]
    return [*bundled, *published, *keras_hub]


def _addresses(model: PublishedModel) -> dict[str, str]:
    """Map the names of a model to the addresses from which they are loaded; TF-Hub first."""
    found = {}
    for handle in [url for url in model.urls if url.startswith(TFHUB)]:
        found[model.name] = handle
    if names := hub_names(model):
        short, full = names
        found.setdefault(model.name, f"hf://{full}")
        found.setdefault(short, f"hf://{full}")
    return found


def _description(model: PublishedModel, address: str) -> str:
    publisher, year = model.publisher.rsplit(" ", 1)
    text = f"{publisher}'s model of {year}, from {'TF-Hub' if address.startswith(TFHUB) else 'the Hugging Face Hub'}"
    return text + (NO_TOKENIZER if model.config.share_blocks else "")


def resolve(source):
    """Replace the name of a pretrained model by its folder or its address.

    Args:
        source: a name of `list_pretrained()`, or any other source of weights. The collection or the organization may be
            given or omitted: `"bert_en_uncased_L-2_H-128_A-2"` is `"small_bert/bert_en_uncased_L-2_H-128_A-2"`, and
            `"google-bert/bert-base-uncased"` is `"bert-base-uncased"`.

    Returns:
        A path or an address for a name; any other source, unchanged. If a file or folder with that name exists, it is
        used.

    Raises:
        InputError: a bundled model that this installation does not contain.

    Example:

    >>> resolve("bert_en_uncased_L-2_H-128_A-2")
    'https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-2_H-128_A-2/2'
    >>> resolve("bert-base-uncased")
    'hf://google-bert/bert-base-uncased'
    >>> resolve("a/folder")
    'a/folder'
    """
    if not isinstance(source, (str, Path)) or Path(source).exists():
        return source
    name = str(source)
    if name in BUNDLED:
        return find_bundled(name)
    model = find_published(name)
    if model is None:
        return KERAS_HUB_ADDRESSES.get(name, source)
    addresses = _addresses(model)
    if f"hf://{name}" in addresses.values():
        return f"hf://{name}"
    return addresses.get(name) or next(iter(addresses.values()), source)


def similar_names(name: str) -> list[str]:
    """Return up to three names of `list_pretrained()` that are similar to a mistyped name, the most similar first.

    Example:

    >>> similar_names("bert_en_uncased_L-12_H-768_A-21")[0]
    'bert_en_uncased_L-12_H-768_A-12'
    """
    published = [each for model in list_published() for each in (model.name, *hub_names(model))]
    return difflib.get_close_matches(name, [*BUNDLED, *published, *KERAS_HUB_ADDRESSES], n=3, cutoff=0.75)
