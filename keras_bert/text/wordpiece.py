"""WordPiece tokenization of a whole batch: a word is split into the longest tokens of the vocabulary, from its start.

Plain ASCII texts need no normalization, and so few operations. All other texts take the exact path: chunks between two
spaces that are common words are found with one look-up, and the other distinct chunks are normalized
(`normalization.py`). On both paths, words that are not tokens are split by the greedy longest match at one position of
all words in parallel, by a binary search over the lengths (`prefixes.py`).

Source: Devlin et al. 2018, section 3 (Wu et al. 2016, section 4.1); `WordpieceTokenizer` of
github.com/google-research/bert.
"""

import functools
import re

from keras_bert.text.added_tokens import MARK, exact_tokens, whole_token_pattern
from keras_bert.text.longest_match import LongestMatch, hash_table
from keras_bert.text.normalization import Normalizer
from keras_bert.text.offsets import normalized_forms
from keras_bert.text.ragged import row_splits
from keras_bert.text.splitting import ASCII_PUNCTUATION, ORIGINAL, PLAIN_TEXT, Splitting


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

        # Words that no step of the exact path changes, so that one look-up is enough for them.
        plain = re.compile(f"[{ASCII_PUNCTUATION}]|[a-z0-9]+" if lowercase else f"[{ASCII_PUNCTUATION}]|[A-Za-z0-9]+")
        ids = {token: index for index, token in enumerate(vocabulary)}
        self.max_word_length = splitting.max_word_length
        common = {
            token: index
            for token, index in ids.items()
            if len(token) <= self.max_word_length and plain.fullmatch(token)
        }
        self.lowercase, self.whole_tokens = lowercase, exact_tokens(whole_tokens, splitting)
        self.normalized_tokens = normalized_forms(splitting, lowercase)
        self.unknown = ids["[UNK]"]
        self.longest_match = LongestMatch(ids, self.unknown, self.max_word_length)
        self.normalize = Normalizer(lowercase, splitting)
        # A partial, because TensorFlow counts the tracings of a method over all instances.
        self._exact_call = tf.function(
            functools.partial(self._exact),
            input_signature=[tf.TensorSpec([None], tf.string)],
            autograph=False,
            experimental_attributes={"_noinline": True},
        )
        with tf.init_scope():
            self.tokens = tf.constant(vocabulary)
            # A table must have at least one entry. "" is never looked up, because no word is empty.
            self.tables = {"common": hash_table(common or {"": -1}), **self.longest_match.tables}
            if self.normalized_tokens:
                whole = {**{token: token for token in self.whole_tokens}, **self.normalized_tokens}
                self.tables["whole"] = hash_table({MARK + form: ids[token] for form, token in whole.items()})
            elif whole_tokens:
                self.tables["whole"] = hash_table({token: ids[token] for token in whole_tokens})

    def __call__(self, texts):
        """Tokenize texts.

        Args:
            texts: string tensor `[B]`.

        Returns:
            String `RaggedTensor` `[B, (tokens)]`.
        """
        import tensorflow as tf

        if self.whole_tokens or self.normalized_tokens:  # they may contain punctuation, at which `_plain` splits
            ids, splits = self._exact(texts)
        else:
            is_plain = tf.reduce_all(tf.strings.regex_full_match(texts, PLAIN_TEXT))
            ids, splits = tf.cond(is_plain, lambda: self._plain(texts), lambda: self._exact_in_one_node(texts))
        return tf.RaggedTensor.from_row_splits(tf.gather(self.tokens, ids), splits, validate=False)

    def _plain(self, texts):
        """Tokenize texts of printable ASCII characters and white space: ids `[P]` and row splits `[B + 1]`.

        Nothing is to be normalized but capitals, and a word is a punctuation character or what is between them.
        """
        import tensorflow as tf

        texts = tf.strings.regex_replace(texts, f"[{ASCII_PUNCTUATION}]", r" \0 ")
        words, splits = _split_at_spaces(tf.strings.lower(texts) if self.lowercase else texts)  # [W], [B + 1]
        return self._replace_unknown(words, self.tables["common"].lookup(words), splits, self.longest_match.split)

    def _exact_in_one_node(self, texts):
        """Call `_exact` in a function of its own: TensorFlow visits all nodes of a branch that it skips.

        TensorFlow does not look into the function for the ranks, and fuses the attention only where it knows them.
        """
        import tensorflow as tf

        ids, splits = self._exact_call(texts)
        return tf.ensure_shape(ids, [None]), tf.ensure_shape(splits, [None])

    def _exact(self, texts):
        """Tokenize any texts: ids `[P]` and row splits `[B + 1]`."""
        chunks, known = self._chunks(texts)  # [B, (chunks)], and the id of each [C], -1 for those to be normalized
        return self._replace_unknown(chunks.values, known, chunks.row_splits, self._normalized)

    def _replace_unknown(self, strings, known, splits, tokenize):
        """Tokenize the strings of which no id is known.

        Args:
            strings: string tensor `[C]`.
            known: int32 tensor `[C]`, the id of each string, or -1.
            splits: int64 tensor `[B + 1]`, the row splits of `strings`.
            tokenize: function of distinct strings `[U]`; returns ids `[P]` and row splits `[U + 1]`.

        Returns:
            The ids of all strings, int32, and the row splits `[B + 1]` over these.
        """
        import tensorflow as tf

        def replaced():
            unknown = tf.where(known < 0)[:, 0]
            distinct, index = tf.unique(tf.gather(strings, unknown), tf.int64)  # [U], and the index in it of each
            ids, bounds = tokenize(distinct)
            # One table of rows: those of the known ids, of length 1, and those of the distinct strings.
            count = tf.size(known, tf.int64)
            bounds = tf.concat([tf.range(count), count + bounds], 0)  # [C + U + 1]
            table = tf.RaggedTensor.from_row_splits(tf.concat([known, ids], 0), bounds, validate=False)
            row = tf.tensor_scatter_nd_update(tf.range(count), unknown[:, None], count + index)  # [C]
            found = tf.gather(table, row)  # [C, (ids)]
            return found.values, tf.gather(found.row_splits, splits)

        return tf.cond(tf.reduce_all(known >= 0), lambda: (known, splits), replaced)

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

    def _normalized(self, chunks):
        """Apply the steps of the original code to chunks `[U]`: ids `[P]` and row splits `[U + 1]`."""
        import tensorflow as tf

        codes, starts, chunk = self.normalize(chunks)
        letters = tf.RaggedTensor.from_row_splits(codes, starts, validate=False)  # [W, (letters)]
        words = tf.strings.unicode_encode(letters, "UTF-8")  # [W]
        known = self.longest_match.token(words)  # [W]
        known = tf.where(starts[1:] - starts[:-1] > self.max_word_length, -1, known)
        splits = row_splits(tf.cast(chunk, tf.int64), tf.size(chunks, tf.int64))  # [U + 1]
        return self._replace_unknown(words, known, splits, self.longest_match.split)


def _split_at_spaces(texts):
    """Split texts `[B]` at ASCII white space: the parts `[W]`, and their row splits `[B + 1]`.

    `tf.strings.split` returns the same, with more operations.
    """
    import tensorflow as tf

    parts = tf.raw_ops.StringSplitV2(input=texts, sep="")
    return parts.values, row_splits(parts.indices[:, 0], tf.size(texts, tf.int64))
