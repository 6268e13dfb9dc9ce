"""BertTextVectorization in plain calls, tf.data, models, files, SavedModels and on other backends."""

import logging
import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_bert import InputError
from keras_bert.text import BertTextVectorization
from tests.processes import LIMIT

TEXTS = ["A fine film!", "Unfinely", "", "films Films\0 fïlms"]
IDS = [[5, 6, 7, 10], [1], [], [7, 8, 7, 8, 7, 8]]


@pytest.fixture(scope="module")
def vectorizer(tokens):
    return BertTextVectorization(tokens, sequence_length=6)


def lists(inputs):
    return {name: keras.ops.convert_to_numpy(value).tolist() for name, value in inputs.items()}


EXPECTED = {
    "input_word_ids": [[2, 5, 6, 7, 10, 3], [2, 1, 3, 0, 0, 0], [2, 3, 0, 0, 0, 0], [2, 7, 8, 7, 8, 3]],
    "input_mask": [[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]],
    "input_type_ids": [[0] * 6] * 4,
}


def test_accepts_lists_arrays_and_tensors(vectorizer):
    for texts in (TEXTS, [text.encode() for text in TEXTS], np.array(TEXTS, object), tf.constant(TEXTS)):
        assert lists(vectorizer(texts)) == EXPECTED
        assert vectorizer.tokenize(texts).to_list() == IDS
    assert lists(vectorizer(tf.constant(TEXTS)[:, None])) == EXPECTED
    assert all(value.dtype == "int32" for value in vectorizer(TEXTS).values())


def test_one_string(vectorizer):
    assert lists(vectorizer(TEXTS[0])) == {name: rows[0] for name, rows in EXPECTED.items()}
    assert vectorizer.tokenize(TEXTS[0]).numpy().tolist() == IDS[0]
    assert lists(vectorizer(("a", "film")))["input_word_ids"] == [2, 5, 3, 7, 3, 0]


def test_empty_batch(vectorizer):
    assert vectorizer([])["input_word_ids"].shape == (0, 6)
    assert vectorizer.tokenize([]).to_list() == []


def test_truncates_longer_text_of_pair(vectorizer):
    inputs = lists(vectorizer((["a fine film", "a", "a fine"], ["film", "a fine film !", "fine film"])))
    assert inputs["input_word_ids"] == [[2, 5, 6, 3, 7, 3], [2, 5, 3, 5, 6, 3], [2, 5, 6, 3, 6, 3]]
    assert inputs["input_type_ids"] == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]]
    assert inputs["input_mask"] == [[1] * 6] * 3


def test_pads_to_longest_row(tokens):
    inputs = lists(BertTextVectorization(tokens, sequence_length=None)(["a", "a fine film"]))
    assert inputs["input_word_ids"] == [[2, 5, 3, 0, 0], [2, 5, 6, 7, 3]]


def test_ids_are_line_numbers(tokens):
    tokens = tokens[::-1]
    vectorizer = BertTextVectorization(tokens)
    assert vectorizer.get_vocabulary() == tokens and vectorizer.vocabulary_size() == len(tokens)
    assert [tokens[i] for i in vectorizer.tokenize("a zebra films").numpy()] == ["a", "[UNK]", "film", "##s"]
    ids = [vectorizer.pad_id, vectorizer.unk_id, vectorizer.cls_id, vectorizer.sep_id, vectorizer.mask_id]
    assert [vectorizer.id_to_token(i) for i in ids] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert vectorizer(["a"])["input_word_ids"].numpy()[0, -1] == vectorizer.pad_id
    with pytest.raises(InputError, match="`token_id`.*Received: token_id=13"):
        vectorizer.id_to_token(13)


@pytest.mark.parametrize("lowercase", [True, False])
def test_special_tokens_in_text(tokens, lowercase):
    text = "a [MASK]film[SEP] [mask] [PAD]![UNK][CLS]"
    marked = BertTextVectorization(tokens, lowercase, special_tokens=True)
    assert marked.tokenize(text).numpy().tolist() == [5, 4, 7, 3, 1, 1, 1, 0, 10, 1, 2]
    plain = BertTextVectorization(tokens, lowercase).tokenize(text).numpy().tolist()
    assert set(plain) == {1, 5, 7, 10} and len(plain) == 21


