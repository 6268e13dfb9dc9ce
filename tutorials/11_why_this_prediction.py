# %% [markdown]
# # 11 · Why this prediction?
#
# A classifier says that a sentence is positive. Which words does this come from, and how can we know that an
# explanation describes the model and does not only look plausible?
#
# **At the end** you have computed gradient x input and integrated gradients by hand, checked that the scores add up,
# compared them with attention, and tested them with a deletion experiment and with a model of random weights.
#
# **Time**: under two minutes on 2 cores, without a network connection. **Papers**: Sundararajan et al. 2017
# ([Integrated gradients](https://arxiv.org/abs/1703.01365)), section 3; Dhamdhere et al. 2018
# ([Conductance](https://arxiv.org/abs/1805.12233)), section 2; Adebayo et al. 2018
# ([Sanity checks](https://arxiv.org/abs/1810.03292)), section 3; DeYoung et al. 2020
# ([ERASER](https://arxiv.org/abs/1911.03429)), section 4.
#
# ```
#  text ─► ids ─► embedding output x [T, H] ─► blocks ─► logit F(x), one number
#                        │                                    │
#                        └──────◄── gradient of F at x ◄──────┘
#                        ▼
#        one score for each token ─► checks: do the scores add up to F(x) - F(baseline)?
#                                            does F fall when high tokens are deleted? (control: random order)
#                                            do the scores change when the weights are random?
# ```
#
# Run it as a script (`python tutorials/11_why_this_prediction.py`; the figures go to `tutorials/out/`) or as a
# notebook.

# %%
from keras_bert.book import Chapter  # first, because it turns off log messages of TensorFlow

chapter = Chapter(11)

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import keras_bert as kb

# %% [markdown]
# ## 1 · A prediction
#
# `sst2_sentiment` is a bundled classifier of film reviews with 6 layers of size 384. T is the number of tokens, H the
# hidden size.

# %%
sentiment = kb.load_pretrained("sst2_sentiment")
model, encoder = sentiment.model, sentiment.encoder
text = "The story is dull, but the two leads are wonderful."
print(kb.Predictor("sst2_sentiment")([text])[0])

# %%
inputs = sentiment.vectorizer([text])
length = int(np.sum(inputs["input_mask"]))
ids = np.array(inputs["input_word_ids"])[:, :length]  # [1, T], without padding
tokens = [sentiment.vocabulary[number] for number in ids[0]]
target = list(sentiment.labels).index("positive")
print(tokens)

# %% [markdown]
# What is to be explained is one number, the *logit* of the class "positive": the output before the softmax. A
# probability is less suited, because the softmax mixes in the other logit and is nearly flat close to 0 and 1.
#
# Ids are whole numbers, and a whole number has no gradient. So we begin after the embedding layer: its output is a
# vector for each token, and the rest of the model is a function of these vectors.


# %%
def embed(ids):
    return encoder.embeddings(ids, 0 * ids, training=False)  # [B, T] -> [B, T, H]


def logit(x):
    """Compute the logit of "positive" from the output of the embedding layer: [B, T, H] -> [B]."""
    mask = ops.ones(ops.shape(x)[:2], "int32")  # [B, T]
    for block in encoder.blocks:
        x = block(x, mask, training=False)  # [B, T, H]
    return model.head(model.pooler(x))[:, target]


# %%
x = embed(ids)  # [1, T, H]
cut = {key: np.array(value)[:, :length] for key, value in inputs.items()}
value = float(logit(x)[0])
np.testing.assert_allclose(value, np.asarray(model(cut))[0, target], atol=1e-4)
print(f"logit of positive: {value:.3f}, the same as that of the whole model")

# %% [markdown]
# ## 2 · Gradient x input by hand
#
# The gradient says how the logit changes when a vector changes by a small step. The product of gradient and vector,
# summed over the H numbers of a token, is one score per token: $s_t = \sum_h x_{th}\, \partial F / \partial x_{th}$.
# For a linear function without a constant, these scores add up to the output. A BERT is not linear. `tf.GradientTape`
# records a computation, so that TensorFlow can compute its gradients.


