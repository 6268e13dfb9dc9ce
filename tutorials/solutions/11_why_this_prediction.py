# %% [markdown]
# # Solutions of chapter 11 · Why this prediction?

# %%
from keras_bert.book import Chapter  # first, because it turns off log messages of TensorFlow

chapter = Chapter(11)

import numpy as np
import tensorflow as tf
from keras import ops

import keras_bert as kb

sentiment = kb.load_pretrained("sst2_sentiment")
model, encoder = sentiment.model, sentiment.encoder
text = "The story is dull, but the two leads are wonderful."

# %% [markdown]
# ## Exercise 1: another baseline
#
# The scores still add up, to another change: F(x) - F(baseline) has another baseline. Both answers are right: each
# answers its own question, "compared with what?" No word changes its sign here, but the sizes change.

# %%
package = kb.explain.integrated_gradients(sentiment, text, target="positive", steps=50)
ids = package.tokenized.ids[None]  # [1, T]
mask_ids = np.full_like(ids, sentiment.vocabulary.index("[MASK]"))
mask_ids[0, [0, -1]] = ids[0, [0, -1]]  # [CLS] and [SEP] stay
target = list(sentiment.labels).index("positive")
end, start = (np.asarray(encoder.embeddings(each, 0 * each, training=False))[0] for each in (ids, mask_ids))  # [T, H]


def logit(x):
    for block in encoder.blocks:
        x = block(x, ops.ones(ops.shape(x)[:2], "int32"), training=False)  # [B, T, H]
    return model.head(model.pooler(x))[:, target]


# %%
points, weights = np.polynomial.legendre.leggauss(50)
line = tf.convert_to_tensor(start + (points[:, None, None].astype("float32") + 1) / 2 * (end - start))  # [S, T, H]
with tf.GradientTape() as tape:
    tape.watch(line)
    values = logit(line)
mean = np.tensordot(weights / 2, np.asarray(tape.gradient(values, line)), 1)  # [T, H]

# %%
scores = ((end - start) * mean).sum(-1)  # [T]
change = float(logit(end[None])[0] - logit(start[None])[0])
print(f"sum of the scores {scores.sum():.3f}, F(x) - F(baseline) {change:.3f}")
assert abs(scores.sum() - change) < 0.05 * abs(change)
for token, with_pad, with_mask in zip(package.tokens, package.scores, scores, strict=True):
    note = "other sign" if with_pad * with_mask < 0 else ""
    print(f"{token:12} [PAD] {with_pad:+.2f}   [MASK] {with_mask:+.2f}   {note}")

# %% [markdown]
# ## Exercise 2: delete the lowest tokens first
#
# The lowest scores belong to tokens that speak against the predicted class. Without them the probability should stay
# high or rise. It stays higher than in the order of the chapter.

# %%
predict = kb.Predictor("sst2_sentiment")
found = [kb.explain.integrated_gradients(sentiment, each, steps=10) for each in chapter.reviews().dev_texts[:10]]


def mean_probability(highest_first, share):
    kept = []
    for each in found:
        order = np.argsort(-each.scores[1:-1] if highest_first else each.scores[1:-1])
        gone = set(1 + order[: round(share * len(order))])
        kept.append(" ".join(token for i, token in enumerate(each.tokens[1:-1], 1) if i not in gone))
    texts = [text.replace(" ##", "") for text in kept]
    pairs = zip(predict(texts), found, strict=True)
    return np.mean([answer["probabilities"][each.target.name] for answer, each in pairs])


# %%
for share in (0, 0.2, 0.4):
    print(
        f"{share:.0%} deleted: highest {mean_probability(True, share):.2f}, lowest {mean_probability(False, share):.2f}"
    )
assert mean_probability(False, 0.4) > mean_probability(True, 0.4) + 0.1

# %% [markdown]
# ## Exercise 3: the other class
#
# The scores are nearly exact opposites. With two classes, the gradient of the loss changes the two columns of the head
# by opposite amounts, so after the fine-tuning only the small initial values differ.

# %%
negative = kb.explain.integrated_gradients(sentiment, text, target="negative", steps=50)
correlation = np.corrcoef(package.scores, negative.scores)[0, 1]
print(f"correlation of the scores of both classes: {correlation:.3f}")
assert correlation < -0.8
