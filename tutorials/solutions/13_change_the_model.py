# %% [markdown]
# # Solutions of chapter 13 · How do I change it?
#
# The weights are random here: all three exercises are about shapes and equal outputs, not about accuracy.

# %%
import keras
import numpy as np
from keras import ops

import keras_bert as kb
from keras_bert.layers import Adapter

keras.utils.set_random_seed(0)
H, L = 64, 3
sizes = {"vocab_size": 100, "hidden_size": H, "num_layers": L, "num_heads": 4, "intermediate_size": 4 * H}
config = kb.BertConfig(**sizes, initializer_range=0.1)
encoder = kb.BertEncoder(config)
word_ids = np.array([[2, 7, 9, 11, 3, 0], [2, 8, 3, 0, 0, 0]], "int32")  # [B, T]
ids = {"input_word_ids": word_ids, "input_mask": np.int32(word_ids > 0), "input_type_ids": 0 * word_ids}
is_token = word_ids > 0  # [B, T]


def outputs_of(encoder):
    return np.asarray(encoder(ids)["sequence_output"])[is_token]  # [tokens, H]


reference = outputs_of(encoder)

# %% [markdown]
# ## Exercise 1: the weights of adapters
#
# One adapter has two kernels, `[H, m]` and `[m, H]`, and two biases, `[m]` and `[H]`: $2Hm + m + H$. There are two
# adapters per block: $2L(2Hm + m + H)$. It grows linearly with m.


# %%
def added_weights(m):
    adapted = encoder.copy()
    for block in adapted.blocks:
        block.after_attention, block.after_feed_forward = Adapter(m), Adapter(m)
    return adapted.count_params() - encoder.count_params()


for m in (4, 16, 64):
    assert added_weights(m) == 2 * L * (2 * H * m + m + H)
    print(f"m = {m:2}: {added_weights(m):7,} weights, {added_weights(m) / encoder.count_params():.1%} of the model")

# %% [markdown]
# ## Exercise 2: LoRA in the feed-forward network
#
# A target with a kernel `[n, k]` gets `n r + r k` weights. The kernels of the feed-forward network are `[H, 4H]` and
# `[4H, H]`. Query and value have the kernel `[H, A, D]`, with A heads of size D = H / A: Keras makes A `[H, A, r]` and
# B `[r, D]`.

# %%
r, heads, D = 4, config.num_heads, config.head_size
lora = encoder.copy()
lora.enable_lora(rank=r, targets=("query", "value", "intermediate", "output"))
trained = sum(int(np.prod(weight.shape)) for weight in lora.trainable_weights)
projections = 2 * (H * heads * r + r * D)  # query, value
feed_forward = 2 * (H * r + r * 4 * H)  # intermediate, output
assert trained == L * (projections + feed_forward)
print(f"{trained:,} trained weights; with queries and values alone {L * projections:,}")
np.testing.assert_allclose(outputs_of(lora), reference, atol=1e-5)  # B is 0

# %% [markdown]
# Random values in B change the outputs. `merge_lora` keeps the changed outputs and removes the new weights.

# %%
rng = np.random.default_rng(0)
for weight in lora.trainable_weights:
    if weight.name.endswith("_b"):
        weight.assign(rng.normal(0, 0.1, weight.shape))
changed = outputs_of(lora)
assert np.abs(changed - reference).max() > 0.01
query = lora.blocks[0].attention.query_dense
a, b = np.asarray(query.lora_kernel_a), np.asarray(query.lora_kernel_b)  # [H, A, r], [r, D]
lora.merge_lora()
np.testing.assert_allclose(outputs_of(lora), changed, atol=1e-4)
assert lora.count_params() == encoder.count_params()

# %% [markdown]
# The change of one head's query kernel, `[H, D]`, is the product of `[H, r]` and `[r, D]`. So its rank is r: only r of
# its D singular values are not 0. Training of all weights can change the kernel in D directions.

# %%
singular = np.linalg.svd(a[:, 0] @ b, compute_uv=False)  # [D], of the first head
print("singular values:", (singular / singular[0]).round(3))
assert singular[r - 1] > 0.01 * singular[0] and singular[r] < 1e-5 * singular[0]

# %% [markdown]
# ## Exercise 3: a gate for each token
#
# The factors of a token are computed from its own vector, so other tokens and padding have no effect. The layer fits
# into a slot, because it needs only `x`.


# %%
@keras.saving.register_keras_serializable(package="solutions_13")
class TokenGate(keras.layers.Layer):
    def build(self, shape):
        self.squeeze = keras.layers.Dense(16, activation="relu", name="squeeze")
        self.excite = keras.layers.Dense(shape[-1], kernel_initializer="zeros", name="excite")
        self.squeeze.build(shape)
        self.excite.build((*shape[:-1], 16))

    def call(self, x):
        return x * 2 * ops.sigmoid(self.excite(self.squeeze(x)))  # [B, T, H]


# %%
gated = encoder.copy()
for block in gated.blocks:
    block.after_feed_forward = TokenGate()
np.testing.assert_allclose(outputs_of(gated), reference, atol=1e-5)  # the identity at the start

for block in gated.blocks:
    kernel = block.after_feed_forward.excite.kernel
    kernel.assign(rng.normal(0, 1, kernel.shape))
padded = {key: np.pad(value, ((0, 0), (0, 20))) for key, value in ids.items()}  # [B, T + 20]
with_padding = np.asarray(gated(padded)["sequence_output"])[:, :6][is_token]
assert np.abs(outputs_of(gated) - reference).max() > 0.01
np.testing.assert_allclose(with_padding, outputs_of(gated), atol=1e-4)
print("with random gates the outputs change, and 20 more padding tokens change nothing")
