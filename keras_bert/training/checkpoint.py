"""Everything a run needs to go on as if it had never stopped, in one file."""

import dataclasses
import json
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.files import atomic_write

FILE = "checkpoint.npz"


@dataclasses.dataclass
class Progress:
    """How far a run has come. Epoch and place in the data follow from the step, as batches are pure functions of them.

    Args:
        step: steps of the optimizer done.
        sums: the metrics of the round in progress: name to (sum, weight).
        history: name to the values of all finished rounds.
        best_score: of the best round so far, None before the first validation.
        best_weights: the model's weights at that round.
    """

    step: int = 0
    sums: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    history: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    best_score: tuple[float, ...] | None = None
    best_weights: list[np.ndarray] = dataclasses.field(default_factory=list)


def save_checkpoint(folder: str | Path, model: keras.Model, progress: Progress, settings: dict) -> None:
    """Write model (dropout's states too), optimizer and progress; the file before stands until this one is whole.

    Args:
        folder: where; made if missing.
        model: compiled, its optimizer built.
        progress: `Progress`.
        settings: what must be the same when the run goes on, ready for JSON.

    Raises:
        OSError: a full disk; the checkpoint before stays.
    """
    arrays, names = {}, {}
    for part, variables in _parts(model).items():
        names[part] = [variable.path for variable in variables]
        for i, variable in enumerate(variables):
            arrays[f"{part}/{i}"] = keras.ops.convert_to_numpy(variable)
    for i, state in enumerate(_torch_states()):
        arrays[f"torch/{i}"] = state
    for i, weight in enumerate(progress.best_weights):
        arrays[f"best/{i}"] = weight
    facts = {
        "step": progress.step,
        "sums": progress.sums,
        "history": progress.history,
        "best_score": progress.best_score,
        "best_weights": len(progress.best_weights),
        "names": names,
        "settings": settings,
    }
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with atomic_write(Path(folder) / FILE) as draft:
        np.savez(draft, **arrays)


def load_checkpoint(folder: str | Path, model: keras.Model, settings: dict) -> Progress | None:
    """Put the checkpoint in `folder` into the model and its optimizer. Nothing is touched unless all of it fits.

    Args:
        folder: where `save_checkpoint` wrote.
        model: compiled, its optimizer built.
        settings: as when it was saved.

    Returns:
        `Progress`, or None where there is no checkpoint.

    Raises:
        InputError: the file is no checkpoint, was made with other settings, or holds tensors of other shapes.
    """
    path = Path(folder) / FILE
    if not path.exists():
        return None
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(arrays["facts"].tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: a checkpoint of keras_bert is expected. Received: {error}") from None
    for name in {**settings, **facts["settings"]}:  # in their order: what they are most likely to differ by is first
        before, now = facts["settings"].get(name), settings.get(name)
        if before != now:
            raise InputError(
                f"{path}: a run goes on with the settings it began with, {name}={before!r} "
                f"(or give another folder). Received: {name}={now!r}"
            )
    parts = _parts(model)
    for part, variables in parts.items():
        names = facts["names"][part]
        _compare(path, names, [arrays[f"{part}/{i}"] for i in range(len(names))], variables)
    for part, variables in parts.items():
        for i, variable in enumerate(variables):
            variable.assign(arrays[f"{part}/{i}"])
    if "torch/0" in arrays and keras.backend.backend() == "torch":
        _set_torch_states([arrays[f"torch/{i}"] for i in range(len(_torch_states()))])
    return Progress(
        step=facts["step"],
        sums={name: tuple(pair) for name, pair in facts["sums"].items()},
        history=facts["history"],
        best_score=None if facts["best_score"] is None else tuple(facts["best_score"]),
        best_weights=[arrays[f"best/{i}"] for i in range(facts["best_weights"])],
    )


def _parts(model: keras.Model) -> dict[str, list[keras.Variable]]:
    # `variables` holds the states of the seed generators, which `weights` leaves out.
    return {"model": model.variables, "optimizer": model.optimizer.variables}


def _torch_states() -> list[np.ndarray]:
    # On PyTorch, Keras draws dropout from the process's generators and not from the seed generators' states.
    if keras.backend.backend() != "torch":
        return []
    import torch

    return [state.numpy() for state in (torch.get_rng_state(), *torch.cuda.get_rng_state_all())]


def _set_torch_states(states: list[np.ndarray]) -> None:
    import torch

    torch.set_rng_state(torch.from_numpy(states[0]))
    torch.cuda.set_rng_state_all([torch.from_numpy(state) for state in states[1:]])


def _compare(path: Path, names: list[str], arrays: list[np.ndarray], variables: list[keras.Variable]) -> None:
    for name, array, variable in zip(names, arrays, variables, strict=False):
        if array.shape != tuple(variable.shape):
            raise InputError(
                f"{path}: the tensor {variable.path} of this model has the shape {tuple(variable.shape)}. "
                f"Received: {array.shape} in the checkpoint (there {name})"
            )
    if len(names) != len(variables):
        n = min(len(names), len(variables))
        if len(names) > n:
            extra = f"with {names[n]} {arrays[n].shape}, which this model lacks"
        else:
            extra = f"none for {variables[n].path} {tuple(variables[n].shape)}"
        raise InputError(f"{path}: this model has {len(variables)} tensors. Received: {len(names)}, {extra}")
