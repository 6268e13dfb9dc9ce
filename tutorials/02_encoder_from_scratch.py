# %% [markdown]
# # 02 · A BERT encoder from scratch
#
# Tutorial 01 turned text into ids. The encoder of BERT ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805)) turns
# ids into vectors that depend on their context. We build it in plain Keras, in six steps.
#
# | step | what | shape |
# |---|---|---|
# | 1 | token + position + segment embeddings | `[B, T]` → `[B, T, H]` |
# | 2 | attention: three tokens, one head, A heads, `MultiHeadAttention` | `[B, T, H]` → `[B, T, H]` |
# | 3 | the padding mask | `[B, T]` |
# | 4 | the transformer block | `[B, T, H]` → `[B, T, H]` |
# | 5 | L blocks and the pooler | `[B, T, H]` → `[B, H]` |
# | 6 | counting every parameter of BERT base | 109,482,240 |
#
# B is the batch size, T the sequence length, H the hidden size, A the number of attention heads, L the number of
# blocks. At the end the package's `BertEncoder` gets the same weights and must give the same numbers.
#
# Run it as a script (`python tutorials/02_encoder_from_scratch.py`, figures in `tutorials/out/`) or as a notebook.
# `--full` builds BERT base, all 110 million parameters, instead of the small one.

# %%
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

import keras_bert as kb
from keras_bert.explain import attention_maps

FULL = "--full" in sys.argv
NOTEBOOK = "__file__" not in globals()
keras.utils.set_random_seed(0)


def show(figure, name):
    """Show a figure below the cell in a notebook; write it to a file from a script."""
    if NOTEBOOK:
        plt.show()
    else:
        folder = Path(__file__).resolve().parent / "out"
        folder.mkdir(exist_ok=True)
        figure.savefig(folder / f"02_{name}.png", dpi=110)
        print(f"figure: {folder / f'02_{name}.png'}")
    plt.close(figure)


# %% [markdown]
# ## The data: two sequences
#
# A pair of sentences, and a shorter single sentence that is padded to the same length. Three arrays describe them,
# with the names of TF-Hub's BERT: the token ids, the mask (1 at tokens, 0 at padding), and the segment of each token.

# %%
TEXTS = [
    "[CLS] the film was not bad [SEP] it was fun [SEP]".split(),
    "[CLS] a long dull film [SEP]".split(),
]
VOCABULARY = ["[PAD]", *dict.fromkeys(token for text in TEXTS for token in text)]

B, T = len(TEXTS), max(map(len, TEXTS))
padded = [text + ["[PAD]"] * (T - len(text)) for text in TEXTS]
input_word_ids = np.array([[VOCABULARY.index(token) for token in text] for text in padded], "int32")  # [B, T]
input_mask = (input_word_ids != 0).astype("int32")  # [B, T]
input_type_ids = np.array([[0] * 7 + [1] * 4, [0] * T], "int32")  # [B, T]
inputs = {"input_word_ids": input_word_ids, "input_mask": input_mask, "input_type_ids": input_type_ids}
for key, value in inputs.items():
    print(f"{key:15}", *value.tolist(), sep="\n  ")

# %% [markdown]
# One object holds all sizes. Here they are tiny, so that every matrix can be printed; step 6 uses the published
# sizes. Dropout is 0, because we compare numbers.

# %%
config = kb.BertConfig(
    vocab_size=len(VOCABULARY),
    hidden_size=32,
    num_layers=3,
    num_heads=4,
    intermediate_size=128,
    max_position_embeddings=16,
    hidden_dropout=0.0,
    attention_dropout=0.0,
)
H, A = config.hidden_size, config.num_heads

# %% [markdown]
# ## 1 · Embeddings: token, position, segment
#
# Three tables of learned vectors: one row is looked up in each, and the three rows are added. Attention (step 2) does
# not depend on the order of its inputs: without the position embeddings, "the film was not bad" and "was the bad film
# not" would give the same vectors. LayerNorm then normalizes every vector to mean 0 and variance 1, and applies a
# learned scale and shift.
#
# Two details are often wrong in reimplementations: BERT's LayerNorm has an epsilon of 1e-12 (the default of Keras is
# 1e-3), and its dropout comes *after* the LayerNorm.


# %%
class Embeddings(keras.layers.Layer):
    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.word = keras.layers.Embedding(config.vocab_size, config.hidden_size)
        self.position = keras.layers.Embedding(config.max_position_embeddings, config.hidden_size)
        self.segment = keras.layers.Embedding(config.type_vocab_size, config.hidden_size)
        self.layer_norm = keras.layers.LayerNormalization(epsilon=1e-12)

    def parts(self, ids, types):
        positions = ops.arange(ops.shape(ids)[1])  # [T]: 0, 1, 2, …
        return self.word(ids), self.position(positions), self.segment(types)  # [B, T, H], [T, H], [B, T, H]

    def call(self, ids, types):
        word, position, segment = self.parts(ids, types)
        return self.layer_norm(word + position + segment)  # [B, T, H]