# %%
def gradients(x):
    """Return the logits [B] and their gradients [B, T, H]."""
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = logit(x)
    return np.asarray(values), np.asarray(tape.gradient(values, x))


# %%
values, gradient = gradients(x)
gradient_x_input = (np.asarray(x) * gradient).sum(-1)[0]  # [T]
package = kb.explain.gradient_x_input(sentiment, text, target="positive")
np.testing.assert_allclose(gradient_x_input, package.scores, atol=1e-3)
print("kb.explain.gradient_x_input gives the same scores")
print(f"sum of the scores {gradient_x_input.sum():.2f}, logit {value:.2f}: they do not add up")

# %% [markdown]
# ## 3 · Integrated gradients by hand
#
# Integrated gradients compare the text with a *baseline*, an input without information. Ours has `[PAD]` in place of
# each token and keeps `[CLS]` and `[SEP]`. On the straight line from the baseline $x'$ to the text $x$ the gradients
# are averaged: $s_t = \sum_h (x_{th} - x'_{th}) \int_0^1 \partial F(x' + a (x - x')) / \partial x_{th}\, da$.
#
# *Completeness*: these scores add up to $F(x) - F(x')$ exactly, for every differentiable model. In practice the
# integral is a sum over some points, so there is an error that we can compute.

# %%
baseline_ids = np.zeros_like(ids)  # 0 is [PAD]
baseline_ids[0, [0, -1]] = ids[0, [0, -1]]  # [CLS] and [SEP] stay
start, end = np.asarray(embed(baseline_ids))[0], np.asarray(x)[0]  # [T, H] each
change = value - float(logit(start[None])[0])  # F(x) - F(x')


def integrated(points, weights):
    """Integrate the gradients at points on the line: two [S] -> [T]."""
    line = start + points[:, None, None].astype("float32") * (end - start)  # [S, T, H]
    mean = np.tensordot(weights, gradients(line)[1], 1)  # [T, H]
    return ((end - start) * mean).sum(-1)


# %% [markdown]
# The simplest sum takes S equally spaced points. Gauss-Legendre quadrature, which the package uses, chooses points and
# weights that are better for very smooth functions. Is the logit smooth enough along the line? We measure both.

# %%
COUNTS = [1, 2, 5, 10, 20, 50]
equal, gauss = [], []
for count in COUNTS:
    middle = (np.arange(count) + 0.5) / count  # [S]
    equal.append(100 * abs(integrated(middle, np.full(count, 1 / count)).sum() - change) / abs(change))
    points, weights = np.polynomial.legendre.leggauss(count)  # on the interval from -1 to 1
    scores = integrated((points + 1) / 2, weights / 2)  # [T]
    gauss.append(100 * abs(scores.sum() - change) / abs(change))

# %%
caption = "Completeness error: the distance of the sum of the scores from F(x) - F(baseline), in percent of it."
lines, axes = {"equally spaced": equal, "Gauss-Legendre": gauss}, ("points on the line", "error, %")
chapter.show(kb.explain.line_chart(COUNTS, lines, caption, *axes, log_x=True, log_y=True), "completeness")
package = kb.explain.integrated_gradients(sentiment, text, target="positive", steps=50)
np.testing.assert_allclose(scores, package.scores, atol=2e-3)
print(f"kb.explain.integrated_gradients gives the same scores; its error: {package.completeness_error:.2%}")

# %% [markdown]
# *Look at* the points at 2 and at 5. With two points the error is small, and with five it is large again: a sum can be
# right by accident while the single scores are wrong. So the error must *stay* small when the number of points grows.
# With 50 points, both rules are below one percent, and then the scores can be read as parts of the change: the score of
# a token says how much of the change comes from this token. With fewer points the Gauss rule is not better here: along
# this line the logit is not smooth. A result of integrated gradients should always be reported with this error and the
# number of points.