def test_in_tf_data(vectorizer):
    batches = tf.data.Dataset.from_tensor_slices(TEXTS).batch(3).map(vectorizer)
    rows = [row for batch in batches for row in batch["input_word_ids"].numpy().tolist()]
    assert rows == EXPECTED["input_word_ids"]
    assert batches.element_spec["input_word_ids"].shape.as_list() == [None, 6]
    single = tf.data.Dataset.from_tensor_slices(TEXTS).map(vectorizer).batch(4)
    assert lists(next(iter(single))) == EXPECTED
    pairs = tf.data.Dataset.from_tensor_slices((TEXTS, TEXTS)).batch(4).map(lambda a, b: vectorizer((a, b)))
    assert lists(next(iter(pairs))) == lists(vectorizer((TEXTS, TEXTS)))


def test_created_inside_tf_function(tokens):
    @tf.function
    def encode(texts):
        return BertTextVectorization(tokens, sequence_length=6)(texts)

    assert lists(encode(tf.constant(TEXTS))) == EXPECTED


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(), (1,)])
def test_saved_and_loaded_model(vectorizer, tmp_path, shape):
    text = keras.Input(shape, dtype="string", name="text")
    second = keras.Input(shape, dtype="string", name="second")
    model = keras.Model([text, second], [vectorizer(text), vectorizer((text, second))])
    assert model.output[0]["input_word_ids"].shape == (None, 6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    columns = tf.reshape(tf.constant(TEXTS), [-1, *shape])
    for each in (model, loaded):
        single, pair = each([columns, columns[::-1]])
        assert lists(single) == EXPECTED
        assert lists(pair) == lists(vectorizer((TEXTS, TEXTS[::-1])))
    assert lists(loaded.predict(tf.data.Dataset.from_tensors(((columns, columns),)), verbose=0)[0]) == EXPECTED


def test_config(tokens):
    first = BertTextVectorization(tokens, lowercase=False, sequence_length=None, special_tokens=True, name="module")
    loaded = BertTextVectorization.from_config(first.get_config())
    assert loaded.get_config() == first.get_config()
    assert lists(loaded(["Film film [MASK]"]))["input_word_ids"] == [[2, 1, 7, 4, 3]]


@pytest.mark.slow
def test_saved_model_loads_without_keras(vectorizer, tmp_path):
    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.vectorizer = vectorizer

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def __call__(self, text):
            return self.vectorizer(text)

    module = Module()
    tf.saved_model.save(module, str(tmp_path / "module"), signatures=module.__call__)
    code = f"""
        import tensorflow as tf
        texts = {TEXTS!r}
        module = tf.saved_model.load({str(tmp_path / "module")!r})
        for inputs in (module(tf.constant(texts)), module.signatures["serving_default"](text=tf.constant(texts))):
            assert {{name: value.numpy().tolist() for name, value in inputs.items()}} == {EXPECTED!r}
    """
    run(code)
    graph = tf.saved_model.load(str(tmp_path / "module")).signatures["serving_default"].graph.as_graph_def()
    used = {node.op for function in graph.library.function for node in function.node_def} | {n.op for n in graph.node}
    assert "UnicodeDecodeWithOffsets" in used or "UnicodeDecode" in used
    assert not [name for name in used if "Py" in name or "Tokenize" in name or ">" in name]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([1, 2], "^`texts`.*Received: 1 .*index 0"),
        (["a", None], "^`texts`.*Received: None .*index 1"),
        (["a", float("nan")], "^`texts`.*Received: nan .*index 1"),
        (3, "^`texts`.*Received: 3 .*index 0"),
        (tf.constant([1]), "^`texts`.*Received: .*int32"),
        (tf.ragged.constant([["a"]]), "^`texts`.*Received: RaggedTensor"),
        ([["a", "b"]], r"^`texts`.*Received: .*\(1, 2\)"),
        (["\ud800"], r"^`texts`.*Received: '\\ud800' .*index 0"),
        (("a", "b", "c"), r"^`inputs`.*Received: .*tuple.*\b3\b"),
        ((["a", "b"], ["c"]), r"^`inputs`.*Received: .*\(2,\).*\(1,\)"),
        (("a", ["c"]), r"^`inputs`.*Received: .*\(\).*\(1,\)"),
    ],
)
def test_rejects_invalid_texts(vectorizer, texts, message):
    with pytest.raises(InputError, match=message) as caught:
        vectorizer(texts)
    assert "\n" not in str(caught.value)


