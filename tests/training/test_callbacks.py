"""Callbacks in training are called as `Model.fit` calls them, and Keras's own callbacks have their effect."""

import csv

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.errors import NonFiniteError
from keras_bert.tasks import task_for
from keras_bert.training import bert_adamw, finetune, finetuning, pretrain
from tests.training import toys

CONFIG = kb.BertConfig(len(toys.VOCABULARY), 8, 1, 2, 16, max_position_embeddings=32)
ROWS, HELD_OUT = toys.labeled(10), toys.labeled(4, seed=9)  # 3 batches of at most 4 rows, and 1 batch
SETTINGS = {"epochs": 3, "batch_size": 4, "learning_rate": 1e-3, "verbose": 0}


def classifier():
    keras.utils.set_random_seed(1)
    return kb.BertClassifier(kb.BertEncoder(CONFIG), 2)


def run(*callbacks, model=None, **settings):
    model = model or classifier()
    history = finetune(model, *ROWS, *HELD_OUT, **{**SETTINGS, **settings}, callbacks=callbacks)
    return model, history.history


class Record(keras.callbacks.Callback):
    """Record each hook with its index, the names in the logs, and whether the model is set."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.calls, self.logs, self.stop_at = [], [], stop_at


def _recording(hook):
    def method(self, *args, **kwargs):
        logs = kwargs.pop("logs", None) or {}
        index, *rest = [*args, None]
        if isinstance(index, dict):
            index, logs = None, index
        logs = next((value for value in rest if isinstance(value, dict)), logs)
        self.calls.append((hook, index, sorted(logs)))
        self.logs.append(dict(logs))
        if self.stop_at == (hook, index):
            self.model.stop_training = True

    return method


HOOKS = [
    f"on_{kind}_{when}" for kind in ("train", "epoch", "train_batch", "test", "test_batch") for when in ("begin", "end")
]
for _name in HOOKS:
    setattr(Record, _name, _recording(_name))


@pytest.mark.slow
@pytest.mark.parametrize("stop_at", [None, ("on_train_batch_end", 1), ("on_epoch_end", 0)])
def test_hooks_are_those_of_fit(stop_at):
    ours, keras_own = Record(stop_at), Record(stop_at)
    run(ours, epochs=2)
    model = classifier()
    task_for(model).compile(model, bert_adamw(1e-3), False)
    model.fit(*ROWS, batch_size=4, epochs=2, validation_data=HELD_OUT, callbacks=[keras_own], verbose=0)
    assert ours.calls == keras_own.calls and len(ours.calls) > 10
    assert ours.params == {**keras_own.params, "verbose": 0}


def test_logs_of_batches_and_epochs_are_running_means():
    record = Record()
    _, history = run(record, epochs=2)
    calls = dict(zip([(hook, index) for hook, index, _ in record.calls], record.logs, strict=True))
    for name in ("loss", "accuracy"):
        assert calls["on_train_batch_end", 2][name] == pytest.approx(history[name][1])
        assert calls["on_epoch_end", 1][f"val_{name}"] == history[f"val_{name}"][1]
        assert calls["on_test_batch_end", 0][name] == pytest.approx(history[f"val_{name}"][1], rel=1e-5)
        assert calls["on_test_end", None][name] == history[f"val_{name}"][1]


def test_batches_of_accumulated_steps_are_counted():
    record = Record()
    run(record, accumulate=2, epochs=2)  # one step of two batches per epoch
    indices = [index for hook, index, _ in record.calls if hook == "on_train_batch_end"]
    assert indices == [0, 1, 0, 1] and record.params["steps"] == 2


def test_pretraining_calls_hooks_of_evaluation():
    keras.utils.set_random_seed(1)
    record, examples = Record(), toys.examples(4)
    model = kb.BertPretrainer(kb.BertEncoder(CONFIG))
    settings = {"steps": 3, "validate_every": 2, "batch_size": 4, "verbose": 0}
    pretrain(model, examples[:8], toys.masking(), validation=examples[:8], callbacks=[record], **settings)
    names = ["loss", "mlm_accuracy", "mlm_loss", "nsp_accuracy", "nsp_loss"]
    test = [("on_test_begin", None, [])]
    test += [(f"on_test_batch_{when}", i, logs) for i in (0, 1) for when, logs in (("begin", []), ("end", names))]
    test += [("on_test_end", None, names)]
    epochs = [name for name in names] + [f"val_{name}" for name in names]

    def batches(*indices):
        pairs = (("begin", []), ("end", names))
        return [(f"on_train_batch_{when}", i, logs) for i in indices for when, logs in pairs]

    assert record.calls == [
        ("on_train_begin", None, []),
        ("on_epoch_begin", 0, []),
        *batches(0, 1),
        *test,
        ("on_epoch_end", 0, epochs),
        ("on_epoch_begin", 1, []),
        *batches(0),
        *test,
        ("on_epoch_end", 1, epochs),
        ("on_train_end", None, epochs),
    ]
    assert record.params == {"verbose": 0, "epochs": 2, "steps": 2}


def test_learning_rate_scheduler():
    rates = [1e-3, 2e-3, 0.0]
    weights, keep = [], keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: weights.append(model.get_weights()))
    model = classifier()
    _, history = run(keras.callbacks.LearningRateScheduler(lambda epoch, _: rates[epoch]), keep, model=model)
    assert history["learning_rate"] == pytest.approx(rates)
    changes = [
        max(np.abs(a - b).max() for a, b in zip(*pair, strict=True)) for pair in zip(weights, weights[1:], strict=False)
    ]
    assert changes[0] > 1e-3 and changes[1] == 0  # the rate of the last epoch is 0


def test_reduce_learning_rate_on_plateau():
    callback = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.1, patience=1, min_delta=100.0)
    _, history = run(callback)
    assert history["learning_rate"] == pytest.approx([1e-3, 1e-3, 1e-4])


@pytest.mark.slow
def test_resumed_run_has_the_epoch_and_the_reduced_rate(tmp_path):
    def callbacks():
        scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, _: (3e-3, 2e-3, 1e-3)[epoch])
        return scheduler, Record()

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == (1, 1):
                raise KeyboardInterrupt

    expected, history = run(*callbacks())
    with pytest.raises(KeyboardInterrupt):
        run(*callbacks(), Stop(), checkpoint_dir=tmp_path)
    scheduler, record = callbacks()
    resumed, resumed_history = run(scheduler, record, checkpoint_dir=tmp_path)
    assert history == resumed_history
    for a, b in zip(expected.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    begins = [call[:2] for call in record.calls if "begin" in call[0] and "test" not in call[0]]
    assert begins == [
        ("on_train_begin", None),
        ("on_epoch_begin", 1),
        ("on_train_batch_begin", 2),
        ("on_epoch_begin", 2),
        *[("on_train_batch_begin", i) for i in range(3)],
    ]


def test_early_stopping_restores_its_own_best_weights():
    losses, weights = iter([3.0, 1.0, 2.0, 2.5]), []

    class Replace(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["chosen"] = next(losses)
            weights.append(self.model.get_weights())

    early = keras.callbacks.EarlyStopping("chosen", mode="min", patience=1, restore_best_weights=True)
    model, history = run(Replace(), early, epochs=4)
    assert len(history["loss"]) == 3
    for a, b in zip(model.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_model_checkpoint_by_batch_and_by_best(tmp_path):
    by_batch = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=2
    )
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="val_loss", save_best_only=True)
    model, history = run(by_batch, best)
    names = sorted(file.name for file in tmp_path.glob("*.h5"))
    assert names == ["1-2.weights.h5", "2-1.weights.h5", "2-3.weights.h5", "3-2.weights.h5"]  # every second batch
    loaded = keras.saving.load_model(tmp_path / "best.keras")
    assert kb.evaluate(loaded, *HELD_OUT)["loss"] == pytest.approx(min(history["val_loss"]), rel=1e-5)


def test_csv_logger(tmp_path):
    _, history = run(keras.callbacks.CSVLogger(tmp_path / "log.csv"))
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert [float(row[name]) for row in rows] == pytest.approx(history[name])


def test_terminate_on_nan():
    """NaN is an error, also with the callback that would end the training of `fit` without one."""

    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.head.kernel.assign(np.full((8, 2), np.nan))

    record = Record()
    with pytest.raises(NonFiniteError, match="logits"):
        run(Break(), keras.callbacks.TerminateOnNaN(), record)
    begun = [index for hook, index, _ in record.calls if hook == "on_train_batch_begin"]
    assert begun == [0, 1, 2]


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    run(keras.callbacks.TensorBoard(tmp_path, update_freq="epoch", histogram_freq=1))
    assert {file.name for file in tmp_path.iterdir()} >= {"train", "validation"}


@pytest.mark.slow
def test_backup_and_restore_resumes_at_the_epoch(tmp_path):
    class Fail(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("power failure")

    with pytest.raises(RuntimeError):
        run(keras.callbacks.BackupAndRestore(tmp_path / "backup"), Fail())
    record, model = Record(), classifier()
    _, history = run(keras.callbacks.BackupAndRestore(tmp_path / "backup"), record, model=model)
    assert [index for hook, index, _ in record.calls if hook == "on_epoch_begin"] == [2]
    assert history["step"] == [9] and history["learning_rate"] == pytest.approx([0.0], abs=1e-9)
    assert run(model=model)[1]["step"] == [3, 6, 9]  # the restored epoch is not one of the next run


def test_backup_and_restore_and_checkpoint_dir_exclude_each_other(tmp_path):
    with pytest.raises(kb.InputError, match="^`callbacks`.*BackupAndRestore.*`checkpoint_dir`"):
        run(keras.callbacks.BackupAndRestore(tmp_path / "backup"), checkpoint_dir=tmp_path)


def test_swap_ema_weights(monkeypatch):
    make = finetuning.make_optimizer

    def with_averages(*arguments):
        return type(make(*arguments)).from_config(
            {**make(*arguments).get_config(), "use_ema": True, "ema_momentum": 0.5}
        )

    with pytest.raises(kb.InputError, match="^`callbacks`.*SwapEMAWeights.*use_ema=True"):
        run(keras.callbacks.SwapEMAWeights())
    monkeypatch.setattr(finetuning, "make_optimizer", with_averages)
    raw, evaluated = [], []

    class Keep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raw.append(self.model.get_weights())

        def on_test_batch_begin(self, batch, logs=None):
            evaluated.append(self.model.get_weights())

    model, history = run(keras.callbacks.SwapEMAWeights(), Keep(), learning_rate=1e-2)
    average = raw[0]
    for weights in raw:  # Keras starts the average at the first step
        average = [0.5 * a + 0.5 * b for a, b in zip(average, weights, strict=True)]
    for a, b in zip(average, evaluated[-1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    best = max(range(3), key=lambda i: (history["val_accuracy"][i], -history["val_loss"][i]))
    for a, b in zip(model.get_weights(), evaluated[best], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert max(np.abs(a - b).max() for a, b in zip(evaluated[-1], raw[-1], strict=True)) > 1e-3


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"schedule": "linear"}, "^`schedule`.*LearningRateScheduler"),
        ({"warmup": 0.1}, "^`warmup`.*LearningRateScheduler"),
        ({"schedule": "cosine"}, "^`schedule`.*Received: schedule='cosine'"),
    ],
)
def test_rejects_settings_that_do_not_fit(settings, match):
    with pytest.raises(kb.InputError, match=match):
        run(keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3), **settings)


def test_rejects_what_is_no_callback():
    with pytest.raises(kb.InputError, match="^`callbacks`.*Received: callbacks="):
        run("EarlyStopping")
    assert kb.TrainingConfig(callbacks=keras.callbacks.CSVLogger("log.csv")).callbacks  # a single one
