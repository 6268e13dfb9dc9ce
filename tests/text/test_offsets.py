"""The ids are the vectorizer's own on any text, and the spans say where they stand."""

import string
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_tokenizer import tokenize
from test_exactness import ODD, SPECIALS

from keras_bert.text.offsets import OffsetTokenizer


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def tokenizer(request):
    chars = set(string.printable) | {chr(code) for code in range(0xA1, 0x500)} | set(ODD)
    if request.param:
        chars = {c for char in chars for c in unicodedata.normalize("NFD", char.lower())}
    chars = sorted(char for char in chars if char.strip() and char != "\0")
    vocabulary = SPECIALS + chars + ["##" + char for char in chars] + ["the", "film", "##ing", "##σς", "ab", "abc"]
    made = OffsetTokenizer(vocabulary, request.param)
    made.tokens, made.known = vocabulary, set(vocabulary)
    return made


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(
        st.one_of(st.sampled_from(ODD), st.sampled_from("abcé Σσ.-'"), st.characters(exclude_categories=["Cs"]))
    )
)
def test_ids_are_those_of_the_plain_tokenizer_and_spans_are_in_order(tokenizer, text):
    ids, spans = tokenizer(text)
    assert [tokenizer.tokens[i] for i in ids] == tokenize(text, tokenizer.known, tokenizer.lowercase)
    assert len(ids) == len(spans)
    for start, end in spans:
        assert 0 <= start < end <= len(text)
    if not any(unicodedata.combining(char) for char in unicodedata.normalize("NFD", text)):  # which NFD may reorder
        assert all(before[0] <= after[0] for before, after in zip(spans, spans[1:], strict=False))


def test_real_text_is_covered_letter_for_letter(shared_data):
    from keras_bert.text import BertTextVectorization, load_vocabulary

    vocabulary = load_vocabulary(shared_data / "vocab" / "bert_en_uncased.txt")
    vectorizer, tokenizer = BertTextVectorization(vocabulary), OffsetTokenizer(vocabulary)
    lines = (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")[:300]
    lines += ["Zürich's Mayor, Corine Mauch, said: «No!»", "x" * 300 + " end", "ΟΔΟΣ İstanbul ﬁne"]
    for line, expected in zip(lines, vectorizer.tokenize(lines).to_list(), strict=True):
        ids, spans = tokenizer(line)
        assert ids == expected
        for token_id, (start, end) in zip(ids, spans, strict=True):
            token = vocabulary[token_id].removeprefix("##")
            if token_id != vocabulary.index("[UNK]") and line[start:end].isascii():
                assert line[start:end].lower() == token


def test_an_answer_is_found_in_capitals_and_accents():
    tokenizer = OffsetTokenizer([*SPECIALS, "born", "in", "sao", "paulo", ",", "he"])
    text = "He, born in São Paulo"
    ids, spans = tokenizer(text)
    assert text[spans[4][0] : spans[5][1]] == "São Paulo" and len(ids) == 6
