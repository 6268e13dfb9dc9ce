# %% [markdown]
# # Solutions of chapter 04 · Why this block, L times?

# %%
import math

import keras
import numpy as np
from keras import ops

import keras_bert as kb

# %% [markdown]
# ## Exercise 1: the parameters of BERT large

# %%
large = kb.BertConfig.from_preset("bert_en_uncased_L-24_H-1024_A-16")
V, H, L, F = large.vocab_size, large.hidden_size, large.num_layers, large.intermediate_size
embeddings = (V + large.max_position_embeddings + large.type_vocab_size + 2) * H
block = 4 * (H * H + H) + 2 * H + (H * F + F) + (F * H + H) + 2 * H
total = embeddings + L * block + (H * H + H)
print(f"BERT large: {total:,}; the blocks have {L * block / total:.0%} of it")
assert total == 335_141_888  # Devlin et al. 2018, section 3, give 340 million

# %% [markdown]
# ## Exercise 2: ReLU in place of GELU
#
# The functions of the chapter, for post-LN only, with the activation as an argument. Keras's `fit` is not needed: one
# function of the variables, and its gradient.

# %%
import tensorflow as tf

L, H, A, T, V, STEPS, WARMUP, PEAK = 12, 32, 2, 16, 64, 60, 30, 0.02
frequency = 1 / np.arange(1, V - 1)
frequency /= frequency.sum()


# %%
def start_values(seed, scale=0.55):
    rng = np.random.default_rng(seed)
    shapes = [(L, H, H)] * 4 + [(L, H, 4 * H), (L, 4 * H, H)]
    values = [rng.normal(0, scale * shape[1] ** -0.5, shape) for shape in shapes]
    tables = [rng.normal(0, 0.7, (V, H)), rng.normal(0, 0.25, (T, H))]
    return [value.astype("float32") for value in tables + values]


def norm(x):
    x = x - ops.mean(x, axis=-1, keepdims=True)
    return x / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) + 1e-12)


# %%
def attend(x, q, k, v, o):
    q, k, v = (ops.reshape(x @ kernel, (-1, T, A, H // A)) for kernel in (q, k, v))
    weights = ops.softmax(ops.einsum("bqad,bkad->baqk", q, k) / math.sqrt(H // A))
    return ops.reshape(ops.einsum("baqk,bkad->bqad", weights, v), (-1, T, H)) @ o


# %%
def forward(variables, ids, activation, residual=1):
    tokens, positions, *stacked = variables
    x = norm(ops.take(tokens, ids, axis=0) + positions)
    states = [x]
    for q, k, v, o, up, down in zip(*(ops.unstack(kernel, axis=0) for kernel in stacked), strict=True):
        x = norm(residual * x + attend(x, q, k, v, o))
        x = norm(residual * x + activation(x @ up) @ down)
        states.append(x)
    return states, norm(x) @ ops.transpose(tokens) / math.sqrt(H)


# %%
def final_loss(activation, seed):
    variables = [keras.Variable(value) for value in start_values(seed)]
    optimizer = keras.optimizers.Adam(PEAK)
    optimizer.build(variables)

    @tf.function
    def step(ids, targets):
        with tf.GradientTape() as tape:
            _, logits = forward([variable.value for variable in variables], ids, activation)
            loss = ops.mean(keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True))
        optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        return loss

    rng, losses = np.random.default_rng(100 + seed), []
    for number in range(1, STEPS + 1):
        optimizer.learning_rate.assign(PEAK * min(1, number / WARMUP))
        targets = rng.choice(np.arange(2, V), (16, T), p=frequency)
        ids = np.where(rng.random(targets.shape) < 0.15, 1, targets)
        losses.append(float(step(ids.astype("int32"), targets.astype("int32"))))
    return float(np.mean(losses[-5:]))


# %%
gelu, relu = final_loss(ops.gelu, 0), final_loss(ops.relu, 0)
print(f"loss at the end: GELU {gelu:.2f}, ReLU {relu:.2f}")
assert gelu < 2 and relu < 2

# %% [markdown]
# Both learn the task, and the difference is small beside the effect of warm-up in the chapter. One seed of a small
# model cannot decide which activation is better.
#
# ## Exercise 3: without residual connections
#
# `residual=0` removes the input from both sums.

# %%
ids = np.random.default_rng(0).integers(2, V, (16, T))
left = {}
for residual in (1, 0):
    states, _ = forward(start_values(0), ids, ops.gelu, residual)
    unit = [state / np.linalg.norm(state, axis=-1, keepdims=True) for state in map(np.asarray, states)]
    left[residual] = [float((unit[0] * each).sum(-1).mean()) for each in unit]
    print(f"residual {residual}: cosine with input, block 1: {left[residual][1]:.2f}, 12: {left[residual][12]:.2f}")
assert left[1][12] > 0.5 and abs(left[0][12]) < 0.3

# %% [markdown]
# Without the residual connections, the cosine is near 0 already after the first block: nothing is left of the
# direction of the input.
