# %% [markdown]
# # 02 · What does a vector know before and after context?
#
# Chapter 01 turned text into ids. BERT looks up a vector for each id, and then its blocks change every vector with
# the help of the others. What does a vector tell about its word before this, and what after it?
#
# **At the end** you have computed the vectors with which BERT starts, by hand and equal to those of the package. You
# have followed one word through all layers, and measured what its vector takes from its place and from the other
# words.
#
# **Time**: under one minute on 2 cores, without a network connection. **Papers**: Devlin et al. 2018
# ([BERT](https://arxiv.org/abs/1810.04805)), section 3, "Input/Output Representations", and figure 2; Ethayarajh 2019
# ([How contextual are contextualized word representations?](https://arxiv.org/abs/1909.00512)), sections 3 and 4.
#
# Run it as a script (`python tutorials/02_vectors_and_context.py`; the figures go to `tutorials/out/`) or as a
# notebook.

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(2)

import keras
import numpy as np
from keras import ops

import keras_bert as kb

# %% [markdown]
# ## The whole picture
#
# T is the number of tokens of a text, H the size of a vector, L the number of blocks. This chapter builds the first
# three rows of the drawing, up to layer 0, and uses the blocks as they are. Chapters 03 and 04 build them.

# %%
TABLES = ["word embedding\na row for each id", "position embedding\na row for each place"]
picture = kb.explain.flow_chart(
    [
        "ids [T]\n[CLS] the dog bit the man . [SEP]",
        [*TABLES, "segment embedding\na row for text 0 and 1"],
        "sum and LayerNorm [T, H]\nlayer 0: a vector depends on its token, its place and its segment",
        "block 1 [T, H]\nlayer 1: the first time that a vector depends on the other tokens",
        "more blocks, up to block L [T, H]\nlayer L: the output",
    ],
    "The vectors of a BERT, from the ids to the output. From the second row on, the shape is [T, H] everywhere.",
)
chapter.show(picture, "overview")

# %% [markdown]
# *Look at* the third and the fourth box: between them is the step from a vector without context to one with context.
#
# ## 1 · Three tables, one sum
#
# We load the bundled model `small`, with H = 384. Its first layer has three tables of trained numbers. A lookup takes
# one row of each table for every token. The three rows are added, so that the size of a vector stays H. One of the
# H numbers alone has no chosen meaning: training changes all of them together. So this chapter compares whole vectors.

# %%
small = kb.load_pretrained("bert_en_uncased_small")
layer = small.encoder.embeddings
word_table = ops.convert_to_numpy(layer.word_embeddings.embeddings)  # [V, H]
position_table = ops.convert_to_numpy(layer.position_embeddings.embeddings)  # [512, H]
segment_table = ops.convert_to_numpy(layer.type_embeddings.embeddings)  # [2, H]
print(word_table.shape, position_table.shape, segment_table.shape)

# %% [markdown]
# The text is a pair of sentences, so that both segments occur. We write the ids of the special tokens ourselves.

# %%
vectorizer = small.vectorizer


def ids_of(vectorizer, *texts):
    """Return the ids and the segments of one or two texts, [1, T] each, without padding."""
    ids, types = [vectorizer.cls_id], [0]
    for segment, text in enumerate(texts):
        tokens = [*vectorizer.tokenize([text])[0].numpy(), vectorizer.sep_id]
        ids, types = ids + tokens, types + [segment] * len(tokens)
    return np.array([ids], "int32"), np.array([types], "int32")


ids, types = ids_of(vectorizer, "The dog bit the man.", "The dog was old.")
tokens = [small.vocabulary[i] for i in ids[0]]
print(*zip(range(len(tokens)), tokens, ids[0].tolist(), types[0].tolist(), strict=True), sep="\n")

# %% [markdown]
# Now the three lookups and the sum, in numpy. A lookup is an index: `table[ids]`.

