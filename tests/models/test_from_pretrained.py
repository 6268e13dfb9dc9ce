"""`from_pretrained`, `save_pretrained` and the registry of model classes."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.layers import TransformerBlock
from keras_bert.models import MODEL_CLASSES, check_vocabulary_size, kind_of, pretrained_model
from keras_bert.models.task_model import TaskModel, check_encoder, logits_layer
from tests.helpers import assert_close, random_inputs, randomize, tiny_config

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"token{i}" for i in range(95))]
CONFIG = tiny_config(hidden_dropout=0.1)
INPUTS = random_inputs(CONFIG)


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(TOKENS)


@pytest.fixture(scope="module")
def encoder():
    return randomize(kb.BertEncoder(CONFIG))


@pytest.fixture(scope="module")
def classifier(encoder):
    return randomize(kb.BertClassifier(encoder, 3, dropout=0.25, problem_type="multi_label"), seed=1)


@pytest.fixture(scope="module")
def folder(classifier, vectorizer, tmp_path_factory):
    return classifier.save_pretrained(tmp_path_factory.mktemp("models") / "classifier", vectorizer, ["a", "b", "c"])


class CustomEncoder(kb.BertEncoder):
    """A subclass without its own kind."""


class CustomClassifier(kb.BertClassifier):
    """A subclass without its own kind."""


@keras.saving.register_keras_serializable(package="tests")
class TokenScorer(TaskModel):
    """A task model with its own kind."""

    kind = "test_token_scorer"

    def __init__(self, encoder, name=None, trainable=True):
        check_encoder(encoder)
        head = logits_layer(encoder, 1)
        super().__init__(encoder, head(encoder(encoder.input)["sequence_output"]), name=name, trainable=trainable)


def test_encoder_of_any_source(folder, classifier):
    encoder = kb.BertEncoder.from_pretrained(folder)
    assert type(encoder) is kb.BertEncoder and encoder.config == CONFIG
    assert_close(encoder(INPUTS), classifier.encoder(INPUTS))


def test_whole_model_of_same_kind(folder, classifier):
    loaded = kb.BertClassifier.from_pretrained(folder)
    assert type(loaded) is kb.BertClassifier
    assert (loaded.num_classes, loaded.dropout_rate, loaded.problem_type) == (3, 0.25, "multi_label")
    assert_close(loaded(INPUTS), classifier(INPUTS))
    assert_close(kb.BertClassifier.from_pretrained(folder, num_classes=3)(INPUTS), classifier(INPUTS))


@pytest.mark.parametrize("cls", [kb.BertPretrainer, kb.BertFeatureClassifier, kb.BertSpanLabeler, TokenScorer])
def test_new_head_for_another_kind(cls, folder, classifier):
    model = cls.from_pretrained(folder)
    assert type(model) is cls
    assert_close(model.encoder(INPUTS), classifier.encoder(INPUTS))


def test_arguments_of_a_new_head(folder):
    model = kb.BertTokenClassifier.from_pretrained(folder, num_classes=7, dropout=0.3, name="tags")
    assert (model.num_classes, model.dropout_rate, model.name) == (7, 0.3, "tags")
    assert model.encoder.config.hidden_dropout == model.encoder.config.attention_dropout == 0.3
    with pytest.raises(kb.InputError, match="^`num_classes`"):
        kb.BertTokenClassifier.from_pretrained(folder)
    with pytest.raises(TypeError, match="classes"):
        kb.BertTokenClassifier.from_pretrained(folder, num_classes=7, classes=7)


@pytest.mark.parametrize(("name", "value"), [("num_classes", 2), ("problem_type", "single_label")])
def test_rejects_arguments_of_another_head(name, value, folder):
    with pytest.raises(kb.InputError, match=f"`{name}`.* Received: {name}={value!r}") as caught:
        kb.BertClassifier.from_pretrained(folder, **{name: value})
    assert "\n" not in str(caught.value)


def test_subclasses(folder, classifier):
    encoder = CustomEncoder.from_pretrained(folder)
    assert type(encoder) is CustomEncoder and encoder.kind == "encoder"
    assert_close(encoder(INPUTS), classifier.encoder(INPUTS))
    loaded = CustomClassifier.from_pretrained(folder, dropout=0.4)
    assert type(loaded) is CustomClassifier and kind_of(loaded) == "classifier"
    assert (loaded.dropout_rate, loaded.num_classes, loaded.problem_type) == (0.4, 3, "multi_label")
    assert_close(loaded(INPUTS), classifier(INPUTS))
    assert MODEL_CLASSES["classifier"] is kb.BertClassifier and MODEL_CLASSES["encoder"] is kb.BertEncoder


def test_dtype_and_dropout(folder, classifier):
    for cls in (kb.BertEncoder, kb.BertClassifier, kb.BertSpanLabeler):
        model = cls.from_pretrained(folder, dtype="mixed_bfloat16", dropout=0.0)
        assert model.dtype_policy.name == "mixed_bfloat16"
        config = getattr(model, "encoder", model).config
        assert config.hidden_dropout == config.attention_dropout == 0.0
    float32 = kb.BertClassifier.from_pretrained(folder, dropout=0.0)
    assert float32.dropout_rate == 0.0 and float32.dtype_policy.name == "float32"
    assert_close(float32(INPUTS, training=True), classifier(INPUTS), 1e-5)


def test_block_loads_the_standard_weights(folder, classifier, vectorizer, tmp_path):
    def block(**settings):
        identity = keras.layers.Dense(settings["hidden_size"], kernel_initializer="identity")
        return TransformerBlock(**settings, after_attention=identity)

    for cls in (kb.BertEncoder, kb.BertClassifier):
        model = cls.from_pretrained(folder, block=block)
        assert getattr(model, "encoder", model).has_custom_blocks
        expected = classifier if cls is kb.BertClassifier else classifier.encoder
        assert_close(model(INPUTS), expected(INPUTS), 1e-5)
    saved = model.save_pretrained(tmp_path / "custom", vectorizer)
    with pytest.raises(kb.InputError, match="`block`.* Received: block="):
        kb.BertEncoder.from_pretrained(saved, block=block)
    with pytest.raises(kb.InputError, match="`block`.*`attention`"):
        kb.BertEncoder.from_pretrained(folder, block=lambda **settings: IdentityBlock(name=settings["name"]))


class IdentityBlock(keras.layers.Layer):
    """A block without the sublayers of a TransformerBlock."""

    def call(self, hidden_states, input_mask, positions=None):
        return hidden_states


def test_custom_task_model_is_saved_with_its_kind(encoder, vectorizer, tmp_path):
    model = randomize(TokenScorer(encoder), seed=2)
    folder = model.save_pretrained(tmp_path / "scorer", vectorizer)
    pretrained = kb.load_pretrained(folder)
    assert pretrained.kind == "test_token_scorer" and type(pretrained.model) is TokenScorer
    assert_close(TokenScorer.from_pretrained(folder)(INPUTS), model(INPUTS))


def test_kind_must_be_unique():
    with pytest.raises(kb.InputError, match="`kind`.* Received: kind='classifier'.*BertClassifier"):
        type("Other", (TaskModel,), {"kind": "classifier"})
    assert MODEL_CLASSES["classifier"] is kb.BertClassifier


def test_kind_of_rejects_other_models():
    for model in (keras.Sequential(), None, tiny_config()):
        with pytest.raises(kb.InputError, match=f"`model`.*BertEncoder.* Received: .*{type(model).__name__}"):
            kind_of(model)


def test_vocabulary_size_must_match(vectorizer, tmp_path):
    encoder = kb.BertEncoder(tiny_config(vocab_size=99))
    check_vocabulary_size(encoder, 99)
    for other in (vectorizer, 100):
        with pytest.raises(kb.InputError, match="`vectorizer`.*vocab_size.*99.* Received: .*100"):
            check_vocabulary_size(encoder, other)
    for model in (encoder, kb.BertClassifier(encoder)):
        with pytest.raises(kb.InputError, match="`vectorizer`.* Received: .*100"):
            model.save_pretrained(tmp_path / "model", vectorizer)
    assert not (tmp_path / "model").exists()


def test_unregistered_formats(monkeypatch):
    monkeypatch.setattr(pretrained_model, "_IO", {})
    with pytest.raises(RuntimeError, match="import keras_bert.weights"):
        kb.BertEncoder.from_pretrained("bert_en_uncased_mini")


def test_bundled_encoder():
    classifier = kb.BertClassifier.from_pretrained("bert_en_uncased_mini", num_classes=3)
    assert classifier.num_classes == 3 and classifier.encoder.config.hidden_size == 256
    expected = kb.load_pretrained("bert_en_uncased_mini").encoder
    inputs = random_inputs(expected.config)
    assert_close(kb.BertEncoder.from_pretrained("bert_en_uncased_mini")(inputs), expected(inputs))
    assert_close(classifier.encoder(inputs), expected(inputs))
    assert np.isfinite(np.array(classifier(inputs))).all()
