"""Split words by the greedy longest match: one position of all words at a time, by a binary search over the lengths.

Words and tokens are UTF-8 strings, and all positions and lengths count bytes. A prefix that ends within a character is
no token, so the result is that of a search over characters.
"""

from collections.abc import Mapping

from keras_bert.text.prefixes import prefix_table


def hash_table(entries: Mapping):
    """Return a `tf.lookup.StaticHashTable` from strings to int32 numbers; other strings have the number -1."""
    import tensorflow as tf

    keys, numbers = list(entries.keys()), list(entries.values())
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, numbers, tf.string, tf.int32), -1)


class LongestMatch:
    """The tables of a vocabulary, and the operations that split words into its tokens.

    Args:
        ids: the ids by token.
        unknown: the id of a word that cannot be split.
        max_word_length: the number of characters above which a word is unknown.

    Attributes:
        tables: dict of the hash tables.

    Source: `WordpieceTokenizer` of github.com/google-research/bert.
    """

    def __init__(self, ids: Mapping[str, int], unknown: int, max_word_length: int):
        import tensorflow as tf

        tokens = {token.encode(): index for token, index in ids.items()}
        # A word never starts with "##", because # is punctuation.
        first = prefix_table({token: index for token, index in tokens.items() if not token.startswith(b"##")})
        continuation = prefix_table({token[2:]: index for token, index in tokens.items() if token.startswith(b"##")})
        self.unknown, self.max_word_length, self.longest = unknown, max_word_length, max(map(len, tokens))
        with tf.init_scope():
            # A table must have at least one entry. "" is never looked up, because no word is empty.
            self.tables = {
                "first": hash_table({b"": -1, **{prefix: row for row, prefix in enumerate(first)}}),
                "continuation": hash_table({b"": -1, **{each: len(first) + i for i, each in enumerate(continuation)}}),
            }
            # The longest token that each prefix starts with: its id, and its length.
            matches = [*first.values(), *continuation.values()]
            self.match_ids = tf.constant([token_id for token_id, _ in matches], tf.int32)
            self.match_lengths = tf.constant([length for _, length in matches], tf.int32)

    def token(self, words):
        """Return the id of each word `[W]` that is one token, otherwise -1."""
        import tensorflow as tf

        token, length = self._match(self.tables["first"].lookup(words))
        return tf.where(length == tf.strings.length(words), token, -1)

    def split(self, words):
        """Split words `[W]` into tokens: the ids `[P]`, int32, and the row splits `[W + 1]`, int64."""
        import tensorflow as tf

        is_long = tf.strings.length(words, "UTF8_CHAR") > self.max_word_length  # [W]
        word, long = (tf.cast(tf.where(each)[:, 0], tf.int32) for each in (~is_long, is_long))
        rows = tf.TensorArray(tf.int32, 2, dynamic_size=True, infer_shape=False, element_shape=[None, 3])
        rows = rows.write(0, tf.stack([long, tf.ones_like(long), tf.fill(tf.shape(long), -1)], 1))
        *_, rows = tf.while_loop(
            lambda number, word, *_: tf.size(word) > 0,
            lambda *state: self._step("continuation", words, *state),
            self._step("first", words, tf.constant(1), word, tf.zeros_like(word), rows),
            parallel_iterations=1,
        )
        # The word of every token, its number within the word, from 1, and its id. If no token matches the rest of a
        # word, its last id is -1, and the whole word is unknown.
        word, number, ids = tf.unstack(rows.concat(), axis=1)
        count = tf.size(words)
        failed = tf.gather(tf.math.unsorted_segment_min(ids, word, count), word) < 0
        kept = tf.where((ids < 0) | ~failed)[:, 0]
        word, number, ids = (tf.gather(each, kept) for each in (word, number, ids))
        number, ids = tf.where(ids < 0, 1, number), tf.where(ids < 0, self.unknown, ids)
        # Back to the order of the words, without sorting: the tokens of each word are numbered.
        counts = tf.math.unsorted_segment_sum(tf.ones_like(word), word, count)  # [W]
        splits = tf.concat([[0], tf.cumsum(counts)], 0)  # [W + 1]
        ids = tf.scatter_nd((tf.gather(splits, word) + number - 1)[:, None], ids, tf.shape(ids))
        return ids, tf.cast(splits, tf.int64)

    def _step(self, table, words, number, word, position, rows):
        """Find the next token of each word that is not split yet.

        Args:
            table: name of the table.
            words: all words `[W]`.
            number: the number of the token within its word.
            word: index of each word that is not split yet `[S]`.
            position: where its rest starts `[S]`.
            rows: `TensorArray` of the tokens, int32 `[S, 3]` each: word, number, and id or -1.

        Returns:
            The last four arguments of the next step.
        """
        import tensorflow as tf

        text = tf.gather(words, word)  # [S]
        length, prefix = tf.zeros_like(word), tf.fill(tf.shape(word), -1)  # of the longest prefix that was found
        for bit in reversed(range(self.longest.bit_length())):
            longer = length + (1 << bit)
            # Past the end of a word, `substr` returns the rest of it: the row is right, and only that is used.
            found = self.tables[table].lookup(tf.strings.substr(text, position, longer))
            length, prefix = tf.where(found < 0, length, longer), tf.where(found < 0, prefix, found)
        token, length = self._match(prefix)
        rows = rows.write(number, tf.stack([word, tf.fill(tf.shape(word), number), token], 1))  # [S, 3]
        position = position + length
        more = tf.where((token >= 0) & (position < tf.strings.length(text)))[:, 0]
        return number + 1, tf.gather(word, more), tf.gather(position, more), rows

    def _match(self, prefix):
        """Return the id and the length of the longest token of prefixes, by their rows; -1 and 0 for row -1."""
        import tensorflow as tf

        known = tf.maximum(prefix, 0)
        found = tf.where(prefix < 0, -1, tf.gather(self.match_ids, known))
        return found, tf.where(prefix < 0, 0, tf.gather(self.match_lengths, known))
