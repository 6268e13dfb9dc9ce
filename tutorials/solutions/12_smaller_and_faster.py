# %% [markdown]
# # Solutions of chapter 12 · Smaller and faster?

# %%
import dataclasses

import numpy as np

import keras_bert as kb

rng = np.random.default_rng(0)

# %% [markdown]
# ## Exercise 1: BERT base with ALBERT's options
#
# The formula of the chapter.


# %%
def count(config):
    H, F, L = config.hidden_size, config.intermediate_size, config.num_layers
    E = config.embedding_size or H
    rows = config.vocab_size + config.max_position_embeddings + config.type_vocab_size
    embeddings = rows * E + 2 * E + (E * H + H if E != H else 0)
    block = 4 * (H * H + H) + (H * F + F) + (F * H + H) + 4 * H
    return embeddings + block * (1 if config.share_blocks else L) + (H * H + H if config.pooler else 0)


bert = kb.BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12")
albert = kb.BertConfig.from_preset("albert-base-v2")
changed = dataclasses.replace(bert, share_blocks=True, embedding_size=128)
print(f"BERT base {count(bert):,}, with ALBERT's options {count(changed):,}, ALBERT base {count(albert):,}")

# %% [markdown]
# The rest of the difference is the vocabulary: ALBERT has 30,000 tokens, BERT 30,522. Each row has 128 numbers.

# %%
assert (bert.vocab_size, albert.vocab_size) == (30522, 30000)
assert count(changed) - count(albert) == (bert.vocab_size - albert.vocab_size) * 128
print(f"difference {count(changed) - count(albert):,} = 522 x 128")

# %% [markdown]
# ## Exercise 2: why T²?
#
# The gradient of the divergence with respect to the student's logits is $(q - p) / T$, where p and q are the soft
# targets of teacher and student. We check this formula with a finite difference, and then compare its size.


# %%
def softmax(z):
    powers = np.exp(z - z.max())
    return powers / powers.sum()


def divergence(student, teacher, T):
    p, q = softmax(teacher / T), softmax(student / T)
    return (p * np.log(p / q)).sum()


# %%
def gradient(student, teacher, T):
    return (softmax(student / T) - softmax(teacher / T)) / T


teacher, student = rng.normal(0, 2, 50), rng.normal(0, 2, 50)
step = np.zeros(50)
step[3] = 1e-5
numeric = (divergence(student + step, teacher, 2) - divergence(student - step, teacher, 2)) / 2e-5
np.testing.assert_allclose(numeric, gradient(student, teacher, 2)[3], rtol=1e-4)

# %%
sizes = {T: np.linalg.norm(gradient(student, teacher, T)) for T in (1, 2, 4, 8)}
for T, size in sizes.items():
    print(f"T = {T}: gradient {size:.4f}, times T² {T**2 * size:.4f}")
with_factor = [T**2 * size for T, size in sizes.items()]
assert sizes[1] > 20 * sizes[8]  # without the factor it becomes small
assert max(with_factor) < 3 * min(with_factor)  # with it, it keeps its size

# %% [markdown]
# Without the factor, a higher temperature would need a higher learning rate, and the soft loss would lose its share of
# the sum of the three losses.
#
# ## Exercise 3: fewer bits
#
# With b bits there are $2^{b-1} - 1$ steps on each side of 0. The largest error is half a step, so each bit less
# doubles it, about.

# %%
W = np.asarray(kb.BertEncoder.from_pretrained("bert_en_uncased_mini").blocks[0].intermediate.kernel)  # [H, F]
errors = {}
for bits in (8, 6, 4, 2):
    steps = 2 ** (bits - 1) - 1  # 127, 31, 7, 1
    scale = np.abs(W).max(axis=0) / steps  # [F]
    errors[bits] = np.abs(np.round(W / scale) * scale - W).max()
    assert errors[bits] <= scale.max() / 2 + 1e-6
    print(f"{bits} bits: {2 * steps + 1:3} values, largest error {errors[bits]:.4f} (W's std {np.std(W):.4f})")
assert errors[8] < errors[6] < errors[4] < errors[2]
