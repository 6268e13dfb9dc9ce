"""Tokenization takes a number of look-ups that is linear in the text, counted and not timed."""

import random
import string

import pytest
import tensorflow as tf

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.text.prefixes import longest_token, prefix_table
from keras_bert.text.wordpiece import WordPiece
from tests.text.plain_tokenizer import tokenize

LETTERS = string.ascii_lowercase
VOCABULARY = [*SPECIAL_TOKENS, *LETTERS, *(f"##{letter}" for letter in LETTERS), "abab", "##aaaaaaab", "##xyz"]
LONG = "##" + "a" * 150 + "b"  # a token that most positions of a word of many a's begin


class CountingTable:
    """A hash table that counts the keys that are looked up, and their bytes."""

    def __init__(self, table):
        self.table, self.keys, self.bytes = table, 0, 0

    def lookup(self, keys):
        self.keys += int(tf.size(keys))
        self.bytes += int(tf.reduce_sum(tf.strings.length(keys)))
        return self.table.lookup(keys)


class CountingDict(dict):
    lookups = 0

    def get(self, key, default=None):
        self.lookups += 1
        return super().get(key, default)


def random_words(count: int, length: int, alphabet: str) -> str:
    rng = random.Random(0)
    return " ".join("".join(rng.choices(alphabet, k=length)) for _ in range(count))


def graph_counts(text: str, vocabulary: list[str]) -> tuple[int, int, list[str]]:
    """Return the number of keys and bytes looked up by the graph's operations, run one by one, and the tokens."""
    word_piece = WordPiece(vocabulary, True, [])
    counting = {name: CountingTable(table) for name, table in word_piece.tables.items()}
    word_piece.tables = word_piece.longest_match.tables = counting
    tokens = [token.decode() for token in word_piece(tf.constant([text]))[0].numpy()]
    return sum(table.keys for table in counting.values()), sum(table.bytes for table in counting.values()), tokens


def python_count(text: str, vocabulary: list[str]) -> tuple[int, list[str]]:
    """Return the number of look-ups of the tokenizer in Python, and the tokens."""
    tokenizer = OffsetTokenizer(vocabulary)
    tables = tokenizer._first, tokenizer._continuation = (
        CountingDict(tokenizer._first),
        CountingDict(tokenizer._continuation),
    )
    ids, _ = tokenizer(text)
    return sum(table.lookups for table in tables), [vocabulary[token_id] for token_id in ids]


@pytest.mark.parametrize("alphabet", ["a", "ab", LETTERS])
@pytest.mark.parametrize("vocabulary", [VOCABULARY, [*VOCABULARY, LONG]], ids=["short", "long"])
def test_lookups_per_character(alphabet, vocabulary):
    """The search for one token takes at most log2(200) look-ups, whatever the longest token is."""
    text = random_words(5, 60, alphabet)
    keys, size, tokens = graph_counts(text, vocabulary)
    assert tokens == tokenize(text, set(vocabulary))
    steps = max(map(len, vocabulary)).bit_length()  # 4, or 8 with the long token
    assert keys <= (steps + 1) * len(text)
    assert size <= 2 * max(map(len, vocabulary)) * len(text)
    lookups, tokens_of_python = python_count(text, vocabulary)
    assert tokens_of_python == tokens and lookups <= (steps + 1) * len(text)


def test_lookups_grow_with_the_text_only():
    texts = [random_words(count, 50, LETTERS) for count in (2, 4, 8)]
    counts = [graph_counts(text, VOCABULARY)[0] for text in texts]
    python = [python_count(text, VOCABULARY)[0] for text in texts]
    for first, second, third in (counts, python):
        assert second < 2.1 * first and third < 2.1 * second


def test_prefix_table_finds_longest_tokens():
    rng = random.Random(0)
    tokens = {"".join(rng.choices("ab", k=rng.randint(1, 6))): number for number in range(30)}
    table, longest = prefix_table(tokens), max(map(len, tokens))
    for _ in range(300):
        word = "".join(rng.choices("abc", k=rng.randint(1, 12)))
        start = rng.randrange(len(word))
        ends = [end for end in range(start + 1, len(word) + 1) if word[start:end] in tokens]
        expected = (tokens[word[start : ends[-1]]], ends[-1] - start) if ends else (-1, 0)
        assert longest_token(table, longest, word, start) == expected
