"""The settings of the vectorizers of pretrained models, for `BertTextVectorization.from_pretrained`."""

from collections.abc import Callable

from keras_bert.text.added_tokens import check_added_tokens

_READERS: list[Callable] = []  # one function; filled by `register_reader`


def register_reader(read: Callable) -> None:
    """Register the function that reads the settings of a source.

    The package `keras_bert.weights` calls this when it is imported, so that the vectorizer imports no file format.

    Args:
        read: function of a source; returns a dict with `vocabulary`, `lowercase`, `sequence_length`, `added_tokens`.
    """
    _READERS[:] = [read]


class FromPretrained:
    """Base class of `BertTextVectorization`, with the method that creates the vectorizer of a source."""

    @classmethod
    def from_pretrained(cls, source, **kwargs):
        """Create the vectorizer of a pretrained model, without loading the model where the format allows it.

        Args:
            source: a name or an address such as `hf://NAME`, as for `kb.load_pretrained`; a folder of any format, or of
                a Hugging Face tokenizer (`vocab.txt` or `tokenizer.json`, with `tokenizer_config.json`).
            **kwargs: arguments of the class that replace those of the source, such as `sequence_length`.
                `added_tokens` are added to those of the source.

        Returns:
            A `BertTextVectorization`.

        Raises:
            InputError: the source does not exist, has no WordPiece vocabulary, or is a tokenizer with other settings
                than BERT's.

        Example:

        >>> import keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization.from_pretrained("bert_en_uncased_mini", sequence_length=8)
        >>> vectorizer.id_to_token(vectorizer("a fine film")["input_word_ids"])
        ['[CLS]', 'a', 'fine', 'film', '[SEP]', '[PAD]', '[PAD]', '[PAD]']

        Source: `from_preset` of KerasHub and `from_pretrained` of Hugging Face transformers.
        """
        return cls(**pretrained_arguments(source, **kwargs))


def pretrained_arguments(source, **kwargs) -> dict:
    """Return the arguments of the vectorizer of a pretrained model.

    Args:
        source: as for `BertTextVectorization.from_pretrained`.
        **kwargs: arguments that replace those of the source; `added_tokens` are added to those of the source.
    """
    if not _READERS:
        raise RuntimeError("No file formats are registered. Run `import keras_bert.weights` first.")
    found = _READERS[0](source)
    added = check_added_tokens(kwargs.pop("added_tokens", ()))
    return {**found, **kwargs, "added_tokens": list(dict.fromkeys([*found["added_tokens"], *added]))}
