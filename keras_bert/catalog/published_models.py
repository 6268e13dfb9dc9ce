"""The list of published models, and identification of the model in a folder by the SHA-256 hashes of its files.

`published_models.json` lists the publishers, the sizes, the download addresses, and for each address the hashes that
were found in public sources:

- Archives of google-research/bert and of the Model Garden: NVIDIA/DeepLearningExamples,
  `{PyTorch,TensorFlow2}/LanguageModeling/BERT/data/GooglePretrainedWeightDownloader.py`, which verifies its downloads.
  The hashes of google-research/bert are in the downloader of quantapix/qnarre too.
- Hugging Face: Git LFS identifies a file by its SHA-256, shown at `https://huggingface.co/NAME/raw/REVISION/FILE`.
  The hashes were read in code that verifies its files with them, such as boda-xiao/PKUEEG
  (`bert_v3_model_checksums.json`) and JYOUN9/EggHand_Code (`configs/assets/bert.json`), and in the copies of
  TJ-Solergibert/transformers-in-supercomputers, rafiepour/CTran and fadliaulawi/data2.2_more. Found in one place only:
  the weights of large uncased and of DistilBERT multilingual, and the `pytorch_model.bin` of SST-2.

Only the hashes of four vocabularies were verified with downloaded files; all others are as other projects state them.
No hash was found for the weights of the 24 small BERTs, the whole-word-masking models, DistilBERT cased and ALBERT, or
for TF-Hub's SavedModels.

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
        name: the preset's name if there is one, otherwise the name that the authors use.
        publisher: the organization and the year.
        config: its `BertConfig`, with the activation as google-research/bert computes it.
        parameters: number of parameters of the encoder, including the pooler if there is one.
        urls: the addresses where the model can be downloaded.
    """

    name: str
    publisher: str
    config: BertConfig
    parameters: int
    urls: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class CheckpointMatch:
    """The published model that a folder contains, completely or in part.

    Attributes:
        model: the model's name.
        publisher: the organization and the year.
        url: the address of the files that the folder's files were compared with.
        files: file name to `"published"`, or to a description of the difference.
    """

    model: str
    publisher: str
    url: str
    files: dict[str, str]

    @property
    def has_published_weights(self) -> bool:
        """Whether every weight file is identical to the published one."""
        return all(state == PUBLISHED for name, state in self.files.items() if name in WEIGHTS)

    def __str__(self) -> str:
        same = ", ".join(name for name, state in self.files.items() if state == PUBLISHED)
        different = ", ".join(f"{name} ({state})" for name, state in self.files.items() if state != PUBLISHED)
        if not self.has_published_weights:
            return f"not the published {self.model}, {self.publisher}: {different}; identical to {self.url}: {same}"
        line = f"published: {self.model}, {self.publisher}; identical to {self.url}: {same}"
        return f"{line}; different: {different}" if different else line


@functools.cache
def list_published() -> tuple[PublishedModel, ...]:
    """List the models in `published_models.json`, with or without a known hash.

    Returns:
        A tuple of `PublishedModel`.

    Example:

    >>> models = list_published()
    >>> models[0].name, models[0].parameters
    ('bert_en_uncased_L-12_H-768_A-12', 109482240)
    """
    models = []
    for entry in _table()["models"]:
        config = BertConfig.from_dict(entry.get("config") or PRESETS[entry["name"]])
        models.append(PublishedModel(**{**entry, "config": config, "urls": tuple(entry["urls"])}))
    return tuple(models)


def files_at(url: str) -> dict[str, dict]:
    """Return the known files at an address: a dict of name to `sha256` and, if known, `bytes`; empty without files."""
    return _table()["urls"].get(url, {}).get("files", {})


def revision_at(url: str) -> str | None:
    """Return the commit of the files at an address of the Hugging Face Hub, as far as it is known."""
    return _table()["urls"].get(url, {}).get("revision")


def find_published(name: str) -> PublishedModel | None:
    """Find a published model by its name, or by its name at the Hugging Face Hub.

    Args:
        name: `"bert_en_uncased_L-12_H-768_A-12"`, `"bert-base-uncased"` or `"google-bert/bert-base-uncased"`. The
            prefix `small_bert/` may be omitted.

    Returns:
        A `PublishedModel`; None if there is none of this name.

    Example:

    >>> find_published("bert-base-uncased").name
    'bert_en_uncased_L-12_H-768_A-12'
    """
    for model in list_published():
        if name in (model.name, model.name.removeprefix("small_bert/"), *hub_names(model)):
            return model
    return None


def hub_names(model: PublishedModel) -> tuple[str, ...]:
    """Return the name of a model at the Hugging Face Hub, without and with the organization; empty without any.

    Example:

    >>> hub_names(find_published("albert-base-v2"))
    ('albert-base-v2', 'albert/albert-base-v2')
    """
    hub = "https://huggingface.co/"
    name = next((url.removeprefix(hub) for url in model.urls if url.startswith(hub)), None)
    return () if name is None else (name.split("/")[-1], name)


def identify(folder: str | Path) -> CheckpointMatch | None:
    """Identify the published model that a folder contains, by the hashes of its files.

    If the weights differ from every published file, the model is identified by its config file.

    Args:
        folder: a folder in the format of Hugging Face or google-research/bert. Every file that has the name of a
            published file is read completely.

    Returns:
        A `CheckpointMatch`; or None if neither the weights nor the config file are published ones.

    Raises:
        InputError: the folder does not exist.

    Example:

    >>> import tempfile
    >>> identify(tempfile.mkdtemp()) is None
    True

    Source: FIPS 180-4 (SHA-256); the module docstring lists the sources of the hashes.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"`folder` must be an existing folder. Received: folder={folder}")
    candidates = [(model, url, files_at(url)) for model in list_published() for url in model.urls]
    names = sorted({name for _, _, known in candidates for name in known if (folder / name).is_file()})
    if not set(names) & set(WEIGHTS):
        return None
    found = {name: (hash_file(folder / name), (folder / name).stat().st_size) for name in names}
    best, best_score = None, (0, 0)
    for model, url, known in candidates:
        files = {name: _state(known[name], *found[name]) for name in names if name in known}
        same = {name for name, state in files.items() if state == PUBLISHED}
        if not set(files) & set(WEIGHTS) or not same & {*WEIGHTS, *CONFIGS}:
            continue
        score = (len(same & set(WEIGHTS)), len(same))
        if score > best_score:
            best, best_score = CheckpointMatch(model.name, model.publisher, url, files), score
    return best


def _state(known: dict, sha256: str, size: int) -> str:
    if sha256 == known["sha256"]:
        return PUBLISHED
    return f"{size:,} of {known['bytes']:,} bytes" if size < known.get("bytes", 0) else "different content"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def _table() -> dict:
    return json.loads(TABLE.read_text(encoding="utf-8"))
