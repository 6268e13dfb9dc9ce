"""Whether one text follows another, or stands before it: a pretrainer's second head, asked."""

import numpy as np

from keras_bert.data.id_arrays import as_id_arrays, check_ids, row_lengths, trim
from keras_bert.errors import InputError

NAMES = {"next": ("follows", "random"), "order": ("in order", "swapped")}  # in the order of the logits


def class_names(pretrained) -> tuple[str, str]:
    """What the two classes of a pretrainer's sentence task are called.

    Raises:
        InputError: it is no pretrainer, or one of masked words alone.
    """
    task = pretrained.model.sentence_task if pretrained.kind == "pretrainer" else None
    if task is None:
        found = "one of masked words alone" if pretrained.kind == "pretrainer" else f"the {pretrained.kind}"
        raise InputError(
            "a pretrainer with a head for next sentences or for their order is expected. "
            f"Received: {found} in {pretrained.path}"
        )
    return NAMES[task]


def predict_sentence_pairs(pretrained, first: list[str], second: list[str], batch_size: int = 64) -> np.ndarray:
    """What a pretrainer says of pairs of texts: does the second follow the first, or are they in order?

    Args:
        pretrained: what `load_pretrained` gives for the folder of a `BertPretrainer` with a sentence task.
        first, second: N strings each. Pretraining saw segments of several sentences, not single short ones.
        batch_size: B.

    Returns:
        Logits, float32 `[N, 2]`, of the two `class_names`: `follows` and `random`, or `in order` and `swapped`.

    Raises:
        InputError: no such head, no pair, not as many second texts as first ones, or more tokens than the encoder has
            positions.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertPretrainer(kb.BertEncoder(config), sentence_task="order")
    >>> pretrained = kb.load_pretrained(kb.save_pretrained(model, tempfile.mkdtemp() + "/bert", vectorizer))
    >>> class_names(pretrained), predict_sentence_pairs(pretrained, ["a film", "the film"], ["film", "a film"]).shape
    (('in order', 'swapped'), (2, 2))

    Source: Devlin et al. 2018, section 3.1, task 2; Lan et al. 2019 (arXiv:1909.11942), section 3.1.
    """
    class_names(pretrained)
    if len(first) != len(second) or not first:
        raise InputError(f"pairs have a second text for each first. Received: {len(first)} and {len(second)} texts")
    model = pretrained.model
    ids = as_id_arrays(pretrained.vectorizer((first, second)))
    check_ids(model.encoder.config, ids)
    lengths, parts = row_lengths(ids), []
    for start in range(0, len(lengths), batch_size):
        inputs = trim(ids, lengths, np.arange(start, min(start + batch_size, len(lengths))))
        nowhere = np.zeros((len(inputs["input_mask"]), 1), np.int32)  # [B, 1]: what the words' head says is not read
        outputs = model.predict_on_batch({**inputs, "masked_lm_positions": nowhere})
        parts.append(outputs["nsp_logits" if model.nsp_head else "sop_logits"])
    return np.concatenate(parts)
