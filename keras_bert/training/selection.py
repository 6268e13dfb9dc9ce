"""Selection of the best epoch of fine-tuning from its metrics."""


def selection_key(metrics: dict[str, float]) -> tuple[float, ...]:
    """Return what epochs are compared by: the epoch with the largest key is the best.

    The key is `val_selection_metric` or, without it, `val_accuracy`. Ties are resolved by the lowest `val_loss`. Where
    there is neither, as in regression, the lowest `val_loss` decides.

    Args:
        metrics: the metrics of one epoch, by the names in the history.

    Example:

    >>> selection_key({"val_accuracy": 0.9, "val_loss": 0.3})
    (0.9, -0.3)
    """
    value = next((metrics[name] for name in ("val_selection_metric", "val_accuracy") if name in metrics), 0.0)
    return value, -metrics["val_loss"]


def best_epoch(history: dict[str, list[float]]) -> int:
    """Return the epoch, counted from 0, whose weights `finetune` leaves in the model.

    Args:
        history: `History.history` of `finetune`.

    Example:

    >>> best_epoch({"val_accuracy": [0.8, 0.9, 0.9], "val_loss": [0.5, 0.4, 0.3]})
    2
    """
    epochs = range(len(history["val_loss"]))
    return max(epochs, key=lambda i: selection_key({name: values[i] for name, values in history.items()}))
