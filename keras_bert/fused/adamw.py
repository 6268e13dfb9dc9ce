"""AdamW's step over all variables as one program: each number of weights, gradients and moments is read once."""

import tensorflow as tf

from keras_bert.fused.elementwise import compiled


def adamw_step(optimizer, pairs):
    """Clip by the global norm, decay, and move every variable: what `keras.optimizers.AdamW.apply` does.

    Args:
        optimizer: a built `BertAdamW`.
        pairs: list of (gradient, `keras.Variable`); a gradient of rows is made dense.
    """
    gradients = tuple(tf.convert_to_tensor(gradient) for gradient, _ in pairs)
    places = [optimizer._get_variable_index(variable) for _, variable in pairs]
    # A program of this optimizer's own: one that all shared would hold on to variables of models long gone.
    if not hasattr(optimizer, "_fused_step"):
        object.__setattr__(optimizer, "_fused_step", compiled(_step))
    optimizer._fused_step(
        gradients,
        tuple(variable.value for _, variable in pairs),
        tuple(optimizer._momentums[place].value for place in places),
        tuple(optimizer._velocities[place].value for place in places),
        _shrink(gradients, optimizer.global_clipnorm),
        tf.cast(optimizer.learning_rate, tf.float32),
        tf.cast(optimizer.iterations + 1, tf.float32),
        decays=tuple(
            optimizer.weight_decay if optimizer._use_weight_decay(variable.value) else 0.0 for _, variable in pairs
        ),
        betas=(optimizer.beta_1, optimizer.beta_2),
        epsilon=optimizer.epsilon,
    )


def _shrink(gradients, clip):
    """What brings the norm of all gradients down to `clip`."""
    if not clip:
        return tf.constant(1.0)
    norm = tf.sqrt(2 * tf.add_n([tf.nn.l2_loss(gradient) for gradient in gradients]))
    return clip / tf.maximum(norm, clip)


def _step(gradients, variables, means, squares, shrink, rate, step, *, decays, betas, epsilon):
    alpha = rate * tf.sqrt(1 - betas[1] ** step) / (1 - betas[0] ** step)
    for gradient, variable, mean, square, decay in zip(gradients, variables, means, squares, decays, strict=True):
        gradient = tf.cast(gradient, mean.dtype) * tf.cast(shrink, mean.dtype)
        new_mean = mean + (gradient - mean) * (1 - betas[0])
        new_square = square + (tf.square(gradient) - square) * (1 - betas[1])
        mean.assign(new_mean)
        square.assign(new_square)
        moved = tf.cast(alpha, mean.dtype) * new_mean / (tf.sqrt(new_square) + epsilon)
        variable.assign(variable * tf.cast(1 - rate * decay, variable.dtype) - tf.cast(moved, variable.dtype))
