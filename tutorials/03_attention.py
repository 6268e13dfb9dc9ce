# %% [markdown]
# # 03 · How does attention work?
#
# Chapter 02 showed that the blocks give each vector information from the other tokens. The part of a block that does
# this is attention. How is it computed, and which tokens does a trained model use?
#
# **At the end** you have computed attention with a pencil, then one head of a trained model, then all heads, and your
# numbers equal those of `keras.layers.MultiHeadAttention`. You know what the square root and the mask are for, and
# you have found heads of a published model that do one clear thing.
#
# **Time**: under one minute on 2 cores, without a network connection. **Papers**: Vaswani et al. 2017 ([Attention is
# all you need](https://arxiv.org/abs/1706.03762)), sections 3.2.1 and 3.2.2; Clark et al. 2019 ([What does BERT look
# at?](https://arxiv.org/abs/1906.04341)), section 3; Kobayashi et al. 2020 ([Attention is not only a
# weight](https://arxiv.org/abs/2004.10102)), section 4.
#
# Run it as a script (`python tutorials/03_attention.py`; the figures go to `tutorials/out/`) or as a notebook.

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(3)

import keras
import numpy as np
from keras import ops

import keras_bert as kb

# %% [markdown]
# ## The whole picture
#
# T is the number of tokens, H the size of a vector, A the number of heads, and D = H / A the size of a head.

# %%
picture = kb.explain.flow_chart(
    [
        "vectors [T, H]\none for each token",
        ["query and key [T, D]\nwhat a token looks for;\nwhat it is compared with", "value [T, D]\nwhat a token gives"],
        ["scores [T, T]\nquery · key, divided by √D;\npadding gets a very low score", ""],
        ["weights [T, T]\nsoftmax: each row sums to 1", ""],
        "output of a head [T, D]\nthe mean of the values with these weights",
        "output [T, H]\nA heads side by side, and one more linear map",
    ],
    "One attention layer, from its input to its output. The boxes between the first and the last exist once per head.",
)
chapter.show(picture, "overview")

# %% [markdown]
# *Look at* the first and the last box: the shape is the same, [T, H]. The two [T, T] tables on the left have one
# number for every pair of tokens. The weights say how much of each value on the right goes into the output of each
# token. The values are not needed to compute the weights.
#
# ## 1 · Three tokens, with a pencil
#
# Every token has three vectors: a query, a key and a value. Here they are given; section 2 shows where they come
# from. The score of a query and a key is their dot product, divided by the square root of their size D. The softmax
# turns the scores of a query into weights that sum to 1. The output for this query is the mean of the values with
# these weights:
#
# $$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{D}}\right) V$$
#
# The numbers here are small and D is 4, so that the square root is 2. (A value may have another size than a query.
# Here it has 2 numbers.) In this chapter *weights* are these attention weights. They are computed anew for every
# text. The trained numbers of a model are called *parameters*.

# %%
TOKENS = ["the", "dog", "barks"]
query = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, -1, 0, 0]])  # [T, D], one row for each token
key = np.array([[1, -1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]])  # [T, D]
value = np.array([[10, 0], [0, 10], [10, 10]])  # [T, 2]

scores = query @ key.T  # [T, T], row: query, column: key
print(scores)

# %% [markdown]
# Check the first row: the query of "the" is (1, 1, 1, 1). With the key of "the", (1, -1, 0, 0), it gives 1 minus 1,
# which is 0. With that of "dog" it gives 2, and with that of "barks" 4.

# %%
scaled = scores / np.sqrt(4)  # [T, T]
exponentials = np.exp(scaled)  # [T, T]
weights = exponentials / exponentials.sum(axis=1, keepdims=True)  # [T, T], each row sums to 1
output = weights @ value  # [T, 2]
for name, array in {"exp of the scaled scores": exponentials, "weights": weights, "output": output}.items():
    print(name, array.round(2), sep="\n")

# %% [markdown]
# Again the first row: 0, 2, 4 divided by 2 are 0, 1, 2. Their exponentials are 1, 2.72 and 7.39, with the sum 11.11.
# So the weights are 1 / 11.11 = 0.09, 0.24 and 0.67. The output is 0.09 · (10, 0) + 0.24 · (0, 10) + 0.67 · (10, 10),
# about (7.6, 9.1).