# %%
assert package.completeness_error < 0.01 and equal[-1] < 1
assert equal[2] > 10 * equal[1]  # two points are right by accident
assert kb.explain.gradient_x_input(sentiment, text, target="positive").completeness_error > 0.1

# %% [markdown]
# ## 4 · Four explanations of one prediction
#
# Next to the two methods stand two others. *Occlusion* replaces one token by `[MASK]` and measures how much the logit
# falls: no gradients, one forward pass per token. *Attention* is not an explanation method: it is the mean attention
# of `[CLS]` to each token in the last layer, over the heads, and cannot be negative.

# %%
attention = kb.explain.attention(sentiment, text).maps[-1, :, 0].mean(0)  # [T]: last layer, query [CLS]
occlusion = kb.explain.occlusion(sentiment, text, target="positive", mode="mask")
assert occlusion.tokens == tokens
methods = {
    "integrated gradients": package.scores,
    "gradient x input": gradient_x_input,
    "occlusion": occlusion.scores,
    "attention of [CLS]": attention,
}

# %%
inside = slice(1, -1)  # without [CLS] and [SEP]
scaled = np.stack([scores[inside] / np.abs(scores[inside]).max() for scores in methods.values()])
caption = "Scores of four methods for the logit of positive, each divided by its largest absolute score."
picture = kb.explain.matrix_chart(scaled, list(methods), tokens[inside], caption, limit=1.0)
chapter.show(picture, "methods")
print("[CLS] and [SEP] have scores too:", {name: np.round(scores[[0, -1]], 2) for name, scores in methods.items()})

# %% [markdown]
# *Look at* the columns of "dull" and "wonderful" in the first row. "wonderful" is blue: it raises the logit. "dull"
# is orange: it lowers it. The row of attention has no orange at all: attention can say that a token was read, but not
# in which direction it moved the prediction. The rows also disagree on many other tokens. So which one describes the
# model? Section 6 tests integrated gradients and attention.

# %%
names = tokens[inside]
integrated_scores = dict(zip(names, package.scores[inside], strict=True))
assert integrated_scores["wonderful"] == max(integrated_scores.values())
assert (attention >= 0).all()

# %% [markdown]
# ## 5 · Layer by layer: conductance
#
# Between the embeddings and the logit there are six blocks. *Conductance* asks how much of the change flows through
# each position of each layer: along the same line, it integrates the gradient at a hidden state, multiplied by the
# change of this state. The scores of every layer add up to the same change of the logit.

# %%
layers = kb.explain.layer_conductance(sentiment, text, target="positive", steps=100)
chapter.show(layers.plot()[0], "conductance")
for number, row in enumerate(layers.scores):
    print(f"layer {number}: sum {row.sum():.3f}, share of [CLS] {row[0] / row.sum():.1%}")
print(f"F(x) - F(baseline) = {change:.3f}")

# %% [markdown]
# *Look at* the picture from the bottom, the embeddings, to the top, layer 6. At the bottom the scores are those of the
# words, and the row equals integrated gradients. In the upper layers the opposite scores of "dull" and "wonderful"
# become smaller, while the sum of each row stays the same: the blocks combine both. In the last layer only `[CLS]` has
# a score, because the head reads only its vector. Its cell is pale, because the whole sum is smaller than the largest
# single scores. So a score in a high layer belongs to a *position*, not to the word that stands at this position in the
# text.
#
# The change is only 0.277, although the logit of the text is 1.423 (section 1). So the logit of the baseline is 1.146:
# this model gives a high logit of "positive" to a text without words. The scores explain what the *words* change, not
# the whole logit.

# %%
np.testing.assert_allclose(layers.scores.sum(1), change, rtol=0.05)  # completeness at each layer
np.testing.assert_allclose(layers.scores[0], package.scores, atol=0.05 * abs(package.scores).max())
assert np.abs(layers.scores[-1, 1:]).max() < 1e-6

