"""Data parallelism: steps whose batch is divided in two on one CPU, or between the replicas of a strategy.

Two cores that share an operation wait for each other at its end, some three hundred times per step. Two halves of the
batch, each on its own cores from the ids to the gradients, wait for each other once.
"""

import contextlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_bert import keras_internals
from keras_bert.ops.data_parallel import pad_batch
from keras_bert.ops.dispatch import few_lengths
from keras_bert.ops.kernels.replicas import own_dropout_masks, own_rows, sum_over_replicas
from keras_bert.system import available_cpus


def partition_cpu_threads() -> bool:
    """See `ops.partition_cpu_threads`."""
    cpus = available_cpus()
    if cpus < 2 or tf.config.list_physical_devices("GPU"):
        return False
    try:
        tf.config.threading.set_intra_op_parallelism_threads(cpus // 2)
        tf.config.threading.set_inter_op_parallelism_threads(2)
    except RuntimeError:  # TensorFlow has made its threads
        return cpu_threads_are_partitioned()
    return True


def cpu_threads_are_partitioned() -> bool:
    """Return True after `partition_cpu_threads` returned True."""
    threads = tf.config.threading
    return threads.get_inter_op_parallelism_threads() == 2 and threads.get_intra_op_parallelism_threads() > 0


def training_step(
    model, per_example_fns: dict[str, Callable], parts: int, varying_lengths: bool = False, few: bool = False
):
    """Make a function with the logs and, up to rounding, the effect of `model.train_on_batch`.

    Args:
        model: compiled with an optimizer.
        per_example_fns: see `ops.train_on_batch`.
        parts: 1, or 2 to divide each batch. Under a strategy with several replicas, each computes a part of the batch
            instead.
        varying_lengths: True to trace one graph for batches of any shape.
        few: True to compile kernels for each of these lengths.

    Returns:
        A function of inputs, targets and weights: dicts by output, or arrays for a model with one output. Without
        weights there is one prediction per example, and all have the same weight.
    """
    strategy = model.distribute_strategy
    replicas = strategy.num_replicas_in_sync

    def gradients_and_logs(inputs, targets, weights, totals, share):
        """Compute the gradients of a part of the batch, and what it adds to each log."""
        with few_lengths() if few else contextlib.nullcontext(), tf.GradientTape() as tape:
            logs = _logs(model, per_example_fns, inputs, targets, weights, totals, share, training=True)
            scaled_loss = model.optimizer.scale_loss(logs["loss"])
        return tape.gradient(scaled_loss, model.trainable_variables), logs

    def step_on_replicas(inputs, targets, weights):
        totals = {name: tf.reduce_sum(weight) for name, weight in weights.items()}

        def run_part(*batch):
            gradients, logs = gradients_and_logs(*own_rows(batch), totals, 1 / replicas)
            # Keras would clip the gradients of each replica, and then add them up.
            gradients = keras_internals.clipped(model.optimizer, sum_over_replicas(gradients))
            gradients = [g if g is None else g / replicas for g in gradients]
            model.optimizer.apply(gradients, model.trainable_variables)
            return logs

        with own_dropout_masks(model):
            logs = strategy.run(run_part, args=(inputs, targets, weights))
        return {name: strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None) for name, value in logs.items()}

    def step(inputs, targets, weights):
        totals = {name: tf.reduce_sum(weight) for name, weight in weights.items()}
        rows = tf.shape(next(iter(weights.values())))[0]  # B
        middle = rows // 2
        results = []
        for part in [slice(None)] if parts == 1 else [slice(None, middle), slice(middle, None)]:
            own = [{key: x[part] for key, x in arrays.items()} for arrays in (inputs, targets, weights)]
            share = tf.cast(tf.shape(next(iter(own[2].values())))[0], tf.float32) / tf.cast(rows, tf.float32)
            results.append(gradients_and_logs(*own, totals, share))
        gradients = [_sum(same) for same in zip(*(gradients for gradients, _ in results), strict=True)]
        model.optimizer.apply(gradients, model.trainable_variables)
        return {name: tf.add_n([logs[name] for _, logs in results]) for name in results[0][1]}

    run = None

    def train_on_batch(inputs, targets, weights=None) -> dict:
        nonlocal run
        batch = _tensors(model, inputs, targets, weights, max(parts, replicas))
        if run is None:
            any_shape = tf.nest.map_structure(lambda x: tf.TensorSpec([None] * x.shape.rank, x.dtype), batch)
            signature = {"input_signature": any_shape} if varying_lengths else {"reduce_retracing": True}
            run = tf.function(step_on_replicas if replicas > 1 else step, autograph=False, **signature)
        return run(*batch)

    return train_on_batch


def evaluation_step(model, per_example_fns: dict[str, Callable]):
    """Make a function with the logs of `model.test_on_batch`, for a model under a strategy with several replicas.

    Args:
        model: a model.
        per_example_fns: see `ops.train_on_batch`.
    """
    strategy = model.distribute_strategy

    def step(inputs, targets, weights):
        totals = {name: tf.reduce_sum(weight) for name, weight in weights.items()}
        share = 1 / strategy.num_replicas_in_sync

        def run_part(*batch):
            return _logs(model, per_example_fns, *own_rows(batch), totals, share, training=False)

        logs = strategy.run(run_part, args=(inputs, targets, weights))
        return {name: strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None) for name, value in logs.items()}

    run = tf.function(step, autograph=False, reduce_retracing=True)

    def evaluate_on_batch(inputs, targets, weights=None) -> dict:
        return run(*_tensors(model, inputs, targets, weights, strategy.num_replicas_in_sync))

    return evaluate_on_batch


def _logs(model, per_example_fns, inputs, targets, weights, totals, share, training) -> dict:
    """Compute what a part of the batch adds to each log.

    Args:
        totals: the sum of the weights of the whole batch, by output.
        share: the part's share of the regularization.
    """
    outputs = model(inputs, training=training)
    outputs = outputs if isinstance(model.output, dict) else {"": outputs}
    logs = {}
    for name, total in totals.items():
        for metric, function in per_example_fns.items():
            values = function(targets[name], outputs[name])
            mean = tf.math.divide_no_nan(tf.reduce_sum(values * weights[name]), total)
            logs[f"{name}_{metric}" if len(totals) > 1 else metric] = mean  # as Keras names them
    losses = [mean for name, mean in logs.items() if name.endswith("loss")]
    regularization = [tf.cast(loss, tf.float32) * share for loss in model.losses]
    logs["loss"] = tf.add_n(losses + regularization)
    return logs


def _tensors(model, inputs, targets, weights, parts: int) -> tuple:
    """Return a batch as tensors, targets and weights by output, with at least one row for each part."""
    rows = len(next(iter(inputs.values())))
    inputs, targets, weights = pad_batch(inputs, targets, weights, parts if rows < parts else 1)
    if not isinstance(model.output, dict):
        targets = {"": targets}
        weights = None if weights is None else {"": weights}
    if weights is None:
        weights = {name: np.ones(len(target), np.float32) for name, target in targets.items()}
    return tf.nest.map_structure(tf.convert_to_tensor, (inputs, targets, weights))


def _sum(gradients):
    """Add the gradients of the parts: all dense, all of a table's rows, or all None."""
    first = gradients[0]
    if len(gradients) == 1 or first is None:
        return first
    if isinstance(first, tf.IndexedSlices):
        values, indices = (tf.concat([getattr(g, name) for g in gradients], 0) for name in ("values", "indices"))
        return tf.IndexedSlices(values, indices, first.dense_shape)
    return tf.add_n(gradients)
