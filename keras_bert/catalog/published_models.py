"""The published models by name, and which of them a folder holds, by the SHA-256 of its files.

`published_models.json` lists who made them, their sizes, the addresses where they are had, and of each address the
hashes that were found in public:

- google-research/bert's archives, and the Model Garden's: NVIDIA/DeepLearningExamples,
  `{PyTorch,TensorFlow2}/LanguageModeling/BERT/data/GooglePretrainedWeightDownloader.py`, which checks what it
  downloads; those of the former stand in quantapix/qnarre's downloader too.
- Hugging Face's: Git LFS names a file by its SHA-256, and `https://huggingface.co/NAME/raw/REVISION/FILE` shows it.
  Read in code that pins files so, such as boda-xiao/PKUEEG (`bert_v3_model_checksums.json`) and JYOUN9/EggHand_Code
  (`configs/assets/bert.json`), and in the copies of TJ-Solergibert/transformers-in-supercomputers, rafiepour/CTran and
  fadliaulawi/data2.2_more. In one place only: the weights of large uncased and of DistilBERT multilingual, and the
  `pytorch_model.bin` of SST-2.

They are others' readings: of the files themselves only four vocabularies were hashed again. No hash was found for the
weights of the 24 small BERTs, the whole-word-masking ones, DistilBERT cased and ALBERT, nor for TF-Hub's SavedModels.

Names, sizes and addresses: the READMEs of google-research/bert and google-research/albert, and the models' pages.
"""

import dataclasses
import functools
import hashlib
import json
from pathlib import Path

from keras_bert.config import PRESETS, BertConfig
from keras_bert.errors import InputError

TABLE = Path(__file__).with_name("published_models.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "bert_model.ckpt.data-00000-of-00001")
CONFIGS = ("config.json", "bert_config.json")
PUBLISHED = "published"


@dataclasses.dataclass(frozen=True)
class PublishedModel:
    """A model that its authors published.

    Attributes:
        name: the preset's name where there is one, or its authors'.
        by: who published it, and when.
        config: its `BertConfig`; of the activation, Google's form.
        parameters: of the encoder, with the pooler where it has one.
        places: the addresses where it is had.
    """

    name: str
    by: str
    config: BertConfig
    parameters: int
    places: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Identity:
    """Which published model a folder holds, or holds in part.

    Attributes:
        model: its name.
        by: who published it, and when.
        place: the address whose files the folder's are compared with.
        files: file name to `"published"`, or to what else it is.
    """

    model: str
    by: str
    place: str
    files: dict[str, str]

    @property
    def has_weights(self) -> bool:
        """Whether every file of weights is as published."""
        return all(state == PUBLISHED for name, state in self.files.items() if name in WEIGHTS)

    def __str__(self) -> str:
        same = ", ".join(name for name, state in self.files.items() if state == PUBLISHED)
        other = ", ".join(f"{name} ({state})" for name, state in self.files.items() if state != PUBLISHED)
        if not self.has_weights:
            return f"not the published {self.model}, {self.by}: {other}; as at {self.place}: {same}"
        line = f"published: {self.model}, {self.by}; as at {self.place}: {same}"
        return f"{line}; not as there: {other}" if other else line


@functools.cache
def list_published() -> tuple[PublishedModel, ...]:
    """All published models that this package knows, with or without a known hash.

    Example:

    >>> models = list_published()
    >>> models[0].name, models[0].parameters
    ('bert_en_uncased_L-12_H-768_A-12', 109482240)
    """
    models = []
    for entry in _table()["models"]:
        config = BertConfig.from_dict(entry.get("config") or PRESETS[entry["name"]])
        models.append(PublishedModel(**{**entry, "config": config, "places": tuple(entry["places"])}))
    return tuple(models)


def files_at(place: str) -> dict[str, dict]:
    """The files known at an address: name to `sha256` and, where known, `bytes`; empty if none is known."""
    return _table()["places"].get(place, {}).get("files", {})


def identify(folder: str | Path) -> Identity | None:
    """The published model that a folder holds, by the bytes of its files.

    A folder whose weights have other bytes is known by its config, if that is the published one.

    Args:
        folder: a folder as Hugging Face or google-research/bert has them; every file whose name a published one bears
            is read whole.

    Returns:
        An `Identity`; or None if the folder holds no published weights and no published config beside others.

    Raises:
        InputError: there is no such folder.

    Example:

    >>> import tempfile
    >>> identify(tempfile.mkdtemp()) is None
    True

    Source: FIPS 180-4 (SHA-256); the hashes' sources are named at the head of this file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"a folder is expected. Received: {folder}")
    places = [(model, place, files_at(place)) for model in list_published() for place in model.places]
    names = sorted({name for _, _, known in places for name in known if (folder / name).is_file()})
    if not set(names) & set(WEIGHTS):
        return None
    found = {name: (_sha256(folder / name), (folder / name).stat().st_size) for name in names}
    best, most = None, (0, 0)
    for model, place, known in places:
        files = {name: _state(known[name], *found[name]) for name in names if name in known}
        same = {name for name, state in files.items() if state == PUBLISHED}
        if not set(files) & set(WEIGHTS) or not same & {*WEIGHTS, *CONFIGS}:
            continue
        agreement = (len(same & set(WEIGHTS)), len(same))
        if agreement > most:
            best, most = Identity(model.name, model.by, place, files), agreement
    return best


def _state(known: dict, sha256: str, size: int) -> str:
    if sha256 == known["sha256"]:
        return PUBLISHED
    return f"{size:,} of {known['bytes']:,} bytes" if size < known.get("bytes", 0) else "other bytes"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def _table() -> dict:
    return json.loads(TABLE.read_text(encoding="utf-8"))
