"""The tokens equal those of the reference tokenizer in plain Python on every kind of string."""

import string
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.text import BertTextVectorization
from tests.text.plain_tokenizer import DIFFICULT, tokenize


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def small(request):
    """A vocabulary of single characters (ASCII, Greek, difficult ones) in both positions, so that [UNK] is rare."""
    chars = set(string.printable) | {chr(code) for code in range(0xA1, 0x500)} | set(DIFFICULT)
    if request.param:
        chars = {c for char in chars for c in unicodedata.normalize("NFD", char.lower())}
    chars = sorted(char for char in chars if char.strip() and char != "\0")
    pairs = ["the", "film", "fine", "##ing", "##σς", "σα", "##ας", "i̇", "##e\u0301", "a##", "ab", "##bc", "abc"]
    vectorizer = BertTextVectorization(
        [*SPECIAL_TOKENS, *chars] + ["##" + char for char in chars] + pairs, request.param
    )
    vectorizer.token_set = set(vectorizer.get_vocabulary())
    return vectorizer


def assert_equal(vectorizer, texts):
    token_set = getattr(vectorizer, "token_set", None) or set(vectorizer.get_vocabulary())
    tokens = vectorizer.get_vocabulary()
    for text, ids in zip(texts, vectorizer.tokenize(texts).to_list(), strict=True):
        assert [tokens[token_id] for token_id in ids] == tokenize(text, token_set, vectorizer.lowercase), ascii(
            text[:200]
        )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(st.text(st.one_of(st.sampled_from(DIFFICULT), st.characters(exclude_categories=["Cs"]))), max_size=8)
)
def test_any_text(small, texts):
    assert_equal(small, texts)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(st.sampled_from("abcABCéΣσα'. \u0301-")), max_size=8))
def test_few_letters(small, texts):
    assert_equal(small, texts)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.one_of(st.binary(), st.text(st.sampled_from(DIFFICULT)).map(str.encode)), max_size=8))
def test_ignores_invalid_utf8(small, texts):
    assert_equal(small, texts)


def test_removed_characters_do_not_join_invalid_bytes(small):
    assert_equal(small, [b"a\xe2" + bytes([code]) + b"\x82\xac b" for code in range(33)])


def test_each_character_next_to_sigma(small):
    chars = [chr(code) for code in range(0x3100) if not 0xD800 <= code < 0xE000]
    assert_equal(small, [f"a{char}b" for char in chars])
    assert_equal(small, [f"A{char}Σ{char} xΣ{char}b" for char in chars])


def test_plain_texts(small):
    """Plain ASCII texts take another path through the graph, but not in a batch with a text that is not plain."""
    words = [*"a Film's un-a filmS ~{x} ##a [CLS] filmfilm!".split(), "a\tb\r\nc", "", " ", "x" * 200, "x" * 201]
    texts = [*words, " ".join(words), *(f"a{chr(code)}film" for code in range(0x20, 0x7F))]
    assert_equal(small, texts)
    assert_equal(small, [*texts, "é"])
    assert_equal(small, [f"a{chr(code)}film" for code in (*range(0x20), 0x7F)])


@pytest.mark.slow
def test_every_unicode_character(published):
    codes = [code for code in range(0x323B0) if not 0xD800 <= code < 0xE000]
    assert_equal(published, ["".join(map(chr, codes[i : i + 64])) for i in range(0, len(codes), 64)])


def test_every_published_token(published):
    assert_equal(published, published.get_vocabulary())


def test_sorts_marks_by_combining_class(small):
    assert_equal(small, ["a\U0001d165\u302e\u1b44\u0327b", "\u302e\u0301\u1b44", "\u302e \u1b44", "\u302e中\u1b44"])


@pytest.mark.parametrize("char", ["x", "é", "\U0001f3ac", "가"])
@pytest.mark.parametrize("length", [199, 200, 201])
def test_words_over_200_characters_are_unknown(small, char, length):
    assert_equal(small, [char * length, f"film {char * length} film"])


@pytest.mark.slow
def test_megabyte_line(small):
    line = "The fine film, nötig! " * 48_000
    assert len(line) > 1_000_000
    assert_equal(small, [line, "x" * 1_000_000, "", *["short"] * 300])


@pytest.mark.slow
def test_real_sentences(published, shared_data):
    lines = (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")
    assert_equal(published, lines)


@pytest.mark.peers
def test_equals_hugging_face(shared_data):
    """Hugging Face's tokenizer is the original code, except for a limit of 100 characters and an NFC step."""
    bert = pytest.importorskip("transformers.models.bert.tokenization_bert_legacy", reason="needs transformers 5")
    path = shared_data / "vocab" / "bert_en_uncased.txt"
    peer = bert.BertTokenizerLegacy(str(path))
    vectorizer = BertTextVectorization(path)
    lines = (shared_data / "SST-2" / "dev.tsv").read_text("utf-8").split("\n")
    lines += ["ΑΣ Σ naïve façade", "中文字", "a\0b", "x" * 100, "İstanbul", "don't -- stop!"]
    for line, ids in zip(lines, vectorizer.tokenize(lines).to_list(), strict=True):
        assert ids == peer.convert_tokens_to_ids(peer.tokenize(line)), ascii(line)


@pytest.mark.peers
def test_hugging_face_differs_in_three_points(tmp_path):
    """The points that the README names; everywhere else the ids are equal, see `test_equals_hugging_face`."""
    bert = pytest.importorskip("transformers.models.bert.tokenization_bert_legacy", reason="needs transformers 5")
    tokens = [*SPECIAL_TOKENS, "a", "##a", "é", "e", "##\u0301", "ab", "##b"]
    (tmp_path / "vocab.txt").write_text("\n".join(tokens) + "\n")

    def both(text, lowercase):
        peer = bert.BertTokenizerLegacy(str(tmp_path / "vocab.txt"), do_lower_case=lowercase)
        vectorizer = BertTextVectorization(tokens, lowercase)
        return vectorizer.id_to_token(vectorizer.tokenize(text).numpy()), peer.tokenize(text)

    for char in ("\u0378", "\ue000"):  # unassigned (Cn), private use (Co); Python cannot encode Cs in UTF-8
        assert both(f"a{char}b", True) == (["[UNK]"], ["ab"])
    assert both("a" * 100, True)[0] == both("a" * 100, True)[1] == ["a", *["##a"] * 99]
    for length in (101, 200):
        assert both("a" * length, True) == (["a", *["##a"] * (length - 1)], ["[UNK]"])
    assert both("a" * 201, True) == (["[UNK]"], ["[UNK]"])
    assert both("e\u0301", False) == (["e", "##\u0301"], ["é"])  # NFC
    assert both("e\u0301", True) == (["e"], ["e"])
