"""Tokenizer settings that change ids: the graph, the offsets, Hugging Face's tokenizers and all formats agree."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import keras_bert as kb
from keras_bert.text import BertTextVectorization
from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.text.splitting import Splitting
from tests.text.plain_tokenizer import DIFFICULT

CHARS = [*"abcdeABCDEéÉàüσςßΣΟi中文東한[]/1!.'", "e\u0301", "\u0301", "\u200b", "\u00a0", "\u3000"]
TOKENS = ["[e1]", "[E2]", "[/e1]", "é!", "abc"]
TEXTS = [
    "Café CAFÉ cafe\u0301 naïve",
    "中文字 a中b 東a",
    "a [e1]abc[/e1] [E1]ABC[/E1] x[e\u03011]y [e2] [E2] [e\u200b1]",
    "abcabc ABC ab\u200bc É! é! e\u0301!",
    f"{'a' * 99} {'a' * 100} {'a' * 101} {'ab' * 100}",
    "",
]
SETTINGS = {
    "accents kept": (True, {"strip_accents": False}),
    "cased, accents stripped": (False, {"strip_accents": True}),
    "Chinese not split": (True, {"split_on_cjk": False}),
    "short words": (True, {"max_word_length": 3}),
    "as Hugging Face": (True, {"max_word_length": 100}),
    "normalized tokens": (True, {"normalized_tokens": ["[e1]", "[/e1]", "é!", "abc"]}),
    "normalized tokens, accents kept": (True, {"normalized_tokens": ["[e1]", "[E2]", "é!"], "strip_accents": False}),
    "cased normalized tokens": (False, {"normalized_tokens": TOKENS}),
    "all": (True, {"strip_accents": False, "split_on_cjk": False, "max_word_length": 2, "normalized_tokens": ["[e1]"]}),
}


@pytest.fixture(scope="module")
def vocabulary():
    letters = sorted({c for char in CHARS for c in (*char, *char.lower())} - set("\u200b\u00a0\u3000"))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in letters), "ab", "##bc", "café"]
    return list(dict.fromkeys(words))


@pytest.fixture(scope="module", params=SETTINGS)
def vectorizer(request, vocabulary):
    lowercase, changes = SETTINGS[request.param]
    return BertTextVectorization(vocabulary, lowercase, sequence_length=None, added_tokens=TOKENS, **changes)


def test_known_ids(vocabulary):
    def tokens(text, lowercase=True, added=(), **changes):
        words = [*vocabulary, "cafe", "中文", *added]
        return [words[token] for token in OffsetTokenizer(words, lowercase, added, Splitting(**changes))(text)[0]]

    assert tokens("Café") == ["cafe"] and tokens("Café", strip_accents=False) == ["café"]
    assert tokens("café", lowercase=False) == ["café"]
    assert tokens("café", lowercase=False, strip_accents=True) == ["cafe"]
    assert tokens("中文") == ["中", "文"] and tokens("中文", split_on_cjk=False) == ["中文"]
    assert tokens("abc", max_word_length=3) == ["ab", "##c"] and tokens("abc", max_word_length=2) == ["[UNK]"]
    assert tokens("cafe", max_word_length=3) == ["[UNK]"]  # also a word that is one token
    added = {"added": ["[E1]", "[e2]"]}
    assert tokens("[e1] [E1]", **added) == ["[", "e", "##1", "]", "[E1]"]
    assert tokens("[e1][E1]", **added, normalized_tokens=["[E1]"]) == ["[E1]", "[E1]"]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.lists(st.sampled_from([*CHARS, *TOKENS, " ", *DIFFICULT])).map("".join), max_size=8))
@example(texts=["\u302e\U0001d165"])  # NFD changes the order of these two marks
def test_graph_equals_offsets(vectorizer, texts):
    ids, starts, ends = vectorizer.tokenize_with_offsets(texts)
    assert vectorizer.tokenize(texts).to_list() == ids.to_list()
    for text, *columns in zip(texts, starts.to_list(), ends.to_list(), strict=True):
        assert all(0 <= start < end <= len(text) for start, end in zip(*columns, strict=True))


def test_config_round_trip(vectorizer):
    loaded = BertTextVectorization.from_config(vectorizer.get_config())
    assert loaded.splitting == vectorizer.splitting and loaded.get_config() == vectorizer.get_config()
    assert loaded.tokenize(TEXTS).to_list() == vectorizer.tokenize(TEXTS).to_list()


@pytest.mark.parametrize("to", ["keras", "huggingface", pytest.param("tfhub", marks=pytest.mark.slow)])
@pytest.mark.parametrize("changes", ["all", "cased, accents stripped"])
def test_formats_keep_settings(vocabulary, changes, to, tmp_path):
    lowercase, changes = SETTINGS[changes]
    vectorizer = BertTextVectorization(vocabulary, lowercase, sequence_length=None, added_tokens=TOKENS, **changes)
    size = {"hidden_size": 4, "num_layers": 1, "num_heads": 1, "intermediate_size": 4, "max_position_embeddings": 8}
    encoder = kb.BertEncoder(kb.BertConfig(vocab_size=len(vectorizer), **size))
    folder = kb.save_pretrained(encoder, tmp_path / "first", vectorizer)
    kb.convert(folder, to, tmp_path / "second")
    expected = vectorizer.tokenize(TEXTS).to_list()
    for found in (kb.load_pretrained(tmp_path / "second"), kb.load_pretrained(folder)):
        assert found.splitting == vectorizer.splitting and found.vocabulary == vectorizer.get_vocabulary()
        assert found.vectorizer.tokenize(TEXTS).to_list() == expected
    found = BertTextVectorization.from_pretrained(tmp_path / "second")
    assert found.splitting == vectorizer.splitting and found.tokenize(TEXTS).to_list() == expected


def test_google_research_takes_only_the_word_length(vocabulary, tmp_path):
    size = {"hidden_size": 4, "num_layers": 1, "num_heads": 1, "intermediate_size": 4, "max_position_embeddings": 8}
    encoder = kb.BertEncoder(kb.BertConfig(vocab_size=len(vocabulary), **size))
    for changes in ({"max_word_length": 100}, {"strip_accents": False}, {"split_on_cjk": False}):
        folder = kb.save_pretrained(encoder, tmp_path / "first", BertTextVectorization(vocabulary, **changes))
        if "max_word_length" in changes:
            kb.convert(folder, "google_research", tmp_path / "google")
            assert kb.load_pretrained(tmp_path / "google").splitting == Splitting(max_word_length=100)
            continue
        with pytest.raises(kb.InputError, match=f"^`vectorizer` .*Received: {next(iter(changes))}=False"):
            kb.convert(folder, "google_research", tmp_path / "other")
        assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"strip_accents": 1}, "`strip_accents`.*Received: strip_accents=1"),
        ({"split_on_cjk": None}, "`split_on_cjk`"),
        ({"max_word_length": 0}, "`max_word_length`"),
        ({"max_word_length": 1.5}, "`max_word_length`"),
        ({"normalized_tokens": "[e1]"}, "`normalized_tokens`"),
        ({"normalized_tokens": ["[e3]"]}, r"`normalized_tokens` .*`added_tokens`.*'\[e3\]'"),
        ({"normalized_tokens": ["[E1]", "[e1]"], "added_tokens": ["[e1]", "[E1]"]}, "`normalized_tokens` .*different"),
    ],
)
def test_rejects_invalid_settings(vocabulary, changes, match):
    with pytest.raises(kb.InputError, match=f"^{match}"):
        BertTextVectorization(vocabulary, **{"added_tokens": ["[e1]"], **changes})
