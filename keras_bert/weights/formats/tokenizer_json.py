"""`tokenizer.json` of the tokenizers library, as BERT has it."""

from pathlib import Path

from keras_bert.errors import InputError

LIMIT, MAX_WORD_LENGTH = "max_input_chars_per_word", 100  # of Hugging Face's tokenizers if a file does not state it
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
    check_settings(model, {"unk_token": "[UNK]", "continuing_subword_prefix": "##"}, file)
    limit = check_limit(model.get(LIMIT, MAX_WORD_LENGTH), file)
    if not all(type(number) is int for number in ids.values()) or sorted(ids.values()) != list(range(len(ids))):
        raise OtherTokenizer(f"`source` must number its tokens from 0. Received: source={file} (other ids)")
    _check_template(details.get("post_processor"), file, needs_template)
    # The published Chinese vocabulary has white space as a token, and as its continuation. No word contains them, and
    # the original code reads them as "" and "##".
    tokens = sorted(ids, key=ids.get)
    tokens = [token if token.removeprefix("##").strip() else token.strip() for token in tokens]
    return tokens, parts["normalizer"], limit


def check_settings(found: dict, expected: dict[str, str], source: Path) -> None:
    """Raise OtherTokenizer if a setting is there with another value than the only one that this package supports."""
    for name, value in expected.items():
        if found.get(name, value) != value:
            raise OtherTokenizer(
                f"`source` must have a tokenizer with {name}={value!r}. "
                f"Received: source={source} ({name}={found[name]!r:.60})"
            )


def check_limit(limit, file: Path) -> int:
    """Return the number of characters above which a word is [UNK]; raise InputError if it is none."""
    if type(limit) is not int or limit < 1:
        raise InputError(f"`{LIMIT}` must be an integer of at least 1. Received: {LIMIT}={limit!r:.60} in {file}")
    return limit


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