embeddings = Embeddings(config)
x = embeddings(input_word_ids, input_type_ids)
print("embedded:", tuple(x.shape))

# New tables are nearly zero. Larger random numbers make the figures below readable.
for table in (embeddings.word, embeddings.position, embeddings.segment):
    table.embeddings.assign(np.random.default_rng(table.input_dim).normal(0, 1, table.embeddings.shape))

# %%
word, position, segment = (ops.convert_to_numpy(part) for part in embeddings.parts(input_word_ids, input_type_ids))
panels = {"token": word[0], "position": position, "segment": segment[0], "sum": word[0] + position + segment[0]}
figure, axes = plt.subplots(1, 4, figsize=(11, 3.4), layout="constrained", sharey=True)
for axis, (name, values) in zip(axes, panels.items(), strict=True):
    image = axis.imshow(values, cmap="RdBu", vmin=-4, vmax=4, aspect="auto")
    axis.set(title=name, xlabel="dimension")
axes[0].set_yticks(range(T), padded[0])
figure.colorbar(image, ax=axes, label="value")
show(figure, "embeddings")

# %% [markdown]
# *Look at* the two rows of "[SEP]" and the two rows of "was": they are equal in the first panel and different in the
# last, because their positions differ. The segment rows are the same within a sentence and change after the first
# `[SEP]`.
#
# ## 2 · Attention
#
# Each token has a query, a key and a value: three linear maps of its vector. The score of a query and a key is their
# dot product. A softmax over the keys turns scores into weights that sum to 1. The output is the weighted mean of the
# values ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762), section 3.2.1):
#
# $$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{d}}\right) V$$
#
# ### Three tokens, computed by hand
#
# Queries, keys and values have d = 1 here, so that the square root is 1. The first token's query is 1, so its scores
# are the three keys 0, 1 and 2; exp gives 1, 2.72 and 7.39, their sum is 11.11, and the weights are 0.09, 0.24
# and 0.67.

# %%
query = np.array([[1.0], [0.0], [-1.0]])  # [T, d], T = 3, d = 1
key = np.array([[0.0], [1.0], [2.0]])  # [T, d]
value = np.array([[10.0], [20.0], [30.0]])  # [T, d]

scores = query @ key.T  # [T, T]
weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)  # [T, T]
print("weights\n", weights.round(2))
print("outputs", (weights @ value).ravel().round(2))
assert np.allclose(weights[0], [0.09, 0.24, 0.67], atol=0.01)
assert np.allclose((weights @ value)[1], 20)  # query 0: all scores are 0, so the output is the mean of the values

# %% [markdown]
# ### Why the scores are divided by the square root
#
# The dot product of two random vectors of width d has a standard deviation of about √d. Without the division, wide
# vectors give large scores, and the softmax gives nearly all weight to one key. Its gradient is then nearly zero.

# %%
rng = np.random.default_rng(7)
for d in (4, 64, 1024):
    scores = rng.normal(size=(1000, d)) @ rng.normal(size=(d, 10))  # 1,000 queries, 10 keys
    for name, s in (("with root", scores / np.sqrt(d)), ("without", scores)):
        weights = np.exp(s - s.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        print(f"d = {d:4}, {name:9}: mean of the largest weight {weights.max(1).mean():.2f}")

# %% [markdown]
# ### One head
#
# The same for the embedded sentences, with learned maps of the vectors to queries, keys and values of width D:

# %%
D = H // A  # width of a head
kernel = {name: rng.normal(0, 0.3, (H, A, D)).astype("float32") for name in "qkv"}
bias = {name: rng.normal(0, 0.3, (A, D)).astype("float32") for name in "qkv"}
out_kernel, out_bias = rng.normal(0, 0.3, (A, D, H)).astype("float32"), rng.normal(0, 0.3, H).astype("float32")


def one_head(x, a):
    q, k, v = (ops.matmul(x, kernel[n][:, a]) + bias[n][a] for n in "qkv")  # [B, T, D] each
    scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) / np.sqrt(D)  # [B, T, T]
    return ops.matmul(ops.softmax(scores, axis=-1), v)  # [B, T, D]


x = embeddings(input_word_ids, input_type_ids)  # [B, T, H]
print("one head:", tuple(one_head(x, 0).shape))