# %%
assert np.allclose(weights[0], [0.09, 0.24, 0.67], atol=0.006) and np.allclose(output[0], [7.6, 9.1], atol=0.1)
assert np.allclose(output[1], value.mean(axis=0))  # the query of "dog" is 0: equal weights, the plain mean
caption = "Attention weights of three tokens. Rows: queries; columns: keys."
picture = kb.explain.matrix_chart(weights, TOKENS, TOKENS, caption, limit=1)
chapter.show(picture, "three_tokens")

# %% [markdown]
# *Look at* the rows one by one. "the" takes most from "barks". "dog" has a query of zeros, so all its scores are 0
# and it takes the same from all. "barks" takes most from "the". The table is not symmetric, because queries and keys
# are different vectors.
#
# ## 2 · One head of a trained model
#
# Where do queries, keys and values come from? They are three linear maps of the token's vector, and the parameters of
# these maps are trained. Why not compare the vectors themselves? Then the score of two tokens would be the same in both
# directions, and with vectors of equal length no score of a token would be higher than that with itself. Two maps allow
# other tables of scores, such as that of head 3 below.
#
# We take the maps from block 1 of the bundled model `small`. Keras stores them as arrays with one slice for each head.

# %%
small = kb.load_pretrained("bert_en_uncased_small")
attention = small.encoder.blocks[0].attention  # a keras.layers.MultiHeadAttention
assert type(attention) is keras.layers.MultiHeadAttention
names = ["q_kernel", "q_bias", "k_kernel", "k_bias", "v_kernel", "v_bias", "out_kernel", "out_bias"]
w = {name: ops.convert_to_numpy(each) for name, each in zip(names, attention.weights, strict=True)}
H, A, D = w["q_kernel"].shape
print({name: array.shape for name, array in w.items()})
assert A * D == H

# %% [markdown]
# The input of block 1 is the output of the embeddings (chapter 02), one vector for each token.

# %%
vectorizer = small.vectorizer


def ids_of(text):
    """Return the ids of a text, [1, T], with [CLS] and [SEP] and without padding."""
    return np.array([[vectorizer.cls_id, *vectorizer.tokenize([text])[0].numpy(), vectorizer.sep_id]], "int32")


def embed(ids):
    """Return the vectors of one row of ids, [T, H]."""
    return ops.convert_to_numpy(small.encoder.embeddings(ids, np.zeros_like(ids)))[0]


TEXT = "The old man opened the door."
ids = ids_of(TEXT)
tokens = [small.vocabulary[i] for i in ids[0]]
x = embed(ids)  # [T, H]
print(tokens, x.shape)


# %%
def softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))  # the subtraction avoids overflow
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def one_head(x, a, mask=None):
    """Return the output [T, D] and the weights [T, T] of head a (from 0)."""
    q, k, v = (x @ w[f"{n}_kernel"][:, a] + w[f"{n}_bias"][a] for n in "qkv")  # [T, D] each
    scores = q @ k.T / np.sqrt(D)  # [T, T]
    if mask is not None:
        scores = np.where(mask == 1, scores, -1e9)  # section 5
    weights = softmax(scores)  # [T, T]
    return weights @ v, weights  # [T, D], [T, T]


# %% [markdown]
# This is the code of section 1 with trained numbers. This book counts layers and heads from 1, and Python counts the
# entries of arrays from 0: layer 1 is block 1, `blocks[0]`, and head 3 is `a = 2`.

# %%
head_3 = one_head(x, 2)[1]  # [T, T]
picture = kb.explain.matrix_chart(
    head_3, tokens, tokens, "Attention weights of layer 1, head 3, model `small`. Rows: queries.", limit=1
)
chapter.show(picture, "head_3")
package = kb.explain.attention(small, TEXT).head(layer=1, head=3)
print(f"largest difference from the package: {np.abs(head_3 - package).max():.1e}")
assert np.abs(head_3 - package).max() < 1e-4

