# %% [markdown]
# # 02 · A BERT encoder from scratch
#
# Tutorial 01 turned text into ids. Here the ids become vectors that know their context: the encoder of BERT
# ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805)), built in plain Keras in six steps.
#
# | step | what | shape |
# |---|---|---|
# | 1 | token + position + segment embeddings | `[B, T]` → `[B, T, H]` |
# | 2 | attention by hand, one head, then `MultiHeadAttention` | `[B, T, H]` → `[B, T, H]` |
# | 3 | the padding mask | `[B, T]` |
# | 4 | the transformer block | `[B, T, H]` → `[B, T, H]` |
# | 5 | L blocks and the pooler | `[B, T, H]` → `[B, H]` |
# | 6 | counting every parameter of BERT base | 109,482,240 |
#
# B is the batch, T the tokens of a sequence, H the width of a vector, A the attention heads, L the blocks.
# At the end the package's `BertEncoder` gets the same weights and has to give the same numbers.
#
# Run it as a script (`python tutorials/02_encoder_from_scratch.py`, pictures in `tutorials/out/`) or as a notebook.
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
    """In a notebook below the cell, from a script into a file."""
    if NOTEBOOK:
        plt.show()
    else:
        folder = Path(__file__).resolve().parent / "out"
        folder.mkdir(exist_ok=True)
        figure.savefig(folder / f"02_{name}.png", dpi=110)
        print(f"picture: {folder / f'02_{name}.png'}")
    plt.close(figure)


# %% [markdown]
# ## The data: two sequences
#
# A pair of sentences and a single, shorter one, which is padded to the same length. Three arrays describe them, under
# the names that TF-Hub's BERT uses: which token, whether it is one, and which sentence it belongs to.

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
# One object holds all sizes. These are tiny so that every matrix can be looked at; step 6 uses the published ones.
# Dropout is off: it is for training, and today we compare numbers.

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
# ## 1 · Embeddings: what, where, and in which sentence
#
# Three tables of learned vectors, one row looked up in each, and the rows summed. Attention (step 2) treats its input
# as a set: without the position rows "the film was not bad" and "was the bad film not" would be the same to it.
# LayerNorm then brings every vector to mean 0 and variance 1, and a learned scale and shift.
#
# Two details that cost people days: BERT's LayerNorm has an epsilon of 1e-12 (Keras' default is 1e-3), and its dropout
# comes *after* the LayerNorm.


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

# Fresh tables are nearly zero; larger random numbers show more, here and in the attention below.
for table in (embeddings.word, embeddings.position, embeddings.segment):
    table.embeddings.assign(np.random.default_rng(table.input_dim).normal(0, 1, table.embeddings.shape))

# %%
word, position, segment = (ops.convert_to_numpy(part) for part in embeddings.parts(input_word_ids, input_type_ids))
pictures = {"token": word[0], "position": position, "segment": segment[0], "sum": word[0] + position + segment[0]}
figure, axes = plt.subplots(1, 4, figsize=(11, 3.4), layout="constrained", sharey=True)
for axis, (name, values) in zip(axes, pictures.items(), strict=True):
    image = axis.imshow(values, cmap="RdBu", vmin=-4, vmax=4, aspect="auto")
    axis.set(title=name, xlabel="dimension")
axes[0].set_yticks(range(T), padded[0])
figure.colorbar(image, ax=axes, label="value")
show(figure, "embeddings")

# %% [markdown]
# *Look at* the two rows of "[SEP]" and of "was": equal in the first picture, different in the last, since they stand
# elsewhere. The segment rows are the same within a sentence and change after the first `[SEP]`.
#
# ## 2 · Attention by hand
#
# Every token asks a question (query), offers a label (key) and has something to tell (value): three linear maps of its
# vector. How well a query fits a key is their dot product; a softmax over the keys makes weights that sum to 1; the
# answer is the weighted mean of the values ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762), section 3.2.1):
#
# $$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{H/A}}\right) V$$
#
# The root keeps the dot products of wide vectors from growing, which would make the softmax pick one key and pass no
# gradient. A heads do this side by side, each H / A wide, each with its own maps.

# %%
rng = np.random.default_rng(7)
D = H // A  # width of a head
kernel = {name: rng.normal(0, 0.3, (H, A, D)).astype("float32") for name in "qkv"}
bias = {name: rng.normal(0, 0.3, (A, D)).astype("float32") for name in "qkv"}
out_kernel, out_bias = rng.normal(0, 0.3, (A, D, H)).astype("float32"), rng.normal(0, 0.3, H).astype("float32")


