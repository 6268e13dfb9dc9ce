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
def test_ids_of_ascii_texts_equal_those_with_offsets(options):
    tokenizer, vocabulary = OffsetTokenizer(ASCII_TOKENS, **options), set(ASCII_TOKENS)

    @settings(max_examples=200, deadline=None)
    @given(parts=st.lists(ASCII_PARTS))
    def check(parts):
        text = "".join(parts)
        ids = tokenizer.ids(text)
        assert ids == tokenizer(text)[0]
        if set(options) <= {"lowercase"}:
            assert [ASCII_TOKENS[i] for i in ids] == tokenize(text, vocabulary, options.get("lowercase", True))

    check()
    for first in ASCII:  # every pair of characters
        text = "".join(f"{first}{second} " for second in ASCII)
        assert tokenizer.ids(text) == tokenizer(text)[0]


def test_memory_of_the_cache_is_limited(tokenizers):
    cached, whole, _ = tokenizers
    before = cached.cached_ids.cache_info().currsize
    text = "ab" * MAX_LENGTH
    assert cached(text) == whole(text)[0] and cached.cached_ids.cache_info().currsize == before
    assert cached.cached_ids.cache_info().maxsize is not None
