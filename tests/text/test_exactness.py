"""Token for token what a tokenizer in plain Python gives, on every kind of string."""

import string
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_tokenizer import tokenize

from keras_bert.text import BertTextVectorization

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

# Every one of these has tripped a tokenizer: NUL, vertical tab, NEL, soft hyphen, Turkish İ and ı, Σ, Ogham space, line
# separators, BOM, U+FFFD, marks that NFD reorders and keeps, Hangul, Kelvin, Greek question mark, ligatures, tags.
ODD = [
    *map(chr, (0, 0xB, 0xC, 0x1C, 0x1F, 0x7F, 0x85, 0xA0, 0xAD, 0x130, 0x131, 0x1680, 0x200B, 0x200D, 0x2028, 0x2029)),
    *map(chr, (0x202F, 0xFEFF, 0xFFFD, 0x302E, 0x302F, 0x1D165, 0x1D16D, 0x1B44, 0x1BF2, 0x301, 0x327, 0x345, 0xAC00)),
    *map(chr, (0x212A, 0x37E, 0x1FEF, 0x2160, 0xFB01, 0xE0001, 0x2F800, 0xF900, 0xB7, 0x4E2D, 0x2B73A, 0x10FFFF)),
    *"ΣΣΣσςAΑ'.:\t\n\r  ",
]


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def small(request):
    """All of ASCII, Greek and the oddities one by one, in both positions, so that few words end as [UNK]."""
    chars = set(string.printable) | {chr(code) for code in range(0xA1, 0x500)} | set(ODD)
    if request.param:
        chars = {c for char in chars for c in unicodedata.normalize("NFD", char.lower())}
    chars = sorted(char for char in chars if char.strip() and char != "\0")
    pairs = ["the", "film", "fine", "##ing", "##σς", "σα", "##ας", "i̇", "##e\u0301", "a##", "ab", "##bc", "abc"]
    vectorizer = BertTextVectorization(SPECIALS + chars + ["##" + char for char in chars] + pairs, request.param)
    vectorizer.known = set(vectorizer.get_vocabulary())
    return vectorizer


def assert_equal(vectorizer, texts):
    known = getattr(vectorizer, "known", None) or set(vectorizer.get_vocabulary())
    tokens = vectorizer.get_vocabulary()
    for text, ids in zip(texts, vectorizer.tokenize(texts).to_list(), strict=True):
        assert [tokens[token_id] for token_id in ids] == tokenize(text, known, vectorizer.lowercase), ascii(text[:200])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"]))), max_size=8))
def test_any_text(small, texts):
    assert_equal(small, texts)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(st.sampled_from("abcABCéΣσα'. \u0301-")), max_size=8))
def test_text_of_a_few_letters(small, texts):
    assert_equal(small, texts)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.one_of(st.binary(), st.text(st.sampled_from(ODD)).map(str.encode)), max_size=8))
def test_bytes_that_are_not_utf8_are_passed_over(small, texts):
    assert_equal(small, texts)


def test_removed_characters_do_not_join_broken_bytes(small):
    assert_equal(small, [b"a\xe2" + bytes([code]) + b"\x82\xac b" for code in range(33)])


def test_each_character_alone_and_beside_a_sigma(small):
    chars = [chr(code) for code in range(0x3100) if not 0xD800 <= code < 0xE000]
    assert_equal(small, [f"a{char}b" for char in chars])
    assert_equal(small, [f"A{char}Σ{char} xΣ{char}b" for char in chars])


def test_every_character_there_is(published):
    codes = [code for code in range(0x323B0) if not 0xD800 <= code < 0xE000]
    assert_equal(published, ["".join(map(chr, codes[i : i + 64])) for i in range(0, len(codes), 64)])


def test_every_token_of_a_published_vocabulary(published):
    assert_equal(published, published.get_vocabulary())


def test_marks_are_sorted_by_combining_class(small):
    assert_equal(small, ["a\U0001d165\u302e\u1b44\u0327b", "\u302e\u0301\u1b44", "\u302e \u1b44", "\u302e中\u1b44"])


@pytest.mark.parametrize("char", ["x", "é", "\U0001f3ac", "가"])
@pytest.mark.parametrize("length", [199, 200, 201])
def test_words_of_more_than_200_characters_are_unknown(small, char, length):
    assert_equal(small, [char * length, f"film {char * length} film"])


def test_a_line_of_a_megabyte(small):
    line = "The fine film, nötig! " * 48_000
    assert len(line) > 1_000_000
    assert_equal(small, [line, "x" * 1_000_000, "", *["short"] * 300])


def test_real_sentences(published, shared_data):
    lines = (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")
    assert_equal(published, lines)


@pytest.mark.peers
def test_hugging_faces_python_tokenizer_agrees(shared_data):
    """Its 100-character limit and its NFC step apart, that is the original's code."""
    bert = pytest.importorskip("transformers.models.bert.tokenization_bert_legacy", reason="no transformers 5")
    path = shared_data / "vocab" / "bert_en_uncased.txt"
    peer = bert.BertTokenizerLegacy(str(path))
    vectorizer = BertTextVectorization(path)
    lines = (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")
    lines += ["ΑΣ Σ naïve façade", "中文字", "a\0b", "x" * 100, "İstanbul", "don't -- stop!"]
    for line, ids in zip(lines, vectorizer.tokenize(lines).to_list(), strict=True):
        assert ids == peer.convert_tokens_to_ids(peer.tokenize(line)), ascii(line)
