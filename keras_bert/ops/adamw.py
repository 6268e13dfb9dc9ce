"""AdamW's step over all variables as one program: each number of weights, gradients and moments is read once."""

import tensorflow as tf

from keras_bert.ops.xla import compiled

FEW_ROWS = 1024  # a gradient of rows of a table no larger than this is made dense at once


def adamw_step(optimizer, pairs):
    """Clip by the global norm, decay, and move every variable: what `keras.optimizers.AdamW.apply` does.

    An embedding's gradient has values for the rows of a batch and none for the rest. It is not made a table of zeros:
    the program moves all rows as those without a gradient are moved, and the rows of the batch are put in after.

    Args:
        optimizer: a built `BertAdamW`.
        pairs: list of (gradient, `keras.Variable`).
    """
    gradients, rows = [], []
    for gradient, variable in pairs:
        sparse = isinstance(gradient, tf.IndexedSlices) and variable.shape[0] > FEW_ROWS
        gradients.append(_summed(gradient) if sparse else tf.convert_to_tensor(gradient))
        rows.append(sparse)
    places = [optimizer._get_variable_index(variable) for _, variable in pairs]
    variables = [variable.value for _, variable in pairs]
    means = [optimizer._momentums[place].value for place in places]
    squares = [optimizer._velocities[place].value for place in places]
    decays = [optimizer.weight_decay if optimizer._use_weight_decay(variable) else 0.0 for variable in variables]
    shrink = _shrink([g.values if sparse else g for g, sparse in zip(gradients, rows, strict=True)], optimizer)
    rate, step = tf.cast(optimizer.learning_rate, tf.float32), tf.cast(optimizer.iterations + 1, tf.float32)
    betas, epsilon = (optimizer.beta_1, optimizer.beta_2), optimizer.epsilon
    factors = [tf.ones(()) if not optimizer.rates else optimizer.factor(variable) for _, variable in pairs]
    settings = (shrink, rate, rate * tf.sqrt(1 - betas[1] ** step) / (1 - betas[0] ** step), betas, epsilon)

    later = []
    parts = zip(gradients, rows, decays, factors, variables, means, squares, strict=True)
    for gradient, sparse, decay, factor, *states in parts:
        if sparse:  # worked out before the program moves these rows too
            before = [tf.gather(state, gradient.indices) for state in states]
            later.append((gradient.indices, states, _moved(gradient.values, *before, decay, factor, *settings)))

    # A program of this optimizer's own: one that all shared would hold on to variables of models long gone.
    if not hasattr(optimizer, "_fused_step"):
        object.__setattr__(optimizer, "_fused_step", compiled(_step))
    dense = tuple(tf.zeros(()) if sparse else gradient for gradient, sparse in zip(gradients, rows, strict=True))
    optimizer._fused_step(
        dense,
        tuple(variables),
        tuple(means),
        tuple(squares),
        tuple(factors),
        *settings[:3],
        decays=tuple(decays),
        betas=betas,
        epsilon=epsilon,
    )
    for indices, states, values in later:
        for state, value in zip(states, values, strict=True):
            state.scatter_update(tf.IndexedSlices(value, indices))


def _step(gradients, variables, means, squares, factors, shrink, rate, alpha, *, decays, betas, epsilon):
    parts = zip(gradients, decays, factors, variables, means, squares, strict=True)
    for gradient, decay, factor, *states in parts:
        values = _moved(gradient, *states, decay, factor, shrink, rate, alpha, betas, epsilon)
        for state, value in zip(states, values, strict=True):
            state.assign(value)


def _moved(gradient, variable, mean, square, decay, factor, shrink, rate, alpha, betas, epsilon):
    """Variable and moments after a step."""
    shrink, factor, rate, alpha = (tf.cast(value, mean.dtype) for value in (shrink, factor, rate, alpha))
    rate, alpha = rate * factor, alpha * factor
    gradient = tf.cast(gradient, mean.dtype) * shrink
    mean = mean + (gradient - mean) * (1 - betas[0])
    square = square + (tf.square(gradient) - square) * (1 - betas[1])
    moved = variable * tf.cast(1 - rate * decay, variable.dtype)
    return moved - tf.cast(alpha * mean / (tf.sqrt(square) + epsilon), variable.dtype), mean, square


def _summed(gradient):
    """A gradient of rows with each row once."""
    indices, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(indices))
    return tf.IndexedSlices(values, indices, gradient.dense_shape)


def _shrink(gradients, optimizer):
    """What brings the norm of all gradients down to the optimizer's `global_clipnorm`."""
    clip = optimizer.global_clipnorm
    if not clip:
        return tf.constant(1.0)
    norm = tf.sqrt(2 * tf.add_n([tf.cast(tf.nn.l2_loss(gradient), tf.float32) for gradient in gradients]))
    return clip / tf.maximum(norm, clip)
