"""A run that is interrupted and resumed gives exactly the weights of an uninterrupted run."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert.files
from keras_bert import BertConfig, InputError
from keras_bert.training import checkpoint, finetune, loop, pretrain
from keras_bert.training.checkpoint import Progress, save_checkpoint
from keras_bert.training.interrupts import defer_interrupts
from tests.processes import interrupt
from tests.training import toys

CONFIG = BertConfig.from_dict({**toys.CONFIG.to_dict(), "num_layers": 1})


class Stop(keras.callbacks.Callback):
    """Simulate Ctrl-C after a step, by an exception in a callback or by a real signal."""

    def __init__(self, step, by_signal=None):
        super().__init__()
        self.step = step
        self.by_signal = by_signal

    def on_epoch_begin(self, epoch, logs=None):
        self.first = epoch * self.params["steps"]

    def on_train_batch_end(self, batch, logs=None):
        if self.first + batch + 1 == self.step:
            if self.by_signal:
                signal.raise_signal(self.by_signal)
            else:
                raise KeyboardInterrupt


class KeepOptimizer(keras.callbacks.Callback):
    """Keep the optimizer's state, because the model has a new optimizer after training."""

    def on_train_end(self, logs=None):
        self.model.final_state = tuple(keras.ops.convert_to_numpy(v) for v in self.model.optimizer.variables)


def pretrain_toy(folder=None, callbacks=(), config=CONFIG, **settings):
    model = toys.make_pretrainer(config=config)
    history = pretrain(
        model,
        toys.examples(),
        toys.masking(),
        validation=toys.examples(8, seed=5),
        **{"steps": 13, "batch_size": 16, "validate_every": 5, "learning_rate": 1e-2, **settings},
        checkpoint_dir=folder,
        callbacks=[*callbacks, KeepOptimizer()],
        verbose=0,
    )
    return model, history


@pytest.fixture(scope="module")
def uninterrupted():
    return pretrain_toy()


def assert_same(one, two):
    (model, history), (other, other_history) = one, two
    for a, b in zip(model.variables, other.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b), err_msg=a.path)
    assert len(model.final_state) > 2
    for a, b in zip(model.final_state, other.final_state, strict=True):
        np.testing.assert_array_equal(a, b)
    assert history.history == other_history.history


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Return a folder with the checkpoint of step 3."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(KeyboardInterrupt):
        pretrain_toy(folder, [Stop(3)])
    return folder


def test_dropout_is_active(uninterrupted):
    states = [v for v in uninterrupted[0].variables if "seed_generator" in v.path]
    assert len(states) >= 3 * CONFIG.num_layers


@pytest.mark.slow
def test_resume_is_exact(uninterrupted, interrupted, tmp_path):
    """Interrupt between evaluations, right before one, and by a real signal in the last interval."""
    shutil.copytree(interrupted, tmp_path, dirs_exist_ok=True)
    for step, by_signal in ((10, None), (12, signal.SIGINT)):
        with pytest.raises(KeyboardInterrupt):
            pretrain_toy(tmp_path, [Stop(step, by_signal)])
        assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.npz"]
    assert_same(uninterrupted, pretrain_toy(tmp_path))
    assert_same(uninterrupted, pretrain_toy(tmp_path))  # the run is complete, so nothing changes


@pytest.mark.slow
@pytest.mark.parametrize("number", [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")])
def test_termination_is_handled_as_ctrl_c(uninterrupted, tmp_path, number):
    if number is None:
        pytest.skip("no such signal on this system")
    with pytest.raises(KeyboardInterrupt):
        pretrain_toy(tmp_path, [Stop(4, number)])
    assert signal.getsignal(number) is signal.SIG_DFL
    assert_same(uninterrupted, pretrain_toy(tmp_path))


def test_own_handler_of_termination_is_kept():
    received, before = [], signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with defer_interrupts() as interrupted:
            signal.raise_signal(signal.SIGTERM)
            assert received == [signal.SIGTERM] and not interrupted()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_finetune_resume_is_exact(tmp_path):
    def run(folder=None, callbacks=()):
        model = toys.make_classifier(config=CONFIG)
        train, dev = toys.labeled(50), toys.labeled(20, seed=9)
        history = finetune(
            model, *train, *dev, epochs=3, batch_size=8, learning_rate=1e-3, freeze=1,
            checkpoint_dir=folder, callbacks=[*callbacks, KeepOptimizer()], verbose=0,
        )  # fmt: skip
        return model, history

    expected = run()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [Stop(9)])
    assert_same(expected, run(tmp_path))


def test_full_disk_keeps_previous_checkpoint(uninterrupted, interrupted, tmp_path, monkeypatch):
    shutil.copytree(interrupted, tmp_path, dirs_exist_ok=True)
    before = (tmp_path / "checkpoint.npz").read_bytes()

    def full(path, **arrays):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(tmp_path, uninterrupted[0], Progress(step=4), {})
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.npz"]
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


def test_rejects_checkpoint_of_other_shape(interrupted):
    wide = BertConfig.from_dict({**CONFIG.to_dict(), "intermediate_size": 48})
    with pytest.raises(InputError, match=r"`checkpoint_dir`.*intermediate/kernel .*\(32, 48\).*Received: .*\(32, 64\)"):
        pretrain_toy(interrupted, config=wide)
    deep = BertConfig.from_dict({**CONFIG.to_dict(), "num_layers": 2})
    with pytest.raises(InputError, match="`checkpoint_dir`"):
        pretrain_toy(interrupted, config=deep)


def test_rejects_checkpoint_of_other_settings(interrupted, tmp_path):
    with pytest.raises(InputError, match="`seed`.*seed=0.*Received: seed=3"):
        pretrain_toy(interrupted, seed=3)
    with pytest.raises(InputError, match="`sentence_task`.*sentence_task='next'.*Received: sentence_task='order'"):
        pretrain(
            toys.make_pretrainer(config=CONFIG, sentence_task="order"),
            toys.examples(sentence_task="order"),
            toys.masking(),
            steps=13,
            checkpoint_dir=interrupted,
            verbose=0,
        )
    (tmp_path / "checkpoint.npz").write_bytes(b"not a zip")
    with pytest.raises(InputError, match="^`checkpoint_dir`.*Received: .*checkpoint.npz"):
        pretrain_toy(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_only_the_first_of_several_processes_writes(first, tmp_path, monkeypatch):
    for module in (checkpoint, loop):
        monkeypatch.setattr(module, "is_first_process", lambda: first)
    pretrain_toy(tmp_path / "checkpoints", steps=2, log_dir=tmp_path / "log")
    assert (tmp_path / "checkpoints" / "checkpoint.npz").exists() == (tmp_path / "log").exists() == first


SCRIPT = """
import sys
from tests.training.test_resume import pretrain_toy

WITH_XLA = True  # as a user's run: the random numbers of compiled dropout too
pretrain_toy(sys.argv[1], steps=100000)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send SIGINT to another process")
def test_ctrl_c_writes_checkpoint(tmp_path):
    root = Path(keras_bert.files.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stderr = interrupt(process, (tmp_path / "checkpoint.npz").exists)
    assert process.returncode != 0 and "KeyboardInterrupt" in stderr, stderr[-2000:]
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.npz"]
    with np.load(tmp_path / "checkpoint.npz") as file:
        assert len(file.files) > 100
