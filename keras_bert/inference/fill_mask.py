"""Prediction of masked tokens by a pretrained model."""

from collections.abc import Callable, Iterator

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.tasks import Preprocessor
from keras_bert.tasks.classification import softmax


def fill_mask(pretrained, texts: list[str], top_k: int = 5) -> list[dict]:
    """Predict the most probable tokens at every `[MASK]` in texts.

    Of a text that is longer than the rows of the model, each `[MASK]` is predicted from a row of the tokens around it.

    Args:
        pretrained: what `kb.load_pretrained` returns for a `BertPretrainer`.
        texts: N strings, each with at least one `[MASK]`.
        top_k: number of tokens per mask.

    Returns:
        A list of N dicts: `text`, and `masks`, one dict per `[MASK]` with `position` (index of the token; 0 is `[CLS]`)
        and `predictions`, a list of `{"token", "probability"}`, the most probable first. Probabilities are over the
        vocabulary.

    Raises:
        InputError: the model has no masked-LM head, or a text has no `[MASK]`.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertPretrainer(kb.BertEncoder(config))
    >>> pretrained = kb.load_pretrained(kb.save_pretrained(model, tempfile.mkdtemp() + "/bert", vectorizer))
    >>> [len(mask["predictions"]) for mask in fill_mask(pretrained, ["a [MASK]"], top_k=3)[0]["masks"]]
    [3]

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1, task 1.
    """
    if pretrained.kind != "pretrainer":
        raise InputError(
            f"`pretrained` must have a masked-LM head. Received: {pretrained.path} (a model of kind {pretrained.kind})"
        )
    return predict_masks(
        eager_outputs(pretrained.model),
        pretrained.vocabulary,
        mask_vectorizer(Preprocessor.from_pretrained(pretrained)),
        texts,
        top_k,
    )


def eager_outputs(model) -> Callable:
    """Return a function that calls a model eagerly. A compiled one would be traced again for each new input shape."""
    from keras import ops

    def predict(inputs: dict) -> dict[str, np.ndarray]:
        return {name: ops.convert_to_numpy(value) for name, value in model(inputs, training=False).items()}

    return predict


def mask_vectorizer(preprocessor):
    """Return a `BertTextVectorization` that keeps `[MASK]` in a text as one token.

    Args:
        preprocessor: `Preprocessor`.
    """
    from keras_bert.text import BertTextVectorization

    return BertTextVectorization(
        list(preprocessor.vocabulary),
        lowercase=preprocessor.lowercase,
        sequence_length=preprocessor.sequence_length,
        special_tokens=True,
        added_tokens=preprocessor.added_tokens,
        **preprocessor.splitting.changes(),
    )


def predict_masks(predict_batch: Callable, vocabulary: list[str], vectorizer, texts: list[str], top_k: int) -> list:
    """Predict the tokens at every `[MASK]`; `fill_mask` describes the result.

    Args:
        predict_batch: function of the inputs of a pretrainer, with `masked_lm_positions`, that returns its outputs.
        vocabulary: the tokens.
        vectorizer: from `mask_vectorizer`.
        texts: N strings.
        top_k: number of tokens per mask.
    """
    results = []
    for text in texts:  # one at a time, because the number of masks differs
        masks = []
        for inputs, positions, shift in _rows(vectorizer, text):
            found = predict_positions(predict_batch, vocabulary, inputs, positions, top_k)
            masks += [
                {"position": int(position) + shift, "predictions": predictions}
                for position, predictions in zip(positions, found, strict=True)
            ]
        results.append({"text": text, "masks": masks})
    return results


def predict_positions(predict_batch: Callable, vocabulary: list[str], inputs: dict, positions, top_k: int) -> list:
    """Predict the tokens at positions of one row.

    Args:
        predict_batch, vocabulary, top_k: as in `predict_masks`.
        inputs: the encoder's inputs, int32 `[1, T]` each.
        positions: int `[P]`.

    Returns:
        P lists of `{"token", "probability"}`, the most probable first.
    """
    outputs = predict_batch({**inputs, "masked_lm_positions": positions[None].astype("int32")})
    probabilities = softmax(np.asarray(outputs["mlm_logits"][0], np.float32))  # [P, V]
    best = np.argsort(-probabilities, axis=-1, kind="stable")[:, :top_k]  # [P, K]
    return [
        [{"token": vocabulary[i], "probability": float(row[i])} for i in numbers]
        for row, numbers in zip(probabilities, best, strict=True)
    ]


def _rows(vectorizer, text: str) -> Iterator[tuple[dict, np.ndarray, int]]:
    """Yield the rows in which the masks of a text are predicted: one row, or for a longer text one per mask.

    Args:
        vectorizer: from `mask_vectorizer`.
        text: a string.

    Yields:
        The encoder's inputs, int32 `[1, T]` each; the positions of the masks to predict, int `[P]`; and the number of
        tokens of the text before the row.
    """
    tokens = vectorizer.tokenize(text).numpy()  # [tokens]
    places = np.flatnonzero(tokens == vectorizer.mask_id)
    if not len(places):
        raise InputError(f"`texts` must have [MASK] in each text. Received: {text[:80]!r}")
    length = vectorizer.sequence_length or len(tokens) + 2  # T
    size = length - 2
    parts = [(0, places)]
    if len(tokens) > size:
        starts = np.clip(places - size // 2, 0, len(tokens) - size)
        parts = list(zip(starts.tolist(), places[:, None], strict=True))
    for start, masks in parts:
        row = [vectorizer.cls_id, *tokens[start : start + size], vectorizer.sep_id]
        ids = np.full((1, length), vectorizer.pad_id, np.int32)  # [1, T]
        ids[0, : len(row)] = row
        mask = (np.arange(length) < len(row))[None].astype(np.int32)  # [1, T]
        yield dict(zip(INPUT_KEYS, (ids, mask, np.zeros_like(ids)), strict=True)), masks - start + 1, start
