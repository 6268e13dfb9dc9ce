"""Hugging Face's files of a BERT tokenizer: `tokenizer.json`, `vocab.txt`, `tokenizer_config.json`."""

import dataclasses
from pathlib import Path

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.text.added_tokens import check_added_tokens
from keras_bert.text.offsets import check_normalized_tokens
from keras_bert.text.splitting import ORIGINAL, Splitting
from keras_bert.text.vocabulary import check_vocabulary, load_vocabulary, save_vocabulary
from keras_bert.weights.formats.tokenizer_json import (
    LIMIT,
    MAX_WORD_LENGTH,
    OtherTokenizer,
    check_limit,
    check_settings,
    word_piece,
)
from keras_bert.weights.json_file import read_json, write_json

CONFIG = "tokenizer_config.json"
# Classes that `tokenizer.json` describes completely. The others set the normalizer from `tokenizer_config.json`.
GENERIC_CLASSES = ("PreTrainedTokenizerFast", "TokenizersBackend")
BERT_CLASSES = tuple(
    f"{model}Tokenizer{suffix}"
    for model in ("Bert", "DistilBert", "Electra", "MobileBert")
    for suffix in ("", "Fast", "Legacy")
)
SPECIAL_NAMES = dict(
    zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL_TOKENS, strict=True)
)


@dataclasses.dataclass
class Tokenizer:
    """The settings of a tokenizer.

    Attributes:
        vocabulary: the tokens in the order of their ids, added ones included; None without a vocabulary.
        lowercase: whether text is lowercased.
        added_tokens: the tokens that stay whole in a text, without BERT's special tokens.
        splitting: the settings that differ from those of the original code.
    """

    vocabulary: list[str] | None
    lowercase: bool = True
    added_tokens: list[str] = dataclasses.field(default_factory=list)
    splitting: Splitting = ORIGINAL


def has_tokenizer(path: Path) -> bool:
    """Return whether a folder has the files of a tokenizer."""
    return (path / "tokenizer.json").is_file() or all((path / name).is_file() for name in ("vocab.txt", CONFIG))


def read_tokenizer(path: Path) -> Tokenizer:
    """Read the tokenizer of a folder, as transformers 5 does.

    `tokenizer.json` contains the vocabulary and the normalizer; older folders have `vocab.txt`. Settings in
    `tokenizer_config.json` replace those of the normalizer, except with the classes of `GENERIC_CLASSES`.

    Args:
        path: the folder.

    Returns:
        A `Tokenizer`.

    Raises:
        OtherTokenizer: the tokenizer gives other ids than BERT's with settings that this package supports.
        InputError: a file is damaged.
    """
    settings, details = _read(path / CONFIG), _read(path / "tokenizer.json")
    is_generic = _check_class(path, settings)
    _check_special_tokens(path, settings)
    normalizer, limit = {}, check_limit(settings.get(LIMIT, MAX_WORD_LENGTH), path / CONFIG)
    if details:
        vocabulary, normalizer, limit = word_piece(details, path / "tokenizer.json", needs_template=is_generic)
        check_vocabulary(vocabulary, path / "tokenizer.json")
    elif (path / "vocab.txt").is_file():
        vocabulary = load_vocabulary(path / "vocab.txt")
    else:
        return Tokenizer(None)

    def setting(name: str, name_in_json: str, default):
        if name in settings and not is_generic:
            return settings[name]
        return normalizer.get(name_in_json, default)

    lowercase = setting("do_lower_case", "lowercase", True)
    accents = setting("strip_accents", "strip_accents", None)
    split_on_cjk = setting("tokenize_chinese_chars", "handle_chinese_chars", True)
    for name, value in {"do_lower_case": lowercase, "tokenize_chinese_chars": split_on_cjk}.items():
        if not isinstance(value, bool):
            raise InputError(f"`{name}` must be true or false. Received: {name}={value!r:.60} in {path}")
    if not setting("clean_text", "clean_text", True) or not normalizer.get("clean_text", True):
        raise OtherTokenizer(
            f"`source` must have a tokenizer with clean_text=True. Received: source={path} (clean_text=False)"
        )
    accents = None if accents is lowercase else accents
    splitting = Splitting(accents, split_on_cjk, limit)
    return _with_added_tokens(
        Tokenizer(vocabulary, lowercase, [], splitting), _added_tokens(path, settings, details), path
    )