# %% [markdown]
# ## 6 · Does an explanation describe the model? Delete tokens
#
# If the scores describe the model, then the prediction must change when the tokens with the highest scores are
# deleted first. We take 30 dev sentences of the sample, rank their tokens in different orders, delete a growing share,
# and measure the probability of the class that was predicted for the whole sentence.
#
# The orders: integrated gradients, attention, and two controls. One control is a random order. The other is the order
# by integrated gradients *of another model*: the same architecture with random weights, never trained. A sentence
# without some of its tokens is not a normal text, and this alone can change the probability. The random order shows how
# much: it deletes as many tokens from the same sentences.

# %%
keras.utils.set_random_seed(0)
untrained = kb.BertClassifier(kb.BertEncoder(encoder.config), num_classes=2)
untrained_pair = untrained, sentiment.vectorizer
sentences = chapter.reviews().dev_texts[:30]
found = [kb.explain.integrated_gradients(sentiment, each, steps=20) for each in sentences]
of_untrained = [kb.explain.integrated_gradients(untrained_pair, each, steps=20) for each in sentences]
maps = kb.explain.attention(sentiment, sentences)
errors = [each.completeness_error for each in found]
print(f"completeness error, median of {len(found)} sentences: {np.median(errors):.2%}")

# %%
rng = np.random.default_rng(0)
scores_of = {
    "integrated gradients": [each.scores for each in found],
    "attention": [each.maps[-1, :, 0].mean(0) for each in maps],
    "untrained model": [each.scores for each in of_untrained],
    "random order": [rng.random(len(each.scores)) for each in found],
}
SHARES = np.arange(0, 0.6, 0.1)


def shortened(attribution, scores, share):
    """Return the ids of a sentence without the tokens of the highest scores; [CLS] and [SEP] stay."""
    ranked = 1 + np.argsort(-scores[1:-1])  # [T - 2], positions
    return np.delete(attribution.tokenized.ids, ranked[: round(share * len(ranked))])


# %%
def probabilities(rows, classes):
    """Return the probability of a class for each row of ids."""
    ids, mask = np.zeros((2, len(rows), max(map(len, rows))), "int32")  # [B, T] each
    for number, row in enumerate(rows):
        ids[number, : len(row)], mask[number, : len(row)] = row, 1
    logits = model({"input_word_ids": ids, "input_mask": mask, "input_type_ids": 0 * ids}, training=False)
    return np.asarray(ops.softmax(logits))[np.arange(len(rows)), classes]


classes = [each.target.index for each in found]
curves = {}
for name, scores in scores_of.items():
    rows = [[shortened(*pair, share) for pair in zip(found, scores, strict=True)] for share in SHARES]
    curves[name] = [probabilities(row, classes).mean() for row in rows]

# %%
caption = f"Mean probability of the predicted class of {len(found)} sentences; tokens are deleted in four orders."
axes = "share of the tokens deleted", "probability"
chapter.show(kb.explain.line_chart(SHARES, curves, caption, *axes), "deletion")
for name, values in curves.items():
    print(f"{name:32}", np.round(values, 2))

# %% [markdown]
# *Look at* the gap between the blue line and the pink one, the random order. The tokens that integrated gradients rank
# highest are those that the prediction needs: with a tenth of the tokens deleted, the probability has fallen by nearly
# half, and in random order hardly at all. The green line, the order of the untrained model, is no better than the
# random order: its scores say nothing about *this* model. The orange line, attention, is between.
# `kb.explain.faithfulness` makes tests of this kind, those of ERASER, for all methods of section 4. Their results on
# SST-2 are on the page [explanations](../docs/explanations.md).

# %%
area = {name: float(np.mean(values)) for name, values in curves.items()}  # lower is better
assert area["integrated gradients"] < area["random order"] - 0.1
assert area["untrained model"] > area["random order"] - 0.05
assert area["integrated gradients"] < area["attention"] - 0.05
assert curves["integrated gradients"][1] < 0.7 * curves["integrated gradients"][0]

# %% [markdown]
# ## 7 · What could mislead you
#
# A picture of scores always shows something, because each picture is scaled by its own largest score. Here is the
# explanation of the trained model above that of the untrained one, for the same sentence.

