"""A training step in two halves of the batch, side by side.

Two cores that share an operation wait for the slower of them, some three hundred times a step. Two halves of the batch,
each on its own cores from the ids to the gradients, wait for each other once.
"""

import os

import numpy as np
import tensorflow as tf


def partition_cpu_threads() -> bool:
    """See `fused.partition_cpu_threads`."""
    cores = len(os.sched_getaffinity(0))
    if cores < 2 or tf.config.list_physical_devices("GPU"):
        return False
    try:
        tf.config.threading.set_intra_op_parallelism_threads(cores // 2)
        tf.config.threading.set_inter_op_parallelism_threads(2)
    except RuntimeError:  # TensorFlow has begun, and its threads are made
        return cpu_threads_are_partitioned()
    return True


def cpu_threads_are_partitioned() -> bool:
    """Whether `partition_cpu_threads` has done it."""
    threads = tf.config.threading
    return threads.get_inter_op_parallelism_threads() == 2 and threads.get_intra_op_parallelism_threads() > 0


def step_in_halves(model, measures: dict):
    """What stands in for `model.train_on_batch`: the same logs and, up to rounding, the same step.

    Args:
        model: compiled with an optimizer.
        measures: from `"loss"`, which is minimised, and other names to functions of targets and outputs that give a
            number for each prediction; a log is their weighted mean.

    Returns:
        A function of inputs, targets and weights: dicts by output, or for a single output arrays. Without weights there
        is one prediction a row, and all count alike.
    """
    single = not isinstance(model.output, dict)

    def half(inputs, targets, weights, totals):
        """The gradients of one half, and its part of every log."""
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            outputs = {"": outputs} if single else outputs
            logs = {}
            for name, total in totals.items():
                for measure, function in measures.items():
                    values = function(targets[name], outputs[name])
                    mean = tf.math.divide_no_nan(tf.reduce_sum(values * weights[name]), total)
                    logs[f"{name}_{measure}" if len(totals) > 1 else measure] = mean  # as Keras names them
            logs["loss"] = tf.add_n([mean for name, mean in logs.items() if name.endswith("loss")])
        return tape.gradient(logs["loss"], model.trainable_variables), logs

    @tf.function(autograph=False, reduce_retracing=True)
    def step(inputs, targets, weights):
        totals = {name: tf.reduce_sum(weight) for name, weight in weights.items()}
        middle = tf.shape(next(iter(weights.values())))[0] // 2
        halves = [
            half(*({key: array[rows] for key, array in part.items()} for part in (inputs, targets, weights)), totals)
            for rows in (slice(None, middle), slice(middle, None))
        ]
        pairs = zip(*(gradients for gradients, _ in halves), strict=True)
        model.optimizer.apply([_sum(*pair) for pair in pairs], model.trainable_variables)
        return {name: tf.add_n([logs[name] for _, logs in halves]) for name in halves[0][1]}

    def train_on_batch(inputs, targets, weights=None) -> dict:
        if single:
            targets = {"": targets}
            weights = None if weights is None else {"": weights}
        if weights is None:
            weights = {name: np.ones(len(target), np.float32) for name, target in targets.items()}
        if len(next(iter(weights.values()))) == 1:  # a row for the other half, that counts nothing
            inputs, targets, weights = (
                {key: np.concatenate([array, array * counts]) for key, array in part.items()}
                for part, counts in ((inputs, 1), (targets, 1), (weights, 0))
            )
        return step(inputs, targets, weights)

    return train_on_batch


def _sum(first, second):
    """Of two gradients: of a table's rows, where that is what they are, or dense ones, or none."""
    if first is None:
        return None
    if isinstance(first, tf.IndexedSlices):
        values, indices = (tf.concat([getattr(g, part) for g in (first, second)], 0) for part in ("values", "indices"))
        return tf.IndexedSlices(values, indices, first.dense_shape)
    return first + second
