# %% [markdown]
# # Solutions of chapter 10 · Which vector represents a sentence?

# %%
from keras_bert.book import Chapter  # first, because it turns off log messages of TensorFlow

chapter = Chapter(10)

import numpy as np

import keras_bert as kb
from keras_bert.explain.geometry.sentences import MUSIC_AND_FOOD

small = kb.load_pretrained("bert_en_uncased_small")
vectorizer = kb.BertTextVectorization(small.vocabulary, sequence_length=32)
texts = list(chapter.reviews().dev_texts[:300])


def cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # [N, H]
    return unit @ unit.T  # [N, N]


# %% [markdown]
# ## Exercise 1: subtract the mean
#
# The common direction of all vectors is removed. The cosines between the groups fall to about half, nearer to 0, the
# value of directions without relation.

# %%
six = kb.embed(small.encoder, vectorizer(list(MUSIC_AND_FOOD)))  # [6, H]
center = kb.embed(small.encoder, vectorizer(texts)).mean(0)  # [H]
before, after = cosines(six), cosines(six - center)
other = np.ix_([0, 1, 2], [3, 4, 5])  # music and food
print(f"mean cosine between the groups: {before[other].mean():.2f} before, {after[other].mean():.2f} after")
assert after[other].mean() < before[other].mean() - 0.05

# %% [markdown]
# ## Exercise 2: the mean without [CLS] and [SEP]
#
# The mask is 0 at these two positions too. The output has the share of halves that are found among the ten nearest.

# %%
halves = [text.split() for text in texts if len(text.split()) >= 12][:200]
parts = [[" ".join(words[: len(words) // 2]) for words in halves], [" ".join(w[len(w) // 2 :]) for w in halves]]


def mean_vectors(texts, without_special):
    ids = vectorizer(texts)
    hidden = np.asarray(small.encoder(ids, training=False)["sequence_output"])  # [N, T, H]
    mask = np.array(ids["input_mask"])  # [N, T]
    if without_special:
        mask[np.arange(len(mask)), mask.sum(1) - 1] = 0  # [SEP] is the last token
        mask[:, 0] = 0
    return (hidden * mask[..., None]).sum(1) / mask.sum(1)[:, None]  # [N, H]


# %%
def among_ten(first, second):
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (first, second)]
    table = unit[0] @ unit[1].T  # [N, N]
    return 100 * np.mean((table > np.diag(table)[:, None]).sum(1) < 10)


found = [among_ten(*(mean_vectors(part, without) for part in parts)) for without in (False, True)]
print(f"with [CLS] and [SEP] {found[0]:.1f} %, without {found[1]:.1f} %; random {1000 / len(halves):.1f} %")
assert min(found) > 1000 / len(halves)

# %% [markdown]
# It hardly matters: `[CLS]` and `[SEP]` are only two of the vectors in a mean.
#
# ## Exercise 3: opposites are near
#
# A sentence and its opposite share subject and words, so their vectors are near: nearer than two sentences about
# different subjects. A search by such vectors finds what is *about the same*, not what *says the same*.

# %%
table = cosines(kb.embed(small.encoder, vectorizer(["The film is good.", "The film is not good.", "He baked bread."])))
print(f"opposite {table[0, 1]:.2f}, another subject {table[0, 2]:.2f}")
assert table[0, 1] > table[0, 2]
