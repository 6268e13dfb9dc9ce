# %% [markdown]
# # Solutions of chapter 00 · What can a BERT do?

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(0)

import itertools

import numpy as np

import keras_bert as kb

small = kb.load_pretrained("bert_en_uncased_small")
mini = kb.load_pretrained("bert_en_uncased_mini")

# %% [markdown]
# ## Exercise 1: two words at a time
#
# The pairs are chosen from the words other than "heart", the period and the gap.

# %%
WORDS = "he died of a heart [MASK] .".split()


def probability(pretrained, words, answer):
    every = kb.fill_mask(pretrained, [" ".join(words)], top_k=len(pretrained.vocabulary))[0]["masks"][0]["predictions"]
    return next(guess["probability"] for guess in every if guess["token"] == answer)


# %%
left = {}
for i, j in itertools.combinations(range(4), 2):
    rest = [word for number, word in enumerate(WORDS) if number not in (i, j)]
    left[WORDS[i], WORDS[j]] = 100 * probability(mini, rest, "attack")
for pair, percent in sorted(left.items(), key=lambda item: item[1]):
    print(pair, f"{percent:.1f} %")
with_a = [percent for pair, percent in left.items() if "a" in pair]
without_a = [percent for pair, percent in left.items() if "a" not in pair]
assert max(with_a) < min(without_a)

# %%
lowest = min(left, key=left.get)
text = " ".join(word for word in WORDS if word not in lowest)
best = [guess["token"] for guess in kb.fill_mask(mini, [text])[0]["masks"][0]["predictions"]]
print(f"without {lowest}: {text} -> {best}")
assert lowest == ("died", "a") and best[0] != "attack"

# %% [markdown]
# The three pairs with the article "a" have the lowest probabilities, "died" and "a" the lowest of all. The last line of
# the output has the text without these two words, and what the model predicts there.

# %% [markdown]
# ## Exercise 2: capital letters
#
# Nothing changes. The vocabularies of these models are lowercase, and the first step of the tokenization makes all
# letters lowercase (chapter 01).

# %%
reviews = kb.load_labeled("sample")
predict = kb.Predictor("sst2_sentiment")
texts, labels = reviews.dev_texts[:400], np.array(reviews.dev_labels[:400])


def predicted(texts):
    return np.array([predict.labels.index(result["label"]) for result in predict(texts)])


as_written, in_capitals = predicted(texts), predicted([text.upper() for text in texts])
print(f"accuracy as written {np.mean(as_written == labels):.1%}, in capitals {np.mean(in_capitals == labels):.1%}")
assert np.array_equal(as_written, in_capitals)

# %% [markdown]
# ## Exercise 3: your own sentences
#
# These are five sentences and answers of the author of this page, written before the models were run.

# %%
OWN = {
    "the cat drank the [MASK] .": "milk",
    "in winter the lake is covered with [MASK] .": "ice",
    "he closed his [MASK] and fell asleep .": "eyes",
    "the train leaves the [MASK] at noon .": "station",
    "my sister is older than my [MASK] .": "brother",
}

# %%
for name, each in {"mini": mini, "small": small}.items():
    results = kb.fill_mask(each, list(OWN), top_k=5)
    best = [[guess["token"] for guess in result["masks"][0]["predictions"]] for result in results]
    hits = np.array([answer in five for answer, five in zip(OWN.values(), best, strict=True)])
    print(f"{name:5}: {hits.sum()} of {len(OWN)}", *zip(OWN.values(), best, strict=True), sep="\n  ")
    assert hits.any()

# %% [markdown]
# Five sentences are too few to rank two models. Their model cards count thousands of masked words of texts that were
# not used for training.