def attention_by_hand(x, mask=None):
    q, k, v = (ops.einsum("bth,had->batd", x, kernel[n]) + bias[n][:, None, :] for n in "qkv")  # [B, A, T, D] each
    scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / np.sqrt(D)  # [B, A, T, T]
    if mask is not None:
        scores = ops.where(mask[:, None, None, :] == 1, scores, -1e9)  # step 3
    weights = ops.softmax(scores, axis=-1)  # [B, A, T, T], each row sums to 1
    heads = ops.matmul(weights, v)  # [B, A, T, D]
    return ops.einsum("batd,adh->bth", heads, out_kernel) + out_bias, weights  # [B, T, H], [B, A, T, T]


x = embeddings(input_word_ids, input_type_ids)
by_hand, unmasked = attention_by_hand(x)
print("attended:", tuple(by_hand.shape), "weights:", tuple(unmasked.shape))

# %% [markdown]
# `keras.layers.MultiHeadAttention` is this, and its kernels have these very shapes. With the same weights it gives the
# same numbers:

# %%
attention = keras.layers.MultiHeadAttention(num_heads=A, key_dim=D)
attention.build(x.shape, x.shape)
attention.set_weights([array for n in "qkv" for array in (kernel[n], bias[n])] + [out_kernel, out_bias])

