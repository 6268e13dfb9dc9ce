# %% [markdown]
# # 04 · Why this block, L times?
#
# Attention mixes the vectors of a text (chapter 03). Why does BERT put a second part, two sums and two normalizations
# around it, and repeat the result twelve times?
#
# **At the end** you have built the transformer block by hand and the package's block gives the same numbers. You have
# trained stacks of twelve blocks that learn, and one that does not, and you know where the 110 million parameters of
# BERT base are. You have put a layer of your own into the block.
#
# **Time**: under one minute on 2 cores, without a network connection. **Papers**: [Devlin et al.
# 2018](https://arxiv.org/abs/1810.04805), section 3 and appendix A.2; [Vaswani et al.
# 2017](https://arxiv.org/abs/1706.03762), sections 3.1 to 3.3 and 5.3; [Xiong et al.
# 2020](https://arxiv.org/abs/2002.04745) for the place of the normalization.
#
#      x  [B, T, H]
#      ├──────────────┐
#      │          attention            mixes the tokens
#      └──── + ───────┘                residual connection: the input is added
#            │
#        LayerNorm                     mean 0, variance 1
#            ├────────────┐
#            │     dense, GELU, dense  works on each token alone
#            └──── + ─────┘            residual connection
#                  │
#              LayerNorm
#                  │
#      next block  [B, T, H]
#
# B is the number of texts, T the number of tokens, H the hidden size, A the number of heads, F the size inside the
# feed-forward part, L the number of blocks.

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(4)

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import keras_bert as kb

# %% [markdown]
# ## 1 · The block by hand
#
# We take the package's block with small sizes and set all its weights to random numbers. (In a new block all biases
# are 0 and all LayerNorm scales are 1. These values would hide a mistake.) Then we compute what the block computes.
# Dropout, which sets randomly chosen numbers to 0 during training, is turned off here. When a trained model predicts,
# it is off, too.

# %%
keras.utils.set_random_seed(4)
B, T, H, A, F = 2, 5, 8, 2, 32
block = kb.layers.TransformerBlock(hidden_size=H, num_heads=A, intermediate_size=F, dropout=0.0, attention_dropout=0.0)
block.build((None, None, H))
rng = np.random.default_rng(4)
block.set_weights([rng.normal(0, 0.5, weight.shape) for weight in block.weights])

w = {"/".join(weight.path.split("/")[-2:]): ops.convert_to_numpy(weight) for weight in block.weights}
for name, value in w.items():
    print(f"{name:28} {value.shape}")

# %% [markdown]
# The output lists sixteen arrays: eight of the attention, two of each LayerNorm, two of each dense layer.
#
# The attention is that of chapter 03, so we use Keras's layer for it. The mask hides the padding of the second text.
# The *residual connection* is the sum: the input plus what the attention found. The attention only has to compute a
# change of the vectors.

# %%
x = rng.normal(size=(B, T, H)).astype("float32")  # [B, T, H]
mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])  # [B, T]

attention = keras.layers.MultiHeadAttention(num_heads=A, key_dim=H // A)
attention.build(x.shape, x.shape)
attention.set_weights(block.attention.get_weights())
attended = attention(x, x, attention_mask=mask[:, None, :])  # [B, T, H]
summed = x + ops.convert_to_numpy(attended)  # [B, T, H]
print("one token before the sum:", x[0, 0, :4].round(2), " after:", summed[0, 0, :4].round(2))

# %% [markdown]
# *LayerNorm* normalizes each vector: it subtracts its mean and divides by its standard deviation. Then it multiplies
# by a learned scale (gamma) and adds a learned shift (beta). The epsilon of 1e-12 prevents a division by zero.


# %%
def layer_norm(x, gamma, beta):
    mean = x.mean(axis=-1, keepdims=True)  # [B, T, 1]
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)  # [B, T, 1]
    return (x - mean) / np.sqrt(variance + 1e-12) * gamma + beta  # [B, T, H]


