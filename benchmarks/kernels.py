"""Time parts of a training step, without and with a kernel of `keras_bert.ops`.

    python -m benchmarks.kernels

The shapes are those of a mini BERT (L4 H256, vocabulary 30,522) on batches of 32 x 128 with 20 masked positions. The
two versions of a part run alternately. The table has medians and their ratio; above 1, the second version is faster.
"""

import contextlib
import itertools
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import keras_bert as kb  # noqa: E402
from keras_bert import ops  # noqa: E402
from keras_bert.ops.kernels.cross_entropy import cross_entropy  # noqa: E402
from keras_bert.ops.kernels.elementwise import add_bias, bias_activation  # noqa: E402
from keras_bert.training import bert_adamw  # noqa: E402

TOKENS, HIDDEN, INTERMEDIATE, MASKED, VOCABULARY = 4096, 256, 1024, 640, 30522
ROUNDS, WARM_UP = 12, 2


def graph(function, xla: bool = False):
    """Compile a function as a TensorFlow graph."""
    return tf.function(function, autograph=False, jit_compile=xla)


def random(*shape, dtype=tf.float32):
    """Draw a normal tensor."""
    return tf.cast(tf.random.normal(shape), dtype)


def with_gradient(function):
    """Return a function that computes the gradient of the sum of `function`."""

    def gradients(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            total = tf.reduce_sum(tf.cast(function(*tensors), tf.float32))
        return tape.gradient(total, tensors)

    return gradients


def parts_in(dtype):
    """Yield the parts that depend on the precision: a description, and two functions without arguments."""
    x, kernel = random(TOKENS, HIDDEN, dtype=dtype), random(HIDDEN, INTERMEDIATE, dtype=dtype)
    product = graph(lambda: tf.matmul(x, kernel), xla=True), graph(lambda: tf.matmul(x, kernel))
    yield f"matrix product, {dtype.name}: XLA, oneDNN", *product

    rows, table = random(MASKED, HIDDEN, dtype=dtype), random(VOCABULARY, HIDDEN, dtype=dtype)
    logit_bias = random(VOCABULARY, dtype=dtype)
    yield (
        f"logits over the vocabulary, {dtype.name}: bias_add, add_bias",
        graph(lambda: tf.nn.bias_add(tf.matmul(rows, table, transpose_b=True), logit_bias)),
        graph(lambda: add_bias(tf.matmul(rows, table, transpose_b=True), logit_bias)),
    )

    inner, bias = random(TOKENS, INTERMEDIATE, dtype=dtype), random(INTERMEDIATE, dtype=dtype)
    plain = graph(with_gradient(lambda x, b: tf.nn.gelu(tf.nn.bias_add(x, b), approximate=True)))
    compiled = graph(with_gradient(lambda x, b: bias_activation(x, b, "gelu_tanh")))
    yield (
        f"bias and GELU with gradient, {dtype.name}: TensorFlow, kernel",
        lambda: plain(inner, bias),
        lambda: compiled(inner, bias),
    )

    logits, labels = random(MASKED, VOCABULARY, dtype=dtype), tf.range(MASKED)
    plain_loss = graph(
        with_gradient(lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(x, tf.float32)))
    )
    kernel_loss = graph(with_gradient(lambda x: cross_entropy(labels, x)))
    yield (
        f"cross-entropy with gradient, {dtype.name}: TensorFlow, kernel",
        lambda: plain_loss(logits),
        lambda: kernel_loss(logits),
    )


def adamw_part():
    """Yield the optimizer step of all variables of the encoder."""
    variables = kb.BertEncoder(kb.BertConfig.from_preset("bert_en_uncased_L-4_H-256_A-4")).trainable_variables
    gradients = [random(*variable.shape) for variable in variables]

    def step(context):
        optimizer = bert_adamw(1e-4)
        optimizer.build(variables)
        call = graph(lambda: optimizer.apply(gradients, variables))
        with context:
            call()  # traced in the context
        return call

    yield "AdamW: Keras, kernel", step(ops.disable_kernels("adamw")), step(contextlib.nullcontext())


def main() -> None:
    """Measure and print the table."""
    table = Table("part: first version, second version", "first, ms", "second, ms", "ratio")
    for description, *versions in itertools.chain(parts_in(tf.float32), parts_in(tf.bfloat16), adamw_part()):
        times = [[], []]
        for number in range(ROUNDS):
            for version, milliseconds in zip(versions, times, strict=True):
                start = time.perf_counter()
                version()
                if number >= WARM_UP:
                    milliseconds.append(1000 * (time.perf_counter() - start))
        first, second = map(statistics.median, times)
        table.add_row(description, f"{first:.1f}", f"{second:.1f}", f"{first / second:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