def write_tokenizer(vectorizer, path: Path) -> None:
    """Write the files from which `AutoTokenizer.from_pretrained` of transformers makes the same tokenizer.

    Its `BertTokenizer` has a fixed limit of 100 characters per word; only this package reads another one.

    Args:
        vectorizer: a `BertTextVectorization`.
        path: the folder.
    """
    splitting = vectorizer.splitting
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": bool(vectorizer.lowercase)}
    if splitting.strip_accents is not None:
        settings["strip_accents"] = splitting.strip_accents
    if not splitting.split_on_cjk:
        settings["tokenize_chinese_chars"] = False
    if splitting.max_word_length != MAX_WORD_LENGTH:
        settings[LIMIT] = splitting.max_word_length
    if vectorizer.added_tokens:
        settings["added_tokens_decoder"] = {
            str(vectorizer.token_to_id(token)): {
                **{"content": token, "lstrip": False, "rstrip": False, "single_word": False},
                "normalized": token in splitting.normalized_tokens,
                "special": token in SPECIAL_TOKENS,
            }
            for token in [*SPECIAL_TOKENS, *vectorizer.added_tokens]
        }
    save_vocabulary(vectorizer.get_vocabulary(), path / "vocab.txt")
    write_json(path / CONFIG, settings)


def _check_class(path: Path, settings: dict) -> bool:
    """Return whether the tokenizer's class is one of `GENERIC_CLASSES`; raise OtherTokenizer for an unknown one."""
    name = settings.get("tokenizer_class")
    if name is None and (path / "config.json").is_file():
        name = read_json(path / "config.json").get("tokenizer_class")
    if name is not None and str(name) not in (*GENERIC_CLASSES, *BERT_CLASSES):
        raise OtherTokenizer(
            f"`source` must contain a BERT tokenizer. Received: source={path} (tokenizer_class={name!r:.60})"
        )
    check_settings(settings, {"padding_side": "right", "truncation_side": "right"}, path)
    return str(settings.get("tokenizer_class")) in GENERIC_CLASSES


def _check_special_tokens(path: Path, settings: dict) -> None:
    """Raise OtherTokenizer if [CLS], [SEP], [PAD], [UNK] or [MASK] has another name."""
    for found in (settings, _read(path / "special_tokens_map.json")):
        for name, token in SPECIAL_NAMES.items():
            value = found.get(name)
            value = value.get("content") if isinstance(value, dict) else value
            if value is not None and value != token:
                raise OtherTokenizer(
                    f"`source` must have a tokenizer with {name}={token!r}, as BERT has. "
                    f"Received: source={path} ({name}={value!r:.60})"
                )


def _added_tokens(path: Path, settings: dict, details: dict) -> list[dict]:
    """Collect the added tokens of all files as dicts with `content`, `id` and settings, in the order of the ids."""
    older, special = _read(path / "added_tokens.json"), _read(path / "special_tokens_map.json")
    found = {}
    try:
        for token in details.get("added_tokens") or []:
            found[token["content"]] = token
        for number, token in (settings.get("added_tokens_decoder") or {}).items():
            found[token["content"]] = {**token, "id": int(number)}
        names = [
            token["content"] if isinstance(token, dict) else token
            for each in (settings, special)
            for token in each.get("additional_special_tokens") or []
        ]
        for content, number in older.items():
            found.setdefault(content, {"content": content, "id": number, "special": content in names})
        tokens = [token for content, token in found.items() if content not in SPECIAL_TOKENS]
        if not all(type(token["id"]) is int and isinstance(token["content"], str) for token in tokens):
            raise TypeError("an id is no integer")
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise InputError(
            "`source` must have added tokens as the tokenizers library writes them. "
            f"Received: source={path} ({type(error).__name__}: {error})"
        ) from None
    return sorted(tokens, key=lambda token: token["id"])


def _read(file: Path) -> dict:
    return read_json(file) if file.is_file() else {}


def _with_added_tokens(tokenizer: Tokenizer, added: list[dict], path: Path) -> Tokenizer:
    """Append the added tokens to the vocabulary; raise OtherTokenizer if one has settings that change other ids."""
    normalized = []
    for token in added:
        content, vocabulary = token["content"], tokenizer.vocabulary
        if token.get("single_word"):  # `lstrip` and `rstrip` change no id: BERT removes white space
            raise OtherTokenizer(
                "`source` must have added tokens that also match inside words, as AddedToken(token) does. "
                f"Received: source={path} ({content!r:.40} with single_word=True)"
            )
        if content not in vocabulary[token["id"] : token["id"] + 1] and token["id"] != len(vocabulary):
            raise OtherTokenizer(
                "`source` must number its added tokens after the vocabulary. "
                f"Received: source={path} ({content!r:.40} with id {token['id']}, {len(vocabulary)} tokens)"
            )
        if token["id"] == len(vocabulary):
            vocabulary.append(content)
        tokenizer.added_tokens.append(content)
        if token.get("normalized", not token.get("special", False)):
            normalized.append(content)
    tokenizer.splitting = dataclasses.replace(tokenizer.splitting, normalized_tokens=normalized)
    try:
        check_added_tokens(tokenizer.added_tokens)
        check_normalized_tokens(tokenizer.splitting, tokenizer.lowercase, tokenizer.added_tokens)
        check_vocabulary(tokenizer.vocabulary, path)
    except InputError as error:
        raise OtherTokenizer(
            f"`source` must have added tokens as BertTextVectorization. Received: source={path} ({error})"
        ) from None
    return tokenizer
