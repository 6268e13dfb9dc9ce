"""What the processes of one run tell each other, on JAX. With one process, nothing is sent."""

import json
import zlib

import numpy as np

from keras_bert import ops
from keras_bert.errors import InputError


def is_first_process() -> bool:
    """Return whether this process writes the files of a run and shows its progress."""
    if ops.processes() == 1:
        return True
    import jax

    return jax.process_index() == 0


def wait_for_processes() -> None:
    """Return when all processes have called it."""
    _gather(0)


def any_process(flag: bool) -> bool:
    """Return whether the flag is True in any process. All processes must call it at the same step."""
    return bool(np.any(_gather(flag)))


def check_same_run(identity: dict, step: int) -> None:
    """Check that all processes make the same run from the same step. All of them must call it.

    Args:
        identity: settings and checksums of the data, ready for JSON.
        step: the step of the checkpoint that this process has read, 0 without one.

    Raises:
        InputError: settings, data or steps differ.
    """
    steps = _gather(step)
    if len(set(steps)) > 1:
        raise InputError(
            "`checkpoint_dir` must be a folder that all processes read. "
            f"Received: a checkpoint of step {', '.join(map(str, steps))} in processes 0 to {len(steps) - 1}"
        )
    facts = {name: zlib.crc32(json.dumps(value).encode()) for name, value in identity.items()}
    for name, sums in zip(facts, np.transpose(_gather([*facts.values()])), strict=True):
        if len(set(sums)) > 1:
            raise InputError(
                f"`{name}` must be the same in all processes, because each takes its rows from the same batch. "
                "Received: different ones"
            )


def _gather(values) -> list:
    """Return the values of all processes."""
    if ops.processes() == 1:
        return [values]
    from jax.experimental import multihost_utils

    return multihost_utils.process_allgather(np.asarray(values, np.uint32)).tolist()
