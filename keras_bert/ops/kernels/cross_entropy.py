"""Cross-entropy and accuracy over a whole vocabulary, with few passes over the logits."""

import tensorflow as tf

from keras_bert.ops.kernels.xla import compiled


def cross_entropy(labels, logits):
    """Compute `ops.cross_entropy`."""
    if logits.dtype == tf.float16:  # too few exponents for small probabilities; bfloat16 has enough
        logits = tf.cast(logits, tf.float32)

    @tf.custom_gradient
    def run(labels, logits):
        # The softmax is oneDNN's, which computes a row while it is in cache; XLA would read the logits three times.
        probabilities = tf.nn.softmax(logits)  # [N, V]
        own = tf.cast(tf.gather(probabilities, labels, batch_dims=1), tf.float32)  # [N]
        losses = -tf.math.log(tf.maximum(own, 1e-37))  # a loss is at most 85 nats; its gradient is exact
        return losses, lambda dy: (None, _backward(labels, probabilities, dy))

    losses = run(tf.reshape(labels, (-1,)), tf.reshape(logits, (-1, logits.shape[-1])))  # [N]
    return tf.reshape(losses, tf.shape(labels))


def is_correct(labels, logits):
    """Compute `ops.is_correct`."""
    correct = _is_correct(tf.reshape(labels, (-1,)), tf.reshape(logits, (-1, logits.shape[-1])))  # [N]
    return tf.reshape(correct, tf.shape(labels))


@compiled
def _is_correct(labels, logits):
    own = tf.gather(logits, labels, batch_dims=1)  # [N]
    others = tf.range(logits.shape[-1])[None] != labels[:, None]  # [N, V]
    return tf.cast(~tf.reduce_any((logits >= own[:, None]) & others, -1), tf.float32)


@compiled
def _backward(labels, probabilities, dy):
    p = tf.cast(probabilities, tf.float32)
    is_label = tf.range(p.shape[-1])[None] == labels[:, None]  # [N, V]
    return tf.cast(tf.where(is_label, p - 1, p) * dy[:, None], probabilities.dtype)
