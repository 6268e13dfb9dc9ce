# %% [markdown]
# # Solutions of chapter 05 · Is it BERT?
#
# The numpy model of the chapter, shortened: it reads the weights from the package's encoder.

# %%
import keras
import numpy as np

import keras_bert as kb

pretrained = kb.load_pretrained("bert_en_uncased_mini")
encoder = pretrained.encoder
HEADS = encoder.config.num_heads
blocks = [[keras.ops.convert_to_numpy(weight).copy() for weight in block.weights] for block in encoder.blocks]


def layer_norm(x, gamma, beta):
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-12) * gamma + beta


def gelu(z):
    return 0.5 * z * (1 + np.tanh(np.sqrt(np.float32(2 / np.pi)) * (z + 0.044715 * z * z * z)))


def run_block(x, mask, weights, root=True, mask_queries=False):
    size = x.shape[-1]
    (qk, qb, kk, kb_, vk, vb, ok, ob, g1, b1, up, up_bias, down, down_bias, g2, b2) = weights
    split = lambda y: y.reshape(*y.shape[:2], HEADS, -1).swapaxes(1, 2)  # noqa: E731
    q, k, v = (split(x @ w.reshape(size, size) + b.reshape(-1)) for w, b in ((qk, qb), (kk, kb_), (vk, vb)))
    scores = q @ k.swapaxes(-1, -2)  # [B, A, T, T]
    scores = scores / np.sqrt(np.float32(q.shape[-1])) if root else scores
    hidden = mask[:, None, None, :] == 0
    hidden = hidden | (mask[:, None, :, None] == 0) if mask_queries else hidden
    scores = np.where(hidden, np.float32(-1e9), scores)
    probabilities = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities = probabilities / probabilities.sum(axis=-1, keepdims=True)
    attended = (probabilities @ v).swapaxes(1, 2).reshape(x.shape) @ ok.reshape(size, size) + ob
    x = layer_norm(x + attended, g1, b1)
    return layer_norm(x + gelu(x @ up + up_bias) @ down + down_bias, g2, b2)


def forward(inputs, blocks, **settings):
    x = keras.ops.convert_to_numpy(encoder.embeddings(inputs["input_word_ids"], inputs["input_type_ids"]))
    states = [x]
    for weights in blocks:
        states.append(run_block(states[-1], inputs["input_mask"], weights, **settings))
    return states


def differences(first, second, mask):
    return [float(np.abs(a - b)[mask == 1].max()) for a, b in zip(first, second, strict=True)]


def rows_of(texts, length):
    return {name: np.asarray(value)[:, :length] for name, value in pretrained.vectorizer(texts).items()}


two = rows_of(["It was not bad.", "The river bank was covered with flowers."], 10)
correct = forward(two, blocks)
package = encoder(two)["sequence_output"]
assert np.abs(correct[-1] - package)[two["input_mask"] == 1].max() < 5e-5

# %% [markdown]
# ## Exercise 1: one bias of block 2

# %%
changed = [[weight.copy() for weight in weights] for weights in blocks]
changed[1][-3] = changed[1][-3] + np.eye(1, len(changed[1][-3]), 0, dtype="float32")[0] * 0.001  # bias of output_dense
found = differences(forward(two, changed), correct, two["input_mask"])
print("embeddings and layers 1 to 4:", [f"{value:.0e}" for value in found])
assert max(found[:2]) < 1e-6 and min(found[2:]) > 5e-5

# %% [markdown]
# Layer 1 comes before the changed block, so nothing changes there. From layer 2 on the difference is visible: the first
# layer with a difference names the block.
#
# ## Exercise 2: without the square root

# %%
one = rows_of(["It was not bad."], 7)
found = differences(forward(one, blocks, root=False), forward(one, blocks), one["input_mask"])
print([f"{value:.0e}" for value in found])
assert found[-1] > 0.1

# %% [markdown]
# Yes. The root acts on every row, so every input shows it.
#
# ## Exercise 3: mask queries and keys

# %%
found = differences(forward(two, blocks, mask_queries=True), correct, two["input_mask"])
print([f"{value:.0e}" for value in found])
assert max(found) < 5e-5

# %% [markdown]
# It is not found, and it changes no prediction: only the rows of padding queries differ, and no model uses the outputs
# at padding. So this is not a mistake. `mask on queries` in the chapter is one, because there the keys are visible.
