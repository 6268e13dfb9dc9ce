"""The command line `keras-bert`: one command a file; here they are gathered, and every failure becomes one line."""

import errno
import os
import sys

import click

from keras_bert import __version__
from keras_bert.cli.check import check
from keras_bert.cli.convert import convert
from keras_bert.cli.distill import distill
from keras_bert.cli.embed import embed
from keras_bert.cli.evaluate import evaluate
from keras_bert.cli.export import export
from keras_bert.cli.fill_mask import fill_mask
from keras_bert.cli.finetune import finetune
from keras_bert.cli.inspect import inspect
from keras_bert.cli.logging import quiet
from keras_bert.cli.predict import predict
from keras_bert.cli.pretrain import pretrain
from keras_bert.cli.tokenize import tokenize
from keras_bert.cli.tour import tour
from keras_bert.errors import InputError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
COMMANDS = (
    tour,
    tokenize,
    pretrain,
    finetune,
    distill,
    evaluate,
    predict,
    fill_mask,
    embed,
    inspect,
    check,
    convert,
    export,
)


class OrderedGroup(click.Group):
    """A group that lists its commands as one uses them, not by the alphabet."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The commands' names, in the order they were given."""
        return list(self.commands)


@click.group(
    cls=OrderedGroup,
    commands=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="keras-bert")
@click.pass_context
def cli(context: click.Context) -> None:
    """BERT in Keras 3, from raw text to a served model.

    Start with:  keras-bert tour
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(argv: list[str] | None = None) -> int:
    """Run one command line and say how it went.

    Args:
        argv: the arguments, without the program's name; those of the process where not given.

    Returns:
        The exit status: 0 when done, 1 when a check did not pass, 2 for what the user can mend (one line `error: …` on
        standard error), 130 after Ctrl-C. A bug keeps its traceback.

    Example:

    >>> main(["tokenize", "--help"])
    Usage: keras-bert tokenize ...
    """
    quiet()
    try:
        return cli.main(args=argv, prog_name="keras-bert", standalone_mode=False) or 0
    except BrokenPipeError:  # the reader has gone: `keras-bert … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, click.Abort) as error:
        why = str(error.__cause__ or error)  # click makes its own error of Ctrl-C
        return _say("interrupted", why or "nothing was written", 130)
    except click.ClickException as error:
        return _say("error", error.format_message(), 2)
    except InputError as error:
        return _say("error", str(error), 2)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        room = "; the disk has no room for it, free some" if error.errno in NO_ROOM else ""
        return _say("error", f"{error.strerror or error}{where}{room}", 2)


def _say(what: str, message: str, status: int) -> int:
    print(f"{what}: {' '.join(message.split())}", file=sys.stderr)
    return status