# %%
random_scores = kb.explain.integrated_gradients(untrained_pair, text, target=target, steps=50).scores
pair = np.stack([scores[inside] / abs(scores[inside]).max() for scores in (package.scores, random_scores)])
caption = "Integrated gradients for the logit of positive, each row divided by its largest absolute score."
picture = kb.explain.matrix_chart(pair, ["trained", "random weights"], tokens[inside], caption, limit=1.0)
chapter.show(picture, "untrained")


def largest_share(attributions):
    """Return the mean share of the largest score in the sum of all absolute scores."""
    return np.mean([abs(a.scores[1:-1]).max() / abs(a.scores[1:-1]).sum() for a in attributions])


print(f"share of the largest score, 30 sentences: trained {largest_share(found):.0%}")
print(f"                                        untrained {largest_share(of_untrained):.0%}")

# %% [markdown]
# *Look at* the lower row. It has strong colors, the strongest at "dull", although the model has learned nothing. Over
# 30 sentences its scores are flatter (the output above), but one row does not show that it is meaningless. The checks
# show it: the deletion curve of section 6, and the *randomization test* (Adebayo et al.): when layers become random,
# from the head down, the scores must change. The measure is the *rank correlation* (Spearman) of the absolute scores of
# both models: 1 if both order the tokens in the same way, near 0 if the two orders have nothing in common. To save time
# the test takes 10 points per explanation, which is few (section 3).

# %%
test = kb.explain.randomization_test(
    sentiment, sentences[:6], methods=["gradient_x_input", "integrated_gradients"], steps=10, resamples=200
)
chapter.show(test.plot(), "randomization")

# %% [markdown]
# *Look at* how far the lines fall from 1, the trained model, to the right end, where all layers are random. The
# colored bands are 95 % intervals: they show how much the mean of only six sentences can vary. The scores do depend
# on what was learned. The orange line stays above 0 for a simple reason: `[CLS]` and `[SEP]` are the same in the text
# and in the baseline, so their integrated gradients are 0 in every model, and equal ranks count as agreement.
#
# Two more traps. The *baseline* is a choice: with `[MASK]` in place of `[PAD]` the scores are different (exercise 1).
# And an explanation describes the model, not the world: if the model uses a wrong reason, a faithful explanation
# shows it.

# %%
assert all(values[-1] < 0.6 for values in test.means.values())
assert max(abs(random_scores[0]), abs(random_scores[-1]), abs(package.scores[0])) < 1e-6  # [CLS] and [SEP]
assert abs(pair[1]).mean() > 0.5 * abs(pair[0]).mean()  # the picture of the untrained model is not paler

# %% [markdown]
# ## Summary
#
# - An attribution gives each token a part of one logit. Begin at the output of the embedding layer: ids have no
#   gradient.
# - Integrated gradients add up to F(x) - F(baseline). The completeness error says how well; report it.
# - Conductance adds up to the same number at every layer. In high layers, a score belongs to a position.
# - Attention has no sign and is not an attribution. It belongs beside other methods, not in place of them.
# - A deletion curve against a random order, and the test with random weights, show whether scores describe the model.
# - For your own model: `kb.explain.integrated_gradients(model, text)` with its completeness error, and
#   `kb.explain.occlusion`, which needs no gradients. `word_scores` of a result has one score per word. `target=` names
#   another logit, such as the start of an answer or a tag of a token. On the command line: `keras-bert explain`.
#
# ## Exercises
#
# 1. Replace the baseline: `[MASK]` in place of `[PAD]`. Compute integrated gradients by hand again. Do the scores
#    still add up? Which tokens change their sign?
# 2. Delete the tokens with the *lowest* scores first. What should happen to the probability, and does it?
# 3. Explain the same sentence for the class "negative". How are the scores of the two classes related?
#
# Solutions: [solutions/11_why_this_prediction.py](solutions/11_why_this_prediction.py).
#
# ## Next
#
# [Chapter 12](12_smaller_and_faster.py) asks how a model becomes smaller and faster, and what it loses.
