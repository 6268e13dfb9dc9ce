"""Tokens to ids, ids to tokens, ids to texts, and the length of one call; compared with KerasHub and Hugging Face."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_bert import InputError
from keras_bert.text import BertTextVectorization

SENTENCES = ["Don't stop! It's fine, isn't it?", "I'm a film . ' s", "", "xyzzy", "They've said: we're \"fine\"."]


@pytest.fixture(scope="module")
def vectorizer(tokens):
    return BertTextVectorization(tokens, sequence_length=6)


def test_token_to_id(vectorizer, tokens):
    assert vectorizer.token_to_id("film") == 7 and type(vectorizer.token_to_id("film")) is int
    assert vectorizer.token_to_id(tokens) == list(range(len(tokens)))
    assert vectorizer.token_to_id((["film"], np.array(["##s", "a"]))) == [[7], [8, 5]]
    for bad in ("films", b"film", 3, None, ["film", "films"]):
        with pytest.raises(InputError, match="^`token` must be in the vocabulary. Received: token="):
            vectorizer.token_to_id(bad)


def test_id_to_token(vectorizer, tokens):
    assert vectorizer.id_to_token(7) == "film" == vectorizer.id_to_token(np.int64(7))
    ids = [[2, 5, 3], [2, 7, 3]]
    expected = [[tokens[i] for i in row] for row in ids]
    for each in (ids, np.array(ids), tf.constant(ids), tf.ragged.constant(ids), keras.ops.convert_to_tensor(ids)):
        assert vectorizer.id_to_token(each) == expected
    for bad in (13, -1, [2, 13], np.array([13]), True, 2.0, "film", None, np.array([True])):
        with pytest.raises(InputError, match="^`token_id` must be "):
            vectorizer.id_to_token(bad)


def test_length(vectorizer, tokens):
    assert len(vectorizer) == vectorizer.vocabulary_size() == len(tokens)
    assert bool(vectorizer)


def test_detokenize(vectorizer):
    assert vectorizer.detokenize(vectorizer.tokenize("A film, films!")) == "a film [UNK] films !"
    assert vectorizer.detokenize(vectorizer.tokenize(["Films", "", "a"])) == ["films", "", "a"]
    ids = vectorizer(["Films!"])["input_word_ids"]
    assert vectorizer.detokenize(ids) == ["[CLS] films ! [SEP] [PAD]"]
    assert vectorizer.detokenize(ids, skip_special_tokens=True) == ["films !"]
    assert vectorizer.detokenize(ids, True, clean_up_tokenization_spaces=True) == ["films!"]
    rows = [[7, 8], [], [5]]
    assert (
        vectorizer.detokenize(rows) == ["films", "", "a"] == vectorizer.detokenize([np.array(r, "int64") for r in rows])
    )
    assert vectorizer.detokenize([7, 8]) == vectorizer.detokenize(np.array([7, 8], "uint8")) == "films"
    assert vectorizer.detokenize([]) == "" and vectorizer.detokenize([[]]) == [""]


@pytest.mark.parametrize(
    "ids", ["film", 7, [[[7]]], [7.0], [[7.0], [8.0]], [True], [13], [[7], [-1]], tf.constant([7.0]), None, [None]]
)
def test_detokenize_rejects(vectorizer, ids):
    with pytest.raises(InputError, match="^`ids` must "):
        vectorizer.detokenize(ids)


def test_detokenize_in_tf_data(vectorizer):
    rows = tf.data.Dataset.from_tensor_slices(SENTENCES).batch(2).map(vectorizer.tokenize)
    texts = [text.decode() for batch in rows.map(vectorizer.detokenize) for text in batch.numpy()]
    assert texts == vectorizer.detokenize(vectorizer.tokenize(SENTENCES))
    single = rows.unbatch().map(lambda row: vectorizer.detokenize(row, skip_special_tokens=True))
    assert next(iter(single)).numpy().decode() == vectorizer.detokenize(vectorizer.tokenize(SENTENCES[0]), True)


@pytest.mark.peers
@pytest.mark.parametrize("skip", [True, False])
def test_detokenize_equals_hugging_face(shared_data, skip):
    bert = pytest.importorskip("transformers.models.bert.tokenization_bert_legacy", reason="needs transformers 5")
    path = shared_data / "vocab" / "bert_en_uncased.txt"
    peer, vectorizer = bert.BertTokenizerLegacy(str(path)), BertTextVectorization(path, sequence_length=None)
    lines = SENTENCES + (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")[:200]
    ids = vectorizer(lines)["input_word_ids"]
    for clean in (True, False):
        expected = [peer.decode(row, skip, clean_up_tokenization_spaces=clean) for row in ids.numpy()]
        assert vectorizer.detokenize(ids, skip, clean) == expected


@pytest.mark.peers
def test_equals_keras_hub(shared_data):
    tokenizers = pytest.importorskip("keras_hub").tokenizers
    path = str(shared_data / "vocab" / "bert_en_uncased.txt")
    peer, vectorizer = tokenizers.BertTokenizer(path, lowercase=True), BertTextVectorization(path)
    lines = (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")[:200]
    ids = vectorizer.tokenize(lines)
    assert vectorizer.detokenize(ids) == peer.detokenize(ids)
    assert vectorizer.detokenize(ids[0]) == peer.detokenize(ids[0])
    for token in ("[CLS]", "##ing", "film"):
        assert vectorizer.token_to_id(token) == peer.token_to_id(token)
        assert vectorizer.id_to_token(peer.token_to_id(token)) == token


def test_sequence_length_of_one_call(vectorizer):
    texts = ["a fine film films films", "a"]
    for length in (3, np.int64(8)):
        other = BertTextVectorization(vectorizer.get_vocabulary(), sequence_length=int(length))
        for inputs in (texts, (texts, texts[::-1]), texts[0]):
            short = vectorizer(inputs, sequence_length=length)
            for name, value in other(inputs).items():
                np.testing.assert_array_equal(short[name], value)
    assert vectorizer(texts)["input_word_ids"].shape == (2, 6)
    data = tf.data.Dataset.from_tensor_slices(texts).batch(2).map(lambda each: vectorizer(each, sequence_length=4))
    assert data.element_spec["input_mask"].shape.as_list() == [None, 4]
    for bad in (2, 3.5, "4", True):
        with pytest.raises(InputError, match="^`sequence_length` must be "):
            vectorizer(texts, sequence_length=bad)


def test_sequence_length_in_functional_model(vectorizer, tmp_path):
    text = keras.Input((), dtype="string")
    model = keras.Model(text, vectorizer(text, sequence_length=4))
    assert model.output["input_mask"].shape == (None, 4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded(tf.constant(["a fine film"]))["input_word_ids"].numpy().tolist() == [[2, 5, 6, 3]]


def test_lengths_share_one_graph(vectorizer):
    vectorizer(["a"], sequence_length=7)
    function = vectorizer._graph._encode_to[0]
    vectorizer(["a"], sequence_length=9)
    assert function.experimental_get_tracing_count() == 1