def test_rejects_other_dtypes(vectorizer):
    with pytest.raises(InputError, match="^`texts`.*Received: .*float32"):
        vectorizer(keras.Input((), dtype="float32"))


@pytest.mark.parametrize("length", [2, 0, -1, 3.5, True, "128"])
def test_rejects_invalid_sequence_length(tokens, vectorizer, length):
    with pytest.raises(InputError, match=f"^`sequence_length`.*Received: sequence_length={length!r}"):
        BertTextVectorization(tokens, sequence_length=length)
    with pytest.raises(InputError, match="`sequence_length`"):
        vectorizer.pack([vectorizer.tokenize(["a"])], length)


def test_rejects_invalid_vocabularies(tmp_path):
    with pytest.raises(InputError, match="^`path`.*Received: .*vocab.txt"):
        BertTextVectorization(tmp_path / "vocab.txt")
    with pytest.raises(InputError, match=r"^`vocabulary`.*Received: .*\[PAD\]"):
        BertTextVectorization(["[UNK]", "[CLS]", "[SEP]", "[MASK]"])


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends(tokens, backend):
    pytest.importorskip(backend)
    run(
        f"""
        import keras, tensorflow as tf
        from keras_bert.text import BertTextVectorization
        vectorizer = BertTextVectorization({tokens!r}, sequence_length=6)
        def lists(inputs):
            return {{name: keras.ops.convert_to_numpy(value).tolist() for name, value in inputs.items()}}
        inputs = vectorizer({TEXTS!r})
        assert all(keras.ops.is_tensor(value) and not tf.is_tensor(value) for value in inputs.values())
        assert lists(inputs) == {EXPECTED!r}
        assert vectorizer.tokenize({TEXTS!r}).to_list() == {IDS!r}
        assert lists(vectorizer(({TEXTS!r}, {TEXTS!r})))["input_type_ids"][0] == [0, 0, 0, 0, 1, 1]
        short = vectorizer({TEXTS!r}, sequence_length=4)["input_word_ids"]
        assert keras.ops.is_tensor(short) and short.shape == (4, 4)
        assert vectorizer.detokenize(short, skip_special_tokens=True)[0] == "a fine"
        assert vectorizer.id_to_token(short)[0] == ["[CLS]", "a", "fine", "[SEP]"]
        assert vectorizer.offset_mapping({TEXTS!r}).shape == (4, 6, 2)
        marked = BertTextVectorization({tokens!r}, sequence_length=6, added_tokens=["[E1]"])
        assert lists(marked("[E1]film"))["input_word_ids"] == [2, 13, 7, 3, 0, 0]
        learned = BertTextVectorization(max_tokens=30)
        learned.adapt(tf.data.Dataset.from_tensor_slices(["a fine film", "fine films"]).batch(2))
        assert learned.detokenize(learned.tokenize(["Fine films"])) == ["fine films"]
        dataset = tf.data.Dataset.from_tensor_slices({TEXTS!r}).batch(4).map(vectorizer)
        assert {{name: value.numpy().tolist() for name, value in next(iter(dataset)).items()}} == {EXPECTED!r}
        """,
        KERAS_BACKEND=backend,
    )


def run(code, **environment):
    """Run code in a new Python process."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_several_vectorizers_do_not_warn(tokens):
    records = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append
    tf.get_logger().addHandler(handler)
    try:
        for _ in range(6):  # TensorFlow warns of retracing at the fifth function with the same code
            vectorizer = BertTextVectorization(tokens)
            vectorizer(["a"]), vectorizer((["a"], ["b"]))
    finally:
        tf.get_logger().removeHandler(handler)
    assert [record.getMessage()[:200] for record in records] == []