difference = float(ops.max(ops.abs(attention(x, x) - by_hand)))
print(f"by hand and MultiHeadAttention differ by at most {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# ## 3 · The mask: nobody looks at padding
#
# The second sequence ends in five pads, which are there only because arrays are rectangular. Before the softmax their
# scores become so low that their weight is exactly zero. The mask hides *keys*, for every query alike: `[B, 1, T]`
# against scores of `[B, A, T, T]`. The pads' own rows are computed like any other and nobody reads them.

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
    axis.set(title=name, xlabel="key: looked at")
axes[0].set_yticks(range(T), padded[1])
axes[0].set_ylabel("query: looking")
figure.colorbar(image, ax=axes, label="weight", shrink=0.8)
show(figure, "mask")

# %% [markdown]
# *Look at* the right half of each picture: without a mask the words spend weight on pads; with it those columns are
# empty and the same weight is shared among the words. The test that matters: whatever stands in the pads, the words
# must not notice.

# %%
other_ids = np.where(input_mask == 1, input_word_ids, 5)  # other words where the pads were
other = embeddings(other_ids, input_type_ids)
real = input_mask == 1


def moved(mask):
    pair = (ops.convert_to_numpy(attention(value, value, attention_mask=mask)) for value in (x, other))
    return np.abs(np.subtract(*pair))[real].max()


print(f"words move by {moved(None):.3f} without the mask, by {moved(mask):.1e} with it")
assert moved(None) > 0.1 and moved(mask) < 1e-5

# %% [markdown]
# ## 4 · The block
#
# Attention mixes tokens; a feed-forward part then works on each token alone. Each has a residual around it (what came
# in is added to what comes out, so that a deep stack passes gradients) and a LayerNorm after that sum: "post-LN". Most
# later models normalise before; BERT's weights fit the original order only.
#
# The activation is GELU, in the tanh approximation, which Google's BERT was trained with. The exact GELU differs by
# less than 0.0005 a value, yet by 0.002 in the outputs of twelve layers: enough to be found out by a check.


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
# L blocks, one after another, each with its own weights. Then one vector for the whole sequence: the pooler takes the
# first token, `[CLS]`, through a dense layer and tanh. `[CLS]` means nothing by itself; pretraining (tutorial 03) and
# fine-tuning (tutorial 04) teach it to collect what a sentence-level answer needs.


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


ours = build_encoder(config)
outputs = ours(inputs)
print({name: tuple(value.shape) for name, value in outputs.items()}, f"{ours.count_params():,} parameters")

# %% [markdown]
# ### The check
#
# The package's `BertEncoder` is the same with documentation, dropout, initialisers, mixed precision and saving. Random
# values go into every weight (fresh biases are 0 and fresh scales 1, and would hide mistakes), the same into both.

# %%
encoder = kb.BertEncoder(config)


def same_random_weights(first, second):
    shapes = [weight.shape for weight in first.weights]
    assert shapes == [weight.shape for weight in second.weights]
    rng = np.random.default_rng(0)
    spread = 1.5 * first.weights[0].shape[-1] ** -0.5  # so that attention is far from even at any H
    values = [rng.normal(0, spread if len(shape) > 1 else 0.2, shape) for shape in shapes]
    for weight, value in zip(first.weights, values, strict=True):
        value += weight.name == "gamma"  # LayerNorm's scales are around 1
    for model in (first, second):
        model.set_weights(values)


def largest_difference(first, second, inputs):
    one, other = first(inputs), second(inputs)
    return {name: float(ops.max(ops.abs(one[name] - other[name]))) for name in one}


same_random_weights(ours, encoder)
differences = largest_difference(ours, encoder, inputs)
print("largest difference:", {name: f"{value:.1e}" for name, value in differences.items()})
assert max(differences.values()) < 1e-5

# %% [markdown]
# The package also tells what each head looks at. One row a block, one column a head, for the first sequence:

# %%
maps = attention_maps(encoder, inputs)  # L arrays [B, A, T, T]
figure, axes = plt.subplots(len(maps), A, figsize=(10, 8), layout="constrained", sharex=True, sharey=True)
for i, row in enumerate(axes):
    for a, axis in enumerate(row):
        image = axis.imshow(maps[i][0, a], cmap="Blues", vmin=0, vmax=1)
        axis.set_title(f"block {i + 1}, head {a + 1}", fontsize=9)
        axis.set_xticks(range(T), padded[0], rotation=90, fontsize=8)
        axis.set_yticks(range(T), padded[0], fontsize=8)
figure.colorbar(image, ax=axes, label="weight", shrink=0.5)
show(figure, "attention_maps")

# %% [markdown]
# *Look at* how different the heads are, though all weights are random: each head has maps of its own, so each finds its
# own pairs. Training gives those pairs a meaning.
#
# ## 6 · Counting to 109,482,240
#
# BERT base is nothing but larger numbers: H = 768, A = 12, L = 12, 30,522 tokens, 512 positions. Where do its
# parameters sit?

# %%
base = kb.BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12")
V, H, L, F = base.vocab_size, base.hidden_size, base.num_layers, base.intermediate_size
parameters = {
    "token table": V * H,
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
# *Look at* the feed-forward parts: half of BERT, twice the attention. The number of heads is in none of the formulas:
# heads split H, they do not add to it.
#
# With `--full` the same code builds BERT base and repeats the check at its size.

# %%
if FULL:
    ours, encoder = build_encoder(base), kb.BertEncoder(base)
    assert ours.count_params() == encoder.count_params() == total
    same_random_weights(ours, encoder)
    rng = np.random.default_rng(1)
    long = {
        "input_word_ids": rng.integers(1, V, (2, 64)),
        "input_mask": (np.arange(64) < np.array([[64], [40]])).astype("int32"),
        "input_type_ids": rng.integers(0, 2, (2, 64)),
    }
    differences = largest_difference(ours, encoder, long)
    print(f"BERT base, {encoder.count_params():,} parameters:", differences)
    assert max(differences.values()) < 5e-5
else:
    assert encoder.count_params() == ours.count_params()

# %% [markdown]
# ## Summary
#
# - An input vector is the sum of a token's, a position's and a segment's row, normalised.
# - Attention is a weighted mean of values; the weights are a softmax of how well queries fit keys.
# - The mask hides padding as keys, and then padding changes no number.
# - A block is attention and a feed-forward part, each with a residual and a LayerNorm after it; BERT is a stack of
#   blocks.
# - `BertEncoder` is this model: the same weights gave the same numbers.
#
# ## Exercises
#
# 1. Set `approximate=False` in `Block` and run the check again. How large is the difference, and after how many blocks
#    does it pass 5e-5?
# 2. Remove the position embeddings and shuffle the words of the first sentence. Which outputs change?
# 3. Mask queries as well as keys (`mask & mask transposed`). Which rows of `sequence_output` change, and does
#    `pooled_output`?
# 4. Move both LayerNorms before their part ("pre-LN"). Does a published weight file still make sense?
# 5. How many parameters has BERT large (`bert_en_uncased_L-24_H-1024_A-16`)? Predict, then ask
#    `kb.BertEncoder(kb.BertConfig.from_preset(…)).count_params()`.
