"""The loss and the accuracy over a whole vocabulary, in as few passes over the logits as can be."""

import tensorflow as tf

from keras_bert.ops.xla import compiled


def cross_entropy(logits, labels):
    """-log softmax(logits)[label], float32 `[N]`.

    Args:
        logits: `[N, V]`.
        labels: int32 `[N]`.
    """
    if logits.dtype == tf.float16:  # too narrow for a small probability; bfloat16 is not
        logits = tf.cast(logits, tf.float32)

    @tf.custom_gradient
    def run(logits, labels):
        # The softmax is oneDNN's, which does a row while it is in cache; XLA would pass over it three times.
        probabilities = tf.nn.softmax(logits)  # [N, V]
        own = tf.cast(tf.gather(probabilities, labels, batch_dims=1), tf.float32)  # [N]
        losses = -tf.math.log(tf.maximum(own, 1e-37))  # a loss is cut off at 85 nats; its gradient is not
        return losses, lambda dy: (_cross_entropy_backward(probabilities, labels, dy), None)

    return run(logits, labels)


@compiled
def top_one(logits, labels):
    """1.0 where the label's logit is above all others, float32 `[N]`; a tie is not right."""
    own = tf.gather(logits, labels, batch_dims=1)  # [N]
    others = tf.range(logits.shape[-1])[None] != labels[:, None]  # [N, V]
    return tf.cast(~tf.reduce_any((logits >= own[:, None]) & others, -1), tf.float32)


@compiled
def _cross_entropy_backward(probabilities, labels, dy):
    p = tf.cast(probabilities, tf.float32)
    here = tf.range(p.shape[-1])[None] == labels[:, None]  # [N, V]
    return tf.cast(tf.where(here, p - 1, p) * dy[:, None], probabilities.dtype)