# %% [markdown]
# *Look at* the line of blue cells below the diagonal: each token gives nearly all weight to the token before it.
# `[CLS]` has none before it, and gives its weight to itself. This is not programmed: it is a result of training. Is
# every head so clear? Here is another head of the same layer.

# %%
head_1 = one_head(x, 0)[1]  # [T, T]
picture = kb.explain.matrix_chart(
    head_1, tokens, tokens, "Attention weights of layer 1, head 1, model `small`. Rows: queries.", limit=1
)
chapter.show(picture, "head_1")
assert head_3.max(axis=1).min() > 0.9 > 0.8 > head_1.max(axis=1).mean()

# %% [markdown]
# *Look at* how pale the cells are: this head gives some weight to many tokens. Section 6 measures all heads.
#
# ## 3 · All heads together
#
# One head has one softmax, so a token that needs information from two places must mix them. With A heads, a token can
# take from A places at the same time. The outputs of the heads are written side by side, and a last linear map mixes
# them back to size H.


# %%
def all_heads(x, mask=None):
    """Return the output of the attention layer, [T, H]."""
    heads = [one_head(x, a, mask)[0] for a in range(A)]  # A arrays [T, D]
    return np.concatenate(heads, axis=1) @ w["out_kernel"].reshape(A * D, H) + w["out_bias"]  # [T, H]


by_hand = all_heads(x)
keras_output = ops.convert_to_numpy(attention(x[None], x[None]))[0]  # [T, H], query and value inputs are the same
print("shape:", by_hand.shape, f"largest difference from Keras: {np.abs(by_hand - keras_output).max():.1e}")
assert np.abs(by_hand - keras_output).max() < 1e-4

# %% [markdown]
# `MultiHeadAttention` computes all heads at once with the same numbers. How many parameters has the layer? Four maps
# from H to H with a bias each. The number of heads is not in the formula, because the heads share H among them. The
# number of *scores*, however, grows with the square of T: a row of 512 tokens has 512 · 512 scores for each head.

# %%
print(f"4 (H² + H) = {4 * (H * H + H):,}; Keras counts {attention.count_params():,}")
assert 4 * (H * H + H) == attention.count_params()

# %% [markdown]
# ## 4 · Why the square root?
#
# The dot product of two random vectors of size D has a standard deviation of √D (Vaswani et al., footnote 4, for
# independent numbers with variance 1). Without the division, larger heads have larger scores, and the softmax gives
# nearly all weight to one key. The *entropy* measures this: it is 0 when one key has all the weight, and ln 10 = 2.30
# when ten keys have equal weights. (With the natural logarithm, the unit is the *nat*.)


# %%
def entropy(weights):
    return -np.sum(weights * np.log(weights + 1e-12), axis=-1)


rng = np.random.default_rng(7)
sizes = [1, 4, 16, 64, 256, 1024]
curves = {"with the root": [], "without": []}
for d in sizes:
    scores = rng.normal(size=(1000, d)) @ rng.normal(size=(d, 10))  # 1,000 queries, 10 keys
    curves["with the root"].append(entropy(softmax(scores / np.sqrt(d))).mean())
    curves["without"].append(entropy(softmax(scores)).mean())

# %%
caption = "Mean entropy of the weights over 10 keys, for random queries and keys of size D."
picture = kb.explain.line_chart(
    sizes, curves, caption, "D", "entropy, nats", baselines={"equal weights": np.log(10)}, log_x=True
)
chapter.show(picture, "square_root")
assert min(curves["with the root"]) > 1.5 and curves["without"][-1] < 0.3

# %% [markdown]
# *Look at* the right end: without the root (orange), vectors of size 1,024 give nearly all weight to one key. With it
# (blue) the entropy is about the same for every size. Why is this bad for training? The gradient of a weight p with
# respect to its score is p (1 - p). It is nearly 0 when p is near 0 or 1, and such a head learns slowly.

# %%
gradients = {}
for name, divisor in (("with the root", 32), ("without", 1)):  # 32 is the square root of 1,024
    p = softmax(rng.normal(size=(1000, 1024)) @ rng.normal(size=(1024, 10)) / divisor)
    gradients[name] = np.mean(p * (1 - p))
    print(f"D = 1024, {name:13}: mean gradient {gradients[name]:.4f}")
