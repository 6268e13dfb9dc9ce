"""`keras-bert tour`: the whole way, from a blank file to a served model."""

import shlex
import shutil
import sys
from pathlib import Path

import click

from keras_bert.cli.options import OutFolder
from keras_bert.cli.output import reporting


@click.command()
@click.option(
    "--out",
    type=OutFolder("metrics.json", "report.html"),
    metavar="DIR",
    default="tour",
    show_default=True,
    help="Folder to write; it appears whole, at the end.",
)
@click.option(
    "--dataset",
    default="sample",
    show_default=True,
    metavar="sample|sst2|FOLDER",
    help="Labelled sentences; a folder holds train.tsv and dev.tsv (header line, sentence<TAB>label).",
)
@click.option("--check", "source", metavar="SOURCE", help="Check against this TF-Hub handle or SavedModel folder too.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--quick", is_flag=True, help="A few steps of a very small model: shows that everything works, learns little."
)
@reporting
def tour(console, out: Path, dataset: str, source: str | None, seed: int, quick: bool) -> dict:
    """Learn a vocabulary, pretrain, fine-tune, evaluate, check, export, and predict in a fresh process.

    Takes under three minutes on two cores. Leaves the models, metrics.json and report.html. Ctrl-C leaves a checkpoint
    beside --out, and the same command goes on from it.

    Example:  keras-bert tour --out tour
    """
    from keras_bert import ops
    from keras_bert.tour.plan import QUICK, TourPlan
    from keras_bert.tour.run import run_tour

    ops.partition_cpu_threads()
    plan = QUICK if quick else TourPlan()
    return run_tour(out, dataset, source, seed, plan=plan, program=program(), console=console)


def program() -> str:
    """How to call this command line again from the same place, as one types it."""
    called = Path(sys.argv[0])
    if called.stem == "keras-bert":
        on_path = shutil.which("keras-bert")
        return "keras-bert" if on_path and Path(on_path).samefile(called) else shlex.quote(str(called))
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    return f"{shlex.quote(str(python))} -m keras_bert"
