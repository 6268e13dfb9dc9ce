"""`tokenizer.json` of the tokenizers library, as BERT has it."""

from pathlib import Path

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError

MAX_WORD_LENGTH = 100  # of Hugging Face's tokenizers if a file does not state it
KINDS = {"model": "WordPiece", "normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer"}
# The special tokens around one and two texts, with their segments: "A" and "B" are the texts.
SINGLE = [("[CLS]", 0), ("A", 0), ("[SEP]", 0)]
PAIR = [*SINGLE, ("B", 1), ("[SEP]", 1)]


class OtherTokenizer(InputError):
    """Exception raised for a tokenizer that splits text in another way than BERT's."""


def word_piece(details: dict, file: Path, needs_template: bool) -> tuple[list[str], dict, int]:
    """Read the content of a `tokenizer.json`.

    Args:
        details: the content.
        file: the file, for error messages.
        needs_template: whether the file must say that [CLS] and [SEP] are added.

    Returns:
        The vocabulary without added tokens, the settings of the normalizer, and the length above which a word is
        [UNK].

    Raises:
        OtherTokenizer: it is not a BERT tokenizer.
    """
    parts = {name: details.get(name) if isinstance(details.get(name), dict) else {} for name in KINDS}
    kinds = {name: parts[name].get("type") for name in KINDS}
    model, ids = parts["model"], parts["model"].get("vocab")
    if kinds != KINDS or not isinstance(ids, dict):
        raise OtherTokenizer(
            f"`source` must contain a BERT tokenizer: WordPiece, BertNormalizer and BertPreTokenizer. "
            f"Received: source={file} ({', '.join(f'{kind!s:.40}' for kind in kinds.values())})"
        )
    for name, value in {"unk_token": "[UNK]", "continuing_subword_prefix": "##"}.items():
        if model.get(name, value) != value:
            raise OtherTokenizer(
                f"`source` must have a tokenizer with {name}={value!r}. "
                f"Received: source={file} ({name}={model[name]!r:.60})"
            )
    limit = model.get("max_input_chars_per_word", MAX_WORD_LENGTH)
    if type(limit) is not int or limit < 1:
        raise InputError(
            "`max_input_chars_per_word` must be a positive integer. "
            f"Received: max_input_chars_per_word={limit!r:.60} in {file}"
        )
    if not all(type(number) is int for number in ids.values()) or sorted(ids.values()) != list(range(len(ids))):
        raise OtherTokenizer(f"`source` must number its tokens from 0. Received: source={file} (other ids)")
    _check_template(details.get("post_processor"), file, needs_template)
    # The published Chinese vocabulary has a token of white space. No text contains it after the splitting at spaces,
    # and the original code reads it as "".
    tokens = ["" if token.isspace() else token for token in sorted(ids, key=ids.get)]
    return tokens, parts["normalizer"], limit


def tokenizer_json(vectorizer, added_tokens: dict[str, dict]) -> dict:
    """Return the content of the `tokenizer.json` of a vectorizer.

    Args:
        vectorizer: a `BertTextVectorization`.
        added_tokens: id to the settings of a special or added token.
    """
    splitting = vectorizer.splitting
    added_names = {token["content"] for token in added_tokens.values()} - set(SPECIAL_TOKENS)
    tokens = vectorizer.get_vocabulary()
    last = len(tokens)
    while last and tokens[last - 1] in added_names:  # the library appends these
        last -= 1
    special_ids = {token: vectorizer.token_to_id(token) for token in ("[CLS]", "[SEP]")}

    def template(pieces: list) -> list:
        return [
            {"Sequence" if name in "AB" else "SpecialToken": {"id": name, "type_id": type_id}}
            for name, type_id in pieces
        ]

    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": int(number), **token} for number, token in sorted(added_tokens.items(), key=_number)],
        "normalizer": {
            "type": KINDS["normalizer"],
            "clean_text": True,
            "handle_chinese_chars": splitting.split_on_cjk,
            "strip_accents": splitting.strip_accents,
            "lowercase": bool(vectorizer.lowercase),
        },
        "pre_tokenizer": {"type": KINDS["pre_tokenizer"]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": template(SINGLE),
            "pair": template(PAIR),
            "special_tokens": {
                token: {"id": token, "ids": [number], "tokens": [token]} for token, number in special_ids.items()
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": KINDS["model"],
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": splitting.max_word_length,
            "vocab": {token: number for number, token in enumerate(tokens[:last])},
        },
    }


def _number(item: tuple[str, dict]) -> int:
    return int(item[0])


def _check_template(processor, file: Path, is_needed: bool) -> None:
    """Raise OtherTokenizer if other tokens than [CLS] and [SEP] are added around the texts."""
    if processor is None and not is_needed:
        return
    try:
        if processor["type"] == "BertProcessing":
            names = processor["cls"][0], processor["sep"][0]
            found = {"single": SINGLE, "pair": PAIR} if names == ("[CLS]", "[SEP]") else {}
        else:
            found = {
                name: [(piece["id"], piece["type_id"]) for item in processor[name] for piece in item.values()]
                for name in ("single", "pair")
            }
    except (TypeError, KeyError, IndexError, AttributeError):
        found = {}
    if found != {"single": SINGLE, "pair": PAIR}:
        kind = processor.get("type") if isinstance(processor, dict) else processor
        raise OtherTokenizer(
            "`source` must have a tokenizer that adds [CLS] and [SEP] as BERT does. "
            f"Received: source={file} (post_processor {kind!s:.40})"
        )
