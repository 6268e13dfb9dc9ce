"""One model trained by several processes on JAX: losses, interrupts, killed processes, errors."""

import json
import shutil

import numpy as np
import pytest

import keras_bert as kb
from experiments.processes import losses, start
from keras_bert import ops
from keras_bert.training import processes
from tests.processes import LIMIT

pytest.importorskip("jax", reason="make test-all installs it")


def step_of(folder) -> int:
    with np.load(folder / "checkpoint.npz") as file:
        return json.loads(file["facts"].tobytes())["step"]


def assert_equal_losses(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, abs=1e-4), name


@pytest.fixture(scope="module")
def one_process():
    return losses(1, "--finetune")


def of(found: dict, size: int) -> dict:
    return {name: values for name, values in found.items() if name.startswith(f"{size} ")}


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize(("count", "options"), [(2, ["--finetune"]), (4, [])])
def test_several_processes_give_the_losses_of_one(count, options, one_process):
    """With dropout, and also where the processes do not divide the batch."""
    expected = one_process if options else of(one_process, 8) | of(one_process, 7)
    assert_equal_losses(losses(count, *options), expected)


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize(("count", "devices"), [(1, 4), (4, 1)])
def test_model_parallel_gives_the_losses_of_one(count, devices, one_process):
    """Two devices divide the batch, and two the weights."""
    found = losses(count, "--devices", str(devices), "--model-axis", "2", "--batch-sizes", "7")
    assert_equal_losses(found, of(one_process, 7))


@pytest.mark.slow
@pytest.mark.peers
def test_killed_run_resumes_in_another_number_of_processes(tmp_path, one_process):
    folder = tmp_path / "two"
    options = ["--batch-sizes", "7", "--checkpoints"]
    first, killed = start(2, *options, str(folder), "--signal-at", "3", "--signal", "SIGKILL")
    assert killed.wait(LIMIT) == -9
    assert first.wait(LIMIT) != 0  # it does not wait for the other
    assert step_of(folder) == 2
    for count, devices in ((1, 2), (4, 1)):
        copy = tmp_path / f"{count}-{devices}"
        shutil.copytree(folder, copy)
        found = losses(count, *options, str(copy), "--devices", str(devices))
        assert_equal_losses(found, of(one_process, 7))
        assert step_of(copy) == 6


@pytest.mark.slow
@pytest.mark.peers
def test_interrupt_of_one_process_stops_all(tmp_path):
    options = ["--batch-sizes", "8", "--checkpoints", str(tmp_path), "--signal-at", "3", "--signal", "SIGINT"]
    for process in start(2, *options):
        _, errors = process.communicate(timeout=LIMIT)
        assert process.returncode != 0 and "KeyboardInterrupt" in errors
    assert step_of(tmp_path) == 3


def test_rejects_processes_that_differ(monkeypatch):
    gathered = []
    monkeypatch.setattr(processes, "_gather", lambda values: [values, gathered.pop(0)])
    gathered[:] = [0]
    with pytest.raises(kb.InputError, match="^`checkpoint_dir` must be a folder that all processes read.*step 3, 0 in"):
        processes.check_same_run({}, 3)
    gathered[:] = [3, [1]]
    with pytest.raises(kb.InputError, match="^`examples` must be the same in all processes"):
        processes.check_same_run({"examples": "2x2-00000000"}, 3)


def test_one_process_sends_nothing():
    assert ops.processes() == 1 and processes.is_first_process()
    assert processes.any_process(True) is True and processes.any_process(False) is False
    processes.check_same_run({"seed": 0}, 0)
