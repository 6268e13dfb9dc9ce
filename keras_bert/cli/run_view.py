"""The page of a training run on the command line, for `keras-bert explain --run`."""

from pathlib import Path

from keras_bert.cli.output import show_table


def view_run(console, run_dir: str | Path, out: str | Path) -> dict:
    """Write the page of a run, and print its last metrics.

    Args:
        console: the rich console to print on.
        run_dir: the folder of the run's log, `--log-dir` of the training command.
        out: the page to write, which ends in `.html`.

    Returns:
        What `kb.explain.run_page` returns.

    Raises:
        InputError: the folder has no log, or the page cannot be written.
    """
    from keras_bert.explain import run_page

    found = run_page(run_dir, out)
    rows = ((name, f"{value:.4g}") for name, value in found["metrics"].items())
    show_table(console, f"{run_dir}, {found['steps']:,} steps", ("metric", "last value"), rows, right=("last value",))
    console.print(f"written: {out}", markup=False, soft_wrap=True)
    return found
