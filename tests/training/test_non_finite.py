"""NaN and infinity in losses, weights and settings stop a run, which keeps the last good weights."""

import re

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import BertConfig, InputError
from keras_bert.errors import NonFiniteError
from keras_bert.inference import predict_logits
from keras_bert.models import BertTokenClassifier
from keras_bert.training import (
    TrainingConfig,
    align_documents,
    bert_adamw,
    distill,
    distill_encoder,
    finetune,
    fit_features,
    pretrain,
)
from tests.training import toys

WITH_XLA = True  # the compiled step of AdamW

CONFIG = BertConfig.from_dict(
    {**toys.CONFIG.to_dict(), "num_layers": 1, "hidden_size": 8, "intermediate_size": 16, "num_heads": 1}
)
NAN, INF = float("nan"), float("inf")


class Break(keras.callbacks.Callback):
    """Make a weight NaN, or set the learning rate, after some batches. Keep the weights after each batch."""

    def __init__(self, after, rate=None, name="word_embeddings"):
        super().__init__()
        self.after, self.rate, self.name = after, rate, name
        self.seen, self.weights = 0, []

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        self.weights.append([np.array(weight) for weight in self.model.get_weights()])
        if self.seen == self.after:
            if self.rate is not None:
                self.model.optimizer.learning_rate = self.rate
            else:
                weight = next(v for v in self.model.trainable_weights if self.name in v.path)
                weight.assign(weight * NAN)


def run_pretrain(callbacks, **settings):
    model = toys.make_pretrainer(config=CONFIG)
    validation = toys.examples(8, seed=5)
    return model, lambda: pretrain(
        model, toys.examples(), toys.masking(), validation=validation, callbacks=callbacks, steps=9, **settings
    )


def run_finetune(callbacks, **settings):
    model = toys.make_classifier(config=CONFIG)
    train, dev = toys.labeled(40), toys.labeled(8, seed=9)
    return model, lambda: finetune(model, *train, *dev, callbacks=callbacks, epochs=3, **settings)


def run_distill(callbacks, **settings):
    teacher, student = toys.make_pretrainer(config=CONFIG, sentence_task=None), None
    student = toys.make_pretrainer(2, CONFIG, sentence_task=None)
    rows = toys.examples(sentence_task=None)
    return student, lambda: distill(teacher, student, rows, toys.masking(), callbacks=callbacks, steps=9, **settings)


def run_distill_encoder(callbacks, **settings):
    teacher, student = (toys.make_pretrainer(seed, CONFIG).encoder for seed in (1, 2))
    documents, vocabulary = toys.documents(), toys.VOCABULARY
    batches = align_documents(documents, documents, vocabulary, vocabulary, length=16, batch_size=8)
    return student, lambda: distill_encoder(
        teacher, student, batches, callbacks=callbacks, steps=9, **{**settings, "batch_size": 32}
    )


RUNS = {"pretrain": run_pretrain, "finetune": run_finetune, "distill": run_distill, "encoder": run_distill_encoder}


def assert_same_weights(model, weights):
    for found, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("trainer", RUNS)
def test_training_stops_with_the_last_good_weights(trainer, tmp_path):
    """A weight becomes NaN after step 4: the loss of step 5 is NaN. The checkpoint of step 4 comes before that."""
    stop = Break(after=4)
    model, run = RUNS[trainer]([stop], batch_size=8, verbose=0, checkpoint_dir=tmp_path, checkpoint_every=3)
    with pytest.raises(NonFiniteError) as error:
        run()
    message = str(error.value)
    assert "loss" in message and "=nan in step 5 of " in message and "learning_rate=" in message
    assert "batch " in message and " of epoch " in message and "\n" not in message
    good = int(message.split("The weights of step ")[1].split()[0])
    assert good in (3, 4) and f"kept in {tmp_path / 'checkpoint.npz'}" in message and stop.seen == 4
    assert_same_weights(model, stop.weights[good - 1])
    with np.load(tmp_path / "checkpoint.npz") as file:
        assert all(np.isfinite(file[name]).all() for name in file.files)