# %%
word = word_table[ids[0]]  # [T, H]
position = position_table[np.arange(len(tokens))]  # [T, H], the rows 0, 1, 2, …
segment = segment_table[types[0]]  # [T, H]
total = word + position + segment  # [T, H]
print("the first three numbers for the second token:", tokens[1])
for name, part in {"word": word, "position": position, "segment": segment, "sum": total}.items():
    print(f"{name:8}", part[1, :3].round(3))

# %% [markdown]
# Add the first three rows of the output with a pencil: they give the last one, up to the rounding. Then comes
# LayerNorm. It shifts and scales every vector to mean 0 and variance 1, and then multiplies by trained numbers
# (`gamma`) and adds others (`beta`). This keeps the sizes of all vectors similar, whatever the sum was. BERT adds
# 1e-12 to the variance, so that nothing is divided by 0; the default of Keras is 1e-3, which would give other
# numbers.

# %%
gamma, beta = ops.convert_to_numpy(layer.layer_norm.gamma), ops.convert_to_numpy(layer.layer_norm.beta)  # [H] each
mean, variance = total.mean(axis=1, keepdims=True), total.var(axis=1, keepdims=True)  # [T, 1] each
by_hand = (total - mean) / np.sqrt(variance + 1e-12) * gamma + beta  # [T, H]

package = np.array(layer(ids, types))[0]  # [T, H]
found = kb.explain.embeddings(small, "The dog bit the man.", "The dog was old.")
print(f"largest difference from the layer of the package: {np.abs(by_hand - package).max():.1e}")
assert np.abs(by_hand - package).max() < 1e-5
assert found.tokens == tokens and np.allclose(found.sum, total, atol=1e-6)

# %%
chapter.show(found.plot(), "embeddings")

# %% [markdown]
# *Look at* the two rows "dog": in the word embedding (top left) they are equal, and in the sum (bottom right) nearly.
# The position embedding (top right) has a different row for each place; the first row, of `[CLS]`, is the strongest.
# The segment embedding (bottom left) has only two different rows, and they are alike.

# %%
dogs = [i for i, token in enumerate(tokens) if token == "dog"]
assert np.array_equal(word[dogs[0]], word[dogs[1]]) and not np.allclose(total[dogs[0]], total[dogs[1]], atol=0.01)
lengths = found.lengths
print({name: round(length, 2) for name, length in lengths.items()})
assert lengths["word"] > lengths["position"] > lengths["segment"]

# %% [markdown]
# The output above has the mean lengths of the vectors. The word embedding is the longest, so the sum is mostly about
# the word.
#
# ## 2 · What does a word embedding know?
#
# It was trained on the texts around its word. So words that are used alike get similar rows. We measure similarity by
# the cosine: the dot product of two vectors that were scaled to length 1. It is 1 for the same direction and 0 for a
# right angle.


# %%
def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def nearest(table, word, count=4):
    """Return the words whose rows have the highest cosines with the row of a word."""
    cosines = unit(table) @ unit(table[small.vocabulary.index(word)])  # [V]
    best = np.argsort(-cosines)[1 : count + 1]  # the first is the word
    return ", ".join(f"{small.vocabulary[i]} {cosines[i]:.2f}" for i in best)


# %% [markdown]
# The control is a table of the same shape with random numbers.

# %%
keras.utils.set_random_seed(0)
random_encoder = kb.BertEncoder(small.encoder.config)
random_encoder.vectorizer = vectorizer
random_table = ops.convert_to_numpy(random_encoder.embeddings.word_embeddings.embeddings)  # [V, H]
for word_ in ("king", "river", "seven", "walked", "bank"):
    print(f"{word_:7} trained: {nearest(word_table, word_):60} random: {nearest(random_table, word_, 2)}")
assert "queen" in nearest(word_table, "king") and "six" in nearest(word_table, "seven")

