"""Progress on standard error and TensorBoard log of a run."""

import math
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from keras_bert.extras import require
from keras_bert.inference.progress import PlainProgress
from keras_bert.system import error_stream

LOG_EVERY = 10  # steps between the running metrics in the TensorBoard log


class RunLog:
    """Progress and TensorBoard log of one run, used as a context manager.

    On a terminal the progress is a bar; elsewhere it is a line every 15 seconds with step, metrics, speed and remaining
    time. Each evaluation is a line on both.

    Args:
        title: label of the bar.
        steps: number of steps in total.
        first: the step at which the run starts.
        log_dir: folder for TensorBoard event files, in `train/` and `validation/` as Keras writes them; or None.
        verbose: 0 shows nothing.
    """

    def __init__(self, title: str, steps: int, first: int, log_dir: str | Path | None, verbose: int):
        # `FORCE_COLOR` does not make a log file a terminal.
        stream = error_stream()
        self._console = Console(file=stream, quiet=not verbose, highlight=False, force_terminal=stream.isatty())
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not verbose or not self._console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=steps, completed=first, metrics="")
        self._plain = None
        self._title = title
        self._steps = steps
        self._first = first
        self._log_dir = log_dir
        self._writers = {}

    def __enter__(self) -> "RunLog":
        if self._log_dir is not None:
            tensorboard = require("tensorboardX", "`log_dir`")  # writes the format without TensorFlow
            # TensorBoard then hides what an interrupted run wrote after its last checkpoint.
            purge_step = self._first or None
            for part in ("train", "validation"):
                self._writers[part] = tensorboard.SummaryWriter(str(Path(self._log_dir) / part), purge_step=purge_step)
        self._bar.start()
        if not (self._console.is_terminal or self._console.quiet):
            self._plain = PlainProgress(self._console, self._title, "steps", self._steps, self._first)
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_) -> None:
        self._bar.stop()
        for writer in self._writers.values():
            writer.close()

    def step(self, step: int, metrics: dict[str, float], learning_rate: Callable[[], float] | None = None) -> None:
        """Show a finished step.

        Args:
            step: its number.
            metrics: the means since the last evaluation.
            learning_rate: function that returns the learning rate of the step, called only if it is logged.
        """
        self._bar.update(self._task, completed=step, metrics=_format(metrics))
        if self._plain is not None:
            self._plain.update(step, _format(metrics))
        if self._writers and step % LOG_EVERY == 0:
            for name, value in metrics.items():
                self._writers["train"].add_scalar(f"running/{name}", value, step)
            if learning_rate is not None:
                self._writers["train"].add_scalar("running/learning_rate", learning_rate(), step)

    def evaluation(self, step: int, metrics: dict[str, float]) -> None:
        """Print the metrics of an evaluation and write them to the TensorBoard log."""
        for name, value in metrics.items():
            if self._writers and name != "step":
                part = "validation" if name.startswith("val_") else "train"
                self._writers[part].add_scalar(name.removeprefix("val_"), value, step)
        for writer in self._writers.values():
            writer.flush()
        speed = (step - self._first) / max(time.perf_counter() - self._start, 1e-9)
        text = _format({name: value for name, value in metrics.items() if name not in ("step", "learning_rate")})
        loss = metrics.get("val_mlm_loss", metrics.get("mlm_loss"))
        if loss is not None:
            text += f"  perplexity {math.exp(min(loss, 50)):.1f}"
        self._console.print(f"{self._title} step {step}/{self._steps}  {text}  {speed:.1f} steps/s", soft_wrap=True)


def _format(metrics: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
