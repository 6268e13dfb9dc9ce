"""The ids of `CachedTokenizer` are those of the tokenizer that reads a whole text at once."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.text.cached_tokenizer import MAX_LENGTH, CachedTokenizer
from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.text.splitting import Splitting
from tests.text.plain_tokenizer import DIFFICULT, tokenize

MARKERS = ["[E1]", "-x", "é!"]
TOKENS = [*SPECIAL_TOKENS, *MARKERS, *"abcé.Σσς'-中", *(f"##{char}" for char in "abcéσς"), "ab", "abc", "[e1]"]
OPTIONS = {
    "uncased": {},
    "cased": {"lowercase": False},
    "whole tokens": {"whole_tokens": MARKERS},
    "splitting": {
        "whole_tokens": ["[E1]", "[e1]"],
        "splitting": Splitting(strip_accents=False, split_on_cjk=False, max_word_length=4, normalized_tokens=["[e1]"]),
    },
}
CHARACTERS = st.one_of(
    st.sampled_from(DIFFICULT),
    st.sampled_from([*"abcé Σσ.-'\u2028\t\r\x0b\x1c\x85", "[E1]", "[e1]", "-x", "é!"]),
    st.characters(exclude_categories=["Cs"]),
)
ASCII = [*map(chr, range(128))]
ASCII_TOKENS = [*SPECIAL_TOKENS, *(char for char in ASCII if char.isprintable() and char != " "), "-x", "[E1]", "[e1]"]
ASCII_TOKENS += [*(f"##{char}" for char in string.ascii_letters + string.digits), "##", "##[", "#a", "abc", "##bc"]
ASCII_PARTS = st.one_of(
    st.sampled_from(ASCII),
    st.sampled_from(string.ascii_letters + " ."),
    st.sampled_from([*SPECIAL_TOKENS, "[E1]", "[e1]", "-x", "abc", "##", "a1" * 40, "b" * 199, "c" * 201]),
)
ASCII_OPTIONS = {
    **{name: OPTIONS[name] for name in ("uncased", "cased", "splitting")},
    "whole tokens": {"whole_tokens": ["[MASK]", "[E1]", "-x"]},
    "short words": {"splitting": Splitting(max_word_length=3)},
}


@pytest.fixture(scope="module", params=OPTIONS, ids=str)
def tokenizers(request):
    options = OPTIONS[request.param]
    return CachedTokenizer(TOKENS, **options), OffsetTokenizer(TOKENS, **options), options


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(CHARACTERS))
def test_ids_equal_those_of_the_whole_text(tokenizers, parts):
    cached, whole, options = tokenizers
    text = "".join(parts)
    assert cached(text) == cached(text) == whole(text)[0]
    if set(options) <= {"lowercase"}:
        assert [TOKENS[i] for i in cached(text)] == tokenize(text, set(TOKENS), options.get("lowercase", True))


@pytest.mark.parametrize("options", ASCII_OPTIONS.values(), ids=ASCII_OPTIONS)
def test_ids_of_ascii_texts(options):
    cached, whole = CachedTokenizer(ASCII_TOKENS, **options), OffsetTokenizer(ASCII_TOKENS, **options)
    vocabulary = set(ASCII_TOKENS)

    @settings(max_examples=200, deadline=None)
    @given(parts=st.lists(ASCII_PARTS))
    def check(parts):
        text = "".join(parts)
        ids = cached(text)
        assert ids == whole(text)[0]
        if set(options) <= {"lowercase"}:
            assert [ASCII_TOKENS[i] for i in ids] == tokenize(text, vocabulary, options.get("lowercase", True))

    check()
    for first in ASCII:
        for text in (f"{first}{second}" for second in ASCII):
            assert cached(text) == whole(text)[0], ascii(text)


def test_plain_words():
    tokenizer = OffsetTokenizer(ASCII_TOKENS, whole_tokens=["[E1]"])
    assert tokenizer.plain_words("It's\tA-1 film.\r\n") == ["it", "'", "s", "a", "-", "1", "film", "."]
    for text in ("a\x0bb", "a\x7f", "\0", "é", "a [E1] b"):
        assert tokenizer.plain_words(text) is None
    normalized = OffsetTokenizer(ASCII_TOKENS, splitting=Splitting(normalized_tokens=["[E1]"]))
    assert normalized.plain_words("a") is None


def test_memory_of_the_cache_is_limited(tokenizers):
    cached, whole, _ = tokenizers
    before = cached.cache_size()
    for text in ("ab" * MAX_LENGTH, "aé" * MAX_LENGTH):
        assert cached(text) == whole(text)[0] and cached.cache_size() == before


def test_number_of_words_in_the_cache_is_limited():
    cached = CachedTokenizer(TOKENS, max_words=5)
    for text in (" ".join("abcdefghij"), *(f"é{char}" for char in "abcdefghij")):
        cached(text)
    assert cached.cache_size() == 10  # five words and five parts
    cached.clear_cache()
    assert cached.cache_size() == 0
