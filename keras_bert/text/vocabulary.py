"""Vocabulary files, one token per line, and learning a vocabulary."""

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.files import atomic_write
from keras_bert.text.normalization import Normalizer, is_single_char_word
from keras_bert.text.splitting import ORIGINAL, Splitting


def check_vocabulary(tokens: list[str], path: str | Path | None = None) -> list[str]:
    """Validate the tokens of a BERT vocabulary.

    Args:
        tokens: the tokens in the order of their ids.
        path: the file that contains them, for the error message; None for a list.

    Returns:
        The tokens, unchanged.

    Raises:
        InputError: there is no token; a token is not a string, starts or ends with white space, or has a NUL byte; a
            special token is missing; or a token occurs twice.
    """

    def fail(expected: str, received: str):
        if path is None:
            raise InputError(f"`vocabulary` must {expected}. Received: {received}")
        raise InputError(f"`vocabulary` must {expected}. Received: path={path} ({received})")

    if not tokens:
        fail("have one token per line", "empty")
    for line, token in enumerate(tokens, 1):
        if not isinstance(token, str):
            fail("contain strings", f"{token!r:.60} in line {line}")
        if token != token.strip() or "\n" in token:
            fail("contain tokens without white space around them", f"{token!r:.60} in line {line}")
        if "\0" in token:
            fail("contain tokens without NUL bytes", f"a NUL byte in line {line}")
    known = set(tokens)
    missing = [token for token in SPECIAL_TOKENS if token not in known]
    if missing:
        fail(f"contain {', '.join(SPECIAL_TOKENS)}", f"no {', '.join(missing)}")
    token, count = Counter(tokens).most_common(1)[0]
    if count > 1:
        lines = ", ".join(str(line) for line, each in enumerate(tokens, 1) if each == token)
        fail("contain each token once", f"{token!r:.60} in lines {lines:.60}")
    return tokens


def load_vocabulary(path: str | Path) -> list[str]:
    """Read a `vocab.txt` file as the original tokenizer does.

    Lines end at a line feed only (the Chinese vocabulary has a token that Python's `splitlines` splits at), and white
    space around a token is removed.

    Args:
        path: a UTF-8 text file, one token per line.

    Returns:
        The tokens; the index of each is its id.

    Raises:
        InputError: the file does not exist, is a directory, is empty, is not UTF-8, has a NUL byte, a special token is
            missing, or a token occurs twice.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> save_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##s"], path)
    >>> load_vocabulary(path)[5:]
    ['film', '##s']

    Source: `load_vocab` of github.com/google-research/bert (tokenization.py).
    """
    path = Path(path)
    if not path.is_file():
        found = "a directory" if path.is_dir() else "does not exist"
        raise InputError(f"`path` must be a text file with one token per line. Received: path={path} ({found})")
    content = path.read_bytes()
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(
            "`path` must be a UTF-8 text file. "
            f"Received: path={path} (byte 0x{content[error.start]:02x} at offset {error.start})"
        ) from None
    if lines[0].startswith("\ufeff"):
        raise InputError(
            f"`path` must be a UTF-8 text file without a byte order mark. Received: path={path} (with one)"
        )
    if lines[-1] == "":
        lines.pop()
    return check_vocabulary([line.strip() for line in lines], path)


def save_vocabulary(vocabulary: Iterable[str], path: str | Path) -> None:
    """Write a `vocab.txt` file, in UTF-8 with one token per line. The file is complete or not written at all.

    Args:
        vocabulary: the tokens in the order of their ids.
        path: the file to write.

    Raises:
        InputError: the vocabulary is one that `load_vocabulary` does not accept.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> save_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"], path)
    >>> load_vocabulary(path)[5]
    'film'

    Source: `vocab.txt` of github.com/google-research/bert.
    """
    tokens = check_vocabulary(list(vocabulary))
    with atomic_write(path) as draft:
        draft.write_bytes("".join(token + "\n" for token in tokens).encode("utf-8"))


