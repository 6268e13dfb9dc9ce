"""`adapt` learns the vocabulary from every kind of data that Keras's `TextVectorization` accepts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_bert import InputError
from keras_bert.text import BertTextVectorization, learn_vocabulary

TEXTS = ["A fine film, finely filmed.", "No finer films!", "film film fine fine"]


def batches():
    yield from (np.array(TEXTS[:2], object), TEXTS[2:])


@pytest.mark.parametrize(
    "data",
    [
        lambda: TEXTS,
        lambda: tuple(TEXTS),
        lambda: np.array(TEXTS),
        lambda: np.array(TEXTS, object)[:, None],
        lambda: [text.encode() for text in TEXTS],
        lambda: tf.constant(TEXTS),
        lambda: tf.data.Dataset.from_tensor_slices(TEXTS),
        lambda: tf.data.Dataset.from_tensor_slices(TEXTS).batch(2),
        lambda: tf.data.Dataset.from_tensor_slices(np.array(TEXTS)[:, None]).batch(2),
        batches,
        lambda: iter(TEXTS),
    ],
)
def test_accepts(data):
    vectorizer = BertTextVectorization(max_tokens=40, sequence_length=8)
    vectorizer.adapt(data())
    keras.layers.TextVectorization().adapt(data())  # Keras accepts it too
    assert vectorizer.get_vocabulary() == learn_vocabulary(TEXTS, 40)
    assert vectorizer.unk_id not in vectorizer(TEXTS)["input_word_ids"].numpy()


def test_steps():
    vectorizer = BertTextVectorization(max_tokens=30, lowercase=False)
    vectorizer.adapt(tf.data.Dataset.from_tensor_slices(TEXTS).batch(1).repeat(), steps=2)
    assert vectorizer.get_vocabulary() == learn_vocabulary(TEXTS[:2], 30, lowercase=False)


def test_added_tokens_are_no_words():
    vectorizer = BertTextVectorization(max_tokens=30, added_tokens=["[E1]", "film"])
    vectorizer.adapt(["[E1]" + text for text in TEXTS])
    assert len(vectorizer) <= 30 and vectorizer.get_vocabulary()[-2:] == ["[E1]", "film"]
    assert "[" not in vectorizer.get_vocabulary()
    assert vectorizer.detokenize(vectorizer.tokenize("[E1]fine")) == "[E1] fine"


def test_inside_a_model_that_was_built_before(tmp_path):
    vectorizer = BertTextVectorization(max_tokens=40, sequence_length=8)
    text = keras.Input((), dtype="string")
    model = keras.Model(text, vectorizer(text))
    vectorizer.adapt(TEXTS)
    expected = vectorizer(TEXTS)["input_word_ids"].numpy()
    np.testing.assert_array_equal(model.predict(tf.constant(TEXTS), verbose=0)["input_word_ids"], expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(tf.constant(TEXTS))["input_word_ids"], expected)


def test_before_adapt():
    vectorizer = BertTextVectorization()
    uses = [
        lambda: vectorizer(["a"]),
        lambda: vectorizer.tokenize(["a"]),
        lambda: vectorizer.detokenize([1]),
        lambda: vectorizer.offset_mapping("a"),
        lambda: vectorizer.token_to_id("a"),
        lambda: vectorizer.id_to_token(1),
        lambda: len(vectorizer),
        lambda: vectorizer.get_vocabulary(),
        lambda: vectorizer.pad_id,
        lambda: tf.data.Dataset.from_tensor_slices(["a"]).map(vectorizer),
    ]
    for use in uses:
        with pytest.raises(
            InputError, match=r"^`vocabulary` must be given, or learned with `adapt\(texts\)`"
        ) as caught:
            use()
        assert "\n" not in str(caught.value)
    again = BertTextVectorization.from_config(vectorizer.get_config())
    again.adapt(TEXTS)
    assert BertTextVectorization.from_config(again.get_config()).get_vocabulary() == again.get_vocabulary()


def test_rejects_second_vocabulary(tokens):
    vectorizer = BertTextVectorization(max_tokens=40)
    vectorizer.adapt(TEXTS)
    for each in (vectorizer, BertTextVectorization(tokens)):
        with pytest.raises(InputError, match="^`adapt` must be called once.*Received: a layer with"):
            each.adapt(TEXTS)


@pytest.mark.parametrize(
    "data", ["a film", 3, None, [3], [["a", 3]], [None], tf.constant([1]), {"text": TEXTS}, [("a film", "b")]]
)
def test_rejects_other_data(data):
    with pytest.raises(InputError, match="^`(data|texts)` must "):
        BertTextVectorization().adapt(data)
    with pytest.raises(InputError, match="^`texts` must contain at least one word"):
        BertTextVectorization().adapt([])


@pytest.mark.parametrize("size", [6, 0, True, 2.5, "many"])
def test_rejects_max_tokens(tokens, size):
    with pytest.raises(InputError, match=f"^`max_tokens` must be .*Received: max_tokens={size!r}"):
        BertTextVectorization(max_tokens=size)
    with pytest.raises(InputError, match="^`max_tokens` must be .*at least 13.*Received: max_tokens=12"):
        BertTextVectorization(tokens, max_tokens=12)
