"""BERT's cleaning of text, as whole-batch TensorFlow operations on code points.

The original tokenizer walks over each text with Python's `str` and `unicodedata`. Here the same facts are asked of
Python once, for every code point, and kept in two small tables; a batch is then cleaned by table look-ups. The result
is equal to the original's on every string, and the graph holds core operations only. (A saved graph keeps the Unicode
version of the Python that wrote it.)

Source: `BasicTokenizer` of github.com/google-research/bert (tokenization.py).
"""

import functools
import sys
import unicodedata

import numpy as np

from keras_bert.text.ragged import after, changes, row_ids

# What a code point is, as bits of one number (the bits from 8 up hold its canonical combining class).
REMOVED, SPACE, CJK, PUNCTUATION, MARK, CASED, CASE_IGNORABLE = (1 << bit for bit in range(7))
CLASS_SHIFT = 8
CAPITAL_SIGMA, FINAL_SIGMA = 0x3A3, 0x3C2

# The blocks that the original sets apart, one character a word; Hangul, Hiragana and Katakana are not among them.
CJK_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def _properties(char: str, category: str) -> int:
    """The bits of one character."""
    code = ord(char)
    bits = unicodedata.combining(char) << CLASS_SHIFT
    if char in "\t\n\r" or category == "Zs" or char.isspace() and not category.startswith("C"):
        bits |= SPACE
    elif code in (0, 0xFFFD) or category in ("Cc", "Cf"):
        bits |= REMOVED
    # All of ASCII that is no letter, digit or space counts, "$" and "~" too, though Unicode calls those symbols.
    if category.startswith("P") or code < 128 and not char.isalnum() and 32 < code < 127:
        bits |= PUNCTUATION
    if category == "Mn":
        bits |= MARK
    # Python tells by its own behaviour what it holds cased or case-ignorable: Σ turns into ς only at a word's end.
    after = (char + "Σ").lower().endswith("ς")
    if after:
        bits |= CASED
    elif ("A" + char + "Σ").lower().endswith("ς"):
        bits |= CASE_IGNORABLE
    return bits


