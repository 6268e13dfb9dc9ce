"""Optimizers, losses and metrics of the user in `finetune`, and functional models, against Keras's own."""

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score

import keras_bert as kb
from keras_bert.training.batches import LengthGroupedBatches
from tests.training import toys

CONFIG = kb.BertConfig(
    toys.CONFIG.vocab_size, 8, 1, 2, 16, max_position_embeddings=32, hidden_dropout=0.0, attention_dropout=0.0
)
TRAIN, VALIDATION = toys.labeled(24, length=8), toys.labeled(20, seed=3, length=8)
SETTINGS = {"epochs": 2, "batch_size": 8, "verbose": 0}
CrossEntropy = keras.losses.SparseCategoricalCrossentropy


def classifier(classes=2, **settings):
    keras.utils.set_random_seed(2)
    return kb.BertClassifier(kb.BertEncoder(CONFIG), classes, dropout=0.0, **settings)


def functional(units=2, activation=None):
    """A head of the user on our encoder."""
    keras.utils.set_random_seed(2)
    encoder = kb.BertEncoder(CONFIG)
    outputs = keras.layers.Dense(units, activation)(encoder(encoder.input)["pooled_output"])
    return keras.Model(encoder.input, outputs)


def train(model, labels=None, **settings):
    ids, found = TRAIN
    return kb.finetune(model, ids, found if labels is None else labels, **{**SETTINGS, **settings})


def keras_training(model, optimizer, loss):
    """Train on the same batches with Keras alone; return the mean loss of each epoch."""
    model.compile(optimizer, loss=loss)
    batches = LengthGroupedBatches(*TRAIN, batch_size=8, seed=0)
    return [np.mean([model.train_on_batch(*batches.batch(epoch, i)) for i in range(3)]) for epoch in range(2)]


def assert_close_weights(one, other, atol=1e-6):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=atol)


class Focal(keras.losses.Loss):
    """A loss of the user, which no kernel knows."""

    def call(self, y_true, y_pred):
        likelihood = keras.ops.take_along_axis(keras.ops.softmax(y_pred), keras.ops.cast(y_true, "int32")[:, None], 1)
        return -((1 - likelihood[:, 0]) ** 2) * keras.ops.log(likelihood[:, 0])


def test_optimizer_and_loss_equal_those_of_keras():
    history = train(classifier(), optimizer=keras.optimizers.SGD(0.1), loss=Focal())
    model = classifier()
    losses = keras_training(model, keras.optimizers.SGD(0.1), Focal())
    assert history.history["loss"] == pytest.approx(losses, rel=1e-5)
    assert_close_weights(history.model, model)
    assert history.history["learning_rate"] == pytest.approx([0.1, 0.1])
    assert not any(name.startswith("val_") for name in history.history)


@pytest.mark.slow
def test_optimizer_by_name():
    expected = train(classifier(), optimizer=keras.optimizers.Adam(1e-3))
    assert_close_weights(train(classifier(), optimizer="adam").model, expected.model, 0)


@pytest.mark.slow
def test_loss_has_weights_of_keras():
    """Keras divides the weighted sum by the number of rows."""
    ids, labels = TRAIN
    weights = np.linspace(0, 2, 24).astype(np.float32)
    settings = {"optimizer": keras.optimizers.SGD(0.1), "loss": CrossEntropy(from_logits=True), "batch_size": 24}
    history = train(classifier(), sample_weight=weights, **{**settings, "epochs": 1})
    model = classifier()
    model.compile(keras.optimizers.SGD(0.1), CrossEntropy(from_logits=True))
    fitted = model.fit(ids, labels, sample_weight=weights, batch_size=24, verbose=0).history
    assert history.history["loss"] == pytest.approx(fitted["loss"], rel=1e-5)
    assert_close_weights(history.model, model)


@pytest.mark.slow
def test_validation_values_are_those_of_keras():
    metrics = [keras.metrics.SparseTopKCategoricalAccuracy(1, name="top1"), "accuracy"]
    history = train(classifier(), loss=Focal(), metrics=metrics, validation_data=VALIDATION, learning_rate=1e-2)
    found = history.history
    assert set(found) == {"step", "learning_rate"} | {
        f"{p}{n}" for p in ("", "val_") for n in ("loss", "accuracy", "top1")
    }
    best = int(np.argmax(found["val_accuracy"]))
    model = history.model
    model.compile(loss=Focal(), metrics=["accuracy"])
    loss, accuracy = model.evaluate(*VALIDATION, verbose=0)
    assert (found["val_loss"][best], found["val_accuracy"][best]) == pytest.approx((loss, accuracy), rel=1e-4)
    assert found["val_top1"][best] == pytest.approx(accuracy, rel=1e-5)


