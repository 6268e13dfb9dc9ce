"""How a tokenizer splits texts into words, where it differs from the original one."""

import dataclasses

from keras_bert.errors import InputError

MAX_WORD_LENGTH = 200  # of the original code: a longer word becomes [UNK]

# In regular expressions, of Python and of TensorFlow. A plain text has no control character that BERT removes.
ASCII_PUNCTUATION = "!-/:-@\\[-`{-~"
PLAIN_TEXT = "[\t\n\r -~]*"


@dataclasses.dataclass(frozen=True)
class Splitting:
    """The settings that other tokenizers of BERT models have; the default values are those of the original code.

    Args:
        strip_accents: decompose characters (NFD) and remove accents; None does so for lowercased texts only.
        split_on_cjk: make each Chinese character a word.
        max_word_length: the number of characters above which a word becomes [UNK]; 100 in Hugging Face's tokenizers.
        normalized_tokens: those of the added tokens that match the normalized text instead of the text as it is: with
            lowercasing, `[e1]` then also matches in `[E1]`.

    Raises:
        InputError: a value has another type.

    Example:

    >>> Splitting(strip_accents=False).changes()
    {'strip_accents': False}

    Source: `BertNormalizer`, `WordPiece` and `AddedToken` of Hugging Face's tokenizers.
    """

    strip_accents: bool | None = None
    split_on_cjk: bool = True
    max_word_length: int = MAX_WORD_LENGTH
    normalized_tokens: tuple[str, ...] = ()

    def __post_init__(self):
        def fail(name: str, expected: str):
            raise InputError(f"`{name}` must be {expected}. Received: {name}={getattr(self, name)!r:.60}")

        if self.strip_accents is not None and not isinstance(self.strip_accents, bool):
            fail("strip_accents", "True, False or None")
        if not isinstance(self.split_on_cjk, bool):
            fail("split_on_cjk", "True or False")
        if isinstance(self.max_word_length, bool) or not isinstance(self.max_word_length, int):
            fail("max_word_length", "an integer of at least 1")
        if self.max_word_length < 1:
            fail("max_word_length", "an integer of at least 1")
        tokens = self.normalized_tokens
        if not isinstance(tokens, list | tuple) or not all(isinstance(each, str) for each in tokens):
            fail("normalized_tokens", "a list of strings")
        object.__setattr__(self, "normalized_tokens", tuple(tokens))

    def strips_accents(self, lowercase: bool) -> bool:
        """Return whether accents are removed from texts."""
        return bool(lowercase) if self.strip_accents is None else self.strip_accents

    def changes(self) -> dict:
        """Return the settings that differ from those of the original code, as values of JSON."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        found["normalized_tokens"] = list(self.normalized_tokens)
        return {name: value for name, value in found.items() if value != SETTINGS[name]}

    @classmethod
    def from_dict(cls, values) -> "Splitting":
        """Create the settings from a dict that has other entries too; a missing setting has its default value.

        Raises:
            InputError: a value has another type.
        """
        return cls(**{name: values[name] for name in SETTINGS if name in values})


# Name: default value, as in JSON.
SETTINGS = {"strip_accents": None, "split_on_cjk": True, "max_word_length": MAX_WORD_LENGTH, "normalized_tokens": []}
ORIGINAL = Splitting()
