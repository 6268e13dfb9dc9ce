# %% [markdown]
# # Solutions of chapter 02 · What does a vector know before and after context?

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(2)

import numpy as np
from keras import ops

import keras_bert as kb

small = kb.load_pretrained("bert_en_uncased_small")
vectorizer, encoder = small.vectorizer, small.encoder

# %% [markdown]
# ## Exercise 1: another word
#
# "match" is one token of this vocabulary. Three sentences are about sport, and three about fire.

# %%
SENTENCES = [
    "They won the match by two goals.",
    "The match was played in the rain.",
    "He lost the match against his friend.",
    "She lit the candle with a match.",
    "The match burned his fingers.",
    "He struck a match and lit the lamp.",
]

# %%
assert len(vectorizer.tokenize(["match"])[0]) == 1
found = kb.explain.word_in_context(small, SENTENCES, "match", groups=["sport"] * 3 + ["fire"] * 3)
chapter.show(found.plot(), "solution_match")
print("same meaning:      ", found.within.round(2), "\ndifferent meanings:", found.between.round(2))
assert (found.within - found.between)[2:].min() > 0

# %% [markdown]
# In the map of the embeddings, "1, 3, 6" and "2, 5" are one mark each: in these sentences "match" has the same place,
# so before the blocks it has the same vector. The lines separate as those of "bank" do. How far depends on the word and
# on the sentences.
#
# ## Exercise 2: one id replaced

# %%
BANK = [
    "She put her money in the bank.",
    "They walked along the bank of the river.",
    "The boat lay at the bank of the stream.",
    "Trees grew on the muddy bank of the lake.",
]


# %%
def bank_vector(sentence, replaced=None):
    """Return the output vector of "bank", [H]; `replaced` is (old word, new word)."""
    ids = [vectorizer.cls_id, *vectorizer.tokenize([sentence])[0].numpy().tolist(), vectorizer.sep_id]
    place = ids.index(vectorizer.token_to_id("bank"))
    if replaced:
        old, new = (vectorizer.token_to_id(word) for word in replaced)
        ids[ids.index(old)] = new
    ids = np.array([ids], "int32")
    inputs = {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": np.zeros_like(ids)}
    vector = ops.convert_to_numpy(encoder(inputs)["sequence_output"])[0, place]
    return vector / np.linalg.norm(vector)


# %%
water = np.mean([bank_vector(sentence) for sentence in BANK[1:]], axis=0)
cosines = {
    word: float(bank_vector(BANK[0], None if word == "money" else ("money", word)) @ water)
    for word in ("money", "house", "river")
}
print({word: round(value, 3) for word, value in cosines.items()})
assert cosines["river"] > cosines["money"]

# %% [markdown]
# With "river" the vector is more similar to those of the water sentences. The control with "house" shows how much of
# this comes from removing "money".
#
# ## Exercise 3: the epsilon of Keras

# %%
layer = encoder.embeddings
ids = np.array([[vectorizer.cls_id, *vectorizer.tokenize(["The dog bit the man."])[0].numpy(), vectorizer.sep_id]])
total = kb.explain.embeddings(small, "The dog bit the man.").sum  # [T, H]
gamma, beta = ops.convert_to_numpy(layer.layer_norm.gamma), ops.convert_to_numpy(layer.layer_norm.beta)
package = ops.convert_to_numpy(layer(ids, np.zeros_like(ids)))[0]
difference = {}
for epsilon in (1e-12, 1e-3):
    scaled = (total - total.mean(1, keepdims=True)) / np.sqrt(total.var(1, keepdims=True) + epsilon)
    difference[epsilon] = np.abs(scaled * gamma + beta - package).max()
    print(f"epsilon {epsilon:.0e}: largest difference {difference[epsilon]:.1e}")
print(f"variance of the sums: {total.var(1).min():.4f} to {total.var(1).max():.4f}")
assert difference[1e-12] < 1e-5 < 1e-3 < difference[1e-3]

# %% [markdown]
# The variance of the sums is small, so 1e-3 is a visible part of it: every vector becomes shorter by some percent. In
# a picture all colors fade a little, alike everywhere, and the eye does not see that. A comparison of numbers does.