def test_metrics_of_probabilities_over_an_epoch():
    """The F1 of an epoch is that of all its batches, and thresholds are probabilities also if labels are imbalanced."""
    outputs = []

    class Recorder(keras.metrics.Metric):
        """Keeps no state; it sees what metrics see."""

        def update_state(self, y_true, y_pred, sample_weight=None):
            outputs.append((y_true, y_pred))

        def result(self):
            return 0.0

    labels = (TRAIN[1][:, None] * np.array([[1, 1, 0]]) + np.array([[0, 0, 1]])).astype(int)
    model = classifier(3, problem_type="multi_label")
    f1 = keras.metrics.F1Score(average="macro", threshold=0.4, name="f1")
    metrics = [f1, keras.metrics.AUC(name="auc"), keras.metrics.AUC(from_logits=True, name="auc_of_logits"), Recorder()]
    settings = {"optimizer": keras.optimizers.SGD(0.0), "validation_data": (TRAIN[0], labels)}
    history = train(model, labels, metrics=metrics, **settings).history
    probabilities = 1 / (1 + np.exp(-model.predict(TRAIN[0], verbose=0)))
    expected = f1_score(labels, probabilities > 0.4, average="macro", zero_division=0)
    auc = keras.metrics.AUC()
    auc.update_state(labels, probabilities)
    for prefix in ("", "val_"):  # the weights do not change, so both are the values over all rows
        assert history[f"{prefix}f1"] == pytest.approx([expected] * 2, abs=1e-5)
        assert history[f"{prefix}auc"] == pytest.approx([float(auc.result())] * 2, abs=1e-3)
        assert history[f"{prefix}auc_of_logits"] == pytest.approx(history[f"{prefix}auc"], abs=1e-5)
    seen = np.concatenate([np.asarray(y_pred) for _, y_pred in outputs[-1:]])
    np.testing.assert_allclose(seen, probabilities, atol=1e-5)
    assert float(f1.result()) == 0  # reset, for the next run


@pytest.mark.slow
def test_functional_classifier():
    found = train(functional(), learning_rate=1e-2, layer_decay=0.9, validation_split=0.25)
    assert kb.evaluate(found.model, *VALIDATION)["examples"] == 20
    # The same head as that of `BertClassifier`, so the same training.
    model = classifier()
    model.set_weights(functional().get_weights())
    expected = train(model, learning_rate=1e-2, layer_decay=0.9, validation_split=0.25)
    for name, values in expected.history.items():
        assert found.history[name] == pytest.approx(values, rel=1e-4), name


@pytest.mark.slow
def test_functional_model_with_loss():
    settings = {"loss": "binary_crossentropy", "metrics": [keras.metrics.AUC(name="auc")], "learning_rate": 1e-2}
    history = train(functional(1, "sigmoid"), validation_data=VALIDATION, **settings)
    probabilities = history.model.predict(VALIDATION[0], verbose=0)
    auc, loss = keras.metrics.AUC(), keras.losses.BinaryCrossentropy()
    auc.update_state(VALIDATION[1], probabilities)
    best = int(np.argmin(history.history["val_loss"]))
    assert history.history["val_auc"][best] == pytest.approx(float(auc.result()), abs=1e-6)
    assert history.history["val_loss"][best] == pytest.approx(
        float(loss(VALIDATION[1][:, None], probabilities)), rel=1e-4
    )


@pytest.mark.slow
def test_functional_model_on_texts():
    model = functional()
    vectorizer = kb.BertTextVectorization(toys.VOCABULARY, sequence_length=8)
    texts, names = ["w0 w20", "w1 w21"] * 6, ["a", "b"] * 6
    kb.finetune(model, texts, names, vectorizer=vectorizer, **SETTINGS)
    assert model.labels == ["a", "b"] and kb.evaluate(model, texts, names)["examples"] == 12


