"""The vocabulary: one token a line, its id the number of the line."""

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.text.normalization import Normalizer, stands_alone
from keras_bert.text.strings import string_tensor
from keras_bert.text.wordpiece import SPECIAL_TOKENS


def check_vocabulary(tokens: list[str], source: str) -> list[str]:
    """Refuse what cannot be a BERT vocabulary.

    Args:
        tokens: the tokens in the order of their ids.
        source: what to call them in the message.

    Returns:
        The tokens, unchanged.

    Raises:
        InputError: no tokens, something that is no string, white space around a token, a NUL byte, a special token
            missing, or a token twice.
    """
    if not tokens:
        raise InputError(f"a vocabulary needs one token a line. Received: {source}, which is empty")
    for line, token in enumerate(tokens, 1):
        if not isinstance(token, str):
            raise InputError(f"tokens must be strings. Received: {source} with {token!r:.60} as number {line}")
        if token != token.strip() or "\n" in token:
            raise InputError(f"tokens hold no white space. Received: {source} with {token!r:.60} as number {line}")
        if "\0" in token:
            raise InputError(f"a vocabulary is a text file. Received: {source} with a NUL byte in line {line}")
    missing = [token for token in SPECIAL_TOKENS if token not in set(tokens)]
    if missing:
        raise InputError(
            f"a vocabulary needs {', '.join(SPECIAL_TOKENS)}. Received: {source} without {', '.join(missing)}"
        )
    token, count = Counter(tokens).most_common(1)[0]
    if count > 1:
        lines = ", ".join(str(line) for line, each in enumerate(tokens, 1) if each == token)
        raise InputError(f"every token has one line. Received: {source} with {token!r:.60} in lines {lines:.60}")
    return tokens


def load_vocabulary(path: str | Path) -> list[str]:
    """Read a `vocab.txt` exactly as the original tokenizer does.

    Lines end at a line feed alone (the Chinese vocabulary has a token that other readers take for a line end), and
    white space around a token is taken off.

    Args:
        path: a UTF-8 text file, one token a line.

    Returns:
        The tokens; the index of each is its id.

    Raises:
        InputError: no such file, a folder, an empty file, an encoding that is not UTF-8, NUL bytes, a special token
            missing, a token in two lines.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> save_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##s"], path)
    >>> load_vocabulary(path)[5:]
    ['film', '##s']

    Source: `load_vocab` of github.com/google-research/bert (tokenization.py).
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"a vocabulary is a text file, one token a line. Received: {path}, which is a folder")
    if not path.is_file():
        raise InputError(f"a vocabulary is a text file, one token a line. Received: {path}, which does not exist")
    content = path.read_bytes()
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"a vocabulary is UTF-8 text. Received: {path} with byte 0x{content[error.start]:02x} at {error.start}"
        ) from None
    if lines[0].startswith("\ufeff"):
        raise InputError(f"a vocabulary is UTF-8 text without a byte order mark. Received: {path} with one")
    if lines[-1] == "":
        lines.pop()
    return check_vocabulary([line.strip() for line in lines], str(path))


def save_vocabulary(vocabulary: Iterable[str], path: str | Path) -> None:
    """Write a `vocab.txt`: UTF-8, a token a line; all of it or nothing.

    Args:
        vocabulary: the tokens in the order of their ids.
        path: the file to write.

    Raises:
        InputError: what `load_vocabulary` would refuse.

    Example:

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/vocab.txt"
    >>> save_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"], path)
    >>> load_vocabulary(path)[5]
    'film'

    Source: `vocab.txt` of github.com/google-research/bert.
    """
    tokens = check_vocabulary(list(vocabulary), "the tokens to save")
    with atomic_write(path) as draft:
        draft.write_bytes("".join(token + "\n" for token in tokens).encode("utf-8"))


def learn_vocabulary(texts: Iterable[str], vocab_size: int, lowercase: bool = True) -> list[str]:
    """Learn the WordPiece vocabulary of a corpus: its characters, then the pieces that occur most.

    The words are those that `BertTextVectorization` finds, and the same texts give the same vocabulary each time. At
    most a thousand different characters are kept, the most frequent.

    Args:
        texts: lines or documents.
        vocab_size: how many tokens at most, special tokens included; a small corpus may hold fewer.
        lowercase: lower-case and strip accents first; must be the same where the vocabulary is used.

    Returns:
        The tokens: `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]`, then those learned.

    Raises:
        InputError: `vocab_size` has no room beside the special tokens, no text has a word, or a text is no string.

    Example:

    >>> learn_vocabulary(["a fine film", "fine films"], vocab_size=40)[:5]
    ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']

    Source: Devlin et al. 2018, section 3; the trainer is the `tokenizers` library's.
    """
    import tokenizers

    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int) or vocab_size < len(SPECIAL_TOKENS) + 2:
        raise InputError(f"vocab_size must be an integer above {len(SPECIAL_TOKENS) + 1}. Received: {vocab_size!r}")
    if isinstance(texts, str | bytes):
        raise InputError("texts must be several strings, such as the lines of a corpus. Received: one string")

    lines = list(_words(texts, lowercase))
    counts = Counter()
    for line in lines:
        counts.update(line)
    del counts[" "]
    if not counts:
        raise InputError("a vocabulary is learned from words. Received: texts without any")
    most = min(1000, (vocab_size - len(SPECIAL_TOKENS)) // 2)  # each may take two tokens, "a" and "##a"
    alphabet = sorted(sorted(counts, key=lambda char: (-counts[char], char))[:most])
    # The trainer numbers "##a" and so on as its hash tables happen to list them, and breaks ties by number. Said
    # beforehand, in order, they make it deterministic. Punctuation and Chinese characters never stand inside a word.
    inside = ["##" + char for char in alphabet if not stands_alone(char)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(
        lines,
        tokenizers.trainers.WordPieceTrainer(
            vocab_size=vocab_size,
            special_tokens=[*SPECIAL_TOKENS, *inside],
            initial_alphabet=alphabet,
            limit_alphabet=len(alphabet),
            show_progress=False,
        ),
    )
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.get)


def _words(texts: Iterable[str], lowercase: bool) -> Iterator[str]:
    """The words of every thousand texts, with spaces between."""
    import tensorflow as tf

    normalize = Normalizer(lowercase)

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
    """The tokens of a file, or else those learned from texts: once, since a resumed training needs the same ids.

    Args:
        file: a vocabulary file, or None.
        texts: read only if there is something to learn.
        vocab_size: how many tokens to learn at most.
        lowercase: as in `BertTextVectorization`.
        work: the folder that keeps what was learned.

    Returns:
        The tokens in the order of their ids.
    """
    kept = work / "vocab.txt"
    if file is None and not kept.exists():
        save_vocabulary(learn_vocabulary(texts, vocab_size, lowercase), kept)
    return load_vocabulary(file or kept)
