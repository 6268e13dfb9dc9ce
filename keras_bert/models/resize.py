"""The number of token embeddings: a copy of an encoder with more of them, and a check against a vocabulary."""

from keras import ops

from keras_bert.errors import InputError
from keras_bert.models.change_config import custom_classes
from keras_bert.models.copy_weights import assign_weights


class ResizableEmbeddings:
    """Base class of `BertEncoder`, with the method that adds token embeddings."""

    def resize_token_embeddings(self, vocab_size: int):
        """Return a copy of the encoder with more token embeddings, for tokens that were added to the vocabulary.

        The first V rows of the table are those of this encoder. The new rows have random values from the initializer,
        so fine-tune them. Put a new head on the copy: a masked-LM head has one bias per token.

        Args:
            vocab_size: the new number of tokens, at least V.

        Returns:
            A new `BertEncoder` that shares no weights with this one. Unlike in Hugging Face transformers, this encoder
            is not changed.

        Raises:
            InputError: `vocab_size` is below V, or the table is quantized or has LoRA enabled.

        Example:

        >>> import keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization.from_pretrained("bert_en_uncased_mini", added_tokens=["[E1]"])
        >>> encoder = kb.BertEncoder.from_pretrained("bert_en_uncased_mini")
        >>> encoder = encoder.resize_token_embeddings(len(vectorizer))
        >>> encoder.config.vocab_size == vectorizer.token_to_id("[E1]") + 1
        True

        Source: `resize_token_embeddings` of Hugging Face transformers.
        """
        size = self.config.vocab_size
        if isinstance(vocab_size, bool) or not isinstance(vocab_size, int) or vocab_size < size:
            raise InputError(
                f"`vocab_size` must be an integer of at least {size}, the number of tokens of the encoder. "
                f"Received: vocab_size={vocab_size!r:.60}"
            )
        check_plain_table(self)
        config = self.get_config()
        config["config"] = {**config["config"], "vocab_size": vocab_size}
        with custom_classes(self):
            resized = type(self).from_config(config)
        values = [
            old if old.shape == new.shape else ops.concatenate([old, new[size:]])  # the table [V, E]
            for old, new in zip(self.weights, resized.weights, strict=True)
        ]
        assign_weights(resized.weights, values)
        return resized


def check_plain_table(encoder) -> None:
    """Raise InputError if the word embeddings are quantized or have LoRA: their rows are then not in one table."""
    table = encoder.embeddings.word_embeddings
    if table.quantization_mode or getattr(table, "lora_enabled", False):
        received = table.quantization_mode or "word embeddings with LoRA"
        raise InputError(
            "`encoder` must be neither quantized nor have LoRA in its word embeddings, to change their number. "
            f"Received: {received}"
        )


def check_vocabulary_size(encoder, vectorizer) -> None:
    """Raise an error if an encoder and a vocabulary have different sizes.

    Args:
        encoder: a `BertEncoder`.
        vectorizer: a `BertTextVectorization`, or the number of tokens of the vocabulary as an int.

    Raises:
        InputError: if the number of tokens is not `encoder.config.vocab_size`.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> check_vocabulary_size(kb.BertEncoder(config), 9)
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: `vectorizer` must have as many tokens as the encoder's vocab_size, 8. ...
    """
    tokens = vectorizer if isinstance(vectorizer, int) else vectorizer.vocabulary_size()
    if tokens != encoder.config.vocab_size:
        hint = (
            f". For added tokens use `encoder.resize_token_embeddings({tokens})`, or take tokens that the vocabulary "
            "has, such as [unused0]."
        )
        raise InputError(
            f"`vectorizer` must have as many tokens as the encoder's vocab_size, {encoder.config.vocab_size}. "
            f"Received: {tokens} tokens{hint if tokens > encoder.config.vocab_size else ''}"
        )
