"""Weighted sums of metrics over batches, so that every prediction has the same weight."""

MetricSums = dict[str, tuple[float, float]]  # name: (sum of values times weights, sum of weights)


def accumulate_metrics(sums: MetricSums, batch_sums: MetricSums) -> None:
    """Add the sums of one batch to `sums`, in place."""
    for name, (total, weight) in batch_sums.items():
        before = sums.get(name, (0.0, 0.0))
        sums[name] = (before[0] + float(total), before[1] + float(weight))


def loss_sums(logs: dict, weights: dict) -> MetricSums:
    """Turn the mean losses that Keras logs for a batch into (sum, weight) pairs.

    Args:
        logs: the logs of a batch.
        weights: arrays of weights by output of the model. Keras omits the name of a single output.

    Example:

    >>> import numpy as np
    >>> loss_sums({"loss": 0.5}, {"hidden": np.ones(4)})
    {'hidden_loss': (2.0, 4.0)}
    """
    sums = {}
    for name, weight in weights.items():
        total = float(weight.sum())
        sums[f"{name}_loss"] = (float(logs[f"{name}_loss" if len(weights) > 1 else "loss"]) * total, total)
    return sums


def mean_metrics(sums: MetricSums) -> dict[str, float]:
    """Return the weighted means. If there is no `loss`, it is the sum of all metrics named `*_loss`.

    >>> mean_metrics({"mlm_loss": (6.0, 3.0), "nsp_loss": (1.0, 2.0)})
    {'loss': 2.5, 'mlm_loss': 2.0, 'nsp_loss': 0.5}
    """
    means = {name: total / weight if weight else 0.0 for name, (total, weight) in sums.items()}
    if "loss" not in means:
        means = {"loss": sum(value for name, value in means.items() if name.endswith("_loss")), **means}
    return means
