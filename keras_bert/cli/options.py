"""Options that several commands share, and how their values are read."""

import math
import sys
from pathlib import Path

import click

from keras_bert.catalog.bundled import BUNDLED, find_bundled
from keras_bert.config import PRESETS, BertConfig
from keras_bert.errors import InputError

# The short names are those of Turc et al. 2019 (arXiv:1908.08962), table 1.
SIZES = {
    "tiny": "small_bert/bert_en_uncased_L-2_H-128_A-2",
    "mini": "small_bert/bert_en_uncased_L-4_H-256_A-4",
    "small": "small_bert/bert_en_uncased_L-4_H-512_A-8",
    "medium": "small_bert/bert_en_uncased_L-8_H-512_A-8",
    "base": "bert_en_uncased_L-12_H-768_A-12",
    "large": "bert_en_uncased_L-24_H-1024_A-16",
}
POOLS = ("mean", "max", "cls", "pooled", "second-to-last", "sum4", "last4")
MODEL_FOLDER = ("model.keras", "config.json")


positive = click.IntRange(min=1)


class FiniteRange(click.FloatRange):
    """A range of numbers that nan and infinity are not in; click lets nan pass every bound."""

    def convert(self, value, param, context) -> float:
        """The number, or a usage error."""
        number = super().convert(value, param, context)
        if not math.isfinite(number):
            self.fail(f"a finite number is expected. Received: {value}", param, context)
        return number


class OutFolder(click.ParamType):
    """A folder to write: a new one, an empty one, or one of the same kind, which the new one replaces at the end.

    Args:
        marks: files that tell such a folder from others, so that no foreign folder is ever replaced.
    """

    name = "folder"

    def __init__(self, *marks: str):
        self.marks = marks

    def convert(self, value, param, context) -> Path:
        """The path, or a usage error that says why nothing is written there."""
        path = Path(value)
        if path.is_file():
            self.fail(f"a folder is expected. Received: {value}, which is a file", param, context)
        if Path.cwd().is_relative_to(path.resolve()):
            self.fail(f"a folder below the working one is expected. Received: {value}, which holds it", param, context)
        if path.is_dir() and any(path.iterdir()) and not all((path / mark).exists() for mark in self.marks):
            wanted = f"a new or empty folder is expected, or one with {' and '.join(self.marks)} to replace"
            self.fail(f"{wanted}. Received: {value}, with other files", param, context)
        return path


def out_option(*marks: str, **settings):
    """`--out DIR`, which replaces only a folder that holds the files in `marks`."""
    settings = {"required": True, "help": "Folder to write; it appears whole, at the end.", **settings}
    return click.option("--out", type=OutFolder(*marks), metavar="DIR", **settings)


class ModelFolder(click.ParamType):
    """A folder that is there, or the name of a model that ships."""

    name = "folder"

    def convert(self, value, param, context) -> str:
        """The folder's path, or a usage error."""
        if Path(value).is_dir():
            return value
        if value in BUNDLED:
            return str(find_bundled(value))
        found = "is a file" if Path(value).exists() else "is not there"
        names = " or ".join(BUNDLED)
        self.fail(f"a model's folder, or {names}, is expected. Received: {value}, which {found}", param, context)


def model_option(help_text: str = "A trained model's folder.", shipped: str | None = None):
    """`--model DIR`; `shipped` is the model that is taken without it."""
    return click.option(
        "--model",
        "folder",
        required=shipped is None,
        default=shipped,
        show_default=shipped is not None,
        metavar="DIR",
        help=help_text,
        type=ModelFolder(),
    )


def encoder_option():
    """`--encoder DIR`: weights to start from."""
    return click.option(
        "--encoder",
        type=ModelFolder(),
        metavar="DIR|bert_en_uncased_mini",
        help="A pretrained model to start from: its folder, or the one that ships; its vocabulary comes along.",
    )


def file_option(name: str, help_text: str, **settings):
    """An option that names a file which must be there."""
    kind = click.Path(exists=True, dir_okay=False)
    return click.option(name, type=kind, metavar="FILE", help=help_text, **settings)


def size_option(usual: str | None):
    """`--size NAME`, also called `--config`: a short name, a preset, or a JSON file with a config's fields.

    Args:
        usual: what None stands for, to be shown as the default.
    """
    names = ", ".join(SIZES)
    return click.option(
        "--size",
        "--config",
        "size",
        show_default=usual or False,
        metavar="NAME|FILE.json",
        help=f"Random weights of this size: {names}, a preset's name, or a JSON file with the fields of a BertConfig.",
    )


def config_of(size: str, vocab_size: int, **changes) -> BertConfig:
    """The config that `--size` means, for a vocabulary.

    Args:
        size: what the option holds.
        vocab_size: the vocabulary's.
        **changes: other fields; a new `hidden_size` brings its own heads (of 64) and feed-forward part (4 H).
    """
    if size.endswith(".json"):
        config = BertConfig.from_json(size)
    elif size in SIZES or size in PRESETS or f"small_bert/{size}" in PRESETS:
        config = BertConfig.from_preset(SIZES.get(size, size))
    else:
        raise InputError(f"a size is one of {', '.join(SIZES)}, a preset, or a .json file. Received: {size!r}")
    changes = {name: value for name, value in changes.items() if value is not None}
    hidden = changes.get("hidden_size")
    if hidden is not None:
        changes = {"num_heads": max(1, hidden // 64), "intermediate_size": 4 * hidden, **changes}
    return BertConfig.from_dict({**config.to_dict(), **changes, "vocab_size": vocab_size})


def check_length(sequence_length: int, config: BertConfig) -> None:
    """InputError if a sequence is longer than the positions an encoder has."""
    if sequence_length > config.max_position_embeddings:
        raise InputError(
            f"a sequence is at most as long as the encoder's positions, {config.max_position_embeddings}. "
            f"Received: {sequence_length}"
        )


def texts_argument(required: bool = True):
    """`TEXT…`, or `-` for the lines of standard input."""
    return click.argument("texts", nargs=-1, required=required, metavar="TEXT...|-", callback=_read_texts)


def _read_texts(context, param, texts: tuple[str, ...]) -> list[str]:
    if texts == ("-",):
        texts = _standard_input()
    for number, text in enumerate(texts, 1):
        if not text.strip():
            raise InputError(f"a text holds at least one character. Received: an empty one, number {number}")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(f"texts are UTF-8. Received: other bytes in text {number}") from None
    return list(texts)


def _standard_input() -> list[str]:
    lines = sys.stdin.buffer.read().removesuffix(b"\n").split(b"\n")
    texts = []
    for number, line in enumerate(lines, 1):
        try:
            texts.append(line.removesuffix(b"\r").decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(f"texts are UTF-8. Received: byte 0x{line[error.start]:02x} in line {number}") from None
    if texts == [""]:
        raise InputError("standard input holds one text a line. Received: nothing")
    return texts


def vocabulary_options(command):
    """The vocabulary of a training from random weights."""
    options = [
        file_option("--vocab", "Vocabulary, one token a line; without it one is learned."),
        click.option(
            "--vocab-size", type=click.IntRange(min=6), default=8000, show_default=True, help="Tokens to learn."
        ),
        click.option("--cased", is_flag=True, help="Keep capitals and accents."),
    ]
    for option in reversed(options):
        command = option(command)
    return command