# %% [markdown]
# ### A heads
#
# A heads are computed in parallel, each of width D = H / A with its own maps. Their outputs are concatenated and mapped
# back to width H. One `einsum` computes all heads at once:


# %%
def attention_by_hand(x, mask=None):
    q, k, v = (ops.einsum("bth,had->batd", x, kernel[n]) + bias[n][:, None, :] for n in "qkv")  # [B, A, T, D] each
    scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / np.sqrt(D)  # [B, A, T, T]
    if mask is not None:
        scores = ops.where(mask[:, None, None, :] == 1, scores, -1e9)  # step 3
    weights = ops.softmax(scores, axis=-1)  # [B, A, T, T], each row sums to 1
    heads = ops.matmul(weights, v)  # [B, A, T, D]
    return ops.einsum("batd,adh->bth", heads, out_kernel) + out_bias, weights  # [B, T, H], [B, A, T, T]


by_hand, unmasked = attention_by_hand(x)
print("outputs:", tuple(by_hand.shape), "weights:", tuple(unmasked.shape))

heads = ops.concatenate([one_head(x, a) for a in range(A)], axis=-1)  # [B, T, A * D]
concatenated = ops.matmul(heads, out_kernel.reshape(A * D, H)) + out_bias  # [B, T, H]
assert float(ops.max(ops.abs(concatenated - by_hand))) < 1e-5

# %% [markdown]
# `keras.layers.MultiHeadAttention` computes the same, and its kernels have the same shapes. With the same weights it
# gives the same numbers:

# %%
attention = keras.layers.MultiHeadAttention(num_heads=A, key_dim=D)
attention.build(x.shape, x.shape)
attention.set_weights([array for n in "qkv" for array in (kernel[n], bias[n])] + [out_kernel, out_bias])

difference = float(ops.max(ops.abs(attention(x, x) - by_hand)))
print(f"by hand and MultiHeadAttention differ by at most {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# ## 3 · The padding mask
#
# The second sequence ends with padding, because arrays are rectangular. Before the softmax, the scores of padding
# keys are set so low that their weights are exactly zero. The mask hides *keys*, for all queries alike: it has shape
# `[B, 1, T]`, and Keras inserts the axis of heads, `[B, 1, 1, T]`, for scores of `[B, A, T, T]`. The outputs at
# padding positions are computed as well, but not used.

# %%
mask = input_mask[:, None, :]  # [B, 1, T]
_, masked = attention_by_hand(x, input_mask)
masked = ops.convert_to_numpy(masked)
difference = float(ops.max(ops.abs(attention(x, x, attention_mask=mask) - attention_by_hand(x, input_mask)[0])))
print(f"masked, the two differ by at most {difference:.1e}")
assert difference < 1e-5

figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.8), layout="constrained", sharey=True)
for axis, weights, name in zip(axes, (ops.convert_to_numpy(unmasked), masked), ("no mask", "masked"), strict=True):
    image = axis.imshow(weights[1, 0], cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(range(T), padded[1], rotation=90)
    axis.set(title=name, xlabel="key")
axes[0].set_yticks(range(T), padded[1])
axes[0].set_ylabel("query")
figure.colorbar(image, ax=axes, label="weight", shrink=0.8)
show(figure, "mask")

# %% [markdown]
# *Look at* the right half of each panel: without a mask, tokens give weight to padding; with it those columns are 0,
# and the weight is distributed over the tokens. The important test: other ids at the padding positions must not
# change the outputs of the tokens.

# %%
other_ids = np.where(input_mask == 1, input_word_ids, 5)  # other tokens at the padding positions
other = embeddings(other_ids, input_type_ids)
is_token = input_mask == 1


def largest_change(mask):
    pair = (ops.convert_to_numpy(attention(value, value, attention_mask=mask)) for value in (x, other))
    return np.abs(np.subtract(*pair))[is_token].max()


print(f"largest change of a token: {largest_change(None):.3f} without the mask, {largest_change(mask):.1e} with it")
assert largest_change(None) > 0.1 and largest_change(mask) < 1e-5

# %% [markdown]
# ## 4 · The block
#
# Attention combines tokens; the feed-forward part then transforms each token separately. Each of the two has a
# residual connection (its input is added to its output, so that gradients pass through a deep stack) and a LayerNorm
# after that sum. This order is called "post-LN". Most later models normalize before ("pre-LN"), which trains more
# easily when the stack is deep; BERT's published weights fit the original order only.
#
# The activation is GELU, which weights its input by the probability that a standard normal variable is smaller.
# Google's BERT was trained with the tanh approximation. How far is it from the exact function?

# %%
z = np.linspace(-6, 6, 10001).astype("float32")
difference = float(ops.max(ops.abs(ops.gelu(z, approximate=True) - ops.gelu(z, approximate=False))))
print(f"the two GELUs differ by at most {difference:.5f}")

# %% [markdown]
# That is small, but tutorial 04 shows that a comparison of two models detects it.


# %%
class Block(keras.layers.Layer):
    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.attention = keras.layers.MultiHeadAttention(config.num_heads, config.head_size)
        self.attention_layer_norm = keras.layers.LayerNormalization(epsilon=1e-12)
        self.intermediate = keras.layers.Dense(config.intermediate_size)
        self.output_dense = keras.layers.Dense(config.hidden_size)
        self.output_layer_norm = keras.layers.LayerNormalization(epsilon=1e-12)

    def call(self, x, input_mask):
        attended = self.attention(x, x, attention_mask=ops.cast(input_mask, "bool")[:, None, :])  # [B, T, H]
        x = self.attention_layer_norm(x + attended)  # [B, T, H]
        inner = ops.gelu(self.intermediate(x), approximate=True)  # [B, T, 4 H]
        return self.output_layer_norm(x + self.output_dense(inner))  # [B, T, H]


print("block:", tuple(Block(config)(x, input_mask).shape))

# %% [markdown]
# ## 5 · The stack and the pooler
#
# L blocks, one after another, each with its own weights. Then one vector for the whole sequence: the pooler applies a
# dense layer and tanh to the output of the first token, `[CLS]`. This token has no meaning of its own. Pretraining
# (tutorial 03) and fine-tuning (tutorial 04) train its output to represent the sequence.


# %%
def build_encoder(config):
    # === Layers ===
    embeddings = Embeddings(config)
    blocks = [Block(config) for _ in range(config.num_layers)]
    pooler = keras.layers.Dense(config.hidden_size, activation="tanh")

    # === Functional Model ===
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name)
        for name in ("input_word_ids", "input_mask", "input_type_ids")
    }
    x = embeddings(inputs["input_word_ids"], inputs["input_type_ids"])  # [B, T, H]
    for block in blocks:
        x = block(x, inputs["input_mask"])  # [B, T, H]
    return keras.Model(inputs, {"sequence_output": x, "pooled_output": pooler(x[:, 0])})  # [B, T, H], [B, H]