assert gradients["with the root"] > 5 * gradients["without"]

# %% [markdown]
# The root brings the standard deviation of the scores back to 1, for every size. So far the vectors were random. What
# about trained heads? We remove the root from the twelve heads of block 1 and compute the entropy for the sentence of
# section 2.

# %%
q, k = (np.einsum("th,had->atd", x, w[f"{n}_kernel"]) + w[f"{n}_bias"][:, None] for n in "qk")  # [A, T, D] each
scores = np.einsum("aqd,akd->aqk", q, k)  # [A, T, T]
trained = {name: entropy(softmax(scores / s)).mean() for name, s in (("with the root", np.sqrt(D)), ("without", 1))}
print({name: round(float(value), 2) for name, value in trained.items()}, f"equal weights: {np.log(len(tokens)):.2f}")
assert trained["without"] < trained["with the root"] / 2

# %% [markdown]
# The trained heads were trained with the root, so their entropy falls without it. This shows how large the effect of
# the factor is, not that no other scaling could be trained.
#
# ## 5 · The padding mask
#
# Rows of different lengths are padded to one length (chapter 01). Padding has a vector, too, and without a mask the
# tokens would take values from it. So the score of every padding *key* is set to a very low number before the
# softmax, and its weight becomes exactly 0, because the exponential of such a number is 0 in float32.

# %%
short = ids_of("A good film.")
padded = np.array([[*short[0], *[vectorizer.pad_id] * 3]], "int32")  # [1, T]
mask = np.array([1] * short.shape[1] + [0] * 3)  # [T]
padded_tokens = [small.vocabulary[i] for i in padded[0]]
x_padded = embed(padded)  # [T, H]

# %%
for name, each in {"no_mask": None, "mask": mask}.items():
    mean = np.mean([one_head(x_padded, a, each)[1] for a in range(A)], axis=0)  # [T, T], mean of the heads
    caption = f"Mean weights of the heads of layer 1, {'without a mask' if each is None else 'with the mask'}."
    chapter.show(kb.explain.matrix_chart(mean, padded_tokens, padded_tokens, caption, limit=0.5), name)

# %% [markdown]
# *Look at* the last three columns of both pictures. Without the mask they have weights; with it they are 0, and the
# rest of each row is larger. The last three *rows* are still computed: the outputs of padding are not used.
#
# A picture is no proof. The test of a mask is this: put **other ids** in the places of the padding. The outputs of
# the real tokens must not change.

# %%
other = np.where(mask == 1, padded, 1000).astype("int32")  # some other token in the places of the padding
real = mask == 1
change = {}
for name, each in {"without the mask": None, "with the mask": mask}.items():
    change[name] = np.abs(all_heads(x_padded, each) - all_heads(embed(other), each))[real].max()
    print(f"{name:16}: largest change of a real token {change[name]:.1e}")
assert change["without the mask"] > 0.01 and change["with the mask"] < 1e-6

# %% [markdown]
# Keras takes the mask as an array [B, T, T] or, for all queries alike, [B, 1, T], where B is the number of rows. It
# must give our numbers. And the whole encoder must give the same outputs for a padded row as for the short one. BERT
# hides nothing but padding: every token uses the tokens on both sides of it. (GPT also hides the tokens after a
# query: exercise 2.)

# %%
keras_output = ops.convert_to_numpy(attention(x_padded[None], x_padded[None], attention_mask=mask[None, None]))[0]
assert np.abs(all_heads(x_padded, mask) - keras_output)[real].max() < 1e-4


def encode(ids, mask):
    inputs = {"input_word_ids": ids, "input_mask": mask[None], "input_type_ids": np.zeros_like(ids)}
    return ops.convert_to_numpy(small.encoder(inputs)["sequence_output"])[0]  # [T, H]


difference = np.abs(encode(padded, mask)[real] - encode(short, mask[real])).max()
print(f"padded and short row, all six blocks: largest difference {difference:.1e}")
assert difference < 1e-4