def test_rejects_functional_models():
    encoder = kb.BertEncoder(CONFIG)
    outputs = encoder(encoder.input)
    pooled = outputs["pooled_output"]
    words = keras.Input((None,), dtype="int32")
    alone = keras.Model(words, keras.layers.Dense(2)(encoder(dict.fromkeys(encoder.input, words))["pooled_output"]))
    two = keras.Model(encoder.input, [keras.layers.Dense(2)(pooled), keras.layers.Dense(2)(pooled)])
    for model, message in (
        (functional(2, "softmax"), "^`loss` must be given"),
        (functional(1), "^`loss` must be given"),
        (alone, "^`model` must be functional, with a dict of input_word_ids"),
        (two, "^`model` must have a single output"),
        (keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]), "^`model` must contain one BertEncoder"),
    ):
        with pytest.raises(kb.InputError, match=message):
            train(model)
    with pytest.raises(kb.InputError, match="^`labels` must be finite numbers"):
        train(functional(1), np.array([np.nan] * 24), loss="mse")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loss": "nothing"}, "^`loss` must be a Keras loss.*'nothing'"),
        ({"loss": CrossEntropy()}, "^`loss` must have from_logits=True.*BertClassifier"),
        ({"loss": "sparse_categorical_crossentropy"}, "^`loss` must have from_logits=True"),
        ({"loss": lambda y_true, y_pred: y_pred["logits"]}, r"^`loss` must accept targets \(2,\) int32"),
        ({"loss": Focal(), "teacher_logits": np.zeros((24, 2))}, "^`loss` must be None with `teacher_logits`"),
        ({"metrics": ["nothing"]}, "^`metrics` must be Keras metrics.*'nothing'"),
        ({"metrics": {"a": "accuracy"}}, "^`metrics` must be a list"),
        ({"metrics": [keras.metrics.F1Score()]}, "^`metrics` must accept targets.*f1_score"),
        ({"metrics": [keras.metrics.Mean(name="a"), keras.metrics.Mean(name="a")]}, "^`metrics` must have different"),
        ({"optimizer": "nothing"}, "^`optimizer`.*'nothing'"),
        ({"optimizer": "adam", "learning_rate": 1e-3}, "^`learning_rate` must not be given with `optimizer`"),
        ({"optimizer": "adam", "layer_decay": 0.9}, "^`layer_decay` must not be given with `optimizer`"),
        ({"optimizer": "adam", "freeze": "gradual"}, '^`freeze` must not be "gradual"'),
        ({"optimizer": "adam", "accumulate": 2}, "^`accumulate` must be the gradient_accumulation_steps"),
    ],
)
def test_rejects(settings, words):
    with pytest.raises(kb.InputError, match=words):
        train(classifier(), **settings)


def test_rejects_loss_and_metrics_of_several_outputs():
    model = kb.BertSpanLabeler(kb.BertEncoder(CONFIG))
    labels = {"start_logits": np.ones(24, int), "end_logits": np.ones(24, int)}
    for settings in ({"loss": Focal()}, {"metrics": ["accuracy", keras.metrics.Mean()]}):
        with pytest.raises(kb.InputError, match="^`(loss|metrics)` must be None for a BertSpanLabeler"):
            train(model, labels, **settings)


def test_rejects_used_optimizer():
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(classifier().trainable_variables)
    with pytest.raises(kb.InputError, match="^`optimizer` must be new"):
        train(classifier(), optimizer=optimizer)


@pytest.mark.slow
def test_resumes_with_loss_and_metrics(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 4:
                raise KeyboardInterrupt

    def run(**settings):
        metrics = [keras.metrics.SparseCategoricalCrossentropy(name="entropy")]
        settings = {"loss": Focal(), "optimizer": "adam", "metrics": metrics, **settings}
        return train(classifier(), validation_data=VALIDATION, **settings)

    expected = run()
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint_dir=tmp_path, callbacks=[Stop()])
    with pytest.raises(kb.InputError, match="^`optimizer` must be as in the checkpoint"):
        run(checkpoint_dir=tmp_path, optimizer=keras.optimizers.Adam(0.5))
    resumed = run(checkpoint_dir=tmp_path)
    for name, values in expected.history.items():  # within an epoch too: the metric is a mean
        assert resumed.history[name] == pytest.approx(values, rel=1e-5), name
    assert_close_weights(resumed.model, expected.model, 0)
