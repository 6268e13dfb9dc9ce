"""Rows of token ids and targets for a model, from texts or token ids with labels."""

import numpy as np

from keras_bert.data.examples import Examples
from keras_bert.data.id_arrays import row_lengths
from keras_bert.errors import InputError
from keras_bert.models.encoder_of import encoder_of
from keras_bert.tasks import Preprocessor
from keras_bert.tasks.class_names import to_class_ids

CHUNK = 8192  # texts that are vectorized at a time, so that only their padding is in memory


def model_rows(model, examples: Examples, vectorizer=None, name: str = "inputs") -> tuple[dict, object]:
    """Convert examples to token ids and numbers.

    Args:
        model: a model with a head, or a functional model on a `BertEncoder`.
        examples: what `read_examples` returns.
        vectorizer: a `BertTextVectorization`, or None for that of the model.
        name: the argument of the texts, for messages.

    Returns:
        A dict of the encoder's inputs, int32 `[N, T]` each, and the labels with class ids in place of names.

    Raises:
        InputError: there are texts and no vectorizer, or labels that are not the model's class names.
    """
    labels = to_class_ids(examples.labels, getattr(model, "labels", None))
    if examples.ids is not None:
        return examples.ids, labels
    output = model.output
    if isinstance(output, dict) or (getattr(model, "kind", None) is not None and output.ndim == 3):
        raise InputError(
            f"`{name}` must be token ids for a {type(model).__name__}, whose labels are positions of tokens. "
            "Received: texts"
        )
    return vectorize(examples.texts, preprocessor_of(model, vectorizer, name)), labels


def preprocessor_of(model, vectorizer=None, name: str = "inputs") -> Preprocessor:
    """Return the preprocessor of a model, with a given vectorizer or with that of its encoder.

    Raises:
        InputError: there is no vectorizer, or it does not have the size of the encoder's vocabulary.
    """
    encoder = encoder_of(model)
    vectorizer = encoder.vectorizer if vectorizer is None else vectorizer
    if vectorizer is None:
        raise InputError(
            f"`vectorizer` must be given for a model that has none, if `{name}` are texts. Received: vectorizer=None. "
            "Models of `from_pretrained` have one; otherwise pass `BertTextVectorization(vocabulary)`."
        )
    return Preprocessor.from_vectorizer(vectorizer, encoder)


def vectorize(texts, preprocessor: Preprocessor) -> dict:
    """Convert texts or pairs to ids that are padded to the longest row, int32 `[N, T]` each.

    Texts that are longer than the preprocessor's rows are truncated, with a warning.

    Args:
        texts: list of N strings, or a tuple of two such lists.
        preprocessor: `Preprocessor`.
    """
    columns = texts if isinstance(texts, tuple) else (texts,)
    parts = []
    for start in range(0, max(1, len(columns[0])), CHUNK):
        chunk = tuple(column[start : start + CHUNK] for column in columns)
        ids = preprocessor(chunk if isinstance(texts, tuple) else chunk[0])
        width = max(1, int(row_lengths(ids).max(initial=1)))
        parts.append({key: array[:, :width] for key, array in ids.items()})
    preprocessor.long_texts.warn()
    width = max(part["input_mask"].shape[1] for part in parts)
    pad = preprocessor.vocabulary.index("[PAD]")
    return {
        key: np.concatenate(
            [
                np.pad(
                    part[key],
                    ((0, 0), (0, width - part[key].shape[1])),
                    constant_values=pad if key == "input_word_ids" else 0,
                )
                for part in parts
            ]
        )
        for key in parts[0]
    }
