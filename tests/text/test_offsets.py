"""The ids equal those of the vectorizer, and the offsets point at the right characters."""

import string
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_bert import InputError
from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.text import BertTextVectorization, load_vocabulary
from keras_bert.text.offsets import OffsetTokenizer
from tests.text.plain_tokenizer import DIFFICULT, tokenize


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def tokenizer(request):
    chars = set(string.printable) | {chr(code) for code in range(0xA1, 0x500)} | set(DIFFICULT)
    if request.param:
        chars = {c for char in chars for c in unicodedata.normalize("NFD", char.lower())}
    chars = sorted(char for char in chars if char.strip() and char != "\0")
    vocabulary = [*SPECIAL_TOKENS, *chars, *("##" + char for char in chars)] + [
        "the",
        "film",
        "##ing",
        "##σς",
        "ab",
        "abc",
    ]
    result = OffsetTokenizer(vocabulary, request.param)
    result.tokens, result.token_set = vocabulary, set(vocabulary)
    return result


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(
        st.one_of(
            st.sampled_from(DIFFICULT),
            st.sampled_from("abcé Σσ.-'"),
            st.characters(exclude_categories=["Cs"]),
        )
    )
)
def test_ids_and_order_of_offsets(tokenizer, text):
    ids, offsets = tokenizer(text)
    assert [tokenizer.tokens[i] for i in ids] == tokenize(text, tokenizer.token_set, tokenizer.lowercase)
    assert len(ids) == len(offsets)
    for start, end in offsets:
        assert 0 <= start < end <= len(text)
    if not any(unicodedata.combining(char) for char in unicodedata.normalize("NFD", text)):  # NFD may reorder marks
        assert all(before[0] <= after[0] for before, after in zip(offsets, offsets[1:], strict=False))


def test_real_text(shared_data):
    vocabulary = load_vocabulary(shared_data / "vocab" / "bert_en_uncased.txt")
    vectorizer, tokenizer = BertTextVectorization(vocabulary), OffsetTokenizer(vocabulary)
    lines = (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")[:300]
    lines += ["Zürich's Mayor, Corine Mauch, said: «No!»", "x" * 300 + " end", "ΟΔΟΣ İstanbul ﬁne"]
    for line, expected in zip(lines, vectorizer.tokenize(lines).to_list(), strict=True):
        ids, offsets = tokenizer(line)
        assert ids == expected
        for token_id, (start, end) in zip(ids, offsets, strict=True):
            token = vocabulary[token_id].removeprefix("##")
            if token_id != vocabulary.index("[UNK]") and line[start:end].isascii():
                assert line[start:end].lower() == token


def test_offsets_with_capitals_and_accents():
    tokenizer = OffsetTokenizer([*SPECIAL_TOKENS, "born", "in", "sao", "paulo", ",", "he"])
    text = "He, born in São Paulo"
    ids, offsets = tokenizer(text)
    assert text[offsets[4][0] : offsets[5][1]] == "São Paulo" and len(ids) == 6


def test_methods_of_the_vectorizer(tokens):
    vectorizer = BertTextVectorization(tokens, sequence_length=8)
    texts = ["  A FILMs!", "", "fine\u00a0fïlm"]
    ids, starts, ends = vectorizer.tokenize_with_offsets(texts)
    assert ids.to_list() == vectorizer.tokenize(texts).to_list() == [[5, 7, 8, 10], [], [6, 7]]
    places = [list(zip(*row, strict=True)) for row in zip(starts.to_list(), ends.to_list(), strict=True)]
    assert places == [[(2, 3), (4, 8), (8, 9), (9, 10)], [], [(0, 4), (5, 9)]]
    one = vectorizer.tokenize_with_offsets(texts[0].encode())
    assert [each.numpy().tolist() for each in one] == [[5, 7, 8, 10], [2, 4, 8, 9], [3, 8, 9, 10]]
    assert [each.to_list() for each in vectorizer.tokenize_with_offsets([])] == [[], [], []]

    mapping = vectorizer.offset_mapping((texts, ["a film"] * 3), sequence_length=7)
    assert mapping.shape == (3, 7, 2) and mapping.dtype == "int32"
    assert mapping[0].tolist() == [[0, 0], [2, 3], [4, 8], [0, 0], [0, 1], [2, 6], [0, 0]]
    assert vectorizer.offset_mapping(texts).shape == (3, 8, 2)
    assert vectorizer.offset_mapping("a", sequence_length=3).tolist() == [[0, 0], [0, 1], [0, 0]]
    with pytest.raises(InputError, match=r"^`inputs`.*Received: shapes \(2,\) and \(1,\)"):
        vectorizer.offset_mapping((["a", "b"], ["a"]))
    with pytest.raises(InputError, match="^`texts`.*Received: a symbolic tensor"):
        tf.data.Dataset.from_tensor_slices(texts).map(vectorizer.tokenize_with_offsets)


@pytest.mark.peers
def test_equals_hugging_face(shared_data):
    transformers = pytest.importorskip("transformers")
    vocabulary = load_vocabulary(shared_data / "vocab" / "bert_en_uncased.txt")
    peer = transformers.BertTokenizer(vocab={token: number for number, token in enumerate(vocabulary)})
    vectorizer = BertTextVectorization(vocabulary)
    lines = (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")[:200]
    lines += ["Zürich's Mayor, Corine Mauch, said: «No!»", "中文字 naïve façade 🎬!", ""]
    for inputs, length in ((lines, 32), ((lines, lines[::-1]), 160)):  # Hugging Face truncates pairs differently
        pair = inputs if isinstance(inputs, tuple) else (inputs,)
        encoded = peer(*pair, max_length=length, padding="max_length", truncation=True, return_offsets_mapping=True)
        assert vectorizer(inputs, sequence_length=length)["input_word_ids"].numpy().tolist() == encoded["input_ids"]
        mapping = [list(map(list, row)) for row in encoded["offset_mapping"]]
        assert vectorizer.offset_mapping(inputs, length).tolist() == mapping
