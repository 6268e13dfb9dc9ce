"""WordPiece tokenization of a whole batch: a word is split into the longest tokens of the vocabulary, from its start.

There are two paths. Most chunks between two spaces are common words, and one hash table look-up shows that such a chunk
is a single token. The other distinct chunks take the exact path: normalization (`normalization.py`), then the greedy
longest match at one position of all words in parallel, by a binary search over the lengths (`prefixes.py`).

Source: Devlin et al. 2018, section 3 (Wu et al. 2016, section 4.1); `WordpieceTokenizer` of
github.com/google-research/bert.
"""

import re

from keras_bert.text.added_tokens import MARK, exact_tokens, whole_token_pattern
from keras_bert.text.normalization import Normalizer
from keras_bert.text.offsets import normalized_forms
from keras_bert.text.prefixes import prefix_table
from keras_bert.text.ragged import row_ids
from keras_bert.text.splitting import ORIGINAL, Splitting

ASCII_PUNCTUATION = "!-/:-@\\[-`{-~"


class WordPiece:
    """WordPiece tokenizer from texts to the token strings of a vocabulary.

    Args:
        vocabulary: the tokens in the order of their ids.
        lowercase: lowercase the texts and strip accents.
        whole_tokens: tokens of the vocabulary that stay whole where a text contains them exactly, such as `[MASK]`, or
            where the normalized text contains them, if they are `normalized_tokens` of `splitting`.
        splitting: the settings that differ from those of the original code.
    """

    def __init__(
        self, vocabulary: list[str], lowercase: bool, whole_tokens: list[str], splitting: Splitting = ORIGINAL
    ):
        import tensorflow as tf

        def table(entries):
            keys, ids = list(entries.keys()), list(entries.values())
            return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, ids, tf.string, tf.int32), -1)

        # Words that no step of the exact path changes, so that one look-up is enough for them.
        plain = re.compile(f"[{ASCII_PUNCTUATION}]|[a-z0-9]+" if lowercase else f"[{ASCII_PUNCTUATION}]|[A-Za-z0-9]+")
        ids = {token: index for index, token in enumerate(vocabulary)}
        self.max_word_length = splitting.max_word_length
        common = {
            token: index
            for token, index in ids.items()
            if len(token) <= self.max_word_length and plain.fullmatch(token)
        }
        suffixes = {token[2:]: index for token, index in ids.items() if token.startswith("##")}
        self.lowercase, self.whole_tokens = lowercase, exact_tokens(whole_tokens, splitting)
        self.normalized_tokens = normalized_forms(splitting, lowercase)
        self.unknown = ids["[UNK]"]
        # The exact path looks up prefixes of tokens. A word never starts with "##", because # is punctuation.
        first = prefix_table({token: index for token, index in ids.items() if not token.startswith("##")})
        continuation = prefix_table(suffixes)
        self.longest = min(self.max_word_length, max(map(len, vocabulary)))
        self.normalize = Normalizer(lowercase, splitting)
        with tf.init_scope():
            self.tokens = tf.constant(vocabulary)
            # A table must have at least one entry. "" is never looked up, because no word is empty.
            self.tables = {
                "common": table(common or {"": -1}),
                "first": table({"": -1, **{prefix: row for row, prefix in enumerate(first)}}),
                "continuation": table({"": -1, **{prefix: len(first) + i for i, prefix in enumerate(continuation)}}),
            }
            # The longest token that each prefix starts with: its id, and its length.
            matches = [*first.values(), *continuation.values()]
            self.match_ids = tf.constant([token_id for token_id, _ in matches], tf.int32)
            self.match_lengths = tf.constant([length for _, length in matches], tf.int32)
            if self.normalized_tokens:
                whole = {**{token: token for token in self.whole_tokens}, **self.normalized_tokens}
                self.tables["whole"] = table({MARK + form: ids[token] for form, token in whole.items()})
            elif whole_tokens:
                self.tables["whole"] = table({token: ids[token] for token in whole_tokens})

    def __call__(self, texts):
        """Tokenize texts.

        Args:
            texts: string tensor `[B]`.

        Returns:
            String `RaggedTensor` `[B, (tokens)]`.
        """
        import tensorflow as tf

        chunks, known = self._chunks(texts)  # [B, (chunks)], and the id of each [C], -1 for the exact path
        exact = tf.where(known < 0)[:, 0]
        distinct, index = tf.unique(tf.gather(chunks.values, exact))  # [U], and the index in it of each chunk
        empty = tf.zeros([0], tf.int32)
        tokens, counts = tf.cond(
            tf.size(distinct) > 0, lambda: self._exact(distinct), lambda: (empty, empty)
        )  # [P], [U]

        # Join the results of both paths: each chunk is a range of one pool of ids.
        pool = tf.concat([known, tokens], 0)
        first = tf.size(known) + tf.cumsum(counts, exclusive=True)
        start = tf.tensor_scatter_nd_update(tf.range(tf.size(known)), exact[:, None], tf.gather(first, index))
        length = tf.tensor_scatter_nd_update(tf.ones_like(known), exact[:, None], tf.gather(counts, index))
        end = tf.cumsum(length)
        within = tf.gather(start - (end - length), row_ids(length))
        ids = tf.gather(pool, within + tf.range(tf.size(within)))
        splits = tf.gather(tf.concat([[0], end], 0), chunks.row_splits)
        return tf.RaggedTensor.from_row_splits(tf.gather(self.tokens, ids), tf.cast(splits, tf.int64), validate=False)

    def _chunks(self, texts):
        """Split at ASCII spaces and lowercase ASCII letters, which does not change the result of the exact path.

        Returns:
            The chunks, and their ids as far as one look-up gives them, otherwise -1.
        """
        import tensorflow as tf

        # BERT removes these control characters, but TensorFlow splits at them: replace them by one that is only
        # removed.
        texts = tf.strings.regex_replace(texts, "[\v\f]", "\x01")
        if self.normalized_tokens:
            chunks = self._normalized_chunks(texts)
            whole = self.tables["whole"].lookup(chunks.values)
            return chunks, tf.where(whole >= 0, whole, self.tables["common"].lookup(chunks.values))
        if not self.whole_tokens:
            chunks = tf.strings.split(tf.strings.lower(texts) if self.lowercase else texts)
            return chunks, self.tables["common"].lookup(chunks.values)
        pattern = f"({whole_token_pattern(self.whole_tokens)})"
        chunks = tf.strings.split(tf.strings.regex_replace(texts, pattern, r" \1 "))
        whole = self.tables["whole"].lookup(chunks.values)
        if self.lowercase:
            chunks = chunks.with_values(tf.strings.lower(chunks.values))
        return chunks, tf.where(whole >= 0, whole, self.tables["common"].lookup(chunks.values))

    def _normalized_chunks(self, texts):
        """Split normalized texts; a whole token is a chunk with `MARK` before it, which no other chunk contains.

        As in Hugging Face's tokenizers, the tokens that match exactly are found first, and the others in the normalized
        text between them.
        """
        import tensorflow as tf

        texts = tf.strings.regex_replace(texts, MARK, "\x01")  # BERT removes both
        if self.whole_tokens:
            pattern = f"({whole_token_pattern(self.whole_tokens)})"
            texts = tf.strings.regex_replace(texts, pattern, rf" {MARK}\1 ")
        chunks = tf.strings.split(texts)  # [B, (chunks)]
        pattern = f"({whole_token_pattern(self.normalized_tokens)})"
        normalized = tf.strings.regex_replace(self.normalize.strings(chunks.values), pattern, rf" {MARK}\1 ")
        is_whole = tf.strings.substr(chunks.values, 0, 1) == MARK
        parts = tf.strings.split(tf.where(is_whole, chunks.values, normalized))  # [C, (parts)]
        splits = tf.gather(parts.row_splits, chunks.row_splits)
        return tf.RaggedTensor.from_row_splits(parts.values, splits, validate=False)

    def _exact(self, chunks):
        """Apply the steps of the original code to chunks `[U]`: ids of all tokens `[P]`, tokens per chunk `[U]`."""
        import tensorflow as tf

        codes, starts, chunk = self.normalize(chunks)
        letters = tf.RaggedTensor.from_row_splits(codes, starts, validate=False)  # [W, (letters)]
        words = tf.strings.unicode_encode(letters, "UTF-8")  # [W]
        lengths = starts[1:] - starts[:-1]
        short_enough = lengths <= self.max_word_length  # [W]
        whole, length = self._match(self.tables["first"].lookup(words))  # [W], [W]
        whole = tf.where(short_enough, tf.where(length == lengths, whole, -1), self.unknown)
        split = tf.cast(tf.where(whole < 0)[:, 0], tf.int32)  # [S], the words of more than one token
        byte = tf.concat([[0], tf.cumsum(_utf8_length(codes))], 0)  # the byte offset of each character
        word, number, ids = self._greedy(words, starts, lengths, byte, split)

        done = tf.cast(tf.where(whole >= 0)[:, 0], tf.int32)
        word, number = tf.concat([done, word], 0), tf.concat([tf.zeros_like(done), number], 0)
        ids = tf.concat([tf.gather(whole, done), ids], 0)
        # Back to the order of the text, without sorting: the tokens of each word are numbered.
        place = tf.cumsum(tf.math.bincount(word, minlength=tf.size(lengths)), exclusive=True)  # [W]
        ids = tf.scatter_nd((tf.gather(place, word) + number)[:, None], ids, tf.shape(ids))
        return ids, tf.math.bincount(tf.gather(chunk, word), minlength=tf.size(chunks))

    def _match(self, row):
        """Return the id and the length of the longest token of prefixes, by their rows; -1 and 0 for row -1."""
        import tensorflow as tf

        known = tf.maximum(row, 0)
        found = tf.where(row < 0, -1, tf.gather(self.match_ids, known))
        return found, tf.where(row < 0, 0, tf.gather(self.match_lengths, known))

    def _greedy(self, words, starts, lengths, byte, split):
        """Split the words `split` `[S]` by the longest match first.

        Returns:
            The word of every token, its number within the word, from 0, and its id, all int32 `[P]`.
        """
        import tensorflow as tf

        def longest_match(table, word, position):
            """Find the longest token of each word at its position: `(id or -1, length)`, both `[S]`."""
            origin, rest = tf.gather(starts, word), tf.gather(lengths, word) - position  # [S], [S]
            start = origin + position
            first = tf.gather(byte, start)
            text, first_byte = tf.gather(words, word), first - tf.gather(byte, origin)
            length, row = tf.zeros_like(word), tf.fill(tf.shape(word), -1)  # of the longest prefix that was found
            for bit in reversed(range(self.longest.bit_length())):
                longer = length + (1 << bit)
                last = tf.gather(byte, start + tf.minimum(longer, rest))
                found = table.lookup(tf.strings.substr(text, first_byte, last - first))
                is_longer = (found >= 0) & (longer <= rest)
                length, row = tf.where(is_longer, longer, length), tf.where(is_longer, found, row)
            return self._match(row)

        def step(table, number, word, position, unmatched, tokens):
            found, length = longest_match(table, word, position)
            matched = found >= 0
            unmatched = unmatched.write(number, tf.boolean_mask(word, ~matched))
            word, position, found = (tf.boolean_mask(each, matched) for each in (word, position + length, found))
            row = tf.stack([word, tf.fill(tf.shape(word), number), found], 1)  # [S, 3]
            tokens = tokens.write(number, row)
            more = position < tf.gather(lengths, word)
            word, position = tf.boolean_mask(word, more), tf.boolean_mask(position, more)
            return number + 1, word, position, unmatched, tokens

        def parts(shape):
            return tf.TensorArray(tf.int32, 1, dynamic_size=True, infer_shape=False, element_shape=shape)

        state = step(self.tables["first"], tf.constant(0), split, tf.zeros_like(split), parts([None]), parts([None, 3]))
        *_, unmatched, tokens = tf.while_loop(
            lambda number, word, *_: tf.size(word) > 0,
            lambda *state: step(self.tables["continuation"], *state),
            state,
            parallel_iterations=1,
        )
        unmatched = unmatched.concat()
        word, number, ids = tf.unstack(tokens.concat(), axis=1)  # [P] each
        # If no token matches the rest of a word, the whole word becomes [UNK].
        failed = tf.zeros(tf.shape(lengths), tf.bool)  # [W]
        failed = tf.tensor_scatter_nd_update(failed, unmatched[:, None], tf.ones_like(unmatched) > 0)
        fits = ~tf.gather(failed, word)
        word, number, ids = (tf.boolean_mask(each, fits) for each in (word, number, ids))
        word, number = tf.concat([word, unmatched], 0), tf.concat([number, tf.zeros_like(unmatched)], 0)
        return word, number, tf.concat([ids, tf.fill([tf.size(unmatched)], self.unknown)], 0)


def _utf8_length(codes):
    """Compute the number of bytes of each code point in UTF-8."""
    import tensorflow as tf

    return 1 + sum(tf.cast(codes >= limit, tf.int32) for limit in (0x80, 0x800, 0x10000))
