# %% [markdown]
# # Solutions of chapter 01 · How does text become ids?

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(1)

import re
import unicodedata
from collections import Counter

import numpy as np

import keras_bert as kb

reviews = kb.load_labeled("sample")
simple_words = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")

# %% [markdown]
# ## Exercise 1: without "hugs"
#
# Then every pair has the letter "u" in it, and every other letter occurs beside "u" only. So freq(ab) equals the
# frequency of the other letter, and all scores are 1 / freq(u): WordPiece cannot choose. BPE takes "pu", with 17.

# %%
COUNTS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4}
pieces, pairs = Counter(), Counter()
for word, number in COUNTS.items():
    split = [word[0], *("##" + letter for letter in word[1:])]
    for piece in split:
        pieces[piece] += number
    for pair in zip(split, split[1:], strict=False):
        pairs[pair] += number
scores = {pair: number / (pieces[pair[0]] * pieces[pair[1]]) for pair, number in pairs.items()}
print({a + b: f"{pairs[a, b]} {score:.4f}" for (a, b), score in scores.items()})
assert np.allclose(list(scores.values()), 1 / pieces["##u"])
assert max(pairs, key=pairs.get) == ("p", "##u") and pairs["p", "##u"] == 17

# %% [markdown]
# ## Exercise 2: É, E, e and ß
#
# Our function knows the letters a to z only, so "é" is a "word" of its own that is in no vocabulary. The package
# first brings the text to the normal form NFD, in which "é" is two characters, "e" and an accent, and removes the
# accent. "ß" is one character in NFD, too, and stays. It is unknown if the training text had none.

# %%
vocabulary = kb.learn_vocabulary(reviews.train_texts, 2000)
package = kb.BertTextVectorization(vocabulary)
tokens = {text: [vocabulary[i] for i in package.tokenize([text])[0].numpy()] for text in ("É", "E", "e", "ß")}
print(tokens, "ours:", simple_words.findall("É".lower()))
assert tokens["É"] == tokens["E"] == tokens["e"] == ["e"]
assert "e" not in simple_words.findall("É".lower())
assert "e" in simple_words.findall(unicodedata.normalize("NFD", "É".lower()))
assert len(unicodedata.normalize("NFD", "ß")) == 1

# %% [markdown]
# ## Exercise 3: three vocabularies on film reviews

# %%
dev_words = sum(len(simple_words.findall(text.lower())) for text in reviews.dev_texts)
vocabularies = {
    "bundled, 8,192": kb.load_pretrained("bert_en_uncased_mini").vocabulary,
    "learned here, 2,000": vocabulary,
    "learned here, 8,192": kb.learn_vocabulary(reviews.train_texts, 8192),
}
per_word = {}
for name, tokens in vocabularies.items():
    layer = kb.BertTextVectorization(tokens)
    per_word[name] = layer.tokenize(reviews.dev_texts).values.shape[0] / dev_words
    print(f"{name:20} {len(tokens):6,} tokens in it, {per_word[name]:.2f} tokens per dev word")
assert per_word["learned here, 8,192"] < per_word["learned here, 2,000"]

# %% [markdown]
# A vocabulary that is learned from reviews has short rows for reviews. But the vectors of a pretrained model belong
# to its own vocabulary. With a new vocabulary all vectors must be learned again, and a few thousand reviews are too
# little text for that: chapter 08 measures what pretraining gives. So take the vocabulary of the model that you use.
