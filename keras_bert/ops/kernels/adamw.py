"""AdamW for all variables in one compiled program, which reads weights, gradients and moments once."""

import weakref

import tensorflow as tf

from keras_bert import keras_internals
from keras_bert.ops.kernels.xla import compiled

FEW_ROWS = 1024  # the gradient of a table with at most so many rows is made dense

# One program per optimizer: a shared one would keep references to the variables of deleted models.
_programs = weakref.WeakKeyDictionary()


def adamw_step(optimizer, pairs):
    """Clip by the global norm, decay the weights, and update moments and variables.

    The gradient of an embedding has values only for the rows in the batch. It is not made dense: the program updates
    all rows as rows without a gradient, and the rows in the batch are written afterwards.

    Args:
        optimizer: a built `BertAdamW`.
        pairs: list of (gradient, `keras.Variable`).
    """
    gradients, is_sparse = [], []
    for gradient, variable in pairs:
        sparse = isinstance(gradient, tf.IndexedSlices) and variable.shape[0] > FEW_ROWS
        gradients.append(_sum_rows(gradient) if sparse else tf.convert_to_tensor(gradient))
        is_sparse.append(sparse)
    indices = [keras_internals.variable_index(optimizer, variable) for _, variable in pairs]
    variables = [variable.value for _, variable in pairs]
    means = [keras_internals.momentums(optimizer)[index].value for index in indices]
    squares = [keras_internals.velocities(optimizer)[index].value for index in indices]
    decays = [
        optimizer.weight_decay if keras_internals.uses_weight_decay(optimizer, variable) else 0.0
        for variable in variables
    ]
    values = [g.values if sparse else g for g, sparse in zip(gradients, is_sparse, strict=True)]
    clip = _clip_factor(values, optimizer.global_clipnorm)
    rate, step = tf.cast(optimizer.learning_rate, tf.float32), tf.cast(optimizer.iterations + 1, tf.float32)
    betas, epsilon = (optimizer.beta_1, optimizer.beta_2), optimizer.epsilon
    factors = [optimizer.factor(variable) if optimizer.rates else tf.ones(()) for _, variable in pairs]
    alpha = rate * tf.sqrt(1 - betas[1] ** step) / (1 - betas[0] ** step)

    row_updates = []
    parts = zip(gradients, is_sparse, decays, factors, variables, means, squares, strict=True)
    for gradient, sparse, decay, factor, *states in parts:
        if sparse:  # computed before the program updates these rows as well
            rows = [tf.gather(state, gradient.indices) for state in states]
            new_rows = _updated(gradient.values, *rows, decay, factor, clip, rate, alpha, betas, epsilon)
            row_updates.append((gradient.indices, states, new_rows))

    if optimizer not in _programs:
        _programs[optimizer] = compiled(_step)
    dense = tuple(tf.zeros(()) if sparse else g for g, sparse in zip(gradients, is_sparse, strict=True))
    _programs[optimizer](
        dense,
        tuple(variables),
        tuple(means),
        tuple(squares),
        tuple(factors),
        clip,
        rate,
        alpha,
        decays=tuple(decays),
        betas=betas,
        epsilon=epsilon,
    )
    for indices, states, new_rows in row_updates:
        for state, rows in zip(states, new_rows, strict=True):
            state.scatter_update(tf.IndexedSlices(rows, indices))


def _step(gradients, variables, means, squares, factors, clip, rate, alpha, *, decays, betas, epsilon):
    parts = zip(gradients, decays, factors, variables, means, squares, strict=True)
    for gradient, decay, factor, *states in parts:
        values = _updated(gradient, *states, decay, factor, clip, rate, alpha, betas, epsilon)
        for state, value in zip(states, values, strict=True):
            state.assign(value)


def _updated(gradient, variable, mean, square, decay, factor, clip, rate, alpha, betas, epsilon):
    """Compute a variable and its moments after a step."""
    clip, factor, rate, alpha = (tf.cast(value, mean.dtype) for value in (clip, factor, rate, alpha))
    rate, alpha = rate * factor, alpha * factor
    gradient = tf.cast(gradient, mean.dtype) * clip
    mean = mean + (gradient - mean) * (1 - betas[0])
    square = square + (tf.square(gradient) - square) * (1 - betas[1])
    decayed = variable * tf.cast(1 - rate * decay, variable.dtype)
    return decayed - tf.cast(alpha * mean / (tf.sqrt(square) + epsilon), variable.dtype), mean, square


def _sum_rows(gradient):
    """Add up the values of rows that occur more than once."""
    indices, index_of_row = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, index_of_row, tf.size(indices))
    return tf.IndexedSlices(values, indices, gradient.dense_shape)


def _clip_factor(gradients, global_clipnorm):
    """Return the factor that limits the norm of all gradients to `global_clipnorm`."""
    if not global_clipnorm:
        return tf.constant(1.0)
    norm = tf.sqrt(2 * tf.add_n([tf.cast(tf.nn.l2_loss(gradient), tf.float32) for gradient in gradients]))
    return global_clipnorm / tf.maximum(norm, global_clipnorm)