by_hand = build_encoder(config)
outputs = by_hand(inputs)
print({name: tuple(value.shape) for name, value in outputs.items()}, f"{by_hand.count_params():,} parameters")

# %% [markdown]
# ### The check
#
# The package's `BertEncoder` is the same model with dropout, initializers, mixed precision and saving. We set all
# weights of both models to the same random values. (New biases are 0 and new LayerNorm scales are 1, which would hide
# mistakes.)

# %%
encoder = kb.BertEncoder(config)


def same_random_weights(first, second):
    shapes = [weight.shape for weight in first.weights]
    assert shapes == [weight.shape for weight in second.weights]
    rng = np.random.default_rng(0)
    spread = 1.5 * first.weights[0].shape[-1] ** -0.5  # so that attention weights are not uniform
    values = [rng.normal(0, spread if len(shape) > 1 else 0.2, shape) for shape in shapes]
    for weight, value in zip(first.weights, values, strict=True):
        if weight.name == "gamma":  # LayerNorm scales are around 1
            value += 1
    for model in (first, second):
        model.set_weights(values)


def largest_difference(first, second, inputs):
    first, second = first(inputs), second(inputs)
    return {name: float(ops.max(ops.abs(first[name] - second[name]))) for name in first}


same_random_weights(by_hand, encoder)
differences = largest_difference(by_hand, encoder, inputs)
print("largest difference:", {name: f"{value:.1e}" for name, value in differences.items()})
assert max(differences.values()) < 1e-5

# %% [markdown]
# ### What attention learns
#
# `kb.explain.attention_maps` returns the attention weights of all heads. In a model with random weights they mean
# nothing, so we load the bundled encoder, which was pretrained for hours. One row per block, one column per head:

# %%
pretrained = kb.load_pretrained("bert_en_uncased_mini")
row = {name: np.asarray(value) for name, value in pretrained.vectorizer(["The old man opened the door."]).items()}
length = int(row["input_mask"].sum())
row = {name: value[:, :length] for name, value in row.items()}  # [1, T]
tokens = [pretrained.vectorizer.id_to_token(int(i)) for i in row["input_word_ids"][0]]
maps = attention_maps(pretrained.encoder, row)  # L arrays [1, A, T, T]
A = pretrained.encoder.config.num_heads
figure, axes = plt.subplots(len(maps), A, figsize=(10, 10), layout="constrained", sharex=True, sharey=True)
for i, row in enumerate(axes):
    for a, axis in enumerate(row):
        image = axis.imshow(maps[i][0, a], cmap="Blues", vmin=0, vmax=1)
        axis.set_title(f"block {i + 1}, head {a + 1}", fontsize=9)
        axis.set_xticks(range(length), tokens, rotation=90, fontsize=8)
        axis.set_yticks(range(length), tokens, fontsize=8)
