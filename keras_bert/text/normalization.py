"""Text normalization of BERT with TensorFlow operations on the code points of a whole batch.

The original tokenizer processes one text at a time with Python's `str` and `unicodedata`. Here, the properties of every
code point are read from Python once and stored in two compact tables; a batch is then normalized by table look-ups. The
result equals the original's on every string, and the graph contains core operations only. A saved graph
contains the tables, so its Unicode version does not depend on the Python that loads it.

Source: `BasicTokenizer` of github.com/google-research/bert (tokenization.py).
"""

import functools
import sys
import unicodedata

import numpy as np

from keras_bert.text.ragged import is_run_start, row_ids, shift_right
from keras_bert.text.splitting import ORIGINAL, Splitting

# Properties of a code point, as bits of one integer. Bits 8 and higher contain its canonical combining class.
REMOVED, SPACE, CJK, PUNCTUATION, MARK, CASED, CASE_IGNORABLE = (1 << bit for bit in range(7))
CLASS_SHIFT = 8
CAPITAL_SIGMA, FINAL_SIGMA = 0x3A3, 0x3C2

# Unicode blocks in which the original code makes each character a word. Hangul, Hiragana and Katakana are not included.
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
    """Compute the property bits of one character."""
    code = ord(char)
    bits = unicodedata.combining(char) << CLASS_SHIFT
    if char in "\t\n\r" or category == "Zs" or char.isspace() and not category.startswith("C"):
        bits |= SPACE
    elif code in (0, 0xFFFD) or category in ("Cc", "Cf"):
        bits |= REMOVED
    # All ASCII characters except letters, digits and spaces count as punctuation, including "$" and "~", which Unicode
    # classifies as symbols.
    if category.startswith("P") or code < 128 and not char.isalnum() and 32 < code < 127:
        bits |= PUNCTUATION
    if category == "Mn":
        bits |= MARK
    # `str.lower` shows which characters are cased or case-ignorable: Σ becomes ς only at the end of a word.
    if (char + "Σ").lower().endswith("ς"):
        bits |= CASED
    elif ("A" + char + "Σ").lower().endswith("ς"):
        bits |= CASE_IGNORABLE
    return bits