@pytest.mark.parametrize("rate", [NAN, INF, 1e30])
def test_learning_rate_that_becomes_infinite(rate):
    stop = Break(after=3, rate=rate)  # the weights are not finite after step 4
    model, run = run_finetune([stop], batch_size=8, verbose=0, schedule="constant")
    with pytest.raises(NonFiniteError, match=rf"in step 5 of 15 .*learning_rate={re.escape(f'{rate:g}')}") as error:
        run()
    assert "kept in the model" in str(error.value)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_weights_are_checked_at_the_end():
    """A NaN that no loss shows: in a row of the word embeddings that no example uses."""

    class Poison(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            table = next(v for v in self.model.trainable_weights if "word_embeddings" in v.path)
            values = np.array(table)
            values[55] = INF
            table.assign(values)

    model = toys.make_classifier(config=CONFIG)
    before = model.get_weights()
    with pytest.raises(NonFiniteError, match="`weights`.*inf in .*word_embeddings.* after step 1 of 1 .batch 1 of"):
        finetune(model, *toys.labeled(8), callbacks=[Poison()], epochs=1, batch_size=8, verbose=0)
    assert_same_weights(model, before)


def test_weights_are_checked_before_the_first_step():
    model = toys.make_classifier(config=CONFIG)
    model.set_weights([weight * NAN for weight in model.get_weights()])
    with pytest.raises(NonFiniteError, match="`weights`.*after step 0 of 1"):
        finetune(model, *toys.labeled(8), epochs=1, batch_size=8, verbose=0)


def test_validation_loss():
    """The weights become NaN in the last batch before an evaluation, which is reported with that batch."""
    model, run = run_finetune([Break(after=5)], batch_size=8, verbose=0)
    with pytest.raises(NonFiniteError, match="`val_loss`.* after step 5 of 15 .batch 5 of epoch 1., learning_rate="):
        run()


def test_loss_of_the_user():
    model = toys.make_classifier(config=CONFIG)

    def log_of_negative(y_true, y_pred):
        return keras.ops.log(-keras.ops.sum(y_pred**2, -1))

    with pytest.raises(NonFiniteError, match="`loss`.*in step 1 of 1"):
        finetune(model, *toys.labeled(8), epochs=1, batch_size=8, verbose=0, loss=log_of_negative)


def test_undefined_selection_metric_is_the_worst():
    """NaN, such as the correlation of constant predictions, does not stop the run, and never wins."""
    values = iter([NAN, 0.5, NAN])
    train, dev = toys.labeled(16), toys.labeled(8, seed=9)
    model, weights = toys.make_classifier(config=CONFIG), []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: weights.append(model.get_weights()))
    finetune(
        model, *train, *dev, epochs=3, batch_size=8, verbose=0, selection_metric=lambda: next(values), callbacks=[keep]
    )
    assert_same_weights(model, weights[1])


def test_head_of_features():
    model = kb.BertFeatureClassifier(kb.BertEncoder(CONFIG), num_classes=2, pool="max")
    features, labels = np.random.default_rng(0).normal(size=(8, 8)), [0, 1] * 4
    before = model.head.get_weights()
    with pytest.raises(NonFiniteError, match="loss.*learning_rate=1e\\+38"):
        fit_features(model, features * 1e30, labels, features, labels, epochs=2, learning_rate=1e38)
    assert_same_weights(model.head, before)
    for rate in (NAN, INF, 0, -1, None, True):
        with pytest.raises(InputError, match="^`learning_rate`"):
            fit_features(model, features, labels, features, labels, learning_rate=rate)


