"""The ids equal those of the vectorizer, and the offsets point at the right characters."""

import string
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_bert.constants import SPECIAL_TOKENS
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
    from keras_bert.text import BertTextVectorization, load_vocabulary

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
