"""Changes of a model that make it expressible in a format, and their cost: how much the outputs differ."""

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import weights_to_write
from keras_bert.weights.load import build_model
from keras_bert.weights.parity_inputs import RANDOM_ROWS, parity_inputs
from keras_bert.weights.source import Source

FIELDS = ("activation", "layer_norm_epsilon", "pooler", "type_vocab_size")  # of BertConfig
CHANGES = (*FIELDS, "heads", "added_tokens")  # what the user can allow


def check_changes(names) -> set[str]:
    """Return the names of allowed changes as a set.

    Raises:
        InputError: a name is not in `CHANGES`.
    """
    names = [names] if isinstance(names, str) else list(names)
    unknown = [name for name in names if name not in CHANGES]
    if unknown:
        raise InputError(
            f"`allow_changes` must have only names of {', '.join(CHANGES)}. Received: allow_changes={names!r}"
        )
    return set(names)


def check_allowed(changes: dict, allowed: set[str], to: str) -> None:
    """Raise InputError if a change that a format needs is not allowed.

    Args:
        changes: name of `CHANGES` to a pair of the value in the model and the value in the format.
        allowed: the names that the user allows.
        to: the format's name.
    """
    missing = [name for name in changes if name not in allowed]
    if missing:
        values = ", ".join(f"{name}={_shown(changes[name][0])}" for name in missing)
        become = ", ".join(f"{name}={_shown(changes[name][1])}" for name in missing)
        options = " ".join(f"--allow-change {name}" for name in missing)
        raise InputError(
            f"`to` must be a format that stores the model exactly. Received: to={to!r}, which cannot express {values}. "
            f"To write it with {become} and measure the difference, use `{options}` (in Python, "
            f"`allow_changes={missing!r}`)."
        )


def needed_changes(config: BertConfig, nearest: BertConfig) -> dict[str, tuple]:
    """Return the fields that differ between a config and the nearest one of a format, with both values."""
    pairs = {name: (getattr(config, name), getattr(nearest, name)) for name in FIELDS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def change_model(model, config: BertConfig):
    """Build a model with another config and the same weights.

    A new segment embedding is 0, which changes no output. A new pooler has the identity matrix as its kernel: its
    output is tanh of the first token's vector. It is not trained.

    Args:
        model: a `BertEncoder`, or a task model that contains one; not a text classifier that gets a pooler, because it
            would use it instead of its own one.
        config: a config that differs from the model's in `FIELDS` only.

    Returns:
        A model with the same heads.

    Raises:
        InputError: the model has sublayers that its config does not describe.
    """
    old = getattr(model, "encoder", model).config
    parts = weights_to_write(model, "a changed model")
    if config.type_vocab_size > old.type_vocab_size:
        size = old.embedding_size or old.hidden_size
        parts["encoder"]["type_embeddings/embeddings"] = np.zeros((config.type_vocab_size, size), np.float32)
    if config.pooler and not old.pooler:
        parts["encoder"]["pooler_transform/kernel"] = np.eye(old.hidden_size, dtype=np.float32)
        parts["encoder"]["pooler_transform/bias"] = np.zeros(old.hidden_size, np.float32)
    return build_model(
        Source(
            label="the changed model",
            format="keras",
            tensors=parts,
            read_config=lambda: config,
            problem_type=getattr(model, "problem_type", "single_label"),
            classifier_dropout=getattr(model, "dropout_rate", None),
        )
    )


def measure_difference(before, after, vectorizer=None) -> dict[str, dict]:
    """Measure how much the outputs of two models differ.

    Args:
        before: a `BertEncoder`, or a task model that contains one.
        after: a model with the same heads, or an encoder.
        vectorizer: the `BertTextVectorization` of both. With it, the inputs are sentences and pairs of sentences,
            without it random ids.

    Returns:
        A dict of output (`sequence_output` at the tokens, `pooled_output` if both have one, `logits` of a head) to a
        dict of `max` and `mean`, the absolute differences, and `scale`, the mean absolute value of the output.
    """
    encoders = [getattr(model, "encoder", model) for model in (before, after)]
    inputs = parity_inputs(encoders[0].config, vectorizer)
    if vectorizer is not None:
        inputs = {key: value[:-RANDOM_ROWS] for key, value in inputs.items()}
    is_token = inputs["input_mask"] != 0  # [B, T]
    one, other = ({**encoder.predict_on_batch(inputs)} for encoder in encoders)
    if hasattr(before, "head") and hasattr(after, "head"):
        for model, outputs in ((before, one), (after, other)):
            logits = model.predict_on_batch(inputs)
            # [B, C], [B, T, C], or [B, T, 2] of a span labeler
            outputs["logits"] = np.stack([*logits.values()], -1) if isinstance(logits, dict) else logits
    found = {}
    for name in ("sequence_output", "pooled_output", "logits"):
        if name in one and name in other:
            first, second = (np.asarray(outputs[name], np.float64) for outputs in (one, other))
            if first.ndim == 3:  # [B, T, ...]
                first, second = first[is_token], second[is_token]
            difference = np.abs(first - second)
            found[name] = {
                "max": float(difference.max()),
                "mean": float(difference.mean()),
                "scale": float(np.abs(first).mean()),
            }
    return found


def _shown(value) -> str:
    return ", ".join(value) or "none" if isinstance(value, list) else repr(value)
