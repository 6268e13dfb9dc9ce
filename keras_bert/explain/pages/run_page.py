"""The page of a training run: curves, predictions of masked tokens, calibration and errors, from the run's log."""

import json
from pathlib import Path

import numpy as np

from keras_bert.constants import FILL_MASK_FILE, PREDICTIONS_FILE
from keras_bert.errors import InputError
from keras_bert.explain.figures.calibration_plot import calibration_curve
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.plots import confusion_matrix, learning_curves
from keras_bert.explain.pages.event_log import read_scalars
from keras_bert.explain.pages.render import render
from keras_bert.files import atomic_write

ERRORS = 10  # most confident errors to list
MAX_POINTS = 1000  # of a curve
MAX_CLASSES = 12  # of a readable confusion matrix
MAX_EVALUATIONS = 12  # rows of the predictions of masked tokens


def run_page(run_dir: str | Path, out: str | Path) -> dict:
    """Write one HTML page about a training run, from its log. The page loads no other file.

    It shows the losses, the accuracies and the learning rate by step. If the log has them, it also shows the
    predictions of masked tokens during the training (`FillMaskLog`, `keras-bert pretrain --log-fill-mask`), and of a
    classifier (`log_predictions`, `PredictionLog`, `keras-bert finetune --log-dir`) the calibration, the confusion
    matrix and the wrong predictions with the highest probability.

    Args:
        run_dir: the folder of the log: `log_dir` of `kb.pretrain`, `kb.finetune` or `kb.distill`, `--log-dir` of a
            command.
        out: the file to write, which ends in `.html`. An existing file is replaced.

    Returns:
        A dict of `out`, `steps` (the last one that was logged), `metrics` (the last value of each) and `figures` (the
        data of each figure by its name), which can be written as JSON.

    Raises:
        InputError: the folder has no log, the log is damaged, `out` has another suffix, or a package is not installed.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> run_page(tempfile.mkdtemp(), "run.html")
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: `run_dir` must be the log folder of a run. Received: run_dir=... (no event files in
    train or validation). Train with `log_dir`, or with `--log-dir DIR` on the command line.
    """
    run_dir, out = Path(run_dir), Path(out)
    if out.suffix != ".html":
        raise InputError(f"`out` must end in .html. Received: out={out}")
    parts = {part: read_scalars(run_dir / part) for part in ("train", "validation")}
    if not any(parts.values()):
        raise InputError(
            f"`run_dir` must be the log folder of a run. Received: run_dir={run_dir} (no event files in train or "
            "validation). Train with `log_dir`, or with `--log-dir DIR` on the command line."
        )
    curves = _curves(parts)
    predictions = _read_predictions(run_dir / PREDICTIONS_FILE)
    figures = {**curves, **(_prediction_figures(predictions) if predictions else {})}
    steps = max(step for part in parts.values() for values in part.values() for step in values)
    metrics = _last_values(parts)
    page = render(
        "run.html",
        name=run_dir.resolve().name,
        steps=steps,
        metrics=metrics,
        curves=curves,
        figures=figures,
        masks=_read_masks(run_dir / FILL_MASK_FILE),
        predictions=predictions,
        errors=_confident_errors(predictions) if predictions else [],
    )
    with atomic_write(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    data = {name: figure.data for name, figure in figures.items()}
    return {"out": str(out), "steps": steps, "metrics": metrics, "figures": data}


def _curves(parts: dict) -> dict[str, Figure]:
    """Draw one figure per metric: the running mean, and the values at the evaluations."""
    train, validation = parts["train"], parts["validation"]
    names = {name.removeprefix("running/"): None for name in (*train, *validation)}  # in the order of the log
    ordered = sorted(names, key=lambda name: (name == "learning_rate", "loss" not in name))
    figures = {}
    for name in ordered:
        lines = {
            "training, running mean": train.get(f"running/{name}"),
            "training": train.get(name),
            "validation": validation.get(name),
        }
        if name == "learning_rate":
            lines = {"learning rate": {**(train.get(name) or {}), **(train.get(f"running/{name}") or {})}}
        lines = {label: _thinned(dict(sorted(values.items()))) for label, values in lines.items() if values}
        at = {label: list(values) for label, values in lines.items()}
        series = {label: list(values.values()) for label, values in lines.items()}
        figures[name] = learning_curves(series, name.replace("_", " "), "step", at)
    return figures


def _thinned(values: dict[int, float]) -> dict[int, float]:
    """Keep every n-th value of a long curve, and the last one."""
    stride = -(-len(values) // MAX_POINTS)
    steps = list(values)
    return {step: values[step] for i, step in enumerate(steps) if i % stride == 0 or i + 1 == len(steps)}


def _last_values(parts: dict) -> dict[str, float]:
    """Return the last value of each metric of an evaluation; those of validation have the prefix `val_`."""
    values = {}
    for part, prefix in (("train", ""), ("validation", "val_")):
        for name, steps in parts[part].items():
            if not name.startswith("running/"):
                values[prefix + name] = list(steps.values())[-1]
    return values


def _read_masks(path: Path) -> list[dict]:
    """Read the predictions of masked tokens; of many evaluations some, with the first and the last."""
    if not path.is_file():
        return []
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        rows = [{"step": int(line["step"]), "texts": line["texts"]} for line in lines]
        for text in (text for row in rows for text in row["texts"]):
            text["shown"] = [[_shown(each) for each in mask["predictions"][:3]] for mask in text["masks"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from None
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_EVALUATIONS)).astype(int)) if rows else []
    return [rows[i] for i in chosen]


def _shown(prediction: dict) -> str:
    return f"{prediction['token']} {prediction['probability']:.2f}"


def _read_predictions(path: Path) -> dict | None:
    """Read the predictions of a classifier: names, texts, labels `[N]`, probabilities `[N, C]`."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows, names = content["examples"], list(content["label_names"])
        found = {
            "names": names,
            "texts": [row["text"] if isinstance(row["text"], str) else " | ".join(row["text"]) for row in rows],
            "labels": np.array([row["label"] for row in rows], int),  # [N]
            "probabilities": np.array([row["probabilities"] for row in rows], float).reshape(-1, len(names)),  # [N, C]
        }
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from None
    if not len(rows) or len(found["probabilities"]) != len(rows) or not 0 <= found["labels"].max() < len(names):
        raise _damaged(path, "its numbers do not fit each other")
    return found


def _damaged(path: Path, error) -> InputError:
    return InputError(f"`run_dir` must have readable logs. Received: {path} ({error!r})")


def _prediction_figures(predictions: dict) -> dict[str, Figure]:
    probabilities, labels = predictions["probabilities"], predictions["labels"]
    predicted = probabilities.argmax(-1)  # [N]
    figures = {"calibration": calibration_curve(probabilities.max(-1), predicted == labels)}
    if len(predictions["names"]) <= MAX_CLASSES:
        figures["confusion"] = confusion_matrix(labels, predicted, predictions["names"])
    return figures


def _confident_errors(predictions: dict) -> list[dict]:
    """Return the wrong predictions with the highest probability."""
    probabilities, names = predictions["probabilities"], predictions["names"]
    predicted = probabilities.argmax(-1)  # [N]
    wrong = np.flatnonzero(predicted != predictions["labels"])
    order = np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")[:ERRORS]
    return [
        {
            "text": predictions["texts"][i],
            "expected": names[predictions["labels"][i]],
            "predicted": names[predicted[i]],
            "probability": float(probabilities[i, predicted[i]]),
        }
        for i in wrong[order]
    ]