# %% [markdown]
# The neighbors of trained rows are other forms of the word, words of the same kind, or words of the same subject. The
# neighbors in the random table have nothing to do with the word, and their cosines are low.
#
# See the last line of the output, "bank". The word has two meanings and one row. Besides the form "banks", the
# neighbors are words about money; none is about rivers. In a sentence about a river, this row alone is misleading. To
# have the right meaning, a vector needs information from the other words of the sentence.
#
# ## 3 · What does a position embedding know?
#
# The table has rows for the places 0 to 511, so a text of this model has at most 512 tokens: a place without a trained
# row has no vector. The first Transformer computed its position vectors from sine and cosine waves, and its authors
# found nearly the same results with trained ones (Vaswani et al. 2017, section 3.5). BERT's rows are trained. Why not
# more than 512? Long rows are expensive, because attention has a score for every two places (chapter 03). For this
# reason BERT had rows of 128 tokens in 90 % of its training steps (Devlin et al., appendix A.2).
#
# Nothing in the training says which rows are near each other. Do near positions have similar vectors? We compute the
# mean cosine of two positions at a distance d, among the first 128.

# %%
distances = list(range(1, 65))


def cosine_by_distance(table):
    x = unit(table[:128])  # [128, H]
    return [float(np.mean(np.sum(x[d:] * x[:-d], axis=1))) for d in distances]


def minilm_positions(folder):
    encoder = kb.load_pretrained(folder).encoder
    return cosine_by_distance(ops.convert_to_numpy(encoder.embeddings.position_embeddings.embeddings))


# %%
random_positions = ops.convert_to_numpy(random_encoder.embeddings.position_embeddings.embeddings)
lines = {
    "MiniLM": chapter.minilm("positions", minilm_positions),
    "small": cosine_by_distance(position_table),
    "random weights": cosine_by_distance(random_positions),
}
caption = "Mean cosine of two position embeddings, by their distance."
chapter.show(kb.explain.line_chart(distances, lines, caption, "distance", "cosine"), "positions")
assert all(lines[name][0] > 0.7 and lines[name][-1] < 0.4 for name in ("MiniLM", "small"))
assert max(np.abs(lines["random weights"])) < 0.05

# %% [markdown]
# *Look at* the left end: in both trained models (blue and orange), neighboring places have very similar rows. From
# there the lines fall, but in waves: places at a distance of 41 are more similar than those at 20. The random table
# (green) stays near 0. So the order of the places was learned from text. The two trained lines are alike, because
# `small` was made from MiniLM.
#
# ## 4 · From layer 0 to layer L
#
# The blocks follow one another: the output of one is the input of the next. In code this is one loop. We keep the
# vectors of every layer.


# %%
def states(encoder, ids, types=None):
    """Return the vectors of all layers for one row of ids, [L + 1, T, H]; layer 0 is the sum after LayerNorm."""
    mask = np.ones_like(ids)  # no padding
    x = encoder.embeddings(ids, np.zeros_like(ids) if types is None else types)  # [1, T, H]
    layers = [x]
    for block in encoder.blocks:
        x = block(x, mask)  # [1, T, H]
        layers.append(x)
    return np.stack([np.array(each)[0] for each in layers])


