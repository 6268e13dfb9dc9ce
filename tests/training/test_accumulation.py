"""Gradient accumulation: one step equals the step of one large batch, also for checkpoints and resuming."""

import collections

import keras
import numpy as np
import pytest

from keras_bert import BertClassifier, BertConfig, BertEncoder, InputError
from keras_bert.training import MaskedBatches, finetune, pretrain
from tests.helpers import randomize, tiny_config
from tests.training import toys

WITH_XLA = True  # the compiled step of AdamW

SMALL = BertConfig.from_dict({**toys.CONFIG.to_dict(), "num_layers": 1})  # with dropout


def assert_same_weights(one, two, tolerance=0.0):
    for a, b in zip(one.weights, two.weights, strict=True):
        values = [keras.ops.convert_to_numpy(each) for each in (a, b)]
        np.testing.assert_allclose(*values, rtol=0, atol=tolerance, err_msg=a.path)


@pytest.mark.slow
def test_equals_one_large_batch():
    def train(**settings):
        model = randomize(BertClassifier(BertEncoder(tiny_config(num_layers=1)), dropout=0.0))
        data = toys.labeled(24, seed=3)  # one step per epoch in both cases, so that both see the same examples
        return model, finetune(
            model, *data, *data, epochs=5, learning_rate=1e-3, warmup=0.4, verbose=0, **settings
        ).history

    (model, history), (whole, expected) = train(batch_size=8, accumulate=3), train(batch_size=24)
    assert_same_weights(model, whole, 1e-6)
    before = randomize(BertClassifier(BertEncoder(tiny_config(num_layers=1)), dropout=0.0))
    assert max(np.abs(a - b).max() for a, b in zip(model.get_weights(), before.get_weights(), strict=True)) > 1e-3
    assert history["step"] == [1, 2, 3, 4, 5]
    for name in ("loss", "accuracy", "val_loss", "learning_rate"):
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4, atol=1e-9, err_msg=name)


def pretrain_toy(folder=None, model=None, **settings):
    model = model or toys.make_pretrainer(config=SMALL)
    settings = {"steps": 7, "accumulate": 3, "batch_size": 16, "learning_rate": 1e-2, **settings}
    return model, pretrain(
        model, toys.examples(), toys.masking(), **settings, checkpoint_dir=folder, checkpoint_every=2, verbose=0
    ).history


def test_steps_continue_across_epochs(monkeypatch):
    def train(epochs, accumulate):
        model = toys.make_pretrainer(config=SMALL)
        model.train_on_batch = lambda *batch, return_dict: collections.defaultdict(float)  # only the order matters here
        return pretrain_toy(model=model, steps=None, epochs=epochs, accumulate=accumulate)[1]["step"]

    seen, plain = [], MaskedBatches.batch
    monkeypatch.setattr(MaskedBatches, "batch", lambda self, *place: (seen.append(place), plain(self, *place))[1])
    count = len(MaskedBatches(toys.examples(), toys.masking(), 16))
    assert count % 3
    assert train(4, 3) == [n * (count // 3) for n in (1, 2, 3, 4)]
    assert seen == [divmod(number, count) for number in range(4 * (count // 3) * 3)]
    assert train(2, count + 1) == [1, 2]


@pytest.mark.slow
def test_resumes_after_interrupt_within_step(tmp_path):
    expected, history = pretrain_toy()
    model = toys.make_pretrainer(config=SMALL)
    train, calls = model.train_on_batch, []

    def interrupted(*batch, **settings):
        calls.append(1)
        if len(calls) == 5 * 3 + 2:  # the second batch of step 6; the last checkpoint is of step 4
            raise KeyboardInterrupt
        return train(*batch, **settings)

    model.train_on_batch = interrupted
    with pytest.raises(KeyboardInterrupt):
        pretrain_toy(tmp_path, model)
    with pytest.raises(InputError, match="`accumulate`.*accumulate=3.*Received: accumulate=1"):
        pretrain_toy(tmp_path, accumulate=1)
    resumed, again = pretrain_toy(tmp_path)
    assert_same_weights(expected, resumed)
    assert history == again


def test_rejects_invalid_accumulate():
    with pytest.raises(InputError, match="`accumulate`.*Received: accumulate=0"):
        pretrain_toy(accumulate=0)
    data = toys.labeled(4)
    with pytest.raises(InputError, match="`accumulate`.*Received: accumulate=-1"):
        finetune(toys.make_classifier(config=SMALL), *data, *data, accumulate=-1, verbose=0)
