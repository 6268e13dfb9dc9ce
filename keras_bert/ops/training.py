"""Training steps: the optimizer's, and a whole one."""

from collections.abc import Callable

import keras

from keras_bert.ops.data_parallel import own_rows, pad_batch, replicas
from keras_bert.ops.dispatch import is_enabled, runs_on_cpu


def adamw_step(optimizer, pairs) -> bool:
    """Apply a step of AdamW to all variables in one compiled program, if there is one.

    The same step as `keras.optimizers.AdamW.apply`: clip by the global norm, decay the weights, update moments and
    variables.

    Args:
        optimizer: a built `BertAdamW`.
        pairs: list of (gradient, `keras.Variable`).

    Returns:
        True if the step was applied; False on other backends and devices, where nothing was changed.
    """
    if not (is_enabled("adamw") and is_enabled("xla") and runs_on_cpu()):
        return False
    from keras_bert.ops.kernels import adamw

    adamw.adamw_step(optimizer, pairs)
    return True


def train_on_batch(
    model: keras.Model, per_example_fns: dict[str, Callable], varying_lengths: bool = False, few_lengths: bool = False
) -> Callable[..., dict]:
    """Make the function that trains a compiled model on one batch.

    On TensorFlow on a CPU, the batch is divided in two if `partition_cpu_threads` was called. On several devices
    (`tf.distribute`, `keras.distribution`) it is divided between them, with any number of rows. If several processes
    train the model, each must give the whole batch.

    Args:
        model: compiled with an optimizer, and with the mean of `per_example_fns["loss"]` as loss.
        per_example_fns: `"loss"` and other names to functions of targets and outputs that return one value per
            prediction; a log is their mean, weighted by the batch's weights. None runs Keras's own step, with the loss
            and metrics of `compile`.
        varying_lengths: True if batches differ in length: TensorFlow then traces one graph for all of them.
        few_lengths: True if they have few different lengths, and many steps with each: TensorFlow on a CPU then
            compiles kernels for each length.

    Returns:
        A function of inputs, targets and optional weights that returns a dict of logs, as
        `model.train_on_batch(..., return_dict=True)` does.
    """
    overridden = any(  # in a subclass or on the instance
        getattr(getattr(model, name), "__func__", None) is not getattr(keras.Model, name)
        for name in ("train_on_batch", "train_step", "compute_loss")
    )
    count = replicas(model)
    on_tensorflow = runs_on_cpu() or (count > 1 and keras.backend.backend() == "tensorflow")
    if per_example_fns is not None and not overridden and on_tensorflow:
        from keras_bert.ops.kernels import cpu_data_parallel as parallel

        parts = 2 if is_enabled("cpu_data_parallel") and parallel.cpu_threads_are_partitioned() else 1
        return parallel.training_step(model, per_example_fns, parts, varying_lengths, few_lengths)
    return lambda *batch: model.train_on_batch(*_padded(count, *batch), return_dict=True)


def evaluate_on_batch(model: keras.Model, per_example_fns: dict[str, Callable]) -> Callable[..., dict]:
    """Make the function that evaluates a compiled model on one batch, on several devices with any number of rows.

    Args:
        model: a compiled model.
        per_example_fns: as for `train_on_batch`.

    Returns:
        A function of inputs, targets and optional weights that returns a dict of logs, as
        `model.test_on_batch(..., return_dict=True)` does.
    """
    count = replicas(model)
    if count > 1 and keras.backend.backend() == "tensorflow":
        from keras_bert.ops.kernels import cpu_data_parallel

        return cpu_data_parallel.evaluation_step(model, per_example_fns)
    return lambda *batch: model.test_on_batch(*_padded(count, *batch), return_dict=True)


def _padded(count: int, inputs, targets, weights=None) -> tuple:
    return own_rows(pad_batch(inputs, targets, weights, count))


def partition_cpu_threads() -> bool:
    """Divide the CPU cores between the two halves of each batch that `train_on_batch` makes.

    Half of the cores then run each TensorFlow operation of the process. Call it before TensorFlow runs any operation.
    The command line does; a program may.

    Returns:
        True if it was done: on TensorFlow, with two cores or more and no GPU, and early enough.

    Example:

    >>> from keras_bert import ops
    >>> ops.partition_cpu_threads()  # doctest: +SKIP
    True
    """
    if keras.backend.backend() != "tensorflow":
        return False
    from keras_bert.ops.kernels import cpu_data_parallel

    return cpu_data_parallel.partition_cpu_threads()
