"""The progress of training: plain lines where standard error is no terminal, such as under `nohup`."""

import re

import keras
import pytest

import keras_bert as kb
from keras_bert.inference import progress
from keras_bert.training.run_log import RunLog
from tests.training import toys

LINE = r"(finetune|pretrain)  \d+ of \d+ steps  .*loss \d+\.\d{4}.*  [\d.,]+ steps/s(  [\d.]+ (s|min|h) left)?"


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by 5 seconds at each look, so that there is a line every third step."""
    now = [0.0]

    def monotonic():
        now[0] += 5.0
        return now[0]

    monkeypatch.setattr(progress.time, "monotonic", monotonic)
    return now


def test_lines_between_evaluations(clock, capfd):
    with RunLog("training", 9, 0, None, verbose=1) as log:
        for step in range(1, 10):
            log.step(step, {"loss": 1 / step})
        log.evaluation(9, {"loss": 0.1, "val_loss": 0.2})
    lines = capfd.readouterr().err.splitlines()
    assert lines[:3] == [
        "training  3 of 9 steps  loss 0.3333  0.2 steps/s  30 s left",
        "training  6 of 9 steps  loss 0.1667  0.2 steps/s  15 s left",
        "training  9 of 9 steps  loss 0.1111  0.2 steps/s  0 s left",
    ]
    assert len(lines) == 4 and "val_loss 0.2000" in lines[3]


def test_silent(clock, capfd):
    with RunLog("training", 9, 0, None, verbose=0) as log:
        for step in range(1, 10):
            log.step(step, {"loss": 1 / step})
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_finetune_and_pretrain(clock, capfd, monkeypatch):
    """Both print lines before the first epoch ends, also where `FORCE_COLOR` asks for colors in a log."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    ids, labels = toys.labeled(64)
    config = kb.BertConfig(len(toys.VOCABULARY), 8, 1, 2, 16, max_position_embeddings=32)
    keras.utils.set_random_seed(0)
    model = kb.BertClassifier(kb.BertEncoder(config))
    kb.finetune(model, ids, labels, ids, labels, epochs=1, batch_size=4, verbose=1)
    lines = capfd.readouterr().err.splitlines()
    plain = [line for line in lines if " of 16 steps" in line]
    assert len(plain) == 5 and "val_loss" in lines[-1]
    assert all(re.fullmatch(LINE, line) for line in plain), plain
    pretrainer = kb.BertPretrainer(kb.BertEncoder(config))
    kb.pretrain(pretrainer, toys.examples(), toys.masking(), steps=7, batch_size=4, verbose=1)
    plain = [line for line in capfd.readouterr().err.splitlines() if " of 7 steps" in line]
    assert len(plain) == 2 and all(re.fullmatch(LINE, line) for line in plain), plain
