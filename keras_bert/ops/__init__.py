"""The functions that the layers are written in.

Each function has a short body in terms of Keras layers and `keras.ops`, which runs on every backend. On TensorFlow a
kernel (`ops/kernels/`) computes the same with fewer passes over memory. A kernel is used only if every layer that it
replaces is unmodified: a subclassed or overridden layer always takes effect. `docs/performance.md` has the gains.
"""

from keras_bert.ops.activation import activate, check_activation
from keras_bert.ops.data_parallel import distribution_scope, processes, to_numpy
from keras_bert.ops.dispatch import KERNELS, disable_kernels, few_lengths, find_kernel, runs_on_cpu
from keras_bert.ops.functions import (
    attention,
    dense,
    dropout_add_norm,
    embedding_lookup,
    embedding_table,
    feed_forward,
    gather_positions,
    layer_norm,
    tied_logits,
)
from keras_bert.ops.loss import cross_entropy, is_correct
from keras_bert.ops.prediction import WIDTH_STEP, any_shape, predict_on_batch
from keras_bert.ops.training import adamw_step, evaluate_on_batch, partition_cpu_threads, train_on_batch

__all__ = [
    "KERNELS",
    "WIDTH_STEP",
    "activate",
    "adamw_step",
    "any_shape",
    "attention",
    "check_activation",
    "cross_entropy",
    "dense",
    "disable_kernels",
    "distribution_scope",
    "dropout_add_norm",
    "embedding_lookup",
    "embedding_table",
    "evaluate_on_batch",
    "feed_forward",
    "few_lengths",
    "find_kernel",
    "gather_positions",
    "is_correct",
    "layer_norm",
    "partition_cpu_threads",
    "predict_on_batch",
    "processes",
    "runs_on_cpu",
    "tied_logits",
    "to_numpy",
    "train_on_batch",
]