def learn_vocabulary(
    texts: Iterable[str], vocab_size: int, lowercase: bool = True, splitting: Splitting = ORIGINAL
) -> list[str]:
    """Learn a WordPiece vocabulary from texts.

    The words are those of `BertTextVectorization`. Training runs `WordPieceTrainer` of the `tokenizers` library, which
    wraps its BPE trainer: it starts with single characters and repeatedly joins the most frequent pair of adjacent
    tokens. The published criterion of WordPiece is the likelihood of the corpus: it joins the pair with the highest
    freq(ab) / (freq(a) * freq(b)). Google never published its trainer. A tokenizer uses both kinds of vocabulary in the
    same way, by the longest match first.

    The result is deterministic. At most 1,000 different characters are kept, the most frequent ones.

    Args:
        texts: lines or documents.
        vocab_size: V, the largest number of tokens, special tokens included; a small corpus may give fewer.
        lowercase: lowercase and strip accents first; use the same value for `BertTextVectorization`.
        splitting: the settings that differ from those of the original code.

    Returns:
        The tokens: `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]`, then the learned tokens.

    Raises:
        InputError: `vocab_size` is too small, `texts` contain no word, or a text is not a string.

    Example:

    >>> learn_vocabulary(["a fine film", "fine films"], vocab_size=40)[:5]
    ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']

    Source: Devlin et al. 2018, section 3; Schuster and Nakajima 2012 (Japanese and Korean Voice Search), section 3, for
    the criterion of WordPiece; Sennrich et al. 2016 (arXiv:1508.07909), section 3.2, for BPE.
    """
    import tokenizers

    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int) or vocab_size < len(SPECIAL_TOKENS) + 2:
        raise InputError(
            f"`vocab_size` must be an integer of at least {len(SPECIAL_TOKENS) + 2}. "
            f"Received: vocab_size={vocab_size!r}"
        )
    if isinstance(texts, str | bytes):
        raise InputError("`texts` must be several strings, such as the lines of a corpus. Received: one string")

    lines = list(_words(texts, lowercase, splitting))
    counts = Counter()
    for line in lines:
        counts.update(line)
    del counts[" "]
    if not counts:
        raise InputError("`texts` must contain at least one word. Received: texts without words")
    max_characters = min(1000, (vocab_size - len(SPECIAL_TOKENS)) // 2)  # each can take two tokens, "a" and "##a"
    alphabet = sorted(sorted(counts, key=lambda char: (-counts[char], char))[:max_characters])
    # The trainer numbers "##a" and similar tokens in the order of its hash tables and breaks ties by number. If they
    # are given as special tokens, in order, the result is deterministic. Punctuation and CJK
    # characters never continue a word.
    continuations = ["##" + char for char in alphabet if not is_single_char_word(char, splitting.split_on_cjk)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(
        lines,
        tokenizers.trainers.WordPieceTrainer(
            vocab_size=vocab_size,
            special_tokens=[*SPECIAL_TOKENS, *continuations],
            initial_alphabet=alphabet,
            limit_alphabet=len(alphabet),
            show_progress=False,
        ),
    )
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.get)


def _words(texts: Iterable[str], lowercase: bool, splitting: Splitting) -> Iterator[str]:
    """Yield the normalized words of every thousand texts, joined with spaces."""
    tf = require_tensorflow("the tokenization of texts")
    from keras_bert.text.strings import string_tensor  # imports Keras, which reading a vocabulary does not need

    normalize = Normalizer(lowercase, splitting)

    @functools.partial(tf.function, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def words(batch):
        codes, starts, _ = normalize(batch)
        letters = tf.RaggedTensor.from_row_splits(codes, starts, validate=False)
        return tf.strings.reduce_join(tf.strings.unicode_encode(letters, "UTF-8"), separator=" ")

    texts = iter(texts)
    while batch := list(itertools.islice(texts, 1000)):
        yield words(tf.reshape(string_tensor(batch), [-1])).numpy().decode("utf-8")


def load_or_learn_vocabulary(
    file: str | None, texts: Iterable[str], vocab_size: int, lowercase: bool, work: Path
) -> list[str]:
    """Load a vocabulary file, or learn a vocabulary once and store it for a resumed run, which needs the same ids.

    Args:
        file: the path of a vocabulary file, or None to learn one.
        texts: only read to learn a vocabulary.
        vocab_size: the largest number of tokens to learn.
        lowercase: as for `BertTextVectorization`.
        work: the folder in which the learned vocabulary is stored.

    Returns:
        The tokens in the order of their ids.
    """
    learned = work / "vocab.txt"
    if file is None and not learned.exists():
        save_vocabulary(learn_vocabulary(texts, vocab_size, lowercase), learned)
    return load_vocabulary(file or learned)