def test_empty_validation_is_rejected_first(monkeypatch):
    """Before the first step, by its own name."""

    def run(*_, **__):
        raise AssertionError("training has begun")

    for module in ("pretraining", "distillation", "finetuning"):
        monkeypatch.setattr(f"keras_bert.training.{module}.run", run)
    pairs, single = toys.examples(), toys.examples(sentence_task=None)
    model, student = (toys.make_pretrainer(config=CONFIG, sentence_task=task) for task in ("next", None))
    with pytest.raises(InputError, match="^`validation` must have at least one example"):
        pretrain(model, pairs, toys.masking(), validation=pairs[:0], steps=1)
    with pytest.raises(InputError, match="^`validation` must have at least one example"):
        distill(student, student, single, toys.masking(), validation=single[:0], steps=1)
    ids, labels = toys.labeled(8)
    none = {key: array[:0] for key, array in ids.items()}
    classifier = toys.make_classifier(config=CONFIG)
    for settings in (
        {"validation_inputs": none, "validation_labels": labels[:0]},
        {"validation_data": (none, labels[:0])},
        {"validation_data": ([], [])},
    ):
        with pytest.raises(InputError, match="^`validation_"):
            finetune(classifier, ids, labels, **settings)
    tagger = BertTokenClassifier(kb.BertEncoder(CONFIG), 2)
    tags = np.where(ids["input_mask"], 1, -1)
    with pytest.raises(InputError, match="^`validation_data`.*label"):
        finetune(tagger, ids, tags, ids, np.full_like(tags, -1))


@pytest.mark.parametrize("key", ["input_word_ids", "input_mask", "input_type_ids"])
@pytest.mark.parametrize("value", [-1, 70, 2**32, 0.5, NAN, "a"])
def test_mask_is_validated_like_the_ids(key, value):
    """In training and in prediction. NumPy would turn 0.5 into 0, and 2 ** 32 into 0."""
    ids, labels = toys.labeled(4)
    damaged = ids[key].astype(object if isinstance(value, str) else type(value) if value != 2**32 else np.int64)
    damaged[0, 1] = value
    classifier = toys.make_classifier(config=CONFIG)
    with pytest.raises(InputError, match=f"`{key}`"):
        finetune(classifier, {**ids, key: damaged}, labels)
    with pytest.raises(InputError, match=f"`{key}`"):
        predict_logits(classifier, {**ids, key: damaged})


def test_whole_numbers_of_other_dtypes_are_accepted():
    ids, _ = toys.labeled(4)
    classifier = toys.make_classifier(config=CONFIG)
    expected = predict_logits(classifier, ids)
    for dtype in (np.float32, np.int64, np.uint8):
        others = {key: array.astype(dtype) for key, array in ids.items()}
        np.testing.assert_array_equal(predict_logits(classifier, others), expected)
    np.testing.assert_array_equal(predict_logits(classifier, {**ids, "input_mask": ids["input_mask"] > 0}), expected)


@pytest.mark.parametrize("field, value", [("input_word_ids", 60), ("input_type_ids", 2), ("lengths", 17)])
def test_packed_rows_are_checked(field, value):
    rows = toys.examples()
    getattr(rows, field).reshape(-1)[0] = value
    for name, arguments in (("examples", {}), ("validation", {"validation": rows})):
        with pytest.raises(InputError, match=f"^`{name}`.*{field} with {value}"):
            model = toys.make_pretrainer(config=CONFIG)
            pretrain(model, rows if name == "examples" else toys.examples(3), toys.masking(), steps=1, **arguments)


@pytest.mark.parametrize("value", [NAN, INF])
def test_settings_are_checked_before_the_first_step(value):
    model, rows = toys.make_classifier(config=CONFIG), toys.labeled(8)
    encoder = model.encoder
    batches = align_documents(
        toys.documents(4), toys.documents(4), toys.VOCABULARY, toys.VOCABULARY, length=16, batch_size=2
    )
    for name, call in (
        ("learning_rate", lambda: bert_adamw(value)),
        ("weight_decay", lambda: bert_adamw(1e-3, value)),
        ("optimizer", lambda: finetune(model, *rows, optimizer=keras.optimizers.Adam(value))),
        ("optimizer", lambda: finetune(model, *rows, optimizer=keras.optimizers.AdamW(1e-3, weight_decay=value))),
        ("losses", lambda: distill_encoder(encoder, encoder, batches, losses={"hidden": value}, steps=1)),
        ("short_seq_prob", lambda: toys.examples(short_seq_prob=value)),
        ("alpha", lambda: encoder.enable_lora(2, alpha=value)),
        *((field, lambda field=field: TrainingConfig(**{field: value})) for field in ("learning_rate", "weight_decay")),
    ):
        with pytest.raises(InputError, match=f"^`{name}`"):
            call()
