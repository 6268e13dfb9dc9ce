"""The files of a repository that are needed to load a model, by format."""

import dataclasses
import fnmatch
import glob
from collections.abc import Iterable

TOKENIZER = ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
SENTENCES = ("modules.json", "sentence_bert_config.json", "?_Pooling/config.json", "?_Normalize/config.json")
HUGGING_FACE = ("config.json", *TOKENIZER, *SENTENCES)
OLD_SENTENCES = ("0_Transformer/*.json", "0_Transformer/*.txt", *SENTENCES)  # the folders of old sentence-transformers


@dataclasses.dataclass(frozen=True)
class HubFormat:
    """A format in which repositories contain a model.

    Attributes:
        weights: patterns of the weight files. A repository has the format if each pattern matches one of its files.
        others: patterns of the other files that are needed if they exist.
        tokenizer: patterns of the files that suffice for the vocabulary; empty if the whole model is needed.
    """

    weights: tuple[str, ...]
    others: tuple[str, ...]
    tokenizer: tuple[str, ...] = ()

    @property
    def patterns(self) -> list[str]:
        """The patterns of all files."""
        return [*self.weights, *self.others]

    def matches(self, names: Iterable[str]) -> bool:
        """Return whether a repository with these files has this format."""
        names = list(names)
        return all(fnmatch.filter(names, pattern) for pattern in self.weights)


def _hugging_face(*weights: str) -> HubFormat:
    return HubFormat(weights, HUGGING_FACE, ("config.json", *TOKENIZER))


# In the order of preference: many repositories contain the same weights several times.
FORMATS = (
    HubFormat(("model.keras",), ("config.json", "vocab.txt")),
    HubFormat(("model.weights.h5",), ("*.json", "assets/tokenizer/*", "task.weights.h5")),
    _hugging_face("model.safetensors"),
    _hugging_face("model.safetensors.index.json", "model-*.safetensors"),
    _hugging_face("pytorch_model.bin"),
    _hugging_face("pytorch_model.bin.index.json", "pytorch_model-*.bin"),
    HubFormat(("0_Transformer/model.safetensors",), OLD_SENTENCES),
    HubFormat(("0_Transformer/pytorch_model.bin",), OLD_SENTENCES),
    HubFormat(("*.ckpt*.index", "*.ckpt*.data-*"), ("*bert_config.json", "vocab.txt", "checkpoint")),
    HubFormat(("saved_model.pb",), ("variables/*", "assets/*")),
    HubFormat(("model.onnx",), ("config.json", "vocab.txt")),
    HubFormat(("model.tflite",), ("config.json", "vocab.txt")),
)


def needed_patterns(names: Iterable[str], weights: bool = True) -> list[str]:
    """Return patterns of the files that are needed to load a model, each of one file.

    Args:
        names: all files of a repository.
        weights: False for the vocabulary alone, if the format has it in files of its own.

    Returns:
        A list of patterns for `fnmatch`; empty if the repository has no weights in a format that this package reads.

    Example:

    >>> needed_patterns(["README.md", "config.json", "model.safetensors", "pytorch_model.bin", "vocab.txt"])
    ['config.json', 'model.safetensors', 'vocab.txt']
    """
    names = sorted(names)
    found = next((each for each in FORMATS if each.matches(names)), None)
    if found is None:
        return []
    patterns = found.patterns if weights or not has_tokenizer(names, found) else found.tokenizer
    return [glob.escape(name) for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def has_tokenizer(names: Iterable[str], hub_format: HubFormat) -> bool:
    """Return whether the tokenizer files of a format, which contain the vocabulary, are among the names."""
    return bool(hub_format.tokenizer) and not {"vocab.txt", "tokenizer.json"}.isdisjoint(names)