def _pages(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compress a value per code point into distinct pages of 256: value = `pages[index[c >> 8] * 256 + c % 256]`."""
    pages, index = np.unique(values.reshape(-1, 256), axis=0, return_inverse=True)
    return index.reshape(-1).astype("int32"), pages.reshape(-1)


@functools.cache
def unicode_tables(lowercase: bool = True, strip_accents: bool = True) -> dict[str, np.ndarray]:
    """Build the tables of Unicode properties from Python's `unicodedata`.

    Args:
        lowercase: whether `fold_values` are lowercased.
        strip_accents: whether `fold_values` are decomposed (NFD).

    Returns:
        A dict of int32 arrays. `bits_index` and `bits_pages` give the property bits of a code point. `fold_index` and
        `fold_pages` give 0 if lowercasing and NFD do not change the character, otherwise `8 * offset + length` of its
        replacement in `fold_values`, which contains code points.
    """
    bits = np.zeros(sys.maxunicode + 1, "int32")
    fold = np.zeros(sys.maxunicode + 1, "int32")
    values: list[int] = []
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        category = unicodedata.category(char)
        if category in ("Cn", "Co", "Cs"):  # unassigned, private, surrogate
            continue
        bits[code] = _properties(char, category)
        folded = char.lower() if lowercase else char
        folded = unicodedata.normalize("NFD", folded) if strip_accents else folded
        if folded != char:
            fold[code] = 8 * len(values) + len(folded)
            values.extend(map(ord, folded))
    for first, last in CJK_BLOCKS:  # including their unassigned code points
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


def is_single_char_word(char: str, split_on_cjk: bool = True) -> bool:
    """Return whether a character is always a word: punctuation, or a character of the CJK blocks."""
    tables = unicode_tables()
    page = tables["bits_index"][ord(char) // 256]
    return bool(tables["bits_pages"][page * 256 + ord(char) % 256] & (PUNCTUATION | CJK * split_on_cjk))


class Normalizer:
    """Text normalization and splitting at spaces, CJK characters and punctuation, with core TensorFlow operations.

    Args:
        lowercase: lowercase the text and strip accents (NFD), as for the uncased models.
        splitting: whether accents are kept, and whether Chinese characters are split.
    """

    def __init__(self, lowercase: bool, splitting: Splitting = ORIGINAL):
        import tensorflow as tf

        self.lowercase, self.strip_accents = bool(lowercase), splitting.strips_accents(lowercase)
        self.boundary = SPACE | CJK if splitting.split_on_cjk else SPACE
        with tf.init_scope():
            tables = unicode_tables(self.lowercase, self.strip_accents)
            self.tables = {name: tf.constant(table) for name, table in tables.items()}

    def __call__(self, texts):
        """Split each text into normalized words.

        Args:
            texts: string tensor `[N]`, UTF-8; bytes that are not UTF-8 are ignored.

        Returns:
            Three int32 tensors: the code points of all words, concatenated, `[C]`; the index where each word starts,
            then the end, `[W + 1]`; the index of the text that contains each word, `[W]`.
        """
        import tensorflow as tf

        codes, text, chunk = self._chunks(texts)
        is_punctuation = self._look_up("bits", codes) & PUNCTUATION != 0
        word_starts = tf.where(is_punctuation | shift_right(is_punctuation) | is_run_start(chunk))[:, 0]
        starts = tf.concat([tf.cast(word_starts, tf.int32), [tf.size(codes)]], 0)
        return codes, starts, tf.gather(text, word_starts)

    def strings(self, texts):
        """Normalize texts without splitting at punctuation: strings `[N]`, with one space at each boundary."""
        import tensorflow as tf

        codes, text, chunk = self._chunks(texts)
        starts = tf.where(is_run_start(chunk))[:, 0]  # [K]
        letters = tf.RaggedTensor.from_row_starts(codes, starts, validate=False)  # [K, (letters)]
        chunks = tf.strings.unicode_encode(letters, "UTF-8")
        return tf.strings.unsorted_segment_join(chunks, tf.gather(text, starts), tf.size(texts), " ")

    def _chunks(self, texts):
        """Return the normalized code points of all texts `[C]`, and the text and the chunk of each `[C]`."""
        import tensorflow as tf

        chars = tf.strings.unicode_decode(texts, "UTF-8", errors="ignore")  # [N, (chars)]
        codes, text = chars.values, row_ids(tf.cast(chars.row_lengths(), tf.int32))  # [C], [C]
        bits = self._look_up("bits", codes)  # [C]
        kept = tf.where(bits & REMOVED == 0)[:, 0]
        codes, text, bits = (tf.gather(each, kept) for each in (codes, text, bits))

        # A chunk is what Python's str.split() returns after spaces were put around CJK characters.
        is_boundary = bits & self.boundary != 0
        chunk = tf.cumsum(tf.cast(is_boundary | shift_right(is_boundary) | is_run_start(text), tf.int32))
        kept = tf.where(bits & SPACE == 0)[:, 0]
        codes, text, chunk = (tf.gather(each, kept) for each in (codes, text, chunk))

        if self.lowercase or self.strip_accents:
            capitals = (codes > 0x40) & (codes < 0x5B) & self.lowercase
            codes, source = tf.cond(
                tf.reduce_any(codes > 0x7F),
                lambda: self._fold(codes, chunk),
                lambda: (tf.where(capitals, codes + 32, codes), tf.range(tf.size(codes))),
            )
            text, chunk = tf.gather(text, source), tf.gather(chunk, source)
        return codes, text, chunk

    def _look_up(self, table, codes):
        import tensorflow as tf

        page = tf.gather(self.tables[table + "_index"], codes // 256)
        return tf.gather(self.tables[table + "_pages"], page * 256 + codes % 256)

    def _fold(self, codes, chunk):
        """Lowercase, decompose (NFD) and strip accents, as far as the settings say.

        Returns:
            The new code points `[C']`, and the index of the input code point that each comes from `[C']`.
        """
        import tensorflow as tf

        codes = self._final_sigmas(codes, chunk) if self.lowercase else codes
        fold = self._look_up("fold", codes)  # [C], 0 or 8 * offset + length
        lengths = tf.where(fold == 0, 1, fold % 8)
        source = row_ids(lengths)  # [C'], the character that each new one comes from
        within = tf.range(tf.size(source)) - tf.gather(tf.cumsum(lengths, exclusive=True), source)
        fold, codes = tf.gather(fold, source), tf.gather(codes, source)
        codes = tf.where(fold == 0, codes, tf.gather(self.tables["fold_values"], fold // 8 + within))

        if not self.strip_accents:
            return codes, source
        # NFD also sorts consecutive marks by combining class. Most marks are removed below, so the order matters only
        # for the few that are not (category Mc: musical and Indic signs).
        bits = self._look_up("bits", codes)
        combining = bits // (1 << CLASS_SHIFT)

        def in_canonical_order():
            run = tf.cumsum(tf.cast((combining == 0) | is_run_start(tf.gather(chunk, source)), tf.int32))
            return tf.argsort(tf.cast(run, tf.int64) * 256 + tf.cast(combining, tf.int64), stable=True)

        order = tf.cond(
            tf.reduce_any((combining != 0) & (bits & MARK == 0)), in_canonical_order, lambda: tf.range(tf.size(codes))
        )
        order = tf.boolean_mask(order, tf.gather(bits, order) & MARK == 0)
        return tf.gather(codes, order), tf.gather(source, order)

    def _final_sigmas(self, codes, chunk):
        """Replace Σ by ς at the end of a word: after a cased letter and not before one.

        Case-ignorable characters around Σ, such as apostrophes, are skipped.
        """
        import tensorflow as tf

        def replaced():
            bits = self._look_up("bits", codes)
            considered = tf.where(bits & CASE_IGNORABLE == 0)[:, 0]
            word = tf.gather(chunk, considered)
            cased = tf.gather(bits, considered) & CASED != 0
            same = ~is_run_start(word)
            before = shift_right(cased) & same
            follows = tf.concat([(cased & same)[1:], [False]], 0)[: tf.size(word)]
            final = (tf.gather(codes, considered) == CAPITAL_SIGMA) & before & ~follows
            where = tf.boolean_mask(considered, final)
            return tf.tensor_scatter_nd_update(codes, where[:, None], tf.fill([tf.size(where)], FINAL_SIGMA))

        return tf.cond(tf.reduce_any(codes == CAPITAL_SIGMA), replaced, lambda: codes)
