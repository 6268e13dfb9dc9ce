"""Hugging Face's files of a BERT tokenizer: `vocab.txt`, `tokenizer.json`, `tokenizer_config.json`."""

import dataclasses
from pathlib import Path

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.text.vocabulary import check_vocabulary, load_vocabulary, save_vocabulary
from keras_bert.weights.json_file import read_json, write_json

CONFIG = "tokenizer_config.json"
# The settings of an added token that matches exactly its characters, anywhere in a text.
PLAIN = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": False}


@dataclasses.dataclass
class Tokenizer:
    """The settings of a tokenizer.

    Attributes:
        vocabulary: the tokens in the order of their ids, added ones included; None without a vocabulary.
        lowercase: whether text is lowercased and stripped of accents.
        added_tokens: the tokens that stay whole in a text, without BERT's special tokens.
    """

    vocabulary: list[str] | None
    lowercase: bool = True
    added_tokens: list[str] = dataclasses.field(default_factory=list)


class OtherTokenizer(InputError):
    """Exception raised for a tokenizer that splits text in another way than BERT's."""


def has_tokenizer(path: Path) -> bool:
    """Return whether a folder has the files of a tokenizer."""
    return (path / "tokenizer.json").is_file() or all((path / name).is_file() for name in ("vocab.txt", CONFIG))


def read_tokenizer(path: Path) -> Tokenizer:
    """Read the tokenizer of a folder.

    `vocab.txt` is preferred. Newer versions of transformers write `tokenizer.json` alone.

    Args:
        path: the folder.

    Returns:
        A `Tokenizer`.

    Raises:
        OtherTokenizer: the tokenizer splits text in another way than BERT's.
        InputError: a file is damaged.
    """
    settings = _read(path / CONFIG)
    details = _read(path / "tokenizer.json")
    lowercase = settings.get("do_lower_case", True)
    if (path / "vocab.txt").is_file():
        vocabulary = load_vocabulary(path / "vocab.txt")
    elif details:
        lowercase, vocabulary = _read_word_piece(details, path / "tokenizer.json")
    else:
        return Tokenizer(None, bool(lowercase))
    _check_normalization(settings, lowercase, path / CONFIG)
    return _with_added_tokens(Tokenizer(vocabulary, bool(lowercase)), _added_tokens(path, settings, details), path)


def write_tokenizer(vectorizer, path: Path) -> None:
    """Write the files from which `BertTokenizer.from_pretrained` of transformers makes the same tokenizer.

    Args:
        vectorizer: a `BertTextVectorization`.
        path: the folder.
    """
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": bool(vectorizer.lowercase)}
    if vectorizer.added_tokens:
        settings["added_tokens_decoder"] = {
            str(vectorizer.token_to_id(token)): {"content": token, **PLAIN, "special": token in SPECIAL_TOKENS}
            for token in [*SPECIAL_TOKENS, *vectorizer.added_tokens]
        }
    save_vocabulary(vectorizer.get_vocabulary(), path / "vocab.txt")
    write_json(path / CONFIG, settings)


def _read(file: Path) -> dict:
    return read_json(file) if file.is_file() else {}


def _read_word_piece(details: dict, file: Path) -> tuple[bool, list[str]]:
    """Read `lowercase` and the vocabulary of a `tokenizer.json`; raise OtherTokenizer if it is not a BERT tokenizer."""
    model, normalizer = details.get("model") or {}, details.get("normalizer") or {}
    kinds = model.get("type"), normalizer.get("type"), (details.get("pre_tokenizer") or {}).get("type")
    ids = model.get("vocab")
    if kinds != ("WordPiece", "BertNormalizer", "BertPreTokenizer") or not isinstance(ids, dict):
        raise OtherTokenizer(
            f"`source` must contain a BERT tokenizer: WordPiece, BertNormalizer and BertPreTokenizer. "
            f"Received: source={file} ({', '.join(map(str, kinds))})"
        )
    if sorted(ids.values()) != list(range(len(ids))):
        raise OtherTokenizer(f"`source` must number its tokens from 0. Received: source={file} (other ids)")
    lowercase = bool(normalizer.get("lowercase", True))
    _check_normalization(
        {**normalizer, "tokenize_chinese_chars": normalizer.get("handle_chinese_chars", True)}, lowercase, file
    )
    return lowercase, check_vocabulary(sorted(ids, key=ids.get), file)


def _check_normalization(settings: dict, lowercase: bool, file: Path) -> None:
    """Raise InputError if text is normalized in another way than the original code does."""
    expected = {"strip_accents": (None, bool(lowercase)), "tokenize_chinese_chars": (True,), "clean_text": (True,)}
    for name, values in expected.items():
        if settings.get(name, values[0]) not in values:
            raise OtherTokenizer(
                f"`source` must have a tokenizer with {name}={values[-1]}, as BERT has with lowercase={lowercase}. "
                f"Received: source={file} ({name}={settings[name]})"
            )


def _added_tokens(path: Path, settings: dict, details: dict) -> dict[str, dict]:
    """Collect the added tokens of all files: content to settings, with the id."""
    found = {}
    for token in details.get("added_tokens") or []:
        found[token["content"]] = token
    for number, token in (settings.get("added_tokens_decoder") or {}).items():
        found[token["content"]] = {**token, "id": int(number)}
    for content, number in _read(path / "added_tokens.json").items():
        found.setdefault(content, {**PLAIN, "content": content, "id": number})
    return {content: token for content, token in found.items() if content not in SPECIAL_TOKENS}


def _with_added_tokens(tokenizer: Tokenizer, added: dict[str, dict], path: Path) -> Tokenizer:
    """Append the added tokens to the vocabulary; raise OtherTokenizer if one has other settings than `PLAIN`."""
    for content, token in sorted(added.items(), key=lambda item: item[1]["id"]):
        # A normalized token also matches in other capitals. Without `lowercase` there is no difference.
        ignored = () if tokenizer.lowercase else ("normalized",)
        differing = [name for name, value in PLAIN.items() if name not in ignored and token.get(name, value) != value]
        if differing:
            raise OtherTokenizer(
                f"`source` must have added tokens that match exactly, as AddedToken(token, normalized=False) does. "
                f"Received: source={path} ({content!r:.40} with {differing[0]}={token[differing[0]]})"
            )
        vocabulary = tokenizer.vocabulary
        if content not in vocabulary[token["id"] : token["id"] + 1] and token["id"] != len(vocabulary):
            raise OtherTokenizer(
                "`source` must number its added tokens after the vocabulary. "
                f"Received: source={path} ({content!r:.40} with id {token['id']}, {len(vocabulary)} tokens)"
            )
        if token["id"] == len(vocabulary):
            vocabulary.append(content)
        tokenizer.added_tokens.append(content)
    return tokenizer