def _pages(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Store a value for each code point as 256-wide pages, equal pages once: `pages[index[c >> 8] * 256 + c % 256]`."""
    pages, index = np.unique(values.reshape(-1, 256), axis=0, return_inverse=True)
    return index.reshape(-1).astype("int32"), pages.reshape(-1)


@functools.cache
def unicode_tables() -> dict[str, np.ndarray]:
    """Ask Python about every code point.

    Returns:
        int32 arrays: `bits_index`, `bits_pages` give the bits above; `fold_index`, `fold_pages` give 0 where
        lower-casing and NFD leave the character alone, else `8 * offset + length` into `fold_values`, the code points
        it turns into.
    """
    bits = np.zeros(sys.maxunicode + 1, "int32")
    fold = np.zeros(sys.maxunicode + 1, "int32")
    values: list[int] = []
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        category = unicodedata.category(char)
        if category in ("Cn", "Co", "Cs"):  # unassigned, private, surrogate: nothing to know about them
            continue
        bits[code] = _properties(char, category)
        folded = unicodedata.normalize("NFD", char.lower())
        if folded != char:
            fold[code] = 8 * len(values) + len(folded)
            values.extend(map(ord, folded))
    for first, last in CJK_BLOCKS:  # their unassigned code points too
        bits[first : last + 1] |= CJK
    bits_index, bits_pages = _pages(bits)
    fold_index, fold_pages = _pages(fold)
    return {
        "bits_index": bits_index,
        "bits_pages": bits_pages,
        "fold_index": fold_index,
        "fold_pages": fold_pages,
        "fold_values": np.array(values, "int32"),
    }


def stands_alone(char: str) -> bool:
    """Whether a character is a word by itself: punctuation, or one of the Chinese blocks."""
    tables = unicode_tables()
    page = tables["bits_index"][ord(char) // 256]
    return bool(tables["bits_pages"][page * 256 + ord(char) % 256] & (PUNCTUATION | CJK))


class Normalizer:
    """Cleans texts and splits them at spaces, Chinese characters and punctuation, by core TensorFlow operations.

    Args:
        lowercase: lower-case and strip accents (NFD), as the uncased models were trained.
    """

    def __init__(self, lowercase: bool):
        import tensorflow as tf

        self.lowercase = lowercase
        with tf.init_scope():
            self.tables = {name: tf.constant(table) for name, table in unicode_tables().items()}

    def __call__(self, texts):
        """Split each text into words.

        Args:
            texts: string tensor `[N]`, UTF-8; bytes that are not UTF-8 are passed over.

        Returns:
            `(codes, starts, text_of_word)`: the code points of all words in one row `[C]`, where each word starts in it
            `[W + 1]`, and the text that each word is from `[W]`; all int32.
        """
        import tensorflow as tf

        chars = tf.strings.unicode_decode(texts, "UTF-8", errors="ignore")  # [N, (chars)]
        codes, text = chars.values, row_ids(tf.cast(chars.row_lengths(), tf.int32))  # [C], [C]
        bits = self._look_up("bits", codes)
        kept = tf.where(bits & REMOVED == 0)[:, 0]
        codes, text, bits = (tf.gather(each, kept) for each in (codes, text, bits))

        # A piece is what Python's str.split() gives after Chinese characters got spaces around them.
        alone = bits & (SPACE | CJK) != 0
        piece = tf.cumsum(tf.cast(alone | after(alone) | changes(text), tf.int32))
        kept = tf.where(bits & SPACE == 0)[:, 0]
        codes, text, piece = (tf.gather(each, kept) for each in (codes, text, piece))

        if self.lowercase:
            codes, source = tf.cond(
                tf.reduce_any(codes > 0x7F),
                lambda: self._fold(codes, piece),
                lambda: (tf.where((codes > 0x40) & (codes < 0x5B), codes + 32, codes), tf.range(tf.size(codes))),
            )
            text, piece = tf.gather(text, source), tf.gather(piece, source)

        alone = self._look_up("bits", codes) & PUNCTUATION != 0
        begins = tf.where(alone | after(alone) | changes(piece))[:, 0]
        starts = tf.concat([tf.cast(begins, tf.int32), [tf.size(codes)]], 0)
        return codes, starts, tf.gather(text, begins)

    def _look_up(self, table, codes):
        import tensorflow as tf

        page = tf.gather(self.tables[table + "_index"], codes // 256)
        return tf.gather(self.tables[table + "_pages"], page * 256 + codes % 256)

    def _fold(self, codes, piece):
        """Lower-case, decompose (NFD) and strip the accents; returns the code points and which input each is from."""
        import tensorflow as tf

        codes = self._final_sigmas(codes, piece)
        fold = self._look_up("fold", codes)  # [C] 0 or 8 * offset + length
        lengths = tf.where(fold == 0, 1, fold % 8)
        source = row_ids(lengths)  # [C'] the character that each new one is from
        within = tf.range(tf.size(source)) - tf.gather(tf.cumsum(lengths, exclusive=True), source)
        fold, codes = tf.gather(fold, source), tf.gather(codes, source)
        codes = tf.where(fold == 0, codes, tf.gather(self.tables["fold_values"], fold // 8 + within))

        # NFD also sorts marks within a run of them by combining class. Most marks go away next, so that the order shows
        # only with the few that stay (category Mc: musical and Indic signs).
        bits = self._look_up("bits", codes)
        combining = bits // (1 << CLASS_SHIFT)

        def in_canonical_order():
            run = tf.cumsum(tf.cast((combining == 0) | changes(tf.gather(piece, source)), tf.int32))
            return tf.argsort(tf.cast(run, tf.int64) * 256 + tf.cast(combining, tf.int64), stable=True)

        order = tf.cond(
            tf.reduce_any((combining != 0) & (bits & MARK == 0)), in_canonical_order, lambda: tf.range(tf.size(codes))
        )
        order = tf.boolean_mask(order, tf.gather(bits, order) & MARK == 0)
        return tf.gather(codes, order), tf.gather(source, order)

    def _final_sigmas(self, codes, piece):
        """Put ς for each Σ that ends a word: a cased letter before it and none after, case-ignorable ones between."""
        import tensorflow as tf

        def replaced():
            bits = self._look_up("bits", codes)
            seen = tf.where(bits & CASE_IGNORABLE == 0)[:, 0]  # the rule looks through the ignorable ones
            word = tf.gather(piece, seen)
            cased = tf.gather(bits, seen) & CASED != 0
            same = ~changes(word)
            before = after(cased) & same
            follows = tf.concat([(cased & same)[1:], [False]], 0)[: tf.size(word)]
            final = (tf.gather(codes, seen) == CAPITAL_SIGMA) & before & ~follows
            where = tf.boolean_mask(seen, final)
            return tf.tensor_scatter_nd_update(codes, where[:, None], tf.fill([tf.size(where)], FINAL_SIGMA))

        return tf.cond(tf.reduce_any(codes == CAPITAL_SIGMA), replaced, lambda: codes)