# %% [markdown]
# ## 6 · What do trained heads attend to?
#
# One sentence proves little. We take 40 dev sentences of the sample and compute, for all heads, the mean weight that a
# token gives to the token before it, to the token after it, and to `[CLS]`. The first token has none before it, so it
# is not counted in the first mean, nor the last one in the second. In the third mean, `[CLS]` and `[SEP]` are not
# counted.

# %%
texts = kb.load_labeled("sample").dev_texts[:40]


def shares(pretrained, texts):
    """Return the mean weight (%) to the previous token, the next one and [CLS], [L, A] each."""
    found = []
    for each in kb.explain.attention(pretrained, texts):
        maps = each.maps  # [L, A, T, T]
        previous, following = (np.diagonal(maps, offset, 2, 3).mean(-1) for offset in (-1, 1))  # [L, A] each
        found.append([previous, following, maps[:, :, 1:-1, 0].mean(-1)])
    previous, following, cls = 100 * np.mean(found, axis=0)
    return {"previous": previous, "next": following, "[CLS]": cls}


minilm = chapter.minilm("heads", lambda folder: shares(kb.load_pretrained(folder), texts))
minilm = {name: np.array(values) for name, values in minilm.items()}  # [L, A] each

# %%
for name, values in minilm.items():
    picture = kb.explain.matrix_chart(
        values,
        [f"layer {i}" for i in range(1, 7)],
        [f"head {i}" for i in range(1, 13)],
        f"MiniLM: mean weight (%) to {'the ' + name + ' token' if name != '[CLS]' else name}, 40 sentences.",
        limit=100,
        texts=[[f"{value:.0f}" for value in row] for row in values],
    )
    chapter.show(picture, f"heads_{name.strip('[]').lower()}")

# %% [markdown]
# *Look at* the darkest cell of each picture. In the first it is layer 1, head 3, which gives all its weight to the
# previous token. In the second it is layer 2, head 9, which gives about two thirds to the next one. In the third many
# cells are dark: a large part of all attention goes to `[CLS]`. Clark et al. found heads of the same kinds in BERT
# base.

# %%
best = {name: np.unravel_index(values.argmax(), values.shape) for name, values in minilm.items()}
for name, (layer, head) in best.items():
    print(f"{name:8}: layer {layer + 1}, head {head + 1}: {minilm[name][layer, head]:.0f} %")
print("heads with more than 60 % to [CLS]:", int(np.sum(minilm["[CLS]"] > 60)), "of", minilm["[CLS]"].size)
assert best["previous"] == (0, 2) and minilm["previous"][0, 2] > 99
assert best["next"] == (1, 8) and 50 < minilm["next"][1, 8] < 90

# %% [markdown]
# ### The controls
#
# We chose the largest of 72 numbers, and the largest of many random numbers is large, too. So we need controls. For
# layer 1, head 3 of `small` (which was made from MiniLM and has the same head): the same sentences with shuffled
# words; the same model without position embeddings; and random weights (three seeds), where we again take the best of
# all heads.

# %%
random_best = []
for seed in range(3):
    keras.utils.set_random_seed(seed)
    random_encoder = kb.BertEncoder(small.encoder.config)
    random_best.append(shares((random_encoder, vectorizer), texts)["previous"].max())
without_positions = small.encoder.copy()
table = without_positions.embeddings.position_embeddings.embeddings
table.assign(np.zeros(table.shape))
rng = np.random.default_rng(0)
shuffled = [" ".join(rng.permutation(text.split())) for text in texts]

# %%
bars = {
    "as it is": shares(small, texts)["previous"][0, 2],
    "words shuffled": shares(small, shuffled)["previous"][0, 2],
    "positions set to 0": shares((without_positions, vectorizer), texts)["previous"][0, 2],
    "random weights, best head": max(random_best),
}
equal = 100 * np.mean([1 / ids_of(text).shape[1] for text in texts])
assert bars["as it is"] > 95 and bars["words shuffled"] > 95 and bars["positions set to 0"] < 30
assert bars["random weights, best head"] < 2 * equal

# %%
picture = kb.explain.bar_chart(
    bars,
    "Layer 1, head 3 of `small`: weight to the previous token. The dashed line: equal weights for all tokens.",
    "mean weight, %",
    baseline=equal,
)
chapter.show(picture, "controls")

