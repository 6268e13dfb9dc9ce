"""What a model has for its texts: the vectorizer, the names of its classes, and settings of its training data.

These attributes are not part of the weights or of `get_config`. `kb.save_pretrained` writes them to a folder, and
`kb.load_pretrained` reads them from it.
"""

from collections.abc import Callable

from keras_bert import keras_internals
from keras_bert.errors import InputError

HEAD_ATTRIBUTES = ("labels", "pairs", "no_answer")
TEXT_ATTRIBUTES = ("vectorizer", *HEAD_ATTRIBUTES)


class TextAttributes:
    """Mixin of models: attributes that Keras neither tracks nor saves.

    A Keras layer tracks every layer that is assigned to it, so a vectorizer would become a part of the model.

    Attributes:
        vectorizer: the `BertTextVectorization` of the encoder's vocabulary, or None. An encoder and all models with a
            head on it have the same one.
        labels: names of the C classes in the order of the logits, or None.
        pairs: of a classifier, whether it was trained on pairs of texts; None if unknown.
        no_answer: of a span labeler, whether its training data had questions without an answer; None if unknown.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config))
    >>> model.encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    >>> model.vectorizer.vocabulary_size(), len(model.layers) == len(kb.BertClassifier(model.encoder).layers)
    (6, True)

    Source: `Task.preprocessor` of KerasHub.
    """

    labels = None
    pairs = None
    no_answer = None

    def __setattr__(self, name, value):
        if name in TEXT_ATTRIBUTES:
            keras_internals.set_untracked(self, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def vectorizer(self):
        """The vectorizer. It is created at its first use if a function was assigned, because it needs TensorFlow."""
        owner = getattr(self, "encoder", self)
        value = owner.__dict__.get("_vectorizer")
        if value is not None and not hasattr(value, "get_vocabulary"):
            value = value()
            keras_internals.set_untracked(owner, "_vectorizer", value)
        return value

    @vectorizer.setter
    def vectorizer(self, value: Callable | None):
        owner = getattr(self, "encoder", self)
        if hasattr(value, "get_vocabulary"):
            tokens, expected = value.vocabulary_size(), owner.config.vocab_size
            if tokens != expected:
                raise InputError(
                    f"`vectorizer` must have as many tokens as the encoder's vocab_size, {expected}. "
                    f"Received: {tokens} tokens"
                )
        elif value is not None and not callable(value):
            raise InputError(f"`vectorizer` must be a BertTextVectorization. Received: {type(value).__name__}")
        keras_internals.set_untracked(owner, "_vectorizer", value)


def copy_text_attributes(source, target, names=TEXT_ATTRIBUTES) -> None:
    """Copy the attributes of `names` from one model to another; a vectorizer that is not created yet stays so."""
    for name in names:
        if name == "vectorizer":
            value = getattr(source, "encoder", source).__dict__.get("_vectorizer")
            keras_internals.set_untracked(getattr(target, "encoder", target), "_vectorizer", value)
        else:
            setattr(target, name, getattr(source, name, None))
