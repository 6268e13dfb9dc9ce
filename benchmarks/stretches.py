"""Parts of a training step in two forms, as docs/performance.md speaks of them.

    python -m benchmarks.stretches

The shapes are those of a mini BERT (L4 H256, vocabulary 30,522) at 32 x 128 with 20 masked positions. The two forms of
a part take turns; medians, and their ratio: above 1, the second form is faster.
"""

import itertools
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402
from keras_bert.ops.cross_entropy import cross_entropy  # noqa: E402
from keras_bert.ops.elementwise import add_bias, bias_activation  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import keras_bert as kb  # noqa: E402
from keras_bert import ops as fused  # noqa: E402
from keras_bert.training import bert_adamw  # noqa: E402

ROWS, HIDDEN, INNER, MASKED, VOCABULARY = 4096, 256, 1024, 640, 30522


def graph(function, xla: bool = False):
    return tf.function(function, autograph=False, jit_compile=xla)


def random(*shape, dtype=tf.float32):
    return tf.cast(tf.random.normal(shape), dtype)


def with_gradient(function):
    """`function` of tensors, its sum and the gradients."""

    def both(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            total = tf.reduce_sum(tf.cast(function(*tensors), tf.float32))
        return tape.gradient(total, tensors)

    return both


def parts_in(dtype):
    """`(what, first form, second form)` of what depends on the precision; the forms are functions without arguments."""
    x, kernel = random(ROWS, HIDDEN, dtype=dtype), random(HIDDEN, INNER, dtype=dtype)
    product = graph(lambda: tf.matmul(x, kernel), xla=True), graph(lambda: tf.matmul(x, kernel))
    yield f"a product, {dtype.name}: by XLA, by oneDNN", *product

    rows, table = random(MASKED, HIDDEN, dtype=dtype), random(VOCABULARY, HIDDEN, dtype=dtype)
    bias = random(VOCABULARY, dtype=dtype)
    joined = graph(lambda: tf.nn.bias_add(tf.matmul(rows, table, transpose_b=True), bias))
    apart = graph(lambda: add_bias(tf.matmul(rows, table, transpose_b=True), bias))
    yield f"product with the word table and bias, {dtype.name}: fused by TensorFlow, apart", joined, apart

    inner, small = random(ROWS, INNER, dtype=dtype), random(INNER, dtype=dtype)
    plain = graph(with_gradient(lambda x, b: tf.nn.gelu(tf.nn.bias_add(x, b), approximate=True)))
    ours = graph(with_gradient(lambda x, b: bias_activation(x, b, "gelu_tanh")))
    yield f"bias and GELU with gradient, {dtype.name}", lambda: plain(inner, small), lambda: ours(inner, small)

    logits, labels = random(MASKED, VOCABULARY, dtype=dtype), tf.range(MASKED)
    keras_has = graph(
        with_gradient(lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(x, tf.float32)))
    )
    we_have = graph(with_gradient(lambda x: cross_entropy(x, labels)))
    yield f"cross-entropy with gradient, {dtype.name}", lambda: keras_has(logits), lambda: we_have(logits)


def optimizer_part():
    """The same for AdamW."""
    variables = kb.BertEncoder(kb.BertConfig.from_preset("bert_en_uncased_L-4_H-256_A-4")).trainable_variables
    gradients = [random(*variable.shape) for variable in variables]

    def step(off: str):
        optimizer = bert_adamw(1e-4)
        optimizer.build(variables)
        call = graph(lambda: optimizer.apply(gradients, variables))
        with fused.without(off):
            call()  # traced here
        return call

    yield "AdamW over all variables: as Keras has it, as one program", step("optimizer"), step("flat")


def main() -> None:
    """Measure and print."""
    table = Table("part: first form, second form", "first, ms", "second, ms", "ratio")
    every = itertools.chain(parts_in(tf.float32), parts_in(tf.bfloat16), optimizer_part())
    for what, *forms in every:
        times = [[], []]
        for number in range(12):
            for form, taken in zip(forms, times, strict=True):
                begun = time.perf_counter()
                form()
                if number > 1:  # the first two compile
                    taken.append(1000 * (time.perf_counter() - begun))
        first, second = map(statistics.median, times)
        table.add_row(what, f"{first:.1f}", f"{second:.1f}", f"{first / second:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