x1 = layer_norm(summed, w["attention_layer_norm/gamma"], w["attention_layer_norm/beta"])  # [B, T, H]
plain = layer_norm(summed, 1, 0)
print("before gamma and beta: mean", plain[0, 0].mean().round(6), " variance", plain[0, 0].var().round(6))

# %% [markdown]
# The *feed-forward part* is two dense layers with an activation between them: from H to F numbers and back. It sees
# one token at a time. Why is it needed? Attention takes means of values, and a value is a linear map of a vector. With
# the activation, the feed-forward part computes a function of each vector that is not linear; without it, the two dense
# layers would be one linear map with biases. The activation is GELU in its tanh form; section 6 explains it. BERT has
# F = 4 H (Devlin et al., section 3).


# %%
def gelu_tanh(z):
    return 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))


inner = gelu_tanh(x1 @ w["intermediate/kernel"] + w["intermediate/bias"])  # [B, T, F]
output = inner @ w["output_dense/kernel"] + w["output_dense/bias"]  # [B, T, H]
by_hand = layer_norm(x1 + output, w["output_layer_norm/gamma"], w["output_layer_norm/beta"])  # [B, T, H]

package = ops.convert_to_numpy(block(x, mask))  # [B, T, H]
print(f"largest difference from the package's block: {np.abs(by_hand - package).max():.1e}")
np.testing.assert_allclose(by_hand, package, atol=2e-5)

# %% [markdown]
# That is the whole block. BERT's encoder is the embeddings, then L such blocks, each with its own weights: the output
# of one is the input of the next. Why L times? One attention can only combine the vectors that it gets. In the second
# block these vectors already contain other tokens, so it can combine combinations, and so on. The shapes stay `[B, T,
# H]`, so any number of blocks fits. Devlin et al. (section 5.2, table 6) measured what more blocks give: with H = 768
# the accuracy on MNLI, pairs of sentences with three classes, is 77.9 % with 3 blocks and 84.4 % with 12. Each block
# costs the same time again. The loop below has the same output as `BertEncoder`.

# %%
config = kb.BertConfig(vocab_size=20, hidden_size=H, num_layers=3, num_heads=A, intermediate_size=F)
encoder = kb.BertEncoder(config)
ids = np.array([[2, 7, 9, 4, 3], [2, 5, 3, 0, 0]])  # [B, T]

states = encoder.embeddings(ids, 0 * ids)  # [B, T, H]
for each in encoder.blocks:
    states = each(states, mask)  # [B, T, H]
expected = encoder({"input_word_ids": ids, "input_mask": mask, "input_type_ids": 0 * ids})
np.testing.assert_allclose(states, expected["sequence_output"], atol=1e-5)
print("three blocks in a loop and BertEncoder give the same output")

# %% [markdown]
# ## 2 · Why normalize after the sum?
#
# BERT normalizes *after* each sum. This order is called post-LN. Most later models normalize the *input* of each part
# and leave the sum alone (pre-LN):
#
#     post-LN   x = norm(x + attention(x))          pre-LN   x = x + attention(norm(x))
#               x = norm(x + feed_forward(x))                x = x + feed_forward(norm(x))
#
# We compare both in stacks of 12 small blocks. For short code these blocks have no biases, and their LayerNorms have
# no gamma and beta. The start values are random, with standard deviation `scale / sqrt(size of the input)`.

# %%
L, H, A, T, V = 12, 32, 2, 16, 64


def start_values(seed, scale):
    rng = np.random.default_rng(seed)
    shapes = [(L, H, H)] * 4 + [(L, H, 4 * H), (L, 4 * H, H)]  # query, key, value, output; feed-forward
    values = [rng.normal(0, scale * shape[1] ** -0.5, shape) for shape in shapes]
    tables = [rng.normal(0, 0.7, (V, H)), rng.normal(0, 0.25, (T, H))]  # tokens, positions
    return [value.astype("float32") for value in tables + values]


print(f"scale of BERT base: 0.02 * sqrt(768) = {0.02 * math.sqrt(768):.2f}")

