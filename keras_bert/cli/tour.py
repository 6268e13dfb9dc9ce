"""`keras-bert tour`: every step from raw text to a served model."""

import shlex
import shutil
import sys
from pathlib import Path

import click

from keras_bert.cli.completion import DATASETS, SOURCES, completer
from keras_bert.cli.options import out_option
from keras_bert.cli.output import json_output


@click.command()
@out_option("metrics.json", "report.html", required=False, default="tour", show_default=True)
@click.option(
    "--dataset",
    default="sample",
    show_default=True,
    metavar="sample|sst2|FOLDER",
    shell_complete=completer(*DATASETS, paths="dir"),
    help="Labeled sentences. A folder holds train.tsv and dev.tsv: a header line, then sentence<TAB>label.",
)
@click.option(
    "--check",
    "source",
    metavar="SOURCE",
    shell_complete=completer(*SOURCES, paths="dir"),
    help="Also compare the encoder with this reference: a TF-Hub handle or the folder of a SavedModel.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed.")
@click.option(
    "--quick",
    is_flag=True,
    help="Train a very small model for a few steps. This shows that every step works; accuracy is low.",
)
@json_output
def tour(console, out: Path, dataset: str, source: str | None, seed: int, quick: bool) -> dict:
    """Learn a vocabulary, pretrain, fine-tune, evaluate, check and export a model, and use it in a new process.

    The tour takes about three minutes on two cores. It writes the models, metrics.json and report.html. After Ctrl-C
    the same command continues from the last checkpoint, which is kept next to --out.

    Example:  keras-bert tour --out tour
    """
    from keras_bert import ops
    from keras_bert.tour.plan import QUICK, TourPlan
    from keras_bert.tour.run import run_tour

    ops.partition_cpu_threads()
    plan = QUICK if quick else TourPlan()
    return run_tour(out, dataset, source, seed, plan=plan, program=program(), console=console)


def program() -> str:
    """Return the command that runs this program from the current folder, quoted for a POSIX shell."""
    called = Path(sys.argv[0]) if sys.argv else Path()
    if called.stem == "keras-bert":
        on_path = shutil.which("keras-bert")
        return "keras-bert" if on_path and Path(on_path).samefile(called) else shlex.quote(str(called))
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    return f"{shlex.quote(str(python))} -m keras_bert"
