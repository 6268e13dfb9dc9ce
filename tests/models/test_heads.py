"""The heads of the classifiers and of the span labeler: outputs, invalid arguments, training."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import assert_close, random_inputs, randomize, tiny_config, to_numpy

HEADS = (kb.BertPretrainer, kb.BertClassifier, kb.BertFeatureClassifier, kb.BertSpanLabeler, kb.BertTokenClassifier)
CLASSIFIERS = (kb.BertClassifier, kb.BertFeatureClassifier, kb.BertTokenClassifier)


@pytest.mark.parametrize("cls", HEADS)
def test_rejects_other_encoders(cls):
    arguments = {"num_classes": 2} if cls is kb.BertTokenClassifier else {}
    for encoder in (tiny_config(), kb.BertSpanLabeler(kb.BertEncoder(tiny_config())), None):
        with pytest.raises(kb.InputError, match=f"`encoder`.*BertEncoder.* Received: .*{type(encoder).__name__}"):
            cls(encoder, **arguments)


@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize(
    "arguments",
    [{"num_classes": 0}, {"num_classes": 2.0}, {"num_classes": True}, {"num_classes": None}]
    + [{"dropout": 1.0}, {"dropout": -0.1}, {"dropout": float("nan")}, {"dropout": "0.1"}, {"dropout": None}],
)
def test_rejects_invalid_arguments(cls, arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(kb.InputError, match=f"`{name}`.* Received: {name}={value!r}"):
        cls(kb.BertEncoder(tiny_config()), **{"num_classes": 2, **arguments})


def test_num_classes_depends_on_problem_type():
    encoder = kb.BertEncoder(tiny_config())
    assert kb.BertClassifier(encoder).problem_type == "single_label"
    assert kb.BertClassifier(encoder, 1).problem_type == "binary"
    with pytest.raises(kb.InputError, match="^`num_classes`.*Received: num_classes=1"):
        kb.BertClassifier(encoder, 1, problem_type="single_label")
    with pytest.raises(kb.InputError, match="^`num_classes`.*Received: num_classes=2"):
        kb.BertClassifier(encoder, 2, problem_type="binary")
    for problem_type in ("binary", "multi_label", "regression"):
        assert kb.BertClassifier(encoder, 1, problem_type=problem_type).problem_type == problem_type
        with pytest.raises(kb.InputError, match="^`num_classes`.*Received: num_classes=0"):
            kb.BertClassifier(encoder, 0, problem_type=problem_type)
    with pytest.raises(kb.InputError, match="`problem_type`.* Received: problem_type='several'"):
        kb.BertClassifier(encoder, problem_type="several")


def test_classifier_head():
    config = tiny_config()
    classifier = randomize(kb.BertClassifier(kb.BertEncoder(config), num_classes=3))
    inputs = random_inputs(config)
    kernel, bias = classifier.head.get_weights()
    pooled = to_numpy(classifier.encoder(inputs)["pooled_output"])
    assert classifier.pooler is classifier.encoder.pooler
    assert_close(classifier(inputs), pooled @ kernel + bias, 1e-5)


def test_span_labeler_head():
    config = tiny_config()
    span_labeler = randomize(kb.BertSpanLabeler(kb.BertEncoder(config)))
    inputs = random_inputs(config)
    rows = to_numpy(span_labeler.encoder(inputs)["sequence_output"])
    kernel, bias = span_labeler.head.get_weights()
    for i, name in enumerate(("start_logits", "end_logits")):
        assert_close(span_labeler(inputs)[name], rows @ kernel[:, i] + bias[i], 1e-5)


def test_token_classifier_head():
    config = tiny_config()
    token_classifier = randomize(kb.BertTokenClassifier(kb.BertEncoder(config), num_classes=5))
    inputs = random_inputs(config)
    rows = to_numpy(token_classifier.encoder(inputs)["sequence_output"])
    kernel, bias = token_classifier.head.get_weights()
    assert_close(token_classifier(inputs), rows @ kernel + bias, 1e-5)
    assert token_classifier(inputs).dtype == "float32"


@pytest.mark.slow
def test_classifier_training_is_deterministic():
    config = tiny_config(num_layers=1, hidden_dropout=0.1, attention_dropout=0.1)
    inputs, labels = random_inputs(config, batch=8), np.arange(8) % 3

    def run(seed):
        keras.utils.set_random_seed(seed)
        model = kb.BertClassifier(kb.BertEncoder(config), num_classes=3, dropout=0.2)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(3e-3), loss, jit_compile=False)
        history = model.fit(inputs, labels, batch_size=4, epochs=8, verbose=0).history["loss"]
        return history, model.predict(inputs, verbose=0)

    (history, logits), (same_history, same_logits) = run(3), run(3)
    assert history == same_history and history[-1] < history[0]
    np.testing.assert_array_equal(logits, same_logits)
    assert run(4)[0] != history
