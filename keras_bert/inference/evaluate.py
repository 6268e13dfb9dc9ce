"""What a model says of rows, and how right it is."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_bert.data.id_arrays import as_id_arrays, check_ids, row_lengths, trim
from keras_bert.errors import InputError
from keras_bert.tasks.objectives import task_of


def predict_logits(model: keras.Model, ids: dict, batch_size: int = 64):
    """What a model gives for every row, computed shortest first so that little padding is.

    Args:
        model: a `BertClassifier`, `BertTokenClassifier` or `BertSpanLabeler`.
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        batch_size: B.

    Returns:
        float32 in the order of the rows: logits `[N, C]` of a classifier, `[N, T, C]` of tokens; of a span labeler a
        dict of `start_logits` and `end_logits` `[N, T]`. What is beyond a row's tokens is 0, or of no meaning.

    Raises:
        InputError: an input is missing, has another shape, or an id or a length that the encoder has not.
    """
    ids = as_id_arrays(ids)
    check_ids(model.encoder.config, ids)
    count, width = ids["input_mask"].shape
    per_token = task_of(model).name in ("span", "tokens")
    found = {}
    shapes = model.output if isinstance(model.output, dict) else {"": model.output}
    for name, tensor in shapes.items():
        rest = (width, *tensor.shape[2:]) if per_token else tuple(tensor.shape[1:])
        found[name] = np.zeros((count, *rest), np.float32)
    for rows, outputs in predict_length_sorted(model, ids, batch_size):
        for name, output in outputs.items() if isinstance(outputs, dict) else (("", outputs),):
            output = np.asarray(output, np.float32)
            if per_token:
                tokens = min(output.shape[1], width)  # JAX pads to more
                found[name][rows, :tokens] = output[:, :tokens]
            else:
                found[name][rows] = output
    return found if isinstance(model.output, dict) else found[""]


def predict_length_sorted(model: keras.Model, ids: dict[str, np.ndarray], batch_size: int) -> Iterator[tuple]:
    """What a model gives for batches of rows of like length, the shortest first.

    Args:
        model: a model of the three inputs.
        ids: `as_id_arrays`, int32 `[N, T]` each.
        batch_size: B.

    Yields:
        The rows' numbers, int `[B]`, and the outputs for them, trimmed to the longest.
    """
    lengths = row_lengths(ids)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield rows, model.predict_on_batch(trim(ids, lengths, rows))


def evaluate(model: keras.Model, ids: dict, labels, batch_size: int = 64) -> dict:
    """How right a model is.

    Args:
        model: a `BertClassifier`, `BertTokenClassifier` or `BertSpanLabeler`.
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        labels: as `finetune` takes them.
        batch_size: B.

    Returns:
        A dict, ready for JSON, with `loss` (as it is trained, a mean) and `examples` (N). One class of several:
        `accuracy`, and `confusion`, C lists of C counts: the row is the true class, the column the predicted one.
        Several labels: `accuracy` of them, `exact` of rows, `f1` over all, `macro_f1`. Numbers: `error` (mean
        absolute), `pearson`, `spearman`. Spans: `accuracy` of starts and ends, `exact` of both. Tokens: `accuracy`.

    Raises:
        InputError: no row; ids or labels that do not fit the model.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> ids = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> evaluate(kb.BertClassifier(kb.BertEncoder(config)), rows, [0, 1])["examples"]
    2

    Source: Devlin et al. 2018, section 4.1 (accuracy on the dev set); the GLUE benchmark for correlations.
    """
    ids = as_id_arrays(ids)
    task = task_of(model)
    targets, weights = task.targets(model, ids, labels)
    rows = len(ids["input_word_ids"])
    if rows == 0:
        raise InputError("an accuracy needs rows. Received: none")
    outputs = predict_logits(model, ids, batch_size)
    return {**JUDGES[task.name](outputs, targets, weights), "examples": rows}


def _judge_classes(logits, labels, _) -> dict:
    predicted = logits.argmax(axis=-1)
    confusion = np.zeros((logits.shape[-1],) * 2, int)
    np.add.at(confusion, (labels, predicted), 1)
    return {
        "accuracy": float((predicted == labels).mean()),
        "loss": float(_losses(logits, labels).mean()),
        "confusion": confusion.tolist(),
    }


def _judge_labels(logits, labels, _) -> dict:
    logits, meant = logits.astype(np.float64), labels > 0  # [N, C]
    said = logits > 0
    losses = np.maximum(logits, 0) - logits * meant + np.log1p(np.exp(-np.abs(logits)))
    right = (said & meant).sum(0)  # [C]
    each = 2 * right / np.maximum(1, said.sum(0) + meant.sum(0))
    return {
        "accuracy": float((said == meant).mean()),
        "exact": float((said == meant).all(1).mean()),
        "f1": float(2 * right.sum() / max(1, said.sum() + meant.sum())),
        "macro_f1": float(each.mean()),
        "loss": float(losses.mean()),
    }


def _judge_numbers(numbers, meant, _) -> dict:
    from scipy import stats

    apart, found = numbers - meant, {}
    if len(meant) > 1 and numbers.std() > 0 and meant.std() > 0:
        found["pearson"] = float(stats.pearsonr(numbers.ravel(), meant.ravel()).statistic)
        found["spearman"] = float(stats.spearmanr(numbers.ravel(), meant.ravel()).statistic)
    return {"error": float(np.abs(apart).mean()), "loss": float((apart**2).mean()), **found}


def _judge_spans(outputs, targets, _) -> dict:
    right = np.stack([outputs[name].argmax(-1) == targets[name] for name in targets])  # [2, N]
    losses = [_losses(outputs[name], targets[name]).mean() for name in targets]
    return {"accuracy": float(right.mean()), "exact": float(right.all(0).mean()), "loss": float(np.mean(losses))}


def _judge_tokens(logits, labels, weights) -> dict:
    counted = weights > 0  # [N, T]
    if not counted.any():
        raise InputError("an accuracy needs tokens with a label. Received: none")
    return {
        "accuracy": float((logits[counted].argmax(-1) == labels[counted]).mean()),
        "loss": float(_losses(logits[counted], labels[counted]).mean()),
        "tokens": int(counted.sum()),
    }


def _losses(logits, labels) -> np.ndarray:
    """-log softmax(logits)[label] of each row, `[N]`."""
    logits = logits.astype(np.float64)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=-1)) - shifted[np.arange(len(labels)), labels]


JUDGES = {
    "class": _judge_classes,
    "labels": _judge_labels,
    "number": _judge_numbers,
    "span": _judge_spans,
    "tokens": _judge_tokens,
}