figure.colorbar(image, ax=axes, label="weight", shrink=0.5)
show(figure, "attention_maps")

# %% [markdown]
# *Look at* the rows (queries) and columns (keys): several heads give most weight to a neighboring token (a line
# beside the diagonal), others to `[CLS]`, `[SEP]` or the period. Heads like these are found in every trained BERT
# ([Clark et al. 2019](https://arxiv.org/abs/1906.04341)). How much of its weight does each head give to the previous
# token?

# %%
for i, weights in enumerate(maps):
    previous = [float(np.mean(np.diagonal(weights[0, a], offset=-1))) for a in range(A)]
    print(f"block {i + 1}:", *(f"{share:.2f}" for share in previous))

# %% [markdown]
#
# ## 6 · Counting to 109,482,240
#
# BERT base is the same model with larger numbers: H = 768, A = 12, L = 12, 30,522 tokens, 512 positions. How many
# parameters does each part have?

# %%
base = kb.BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12")
V, H, L, F = base.vocab_size, base.hidden_size, base.num_layers, base.intermediate_size
parameters = {
    "token embeddings": V * H,
    "positions, segments": (base.max_position_embeddings + base.type_vocab_size) * H + 2 * H,  # and a LayerNorm
    "attention": L * (4 * (H * H + H) + 2 * H),  # query, key, value, output; LayerNorm
    "feed-forward": L * ((H * F + F) + (F * H + H) + 2 * H),
    "pooler": H * H + H,
}
total = sum(parameters.values())
print(f"BERT base: {total:,}")
assert total == 109_482_240

figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
bars = axis.barh(list(parameters), [value / 1e6 for value in parameters.values()], color="#3b6ea5")
axis.bar_label(bars, [f"{value / 1e6:.1f} M  ({value / total:.1%})" for value in parameters.values()], padding=4)
axis.invert_yaxis()
axis.set(xlabel="million parameters", xlim=(0, 72))
axis.spines[["top", "right"]].set_visible(False)
show(figure, "parameters")

# %% [markdown]
# *Look at* the feed-forward parts: they have half of all parameters, twice as many as attention. The number of heads
# is in none of the formulas, because the heads divide H among them.
#
# With `--full` the same code builds BERT base and repeats the check at its size.

# %%
if FULL:
    by_hand, encoder = build_encoder(base), kb.BertEncoder(base)
    assert by_hand.count_params() == encoder.count_params() == total
    same_random_weights(by_hand, encoder)
    rng = np.random.default_rng(1)
    long = {
        "input_word_ids": rng.integers(1, V, (2, 64)),
        "input_mask": (np.arange(64) < np.array([[64], [40]])).astype("int32"),
        "input_type_ids": rng.integers(0, 2, (2, 64)),
    }
    differences = largest_difference(by_hand, encoder, long)
    print(f"BERT base, {encoder.count_params():,} parameters:", differences)
    assert max(differences.values()) < 5e-5
else:
    assert encoder.count_params() == by_hand.count_params()

# %% [markdown]
# ## Summary
#
# - An input vector is the normalized sum of a token, a position and a segment embedding.
# - Attention is a weighted mean of values; the weights are a softmax of the scaled dot products of queries and keys.
# - The mask hides padding keys; then padding changes no output.
# - A block is attention and a feed-forward part, each with a residual connection and a LayerNorm after it. BERT is a
#   stack of blocks.
# - `BertEncoder` is this model: the same weights gave the same numbers.
#
# ## Exercises
#
# 1. Set `approximate=False` in `Block` and run the check again. How large is the difference, and after how many
#    blocks does it pass 5e-5?
# 2. Remove the position embeddings and shuffle the words of the first sentence. Which outputs change?
# 3. Mask queries as well as keys (`mask & mask transposed`). Which rows of `sequence_output` change, and does
#    `pooled_output`?
# 4. Move both LayerNorms before their part ("pre-LN"). Can you still use published weights?
# 5. How many parameters does BERT large have (`bert_en_uncased_L-24_H-1024_A-16`)? Compute it, then compare with
#    `kb.BertEncoder(kb.BertConfig.from_preset(…)).count_params()`.