# %% [markdown]
# BERT starts with a standard deviation of 0.02 (`initializer_range`), which is a scale of 0.55 at H = 768. A scale of 1
# keeps the size of a random vector in a product. The two parts of the block, as functions:


# %%
def norm(x):
    x = x - ops.mean(x, axis=-1, keepdims=True)
    return x / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) + 1e-12)


def attend(x, q, k, v, o):
    q, k, v = (ops.reshape(x @ kernel, (-1, T, A, H // A)) for kernel in (q, k, v))  # [B, T, A, D] each
    weights = ops.softmax(ops.einsum("bqad,bkad->baqk", q, k) / math.sqrt(H // A))  # [B, A, T, T]
    return ops.reshape(ops.einsum("baqk,bkad->bqad", weights, v), (-1, T, H)) @ o  # [B, T, H]


def feed_forward(x, up, down):
    return ops.gelu(x @ up, approximate=True) @ down  # [B, T, H]


# %% [markdown]
# One block in both orders: post-LN normalizes each sum, pre-LN the input of each part.


# %%
def one_block(x, kernels, pre_norm):
    q, k, v, o, up, down = kernels
    if pre_norm:
        x = x + attend(norm(x), q, k, v, o)
        return x + feed_forward(norm(x), up, down)
    x = norm(x + attend(x, q, k, v, o))
    return norm(x + feed_forward(x, up, down))


# %% [markdown]
# The forward pass returns the state after each block, and the *logits*: the product of the last state, after one more
# norm, with all token vectors, divided by the root of H. They are one number for each token of the vocabulary. A
# softmax makes probabilities of them.


# %%
def forward(variables, ids, pre_norm):
    tokens, positions, *stacked = variables
    x = norm(ops.take(tokens, ids, axis=0) + positions)  # [B, T, H]
    states = [x]
    for kernels in zip(*(ops.unstack(kernel, axis=0) for kernel in stacked), strict=True):
        x = one_block(x, kernels, pre_norm)
        states.append(x)
    return states, norm(x) @ ops.transpose(tokens) / math.sqrt(H)  # L + 1 of [B, T, H]; [B, T, V]


# %% [markdown]
# How much of the input is still in the state after each block, before any training? The measure is the cosine between
# a token's state and its input vector: 1 means the same direction, 0 means that nothing is left.

# %%
ids = np.random.default_rng(0).integers(2, V, (16, T))  # [B, T]
left = {}
for scale in (0.55, 1.0):
    for order in ("post-LN", "pre-LN"):
        states, _ = forward(start_values(0, scale), ids, order == "pre-LN")
        unit = [state / np.linalg.norm(state, axis=-1, keepdims=True) for state in map(np.asarray, states)]
        left[f"{order}, scale {scale:g}"] = [float((unit[0] * each).sum(-1).mean()) for each in unit]

# %%
caption = "How much of the input is left after each block, before training."
chapter.show(kb.explain.line_chart(range(L + 1), left, caption, "block", "cosine with the input"), "input_left")
assert left["post-LN, scale 1"][-1] < left["pre-LN, scale 1"][-1] < left["pre-LN, scale 0.55"][-1]
assert left["post-LN, scale 0.55"][-1] > 0.5

# %% [markdown]
# *Look at* the two curves of scale 1, green and pink. In post-LN (green) the input is nearly lost after twelve blocks:
# each LayerNorm divides the sum of input and change, so the share of the input gets smaller in every block. With
# BERT's scale (blue, orange) the changes are small at the beginning, and most of the input is left in both orders.
#
# ## 3 · Training with and without warm-up
#
# Does it matter for learning? The task is the simplest one: the input is a row of random tokens, 15 % of them are
# replaced with the mask token 1, and the model must return all original tokens. Frequent tokens are drawn more often,
# as in a language. A model that gives every token the probability of its frequency has the loss printed below. A
# perfect model can only guess at the masked tokens, so 15 % of that loss remains.

# %%
frequency = 1 / np.arange(1, V - 1)
frequency /= frequency.sum()
FREQUENCIES = float(-(frequency * np.log(frequency)).sum())
print(f"loss of the token frequencies: {FREQUENCIES:.2f}; of a perfect model: {0.15 * FREQUENCIES:.2f}")


def random_batch(rng):
    targets = rng.choice(np.arange(2, V), (16, T), p=frequency)  # [B, T]
    return np.where(rng.random(targets.shape) < 0.15, 1, targets).astype("int32"), targets.astype("int32")


# %% [markdown]
# One training step computes the loss and its gradient: for each weight, how the loss changes when the weight changes.
# The optimizer Adam then changes all weights a little, by about the learning rate. We also keep the norm (the length)
# of the gradient of each block. Near 0 it says that a small change of this block hardly changes the loss.
# `tf.function` compiles the step, because it runs several hundred times.


# %%
def new_step(variables, optimizer, pre_norm):
    @tf.function
    def step(ids, targets):
        with tf.GradientTape() as tape:
            _, logits = forward([variable.value for variable in variables], ids, pre_norm)
            loss = ops.mean(keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True))
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        norms = ops.sqrt(sum(ops.sum(each**2, axis=(1, 2)) for each in gradients[2:]))  # [L]
        optimizer.apply(gradients, variables)
        return loss, norms

    return step


# %% [markdown]
# A run has 60 steps. With warm-up, the learning rate rises from 0 to its peak in the first 30 steps; without, it has
# the peak value from the first step. All runs of a seed have the same start values and the same batches.

# %%
STEPS, PEAK, WARMUP, SEEDS = 60, 0.02, 30, (0, 1, 2)


def train(step, variables, optimizer, seed, peak, warmup, scale=0.55):
    for variable, value in zip(variables, start_values(seed, scale), strict=True):
        variable.assign(value)
    for variable in optimizer.variables:
        variable.assign(ops.zeros_like(variable))  # a new optimizer
    rng, logs = np.random.default_rng(100 + seed), []
    for number in range(1, STEPS + 1):
        optimizer.learning_rate.assign(peak * min(1, number / warmup) if warmup else peak)
        logs.append(step(*random_batch(rng)))
    return [float(loss) for loss, _ in logs], np.array([norms for _, norms in logs])  # [steps], [steps, L]


# %% [markdown]
# After each run we also measure how similar the vectors of *different* positions are, after each block: the mean
# cosine over all pairs. A useful model must keep different tokens apart.


# %%
def similarity(variables, pre_norm):
    states, _ = forward([variable.value for variable in variables], ids, pre_norm)
    result = []
    for state in map(np.asarray, states):
        unit = (state / np.linalg.norm(state, axis=-1, keepdims=True)).reshape(-1, H)  # [N, H]
        n = len(unit)
        result.append(((unit @ unit.T).sum() - n) / (n * n - n))
    return result  # L + 1 numbers


# %%
steps, losses, norms, alike = {}, {}, {}, {}
for order in ("post-LN", "pre-LN"):
    variables = [keras.Variable(value) for value in start_values(0, 0.55)]
    optimizer = keras.optimizers.Adam(PEAK)
    optimizer.build(variables)
    steps[order] = new_step(variables, optimizer, order == "pre-LN"), variables, optimizer
    for name, warmup in ((f"{order}, warm-up", WARMUP), (f"{order}, no warm-up", 0)):
        runs = [(*train(*steps[order], seed, PEAK, warmup), similarity(variables, order == "pre-LN")) for seed in SEEDS]
        losses[name], norms[name], alike[name] = (np.array(each) for each in zip(*runs, strict=True))  # [seeds, …]
        print(f"{name:19} final loss of each seed:", losses[name][:, -5:].mean(1).round(2))

# %%
plot = kb.explain.line_chart(
    range(1, STEPS + 1),
    {name: values.mean(0) for name, values in losses.items()},
    "Mean loss of three seeds. The band is the standard deviation.",
    "step",
    "loss",
    errors={name: values.std(0) for name, values in losses.items()},
    baselines={"token frequencies": FREQUENCIES},
)
chapter.show(plot, "warmup")

# %% [markdown]
# *Look at* the orange curve, post-LN without warm-up. It rises in the first steps, and then it stays at the dashed
# line, in all seeds: this model has learned the token frequencies and does not use its input. The same model with
# warm-up (blue) learns. Pre-LN (green and pink) learns with and without warm-up. (At step 1 all curves are below the
# dashed line. The start values are small, so most of the input is left in the last state, and the product with the
# token vectors is nearly always highest for the token that the model sees.)

# %%
final = {name: values[:, -5:].mean(1) for name, values in losses.items()}  # [seeds]
learned = [name for name in final if name != "post-LN, no warm-up"]
assert final["post-LN, no warm-up"].min() > FREQUENCIES - 0.4
assert max(final[name].max() for name in learned) < 2

# %% [markdown]
# What happened to the model that does not learn? First, how similar are the vectors of different positions?

# %%
plot = kb.explain.line_chart(
    range(L + 1),
    {name: values.mean(0) for name, values in alike.items()},
    "Similarity of different positions after each block, at the end of training, mean of three seeds.",
    "block",
    "mean cosine of two positions",
)
chapter.show(plot, "similarity")
assert alike["post-LN, no warm-up"][:, -1].min() > 0.9
assert max(alike[name][:, -1].max() for name in learned) < 0.6

# %% [markdown]
# *Look at* the orange curve: it is high in the later blocks, and after the last block all positions have nearly the
# same vector (a cosine near 1). Whatever the input is, the output is nearly the same, and the best single answer is
# the token frequencies. The first large steps of Adam did this.
#
# Can this model recover? The gradient of each block in the last step:

# %%
plot = kb.explain.line_chart(
    range(1, L + 1),
    {name: np.median(values[:, -1], axis=0) for name, values in norms.items()},
    "Gradient norm of each block in step 60: median of three seeds, logarithmic axis.",
    "block",
    "gradient norm",
    log_y=True,
)
chapter.show(plot, "gradient_norms")
print("first step, post-LN:", norms["post-LN, no warm-up"][:, 0].mean(0).round(2))

# %%
ratio = {name: (values[:, -1].max(1) / values[:, -1].min(1)).min() for name, values in norms.items()}
for name, value in ratio.items():
    print(f"{name:19} largest / smallest gradient of the blocks, lowest of three seeds: {value:.1f}")
assert ratio["post-LN, no warm-up"] > 3 * max(ratio[name] for name in learned)
last = np.median(norms["post-LN, warm-up"][:, -1], axis=0)  # [L], the blue curve
assert last.argmax() == L - 1 and max(ratio["pre-LN, warm-up"], ratio["pre-LN, no warm-up"]) < 3

# %% [markdown]
# *Look at* the orange curve again. In the first step all blocks of this model had gradients of about the same norm
# (the line "first step" of the output). After 60 steps without warm-up some blocks have a gradient that is many times
# smaller than that of others: a change of their weights has hardly any effect on the loss. With warm-up, and in
# pre-LN, all blocks still have a gradient. In post-LN with warm-up (blue) it is largest in the last block, and in
# pre-LN it is nearly equal in all.
#
# The original Transformer and BERT have post-LN, so both need warm-up: 4,000 steps in Vaswani et al., section 5.3,
# and 10,000 in Devlin et al., appendix A.2. Xiong et al. (section 3) explain this. A published BERT can only be loaded
# into the order that it was trained with. That is why this package has post-LN.
#
# ## 4 · What could mislead you
#
# "Post-LN needs warm-up" is not always true. The learning rate above was high. The control: the same model, without
# warm-up, with a lower learning rate, and with larger start values.

# %%
control = {
    "peak 0.02, scale 0.55": final["post-LN, no warm-up"].mean(),
    "peak 0.003, scale 0.55": np.mean(train(*steps["post-LN"], 0, 0.003, 0)[0][-5:]),
    "peak 0.003, scale 1": np.mean(train(*steps["post-LN"], 0, 0.003, 0, scale=1.0)[0][-5:]),
    "token frequencies": FREQUENCIES,
}
caption = "Post-LN without warm-up: loss at the end."
chapter.show(kb.explain.bar_chart(control, caption, "loss", number_format="{:.2f}"), "control")
assert control["peak 0.003, scale 0.55"] < 2 and control["peak 0.003, scale 1"] > 2.8

# %% [markdown]
# *Look at* the second bar: with a lower rate, post-LN without warm-up learns, too. And the third: with start values of
# scale 1, it does not learn even at this rate. So three things work together: the order, the learning rate and the
# start values. BERT has small start values *and* warm-up. (The first bar is the mean of three seeds; the second and the
# third are one seed each.) These are models of 12 blocks with 32 numbers per token, trained for 60 steps. The numbers
# of a large model are different, the direction is that of Xiong et al.
#
# ## 5 · Where are 110 million parameters?
#
# BERT base has H = 768, F = 3,072, L = 12. We count without building the model. A dense layer from n to m numbers has n
# · m weights and m biases. The number of heads is in none of the formulas, because the heads share H. The *pooler* is a
# dense layer with tanh after the last block, from the vector of `[CLS]` to `pooled_output`, which classifiers use
# (chapters 08 and 10).

# %%
base = kb.BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12")
V, H, L, F = base.vocab_size, base.hidden_size, base.num_layers, base.intermediate_size
parameters = {
    "token embeddings": V * H,
    "positions, segments, LayerNorm": (base.max_position_embeddings + base.type_vocab_size + 2) * H,
    "attention, 12 blocks": L * (4 * (H * H + H) + 2 * H),  # query, key, value, output; LayerNorm
    "feed-forward, 12 blocks": L * ((H * F + F) + (F * H + H) + 2 * H),
    "pooler": H * H + H,
}
total = sum(parameters.values())
print(f"BERT base: {total:,}")
assert total == 109_482_240

# %%
plot = kb.explain.bar_chart(
    {name: count / 1e6 for name, count in parameters.items()},
    "The feed-forward parts have about half of all parameters, twice as many as attention.",
    "million parameters",
)
chapter.show(plot, "parameters")
assert 0.45 < parameters["feed-forward, 12 blocks"] / total < 0.55

# %% [markdown]
# *Look at* the longest bar: the feed-forward parts, not attention, have most of the parameters. The sum, 109,482,240,
# is the size of the published model (the TF-Hub model `bert_en_uncased_L-12_H-768_A-12` has 199 variables of this
# total). Check the formulas on a model that is small enough to build:

# %%
small = encoder.config
H, F = small.hidden_size, small.intermediate_size
count = (small.vocab_size + small.max_position_embeddings + small.type_vocab_size + 2) * H
count += small.num_layers * (4 * (H * H + H) + 2 * H + (H * F + F) + (F * H + H) + 2 * H) + H * H + H
print(f"formula {count:,}, BertEncoder {encoder.count_params():,}")
assert count == encoder.count_params()

# %% [markdown]
# ## 6 · Why GELU?
#
# ReLU sets negative numbers to 0, so its gradient is 0 there. GELU multiplies z by the probability that a standard
# normal variable is smaller than z. Small negative numbers keep a gradient, and there is no corner at 0
# ([Hendrycks and Gimpel 2016](https://arxiv.org/abs/1606.08415)). BERT has it "following OpenAI GPT" (appendix A.2).
# There are two versions: the exact one, and an approximation with tanh, which Google's BERT was trained with.

# %%
z = np.linspace(-4, 4, 81)
exact = np.array([0.5 * value * (1 + math.erf(value / math.sqrt(2))) for value in z])
np.testing.assert_allclose(exact, keras.activations.gelu(z, approximate=False), atol=1e-6)
np.testing.assert_allclose(gelu_tanh(z), keras.activations.gelu(z, approximate=True), atol=1e-6)

curves = {"GELU, exact": exact, "GELU, tanh": gelu_tanh(z), "ReLU": np.maximum(z, 0)}
curves["1000 x (exact - tanh)"] = 1000 * (exact - gelu_tanh(z))
plot = kb.explain.line_chart(z, curves, "GELU, ReLU, and the difference of both GELUs, enlarged.", "z", "activation")
chapter.show(plot, "gelu")
print(f"largest difference of both versions: {np.abs(exact - gelu_tanh(z)).max():.1e}")
assert 3e-4 < np.abs(exact - gelu_tanh(z)).max() < 6e-4

# %% [markdown]
# *Look at* the orange curve: it covers the blue one. Only the pink curve, enlarged 1,000 times, shows that
# they differ. The difference is small, but chapter 05 shows that a comparison of two models detects it.
#
# ## 7 · A layer of your own in the block
#
# Each block has two places for a layer from `[B, T, H]` to `[B, T, H]`: `after_attention` and `after_feed_forward`.
# The residual is added to its output. As an example we write a gate, one learned number per dimension that multiplies
# the result. It starts at 1, so a new gate changes nothing.


# %%
@keras.saving.register_keras_serializable(package="chapter_04")
class Gate(keras.layers.Layer):
    def build(self, shape):
        self.gate = self.add_weight(shape=(shape[-1],), initializer="ones", name="gate")

    def call(self, x):  # [B, T, H]
        return x * self.gate


def block_with_gate(**settings):
    return kb.layers.TransformerBlock(**settings, after_attention=Gate())


# %% [markdown]
# `BertEncoder` takes a function that makes a block. With the same random seed, an encoder with gates and one without
# get the same start values, so their outputs must be equal. Then one gate is set to 0, and the attention of the first
# block has no effect any more.

# %%
keras.utils.set_random_seed(0)
standard = kb.BertEncoder(small)
keras.utils.set_random_seed(0)
gated = kb.BertEncoder(small, block=block_with_gate)
inputs = {"input_word_ids": np.array([[2, 7, 9, 4, 3]])}  # [1, T]
inputs |= {"input_mask": np.ones((1, 5), "int32"), "input_type_ids": np.zeros((1, 5), "int32")}
before = standard(inputs)["sequence_output"]  # [1, T, H]
np.testing.assert_allclose(gated(inputs)["sequence_output"], before, atol=1e-6)

# %%
gated.blocks[0].after_attention.gate.assign(np.zeros(small.hidden_size))
changed = gated(inputs)["sequence_output"]
print(f"largest change with a gate of 0: {float(ops.max(ops.abs(changed - before))):.4f}")
assert float(ops.max(ops.abs(changed - before))) > 1e-4

# %% [markdown]
# `kb.BertEncoder.from_pretrained(name, block=block_with_gate)` does the same with published weights.
# Any other part can be replaced by assigning to it, for example `block.intermediate = keras.layers.Dense(...)`. The
# decorator `register_keras_serializable` is needed to save and load a model that contains your layer. Chapter 13 uses
# these places for adapters, which have a skip connection inside.
#
# ## Summary
#
# - A block is attention and a feed-forward part, each with a residual connection and a LayerNorm after the sum. By hand
#   and in the package it has the same numbers.
# - BERT is L such blocks in a row, each with its own weights.
# - At a high learning rate, the post-LN stacks of 12 blocks learned with warm-up only. Without it they needed a lower
#   rate and small start values. The pre-LN stacks learned without warm-up, but published BERT weights fit post-LN
#   only.
# - About half of BERT's parameters are in the feed-forward parts, a fifth in the token embeddings.
# - GELU exists in two versions that differ by less than 0.0005.
#
# ## Exercises
#
# 1. How many parameters does BERT large have (`bert_en_uncased_L-24_H-1024_A-16`)? Compute it with the formulas.
# 2. Train the post-LN stack with warm-up and ReLU in place of GELU. Is the loss at the end higher or lower?
# 3. Remove both residual connections of post-LN (`x = norm(attention(x))`). How much of the input is left after
#    twelve blocks?
#
# Solutions: [solutions/04_transformer_block.py](solutions/04_transformer_block.py).
#
# ## Next
#
# [Chapter 05](05_is_it_bert.py) loads published weights into this encoder and checks that it is BERT.