# %%
layers = states(small.encoder, ids, types)
inputs = {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": types}
output = np.array(small.encoder(inputs)["sequence_output"])[0]  # [T, H]
print("layers, tokens, numbers:", layers.shape, f"difference from the encoder: {np.abs(layers[-1] - output).max():.1e}")
assert np.abs(layers[-1] - output).max() < 1e-4

# %% [markdown]
# ### One word in two meanings
#
# Six sentences with "bank": three about money, three about water. For each layer we compute the cosine of every two
# occurrences of "bank", and take two means: over pairs with the same meaning, and over pairs with different meanings.

# %%
SENTENCES = [
    "She put her money in the bank.",
    "The bank gave him a loan.",
    "He works in the bank as a clerk.",
    "They walked along the bank of the river.",
    "The boat lay at the bank of the stream.",
    "Trees grew on the muddy bank of the lake.",
]
MEANINGS = np.array([0, 0, 0, 1, 1, 1])


# %%
def vectors_of(encoder, vectorizer, word):
    """Return the vectors of the first occurrence of a word in each sentence, [L + 1, 6, H]."""
    found = []
    for sentence in SENTENCES:
        ids, _ = ids_of(vectorizer, sentence)
        place = ids[0].tolist().index(vectorizer.token_to_id(word))
        found.append(states(encoder, ids)[:, place])  # [L + 1, H]
    return np.stack(found, axis=1)


# %%
def same_and_other(vectors):
    """Return two lists of L + 1 mean cosines: of pairs with the same meaning and with different meanings."""
    cosines = np.einsum("lih,ljh->lij", unit(vectors), unit(vectors))  # [L + 1, 6, 6]
    same = MEANINGS[:, None] == MEANINGS
    pairs = ~np.eye(6, dtype=bool)
    return cosines[:, same & pairs].mean(1).tolist(), cosines[:, ~same].mean(1).tolist()


# %%
def minilm_bank(folder):
    pretrained = kb.load_pretrained(folder)
    return same_and_other(vectors_of(pretrained.encoder, pretrained.vectorizer, "bank"))


same, other = chapter.minilm("bank", minilm_bank)  # L + 1 numbers each

# %%
picture = kb.explain.line_chart(
    range(7),
    {"same meaning": same, "different meanings": other},
    'Mean cosine of two occurrences of "bank", MiniLM.',
    "layer (0: before context)",
    "cosine",
)
chapter.show(picture, "bank")

# %% [markdown]
# *Look at* layer 0: both lines start at the same height, near 1. The word is the same, and only the places differ. In
# every later layer the line of different meanings (orange) is below that of the same meaning (blue): the vector of
# "bank" has information from the other words, and this information fits the meaning.

# %%
print("same meaning:      ", np.round(same, 2), "\ndifferent meanings:", np.round(other, 2))
assert abs(same[0] - other[0]) < 0.02 and same[-1] - other[-1] > 0.05
package = kb.explain.word_in_context(small, SENTENCES, "bank", groups=["money"] * 3 + ["water"] * 3)
ours = same_and_other(vectors_of(small.encoder, vectorizer, "bank"))
assert np.allclose(package.within, ours[0], atol=1e-4) and np.allclose(package.between, ours[1], atol=1e-4)

# %% [markdown]
# The last lines compare with the package: `kb.explain.word_in_context` gives the same means for `small`, and it also
# draws the six vectors of each layer as points in a plane. The axes of the plane are the first two *principal
# components*: the two directions in which the six vectors differ most.

# %%
chapter.show(package.plot(), "bank_small")

# %% [markdown]
# *Look at* the maps from "embeddings" (layer 0) to layer 6. Each numbered mark is one sentence: blue circles for
# money, orange squares for water. In the first map the groups are mixed: 1 and 6 are one point, and 3 and 4 are one
# point, because "bank" has the same place in these sentences. In the later maps the groups are apart. The last
# picture has the two mean cosines of each layer.
#
# ### The controls
#
# Two controls belong to this result. First, random weights: does any BERT do this? Second, a word with **one**
# meaning in the same six sentences, "the": does its vector separate the sentences, too?

# %%
gaps = {
    '"bank", small': np.subtract(*ours),
    '"the", small': np.subtract(*same_and_other(vectors_of(small.encoder, vectorizer, "the"))),
    '"bank", random weights': np.subtract(*same_and_other(vectors_of(random_encoder, vectorizer, "bank"))),
}
print({name: np.round(gap, 2).tolist() for name, gap in gaps.items()})

# %%
picture = kb.explain.line_chart(
    range(7),
    gaps,
    "Mean cosine of the same meaning minus that of different meanings.",
    "layer (0: before context)",
    "difference of cosines",
    baselines={"no difference": 0},
)
chapter.show(picture, "gap")

# %%
bank, the, random_bank = gaps.values()
assert bank[1:].min() > 0.02 and np.ptp(random_bank) < 0.03 and abs(bank[0]) < 0.03 and the[-1] > 0.05
for seed in (1, 2):  # other random weights
    keras.utils.set_random_seed(seed)
    other_encoder = kb.BertEncoder(small.encoder.config)
    gap = np.subtract(*same_and_other(vectors_of(other_encoder, vectorizer, "bank")))
    print(f"seed {seed}: {np.round(gap, 2)}")
    assert np.ptp(gap) < 0.03

# %% [markdown]
# *Look at* the green line: with random weights the difference is nearly the same in all layers. It comes from the
# places of the word alone. The blue line rises after layer 0: this is the effect of the training.
#
# The orange line is a warning. "The" does not have two meanings, and its vector separates the sentences as well, in
# the last layer even more than that of "bank". So the vectors have information about the *subject* of the sentence,
# money or water. That is enough to separate the meanings of "bank" here, and it is not the same as understanding the
# word.
#
# ## 5 · The order of the words
#
# "The dog bit the man" and "The man bit the dog" have the same words. Does a vector show who bit? We compare the
# vector of "dog" in both, and do it again after setting all position embeddings to 0.

# %%
without_positions = small.encoder.copy()
table = without_positions.embeddings.position_embeddings.embeddings
table.assign(np.zeros(table.shape))
first, _ = ids_of(vectorizer, "The dog bit the man.")
second, _ = ids_of(vectorizer, "The man bit the dog.")
dog = vectorizer.token_to_id("dog")
for name, encoder in {"with positions": small.encoder, "without positions": without_positions}.items():
    a = states(encoder, first)[:, first[0].tolist().index(dog)]  # [L + 1, H]
    b = states(encoder, second)[:, second[0].tolist().index(dog)]
    print(f"{name:17} cosines by layer: {np.sum(unit(a) * unit(b), axis=1).round(3)}")
    assert (np.abs(a - b).max() < 1e-4) == (name == "without positions")

# %% [markdown]
# Without position embeddings the two vectors are equal in every layer: the blocks alone compute the same vector for a
# token in every order of the words. The position embeddings are the only place where the order enters. With them, the
# vectors differ, but not much.
#
# Two sentences are few. We shuffle the words of 20 dev sentences and compare each token with itself before and after.

# %%
texts = kb.load_labeled("sample").dev_texts[:20]


def shuffled_cosines(encoder, vectorizer):
    """Return the mean cosine of a token in a text and in the shuffled text, for each layer."""
    rng, found = np.random.default_rng(0), []
    for text in texts:
        ids, _ = ids_of(vectorizer, text)
        order = np.concatenate([[0], 1 + rng.permutation(ids.shape[1] - 2), [ids.shape[1] - 1]])
        a, b = states(encoder, ids)[:, order], states(encoder, ids[:, order])  # [L + 1, T, H] each
        found.append(np.sum(unit(a) * unit(b), axis=2)[:, 1:-1].mean(1))  # [L + 1], without [CLS] and [SEP]
    return np.mean(found, axis=0)


# %%
def minilm_shuffled(folder):
    pretrained = kb.load_pretrained(folder)
    return shuffled_cosines(pretrained.encoder, pretrained.vectorizer)


lines = {
    "MiniLM": chapter.minilm("shuffled", minilm_shuffled),
    "small": shuffled_cosines(small.encoder, vectorizer),
    "random weights": shuffled_cosines(random_encoder, vectorizer),
    "small without positions": shuffled_cosines(without_positions, vectorizer),
}
caption = "Mean cosine of a token before and after the words of its sentence were shuffled."
chapter.show(kb.explain.line_chart(range(7), lines, caption, "layer (0: before context)", "cosine"), "shuffled")

# %%
assert lines["small"][0] - lines["small"][-1] > 0.1 and min(lines["small without positions"]) > 0.999
assert np.ptp(lines["random weights"]) < 0.03

# %% [markdown]
# *Look at* the two trained models (blue and orange): layer 0 differs a little, because the places differ, and the later
# layers differ more: the blocks use the order. With random weights (green) the value is nearly the same in all layers:
# they only keep the difference of layer 0, where random position rows are as long as random word rows. Without
# positions (pink) shuffling changes nothing.
#
# ## 6 · The segments
#
# How much do the segment embeddings matter? We exchange 0 and 1 in the pair of section 1 and compare again.

# %%
swapped = 1 - types


def segment_cosines(encoder):
    a, b = states(encoder, ids, types), states(encoder, ids, swapped)  # [L + 1, T, H] each
    return np.sum(unit(a) * unit(b), axis=2).mean(1)  # [L + 1]


trained, untrained = segment_cosines(small.encoder), segment_cosines(random_encoder)
print("small: ", trained.round(3), "\nrandom:", untrained.round(3))
assert trained.min() > 0.97 and untrained.max() < 0.8

# %% [markdown]
# In `small` the vectors stay nearly the same: its two segment rows are alike (section 1), so it hardly uses the
# segments. With random weights the two rows are as long as the other rows and not alike, and so the change is large.
# RoBERTa and DistilBERT have no segments at all. A model that is fine-tuned on pairs of texts can learn to use them
# again.
#
# ## What could mislead you
#
# - **A cosine of 0.8 is not high in itself.** Vectors of *different* words may have high cosines, too. The control is
#   their mean cosine, which the next cell computes. (Ethayarajh 2019 calls this *anisotropy*.)
# - **A vector that changes is no proof of understanding.** The controls were whether random weights separate the
#   meanings, too, and what another word does: "the" separates the sentences without two meanings.
# - **Six sentences are an illustration.** They were written for this chapter. Exercise 1 asks for another word.

# %%
everything = [states(small.encoder, ids_of(vectorizer, sentence)[0])[:, 1:-1] for sentence in SENTENCES]
baseline = []  # mean cosine of tokens of different sentences, for each layer
for layer_number in range(7):
    x = [unit(each[layer_number]) for each in everything]  # 6 arrays [T, H]
    baseline.append(np.mean([np.mean(x[i] @ x[j].T) for i in range(6) for j in range(i)]))
print("tokens of different sentences:", np.round(baseline, 2), "\nbank, different meanings:     ", np.round(ours[1], 2))
assert all(b < o - 0.1 for b, o in zip(baseline, ours[1], strict=True))

# %% [markdown]
# Two occurrences of "bank" with different meanings are still much more similar than two tokens of different sentences
# are on average. The word itself remains a large part of its vector.
#
# ## Summary
#
# - A BERT starts with the sum of a word, a position and a segment embedding, after LayerNorm.
# - Before the blocks, a vector depends on its token, its place and its segment. "bank" has one vector for two
#   meanings.
# - The blocks add information from the context: the same meanings stay more similar than different ones.
# - The order of the words enters through the position embeddings only: without them, shuffling changes nothing.
# - Compare every cosine with a control: random weights, another word, other pairs.
#
# ## Exercises
#
# 1. Choose another word with two meanings, such as "light" or "match". Write six sentences and draw its lines for
#    `small`. Check first that it is one token.
# 2. Replace the id of "money" in the first sentence by that of "river". Does the vector of "bank" become more similar
#    to those of the water sentences? Use the id of "house" as a control.
# 3. Set the epsilon of the LayerNorm by hand to 1e-3, the default of Keras. How large is the difference from the
#    package, and why do you not see it in a picture?
#
# Solutions: [solutions/02_vectors_and_context.py](solutions/02_vectors_and_context.py).
#
# ## Next
#
# [Chapter 03](03_attention.py) builds the first half of a block: how does a vector get information from the others?
# Which layer to use for a sentence is the question of chapter 10.
