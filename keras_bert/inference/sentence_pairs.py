"""Next sentence prediction and sentence order prediction with the second head of a pretrainer."""

from collections.abc import Callable

import numpy as np

from keras_bert.errors import InputError
from keras_bert.inference.length_sorted import predict_length_sorted
from keras_bert.tasks import Preprocessor

CLASS_NAMES = {"next": ("follows", "random"), "order": ("in order", "swapped")}  # in the order of the logits
OUTPUTS = {"next": "nsp_logits", "order": "sop_logits"}


def class_names(pretrained) -> tuple[str, str]:
    """Return the names of the two classes of a pretrainer's sentence task.

    Args:
        pretrained: what `kb.load_pretrained` returns.

    Raises:
        InputError: the model is not a pretrainer, or has no sentence task.
    """
    task = pretrained.model.sentence_task if pretrained.kind == "pretrainer" else None
    if task is None:
        reason = "masked-LM head only" if pretrained.kind == "pretrainer" else f"a model of kind {pretrained.kind}"
        raise InputError(
            "`pretrained` must be a pretrainer with a next-sentence or sentence-order head. "
            f"Received: {pretrained.path} ({reason})"
        )
    return CLASS_NAMES[task]


def predict_sentence_pairs(pretrained, first: list[str], second: list[str], batch_size: int = 64) -> np.ndarray:
    """Predict whether each second text follows the first one, or whether the two are in order.

    Pretraining uses segments of several sentences, so predictions for short single sentences may be less accurate.
    Pairs that are longer than the rows of the model are truncated, with a warning.

    Args:
        pretrained: what `kb.load_pretrained` returns for a `BertPretrainer` with a sentence task.
        first: N strings.
        second: N strings.
        batch_size: B.

    Returns:
        Logits, float32 `[N, 2]`, of the two `class_names`: `follows` and `random`, or `in order` and `swapped`.

    Raises:
        InputError: the model has no head for a sentence task, there are no pairs, or the lists differ in length.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertPretrainer(kb.BertEncoder(config), sentence_task="order")
    >>> pretrained = kb.load_pretrained(kb.save_pretrained(model, tempfile.mkdtemp() + "/bert", vectorizer))
    >>> class_names(pretrained), predict_sentence_pairs(pretrained, ["a film", "the film"], ["film", "a film"]).shape
    (('in order', 'swapped'), (2, 2))

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1, task 2; Lan et al. 2019 (arXiv:1909.11942), section 3.1.
    """
    from keras_bert.ops import WIDTH_STEP, predict_on_batch  # not for an ONNX folder, which runs without Keras

    class_names(pretrained)
    if len(first) != len(second) or not first:
        raise InputError(
            "`first` and `second` must have the same number of texts, at least one. "
            f"Received: {len(first)} and {len(second)}"
        )
    model = pretrained.model
    preprocessor = Preprocessor.from_pretrained(pretrained)
    ids = preprocessor((first, second))
    preprocessor.long_texts.warn()
    return sentence_logits(predict_on_batch(model), ids, batch_size, OUTPUTS[model.sentence_task], WIDTH_STEP)


def sentence_logits(predict_batch: Callable, ids: dict, batch_size: int, output: str, step: int = 1) -> np.ndarray:
    """Compute the logits of the sentence task, float32 `[N, 2]`.

    Args:
        predict_batch: function of the inputs of a pretrainer that returns its outputs.
        ids: the encoder's inputs, int32 `[N, T]` each.
        batch_size: B.
        output: name of the output, `"nsp_logits"` or `"sop_logits"`.
        step: see `length_sorted_batches`.
    """

    def predict(batch: dict) -> dict:
        # One masked position per row is required; its logits are not used.
        positions = np.zeros((len(batch["input_mask"]), 1), np.int32)  # [B, 1]
        return predict_batch({**batch, "masked_lm_positions": positions})

    return predict_length_sorted(predict, ids, batch_size, {output: (None, 2)}, step=step)[output]
