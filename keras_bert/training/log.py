"""What a run shows: a bar on standard error, and a log that TensorBoard reads."""

import math
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EVERY = 10  # steps between two entries of a batch in the log


class RunLog:
    """Bar and log of one run, used as a context manager.

    Args:
        title: what the bar is called.
        steps: how many there are.
        first: the step it begins at.
        log_dir: where TensorBoard's event files go, `train/` and `validation/` in it, as Keras has them; or None.
        verbose: 0 shows nothing.
    """

    def __init__(self, title: str, steps: int, first: int, log_dir: str | Path | None, verbose: int):
        self._console = Console(stderr=True, quiet=not verbose, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not verbose or not self._console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=steps, completed=first, shown="")
        self._title = title
        self._steps = steps
        self._first = first
        self._log_dir = log_dir
        self._writers = {}

    def __enter__(self) -> "RunLog":
        if self._log_dir is not None:
            from tensorboardX import SummaryWriter  # writes the format without TensorFlow

            # What an interrupted run wrote beyond its checkpoint is marked as void.
            purge = self._first or None
            for part in ("train", "validation"):
                self._writers[part] = SummaryWriter(str(Path(self._log_dir) / part), purge_step=purge)
        self._bar.start()
        self._begun = time.perf_counter()
        return self

    def __exit__(self, *_) -> None:
        self._bar.stop()
        for writer in self._writers.values():
            writer.close()

    def batch(self, step: int, metrics: dict[str, float]) -> None:
        """A batch is done; `metrics` are those of the round so far."""
        shown = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self._bar.update(self._task, completed=step, shown=shown)
        if self._writers and step % EVERY == 0:
            for name, value in metrics.items():
                self._writers["train"].add_scalar(f"running/{name}", value, step)

    def round(self, step: int, metrics: dict[str, float]) -> None:
        """A round is done: a line for people, entries for TensorBoard."""
        for name, value in metrics.items():
            if self._writers and name != "step":
                part = "validation" if name.startswith("val_") else "train"
                self._writers[part].add_scalar(name.removeprefix("val_"), value, step)
        for writer in self._writers.values():
            writer.flush()
        speed = (step - self._first) / max(time.perf_counter() - self._begun, 1e-9)
        shown = "  ".join(
            f"{name} {value:.4f}" for name, value in metrics.items() if name not in ("step", "learning_rate")
        )
        perplexity = metrics.get("val_mlm_loss", metrics.get("mlm_loss"))
        if perplexity is not None:
            shown += f"  perplexity {math.exp(min(perplexity, 50)):.1f}"
        self._console.print(f"{self._title} step {step}/{self._steps}  {shown}  {speed:.1f} steps/s", soft_wrap=True)
