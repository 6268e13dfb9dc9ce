"""The command line `keras-bert`: the list of commands, and one line of text for each error."""

import importlib
import os
import sys

import click

from keras_bert import __version__
from keras_bert.cli.logging import silence_libraries
from keras_bert.cli.process import termination_as_interrupt, usable_streams
from keras_bert.errors import InputError, NonFiniteError
from keras_bert.files import DISK_FULL

# In the order of use. A command's file (`fill-mask` is in fill_mask.py) is imported when the command runs or shows its
# help, so that the list below appears at once.
COMMANDS = {
    "tour": "Build a text classifier from raw text, step by step, and check it.",
    "tokenize": "Show the WordPiece tokens and ids of texts.",
    "pack": "Tokenize and pack text files of any size for pretraining.",
    "pretrain": "Pretrain an encoder on raw text.",
    "finetune": "Train a model for a task, from a pretrained encoder or from scratch.",
    "distill": "Train a small model to match a large one.",
    "evaluate": "Compute a model's metrics on a labeled file.",
    "predict": "Predict labels, numbers, answers or tags for texts.",
    "fill-mask": "Predict the tokens at the [MASK] positions of texts.",
    "embed": "Compute vectors of texts and their similarities.",
    "explain": "Show which words of a text a prediction comes from.",
    "inspect": "List the arrays and sizes of a model, or the names of all models.",
    "playground": "Open a local page that shows what the models compute.",
    "check": "Compare an encoder with a reference implementation.",
    "convert": "Convert weights from one published format to another.",
    "export": "Export a model as SavedModel, ONNX or LiteRT.",
}


class OrderedGroup(click.Group):
    """Group that lists its commands in the order of use and imports each one when it is needed."""

    def list_commands(self, context: click.Context) -> list[str]:
        """List the names of the commands in the order of use."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the command with this name. Return None if there is no such command."""
        if name not in COMMANDS:
            return None
        file = name.replace("-", "_")
        return getattr(importlib.import_module(f"keras_bert.cli.{file}"), file)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=OrderedGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="keras-bert")
@click.pass_context
def cli(context: click.Context) -> None:
    """BERT in Keras 3, from raw text to a served model.

    Start with:  keras-bert tour

    Show a command's options and an example:  keras-bert predict --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(argv: list[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: arguments without the program's name. Default: those of the process.

    Returns:
        The exit status: 0 for success, 1 if a check did not pass or training gave NaN, 2 for invalid input, 130 after
        Ctrl-C, SIGTERM or SIGHUP; with one line on standard error. Any other exception is a bug and is not caught.

    Example:

    >>> main(["tokenize", "--help"])
    Usage: keras-bert tokenize ...
    """
    silence_libraries()
    with usable_streams(), termination_as_interrupt():
        return _run(argv)


def _run(argv: list[str] | None) -> int:
    try:
        return cli.main(args=argv, prog_name="keras-bert", standalone_mode=False) or 0
    except BrokenPipeError:  # the next program of a pipe has ended, as in `keras-bert ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, click.Abort) as error:
        reason = str(error.__cause__ or error)  # click raises Abort in place of KeyboardInterrupt
        return _print_failure("interrupted", reason or "nothing was written", 130)
    except click.ClickException as error:
        return _print_failure("error", _click_message(error), 2)
    except InputError as error:
        return _print_failure("error", str(error), 2)
    except NonFiniteError as error:
        return _print_failure("error", str(error), 1)
    except OSError as error:
        file = f": {error.filename}" if error.filename else ""
        hint = ". Free some disk space and try again." if error.errno in DISK_FULL else ""
        notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
        return _print_failure("error", f"{error.strerror or error}{file}{hint}{notes}", 2)


def _click_message(error: click.ClickException) -> str:
    """Return the message of an error. The option comes first if its own type raised it: "`--out` must be ..."."""
    if isinstance(error, click.BadParameter) and error.param and error.message.startswith("must "):
        return f"`{error.param.opts[0]}` {error.message}"
    return error.format_message()


def _print_failure(kind: str, message: str, status: int) -> int:
    """Print one line on standard error and return the exit status."""
    print(f"{kind}: {' '.join(message.split())}", file=sys.stderr)
    return status
