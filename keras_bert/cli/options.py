"""Options that several commands share, and the conversion of their values."""

import functools
import sys

import click

from keras_bert.cli.completion import completer
from keras_bert.cli.value_types import ModelSource, OutFolder
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
MODEL_FOLDER = ("model.keras", "config.json")  # the files of a folder that `save_pretrained` wrote
OUT_HELP = "Folder to write. It appears when it is complete."


def out_option(*markers: str, **settings):
    """Create `--out DIR`. An existing folder is replaced only if it holds the files `markers`."""
    settings = {"required": True, "help": OUT_HELP, **settings}
    return click.option("--out", type=OutFolder(*markers), metavar="DIR", **settings)


def model_option(help_text: str = "Folder of a trained model.", default: str | None = None):
    """Create `--model MODEL`. `default` is the name of a bundled model; if it is None, the option is required."""
    return click.option(
        "--model",
        "folder",
        required=default is None,
        default=default,
        show_default=default is not None,
        metavar="DIR|NAME|hf://NAME",
        help=help_text,
        type=ModelSource(),
    )


ENCODER_HELP = (
    "Start from this pretrained model and its vocabulary: a folder, a name such as bert_en_uncased_mini (bundled) or "
    "bert-base-uncased, or an address."
)


def encoder_option(help_text: str = ENCODER_HELP):
    """Create `--encoder DIR`, the weights to start from."""
    return click.option("--encoder", type=ModelSource(), metavar="DIR|NAME|hf://NAME", help=help_text)


def file_option(name: str, help_text: str, **settings):
    """Create an option whose value is an existing file."""
    kind = click.Path(exists=True, dir_okay=False)
    return click.option(name, type=kind, metavar="FILE", help=help_text, **settings)


def size_option(default: str | None):
    """Create `--size NAME`, also called `--config`.

    Args:
        default: the size that the command uses without the option, to show in the help.
    """
    return click.option(
        "--size",
        "--config",
        "size",
        show_default=default or False,
        metavar="NAME|FILE.json",
        shell_complete=completer(*SIZES, *PRESETS, paths="file"),
        help=f"Start from random weights of this size: {', '.join(SIZES)}, the name of a preset, or a JSON file with "
        "the fields of a BertConfig.",
    )


def config_from_size(size: str, vocab_size: int, **changes) -> BertConfig:
    """Build the config that `--size` names.

    Args:
        size: value of the option.
        vocab_size: V of the vocabulary.
        **changes: fields that replace those of the size; None keeps the field of the size. A new `hidden_size` H also
            sets A = H / 64 heads and an intermediate size of 4 H, unless those are given.
    """
    if size.endswith(".json"):
        config = BertConfig.from_json(size)
    elif size in SIZES or size in PRESETS or f"small_bert/{size}" in PRESETS:
        config = BertConfig.from_preset(SIZES.get(size, size))
    else:
        raise InputError(
            f"`--size` must be one of {', '.join(SIZES)}, the name of a preset or a .json file. Received: {size}"
        )
    changes = {name: value for name, value in changes.items() if value is not None}
    hidden_size = changes.get("hidden_size")
    if hidden_size is not None:
        changes = {"num_heads": max(1, hidden_size // 64), "intermediate_size": 4 * hidden_size, **changes}
    return BertConfig.from_dict({**config.to_dict(), **changes, "vocab_size": vocab_size})


def check_length(sequence_length: int, config: BertConfig) -> None:
    """Raise InputError if a sequence is longer than the position embeddings of an encoder."""
    if sequence_length > config.max_position_embeddings:
        raise InputError(
            f"`--sequence-length` must be at most the encoder's {config.max_position_embeddings} positions. "
            f"Received: {sequence_length}"
        )


def texts_argument(required: bool = True, read_input: bool = True):
    """Create the argument `TEXT...`; `-` reads the lines of standard input, unless `read_input` is False."""
    callback = functools.partial(_read_texts, read_input)
    return click.argument("texts", nargs=-1, required=required, metavar="TEXT...|-", callback=callback)


def _read_texts(read_input: bool, context, param, texts: tuple[str, ...]) -> list[str]:
    """Return the texts of the arguments or of standard input, or raise InputError if one is empty or not UTF-8."""
    if texts == ("-",) and read_input:
        texts = _read_standard_input()
    for number, text in enumerate(texts, 1):
        if not text.strip():
            raise InputError(f"`TEXT` must not be empty. Received: an empty text, number {number}")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(f"`TEXT` must be UTF-8. Received: other bytes in text {number}") from None
    return list(texts)


def _read_standard_input() -> list[str]:
    """Return the lines of standard input, decoded as UTF-8."""
    lines = sys.stdin.buffer.read().removesuffix(b"\n").split(b"\n")
    texts = []
    for number, line in enumerate(lines, 1):
        try:
            texts.append(line.removesuffix(b"\r").decode("utf-8"))
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} in line {number}"
            raise InputError(f"`TEXT` must be UTF-8 if it is read from standard input. Received: {byte}") from None
    if texts == [""]:
        raise InputError("`TEXT` must be one text per line if it is read from standard input. Received: nothing")
    return texts


def sources_option(metavar: str, help: str):
    """Return the option for texts without labels."""
    return click.option(
        "--data",
        "sources",
        multiple=True,
        required=True,
        metavar=metavar,
        shell_complete=completer("sample", paths="file"),
        help=f"{help}; can be given several times. One paragraph per line, a blank line between documents.",
    )


def vocabulary_options(command):
    """Add the options for the vocabulary of a model that is trained from random weights."""
    options = [
        file_option("--vocab", "Vocabulary file, one token per line. Without it a vocabulary is learned."),
        click.option(
            "--vocab-size",
            type=click.IntRange(min=6),
            default=8000,
            show_default=True,
            help="Number of tokens.",
        ),
        click.option("--cased", is_flag=True, help="Keep capital letters and accents."),
    ]
    return add_options(options, command)


def data_options(command):
    """Add the options of files with labels."""
    options = [
        click.option("--skip-malformed", is_flag=True, help="Skip malformed lines and report their number."),
        click.option(
            "--tag-column",
            metavar="NAME|N",
            help="Column of the tags: its number, or its name in CoNLL-U (upos, xpos, deprel, ...) or CoNLL-2003 (pos, "
            "chunk, ner).  [default: upos in CoNLL-U, otherwise the last]",
        ),
    ]
    return add_options(options, command)


def add_options(options: list, command):
    """Add options to a command, in this order."""
    for option in reversed(options):  # the last one applied comes first in the help
        command = option(command)
    return command
