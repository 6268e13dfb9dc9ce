"""Checkpoints: one file with everything that an interrupted run needs to give the same weights."""

import dataclasses
import json
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np

from keras_bert import ops
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.training.processes import is_first_process

FILE = "checkpoint.npz"


@dataclasses.dataclass
class Progress:
    """Progress of a run. The step determines epoch and batch, because batches are pure functions of them.

    Args:
        step: optimizer steps done.
        sums: metrics since the last evaluation, see `MetricSums`.
        history: metric name to its values at all evaluations.
        best_key: selection key of the best evaluation so far, None before the first.
        best_weights: the model's weights at that evaluation.
    """

    step: int = 0
    sums: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    history: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    best_key: tuple[float, ...] | None = None
    best_weights: list[np.ndarray] = dataclasses.field(default_factory=list)


def has_checkpoint(folder: str | Path | None) -> bool:
    """Return whether a folder has a checkpoint to resume from."""
    return folder is not None and (Path(folder) / FILE).is_file()


def save_checkpoint(folder: str | Path, model: keras.Model, progress: Progress, settings: dict) -> None:
    """Write a checkpoint of model, dropout states, optimizer and progress.

    The previous checkpoint is replaced only when the new file is complete. Of several processes, only the first one
    writes it.

    Args:
        folder: created if it does not exist.
        model: a compiled model with a built optimizer.
        progress: `Progress`.
        settings: what a resumed run must have in common with this one, ready for JSON.

    Raises:
        OSError: the file cannot be written, for example because the disk is full. The previous checkpoint remains.
    """
    arrays, names = {}, {}
    for part, variables in _parts(model).items():
        names[part] = [variable.path for variable in variables]
        for i, variable in enumerate(variables):
            arrays[f"{part}/{i}"] = ops.to_numpy(variable)
    if not is_first_process():
        return
    for i, state in enumerate(_torch_states()):
        arrays[f"torch/{i}"] = state
    for i, weight in enumerate(progress.best_weights):
        arrays[f"best/{i}"] = weight
    facts = {
        "step": progress.step,
        "sums": progress.sums,
        "history": progress.history,
        "best_score": progress.best_key,
        "best_weights": len(progress.best_weights),
        "names": names,
        "settings": settings,
    }
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with atomic_write(Path(folder) / FILE) as draft:
        np.savez(draft, **arrays)


def load_checkpoint(folder: str | Path, model: keras.Model, settings: dict) -> Progress | None:
    """Load a checkpoint into a model and its optimizer. If it does not fit, nothing is changed.

    Args:
        folder: the folder given to `save_checkpoint`.
        model: a compiled model with a built optimizer.
        settings: the settings of this run, as for `save_checkpoint`.

    Returns:
        `Progress`, or None if there is no checkpoint.

    Raises:
        InputError: the file is not a checkpoint, or was written with other settings or for another model.
    """
    path = Path(folder) / FILE
    if not path.exists():
        return None
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(arrays["facts"].tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"`checkpoint_dir` must have a checkpoint written by keras_bert. Received: {path} ({error})"
        ) from None
    _compare_settings(path, facts["settings"], settings)
    parts = _parts(model)
    for part, variables in parts.items():
        names = facts["names"][part]
        _compare_tensors(path, names, [arrays[f"{part}/{i}"] for i in range(len(names))], variables)
    for part, variables in parts.items():
        for i, variable in enumerate(variables):
            variable.assign(arrays[f"{part}/{i}"])
    if "torch/0" in arrays and keras.backend.backend() == "torch":
        _set_torch_states([arrays[f"torch/{i}"] for i in range(len(_torch_states()))])
    return Progress(
        step=facts["step"],
        sums={name: tuple(pair) for name, pair in facts["sums"].items()},
        history=facts["history"],
        best_key=None if facts["best_score"] is None else tuple(facts["best_score"]),
        best_weights=[arrays[f"best/{i}"] for i in range(facts["best_weights"])],
    )


def _parts(model: keras.Model) -> dict[str, list[keras.Variable]]:
    # `variables` includes the states of the seed generators, which `weights` does not.
    return {"model": model.variables, "optimizer": model.optimizer.variables}


def _torch_states() -> list[np.ndarray]:
    # On PyTorch, Keras draws dropout from the generators of the process, not from the states of the seed generators.
    if keras.backend.backend() != "torch":
        return []
    import torch

    return [state.numpy() for state in (torch.get_rng_state(), *torch.cuda.get_rng_state_all())]


def _set_torch_states(states: list[np.ndarray]) -> None:
    import torch

    torch.set_rng_state(torch.from_numpy(states[0]))
    torch.cuda.set_rng_state_all([torch.from_numpy(state) for state in states[1:]])


def _compare_settings(path: Path, saved: dict, settings: dict) -> None:
    for name in {**settings, **saved}:  # settings that users change often come first
        if saved.get(name) != settings.get(name):
            raise InputError(
                f"`{name}` must be as in the checkpoint, {name}={saved.get(name)!r}. "
                f"Received: {name}={settings.get(name)!r}. Use another folder than {path.parent} to start a new run."
            )


def _compare_tensors(path: Path, names: list[str], arrays: list[np.ndarray], variables: list[keras.Variable]) -> None:
    # Shapes are compared before the lengths, because a different shape explains the error better.
    for name, array, variable in zip(names, arrays, variables, strict=False):
        if array.shape != tuple(variable.shape):
            raise InputError(
                f"`checkpoint_dir` must have a checkpoint of this model, in which {variable.path} has shape "
                f"{tuple(variable.shape)}. Received: {path} (shape {array.shape} of {name})"
            )
    if len(names) != len(variables):
        n = min(len(names), len(variables))
        if len(names) > n:
            difference = f"{names[n]} {arrays[n].shape} is not in the model"
        else:
            difference = f"{variables[n].path} {tuple(variables[n].shape)} is missing"
        raise InputError(
            f"`checkpoint_dir` must have a checkpoint of this model, which has {len(variables)} tensors. "
            f"Received: {path} ({len(names)} tensors, {difference})"
        )