# %% [markdown]
# *Look at* the bars. With random weights even the best head of three models is at the dashed line, so the head is an
# effect of training. With shuffled words nothing changes, and without positions the head loses its role: its weights
# depend on the **places**, not on the words. It gives each token information about the token before it, whatever that
# is, and later layers can use this.
#
# ## What could mislead you
#
# **A large weight is not a large effect.** The output of a head is the weights times the *values*. When a value is
# nearly 0, its weight adds nearly nothing. For the heads with more than 60 % of the weight on `[CLS]`, we compare the
# length of the value of `[CLS]` with the mean length of the other values.


# %%
def relative_length(block, x):
    """Return the length of the value of [CLS], relative to the mean of the other tokens, for each head, [A]."""
    kernel, bias = block.attention.weights[4:6]  # of the values: [H, A, D], [A, D]
    lengths = ops.norm(ops.einsum("bth,had->atd", x, kernel) + bias[:, None], axis=-1)  # [A, T]
    return ops.convert_to_numpy(lengths[:, 0] / ops.mean(lengths[:, 1:-1], axis=1))


# %%
def value_lengths(pretrained):
    """Return the mean of these lengths over 20 texts, [L, A]."""
    found = []
    for each in texts[:20]:
        tokens = pretrained.vectorizer.tokenize([each])[0].numpy()
        ids = np.array([[pretrained.vectorizer.cls_id, *tokens, pretrained.vectorizer.sep_id]], "int32")
        x, rows = pretrained.encoder.embeddings(ids, np.zeros_like(ids)), []  # [1, T, H]
        for block in pretrained.encoder.blocks:
            rows.append(relative_length(block, x))
            x = block(x, np.ones_like(ids))  # [1, T, H]
        found.append(rows)
    return np.mean(found, axis=0)


# %%
lengths = np.array(chapter.minilm("value_lengths", lambda folder: value_lengths(kb.load_pretrained(folder))))  # [L, A]
on_cls = minilm["[CLS]"] > 60
weight, length = minilm["[CLS]"][on_cls].mean(), 100 * lengths[on_cls].mean()
print(f"in these {on_cls.sum()} heads [CLS] gets {weight:.0f} % of the weight;")
print(f"its value has {length:.0f} % of the length of the other values")
assert weight > 60 and length < 20

# %% [markdown]
# In these heads most of the weight goes to a token whose value is nearly 0. So the head adds little to the vectors
# (Kobayashi et al. 2020 measured this in BERT base for `[CLS]` and `[SEP]`). A picture of the weights alone would say
# that `[CLS]` is the most important token of all. Chapter 11 asks which tokens matter, and does not use the weights
# for it.
#
# - The largest of 72 numbers is large by chance already: compare it with random weights.
# - A head that looks like grammar may work on places only: shuffle the words.
# - One sentence proves little: average over many.
#
# ## Summary
#
# - Attention is a weighted mean of values. The weights are the softmax of query · key / √D.
# - A heads have A tables of weights. Their outputs are joined and mapped back to H. Keras gives the same numbers.
# - The root keeps the scores at a size at which the softmax can learn.
# - The mask hides padding keys. Test: other padding ids, same outputs.
# - Trained heads can have clear roles, such as the previous token. The weights alone do not say what matters.
#
# ## Exercises
#
# 1. In section 1, change the key of "barks" to (2, 2, 2, 2). Compute the weights of "the" with a pencil first.
# 2. In BERT every token attends to both sides. Make a mask that hides all tokens *after* a query (a causal mask, as
#    in GPT) and show with the test of section 5 that a later token has no influence on an earlier one.
# 3. Choose the head with the largest weight to the **next** token on sentences 1 to 20, for `small`, and measure it
#    on sentences 21 to 40. Do the same with random weights. Why is this fairer than section 6?
#
# Solutions: [solutions/03_attention.py](solutions/03_attention.py).
#
# ## Next
#
# [Chapter 04](04_transformer_block.py) adds what is missing to a full block: the second half, the residual connections
# and the LayerNorms.
