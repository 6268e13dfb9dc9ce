# %% [markdown]
# # 10 · Which vector represents a sentence?
#
# A BERT gives one vector for each token. A search engine or a classifier needs one vector for a whole sentence. Which
# of the possible vectors is good, and is it better than counting words?
#
# **At the end** you have compared the vector of `[CLS]`, the pooled output and the mean of the tokens, layer by layer,
# on two tasks with a baseline; you have searched in 1,135 sentences; and you have trained a classifier on stored
# vectors.
#
# **Time**: under three minutes on 2 cores, without a network connection. **Papers**: Devlin et al. 2018
# ([BERT](https://arxiv.org/abs/1810.04805)), section 5.3; Reimers and Gurevych 2019
# ([Sentence-BERT](https://arxiv.org/abs/1908.10084)), sections 1 and 3; Ethayarajh 2019
# ([How contextual?](https://arxiv.org/abs/1909.00512)), section 4.
#
# ```
#  sentence ─► ids [T] ─► layer 0 (embeddings) ─► layer 1 ─► … ─► layer L ─► pooler
#                              │                     │                │         │
#                              └── [T, H] in each layer ──────────────┘         └─► pooled [H]
#                                    ├─► first row: [CLS]   [H]
#                                    ├─► mean of the rows   [H]         which of these vectors is near
#                                    └─► maximum of the rows [H]        for sentences that belong together?
# ```
#
# Run it as a script (`python tutorials/10_sentence_vectors.py`; the figures go to `tutorials/out/`) or as a notebook.
# The numbers in the text are of the sample. With `--full` the script takes the reviews from the Stanford Sentiment
# Treebank (SST-2), and the numbers differ.

# %%
from keras_bert.book import Chapter  # first, because it turns off log messages of TensorFlow

chapter = Chapter(10)

import os

import keras
import numpy as np
from keras import ops
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import keras_bert as kb
from keras_bert.data.glove import load_word_vectors
from keras_bert.explain.geometry.sentences import MUSIC_AND_FOOD, MUSIC_AND_FOOD_GROUPS
from keras_bert.metrics.baseline import tfidf_accuracy

# %% [markdown]
# ## 1 · Four vectors by hand
#
# B is the number of sentences, T the number of tokens, H the hidden size, L the number of layers. The shorter sentence
# has padding at its end, and padding must not count: the mask is 1 at tokens and 0 at padding.
# The rows of this chapter have at most 32 tokens, and longer texts lose their end. A long text can be cut into parts,
# each with a vector of its own.

# %%
small = kb.load_pretrained("bert_en_uncased_small")
vectorizer = kb.BertTextVectorization(small.vocabulary, sequence_length=32)
ids = vectorizer(["A fine film.", "It was a long evening, and I enjoyed all of it."])  # three [B, T]
outputs = small.encoder(ids, training=False)
last = np.asarray(outputs["sequence_output"])  # [B, T, H], layer L
mask = np.asarray(ids["input_mask"])[..., None]  # [B, T, 1]

# %%
by_hand = {
    "cls": last[:, 0],  # [B, H]
    "pooled": np.asarray(outputs["pooled_output"]),  # [B, H]: tanh(W [CLS] + b)
    "mean": (last * mask).sum(1) / mask.sum(1),  # [B, H]
    "max": np.where(mask == 1, last, -np.inf).max(1),  # [B, H]: the largest value of each of the H numbers
}
for pool, vectors in by_hand.items():
    np.testing.assert_allclose(kb.embed(small.encoder, ids, pool=pool), vectors, atol=2e-4)
print("kb.embed gives the same vectors:", ", ".join(by_hand))

# %% [markdown]
# What goes wrong without the mask? The mean then contains the vectors at padding, and the same sentence has another
# vector in a longer row.

# %%
wrong = last.mean(1)  # [B, H], the mask is ignored
cosine = np.sum(wrong[0] * by_hand["mean"][0]) / np.linalg.norm(wrong[0]) / np.linalg.norm(by_hand["mean"][0])
print(f"cosine of the mean with and without the mask, sentence 1: {cosine:.3f}")
assert cosine < 0.99

# %% [markdown]
# ## 2 · Six sentences, to see what the numbers mean
#
# Vectors are compared by their *cosine*: the dot product divided by both lengths. It is 1 for the same direction and 0
# for directions without relation. Three sentences are about music, three about food. The only words that occur in two
# sentences are words like "the" and "with", so counting words cannot group them.

# %%
for number, sentence in enumerate(MUSIC_AND_FOOD, 1):
    print(number, sentence)
found = kb.explain.similarity_map(small, list(MUSIC_AND_FOOD), list(MUSIC_AND_FOOD_GROUPS), pool="mean")
chapter.show(found.plot(), "six_sentences")
print(f"nearest sentence in the own group: {found.in_group} of 6")

# %% [markdown]
# *Look at* the two squares of three by three in the matrix: music with music, food with food. Their cosines are higher
# than the others, but the border is thin: sentences 4 and 5 are both about food, and their cosine is hardly above that
# of sentences 1 and 5. All cosines are positive, because the vectors of a BERT share a common direction (Ethayarajh,
# section 4; exercise 1 removes it). So one cosine alone says little; only the comparison of cosines does. The map at
# the right shows the same six vectors in two dimensions. Six sentences are an illustration, not a measurement. The
# other vectors and TF-IDF on the same sentences:

# %%
GROUPS = np.array(MUSIC_AND_FOOD_GROUPS)


def in_group(vectors):
    """Return for how many sentences the nearest other one is of the same group."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # [N, H]
    cosines = unit @ unit.T - 2 * np.eye(len(unit))  # [N, N]; a sentence is not its own neighbor
    return int((GROUPS[cosines.argmax(1)] == GROUPS).sum())


counts = TfidfVectorizer().fit_transform(MUSIC_AND_FOOD).toarray()  # [6, words]
six = vectorizer(list(MUSIC_AND_FOOD))
for pool in ("cls", "pooled", "mean", "max"):
    print(f"{pool:8} {in_group(kb.embed(small.encoder, six, pool=pool))} of 6")
print(f"{'TF-IDF':8} {in_group(counts)} of 6")

# %% [markdown]
# ## 3 · A measurement: the nearest neighbor's label
#
# Two collections of the sample have labels: 1,135 sentences of film reviews, positive or negative, and 330 messages,
# spam, social or promotion. For each text we find the nearest other one, and count how often both have the same label.
# No classifier is trained: this tests the vectors alone. The baseline does the same with TF-IDF vectors of words.
#
# One model computes all layers at once. Layer 0 is the output of the embedding layer.

# %%
reviews, messages = chapter.reviews(), kb.load_labeled("sample-messages")
dev_texts, dev_labels = list(reviews.dev_texts[:2000]), reviews.dev_labels[:2000]
collections = {
    "reviews": (dev_texts, dev_labels),
    "messages": (
        [*messages.train_texts, *messages.dev_texts],
        np.concatenate([messages.train_labels, messages.dev_labels]),
    ),
}


# %%
def vectors_by_layer(encoder, ids):
    """Return the vectors of all layers, [L + 1, N, H] for "mean" and "cls", [1, N, H] for "pooled"."""
    tokens, outputs = encoder.input, encoder(encoder.input)
    states = [encoder.embeddings(tokens["input_word_ids"], tokens["input_type_ids"])]  # [B, T, H]
    states += [outputs[f"encoder_outputs_{i}"] for i in range(encoder.config.num_layers)]
    x = ops.stack(states, 1)  # [B, L + 1, T, H]
    mask = ops.cast(tokens["input_mask"], "float32")[:, None, :, None]  # [B, 1, T, 1]
    mean = ops.sum(x * mask, 2) / ops.sum(mask, 2)  # [B, L + 1, H]
    model = keras.Model(tokens, {"mean": mean, "cls": x[:, :, 0], "pooled": outputs["pooled_output"][:, None]})
    return {name: np.moveaxis(array, 1, 0) for name, array in model.predict(ids, 64, verbose=0).items()}


# %%
def neighbor_accuracy(vectors, labels):
    """Return how often a text and its nearest other one have the same label, in percent."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)  # [N, H]
    cosines = unit @ unit.T - 2 * np.eye(len(unit))  # [N, N]; a text is not its own neighbor
    return 100 * np.mean(labels[cosines.argmax(1)] == labels)


# %% [markdown]
# MiniLM (`all-MiniLM-L6-v2`) is a published model that was trained for the mean of its last layer: pairs of related
# texts got a high cosine. Where it is not installed, stored numbers are used. The last control is an encoder of the
# bundled size with random weights (one draw of them).


# %%
def measured(encoder, vectorizer):
    """Return the accuracies of all layers by collection and pool."""
    found = {}
    for name, (texts, labels) in collections.items():
        vectors = vectors_by_layer(encoder, vectorizer(texts))
        found[name] = {pool: [neighbor_accuracy(each, labels) for each in layers] for pool, layers in vectors.items()}
    return found


def minilm_by_layer(folder):
    minilm = kb.load_pretrained(folder)
    return measured(minilm.encoder, kb.BertTextVectorization(minilm.vocabulary, sequence_length=32))


# %%
keras.utils.set_random_seed(0)
of_small, of_random = measured(small.encoder, vectorizer), measured(kb.BertEncoder(small.encoder.config), vectorizer)
of_minilm = chapter.minilm("by_layer", minilm_by_layer, tolerance=0.02)

# %%
baselines = {}
for name, (texts, labels) in collections.items():
    baselines[name] = neighbor_accuracy(TfidfVectorizer().fit_transform(texts).toarray(), labels)
    share = baselines[name] / 100
    error = 100 * np.sqrt(share * (1 - share) / len(texts))
    print(f"{name:9} TF-IDF {baselines[name]:.1f}, standard error {error:.1f} points")
    for model, each in {"small": of_small, "MiniLM": of_minilm, "random": of_random}.items():
        best = {pool: f"{max(values):.1f}" for pool, values in each[name].items()}
        print(f"    {model:7} best layer: {best}")

# %%
for name in collections:
    series = {"small, mean": of_small[name]["mean"], "small, [CLS]": of_small[name]["cls"]}
    series |= {"MiniLM, mean": of_minilm[name]["mean"], "random, mean": of_random[name]["mean"]}
    caption = f"{name.capitalize()}: the nearest neighbor has the same label, by layer (0: embeddings). Dashed: TF-IDF."
    line = {"TF-IDF": baselines[name]}
    picture = kb.explain.line_chart(range(7), series, caption, "layer", "same label, %", baselines=line)
    chapter.show(picture, f"by_layer_{name}")

# %% [markdown]
# *Look at* the second figure, the messages, first. The means of the small encoder (blue) and of MiniLM (green) are high
# in layers 0 to 5, well above TF-IDF and above the random encoder. In the last layer both fall: it is not always the
# best one (this chapter does not measure why). `[CLS]`, in orange, is below the mean in every layer: at layer 0 it is
# the same for all texts, and a masked LM does not train it to represent the text. The pooled output is a layer on
# `[CLS]`, which the masked LM does not use: after a pretraining with this task alone it still has its random start
# values. Both are made to be *fine-tuned*.
#
# Now look at the first figure, the reviews: all lines are only a few points above 50 %, the result of a random choice,
# and TF-IDF is above all of them. (The axis of this figure is short: it makes small differences look large.) The
# vectors did not change, the question did. What a message is about makes it spam or social; two reviews about the same
# subject can be positive and negative. A vector that is good for one question can be nearly useless for another. And on
# the messages the random encoder is far above a random choice, one third: texts with the same words have near vectors
# in any model.

# %%
small_mean, minilm_mean = of_small["messages"]["mean"], of_minilm["messages"]["mean"]
assert min(max(small_mean), max(minilm_mean)) > max(baselines["messages"], *of_random["messages"]["mean"]) + 4
assert small_mean[-1] < max(small_mean) - 5 and minilm_mean[-1] < max(minilm_mean) - 5
assert (np.array(small_mean) > of_small["messages"]["cls"]).all()
assert baselines["reviews"] > max(of_small["reviews"]["mean"])

# %% [markdown]
# ## 4 · Search, and a test of it
#
# A search compares the vector of a question with the vectors of all texts. `normalize=True` scales the vectors to
# length 1, so that one matrix product gives all cosines.

# %%
collection = kb.embed(small.encoder, vectorizer(dev_texts), normalize=True)  # [N, H]
QUERIES = ["the music was far too loud", "a good film for children", "the ending surprised me"]
queries = kb.embed(small.encoder, vectorizer(QUERIES), normalize=True)  # [3, H]
cosines = queries @ collection.T  # [3, N]
for query, row in zip(QUERIES, cosines, strict=True):
    print(f"\n{query}")
    for place in row.argsort()[::-1][:3]:
        print(f"  {row[place]:.2f}  {dev_texts[place]}")

# %% [markdown]
# Some hits are good, some are not, and it is easy to be pleased by three examples. A test needs known answers. Here is
# one that needs no labels: cut 300 sentences in half, and search for the second half of a sentence with its first half.
# The halves share few words, so TF-IDF must fail on most of them. A random choice is right once in 300 cases.

# %%
halves = [text.split() for text in dev_texts if len(text.split()) >= 12][:300]
firsts = [" ".join(words[: len(words) // 2]) for words in halves]
seconds = [" ".join(words[len(words) // 2 :]) for words in halves]


def found_halves(first, second):
    """Return how often the right half is the nearest one, and among the ten nearest, in percent."""
    first, second = (each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-9) for each in (first, second))
    cosines = first @ second.T  # [N, N]
    better = (cosines > np.diag(cosines)[:, None]).sum(1)  # [N], how many halves are nearer than the right one
    equal = (cosines == np.diag(cosines)[:, None]).sum(1) - 1  # equally near: half of them count as nearer
    return [100 * np.mean(better + equal / 2 < limit) for limit in (1, 10)]


# %%
def halves_of(encoder, vectorizer, pool):
    return found_halves(*(kb.embed(encoder, vectorizer(part), pool=pool) for part in (firsts, seconds)))


def minilm_halves(folder):
    minilm = kb.load_pretrained(folder)
    return halves_of(minilm.encoder, kb.BertTextVectorization(minilm.vocabulary, sequence_length=32), "mean")


# %%
counts = TfidfVectorizer().fit([*firsts, *seconds])
search = {
    "random choice": [100 / 300, 1000 / 300],
    "TF-IDF": found_halves(*(counts.transform(part).toarray() for part in (firsts, seconds))),
    "small, [CLS]": halves_of(small.encoder, vectorizer, "cls"),
    "small, mean": halves_of(small.encoder, vectorizer, "mean"),
    "MiniLM, mean": chapter.minilm("halves", minilm_halves, tolerance=0.1),
}

# %%
ten = {name: values[1] for name, values in search.items()}
best = max(ten, key=ten.get)
bars = {f"{name} (best)" if name == best else name: value for name, value in ten.items()}
caption = f"Search for the second half of 300 sentences: the right half is among the ten nearest. Best: {best}."
chapter.show(kb.explain.bar_chart(bars, caption, "found among ten, %"), "search")
for name, (one, among_ten) in search.items():
    print(f"{name:14} nearest {one:5.1f} %, among ten {among_ten:5.1f} %")

# %% [markdown]
# *Look at* the lower two bars: the means find more halves than TF-IDF and than `[CLS]`. All numbers are low, because
# one half of a sentence says little about the other. The standard error of one bar is about two points, so the two
# encoders are equal here, although MiniLM was trained to compare texts: an expected difference must be measured all the
# same. This chapter uses the encoders as they are. Sentence-BERT (Reimers and Gurevych, section 3) trains an encoder on
# pairs of sentences, so that the cosine says how related they are.

# %%
assert chapter.full or ten["small, mean"] > max(ten["random choice"] + 5, ten["small, [CLS]"] + 2, ten["TF-IDF"] + 1)
assert chapter.full or abs(ten["MiniLM, mean"] - ten["small, mean"]) < 5

# %% [markdown]
# ## 5 · Stored vectors as features of a classifier
#
# Vectors can be computed once and stored. `BertFeatureClassifier` is an encoder, a pooling and one dense layer;
# `kb.fit_features` trains only this layer, on stored vectors. The default is the maximum over the tokens (*max
# pooling*): a single strong word can then decide. We train on 1,000 sentences, select the best epoch on 500 others, and
# repeat it with three seeds.


# %%
def feature_accuracies(encoder, vectorizer, pool):
    # the accuracy on dev in percent for three seeds
    stored = kb.embed(encoder, vectorizer(list(reviews.train_texts[:1500])), pool=pool)  # [1500, H]
    dev_vectors, labels = kb.embed(encoder, vectorizer(dev_texts), pool=pool), reviews.train_labels  # [N, H]
    accuracies = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        train, validation = np.split(np.random.default_rng(seed).permutation(1500), [1000])
        model = kb.BertFeatureClassifier(encoder, num_classes=2, pool=pool)
        examples = stored[train], labels[train], stored[validation], labels[validation]
        kb.fit_features(model, *examples, epochs=20, batch_size=128, learning_rate=3e-3)
        accuracies.append(100 * np.mean(np.asarray(model.head(dev_vectors)).argmax(-1) == dev_labels))
    return accuracies


# %%
def tfidf_accuracies():
    """Return the accuracy of TF-IDF with logistic regression on the same sentences."""
    orders = [np.random.default_rng(seed).permutation(1500)[:1000] for seed in range(3)]
    texts, labels = np.array(reviews.train_texts), reviews.train_labels
    return [100 * tfidf_accuracy(texts[order], labels[order], dev_texts, dev_labels) for order in orders]


# %%
def minilm_features(folder):
    minilm = kb.load_pretrained(folder)
    ids = kb.BertTextVectorization(minilm.vocabulary, sequence_length=32)
    return {pool: feature_accuracies(minilm.encoder, ids, pool) for pool in ("max", "mean")}


minilm_results = chapter.minilm("features", minilm_features, tolerance=0.03)
results = {"TF-IDF": tfidf_accuracies()}
for pool in ("max", "mean"):
    results[f"small, {pool}"] = feature_accuracies(small.encoder, vectorizer, pool)
    results[f"MiniLM, {pool}"] = minilm_results[pool]

# %% [markdown]
# With `--full`, and a file of word vectors in GloVe's text format (a word and its numbers in each line) named by the
# environment variable `KERAS_BERT_GLOVE`, the mean of these vectors is one more bar. GloVe has one vector per word,
# the same in every sentence.

# %%
if chapter.full and os.environ.get("KERAS_BERT_GLOVE"):
    numbers, table = load_word_vectors(os.environ["KERAS_BERT_GLOVE"])
    split = TfidfVectorizer().build_tokenizer()

    def glove(texts):
        found = [[numbers[word] for word in split(text.lower()) if word in numbers] for text in texts]
        return np.stack([table[each].mean(0) if each else 0 * table[0] for each in found])  # [N, D]

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    classifier.fit(glove(reviews.train_texts[:1000]), reviews.train_labels[:1000])
    results["GloVe, mean"] = [100 * classifier.score(glove(dev_texts), dev_labels)]

# %%
means = {name: np.mean(values) for name, values in results.items()}
best = max(means, key=means.get)
bars = {f"{name} (best)" if name == best else name: value for name, value in means.items()}
pairs = zip(bars, results.values(), strict=True)
errors = {name: np.std(values, ddof=1) for name, values in pairs if len(values) > 1}
caption = f"Accuracy of a linear classifier on vectors of 1,000 sentences, three seeds. Best: {best}. Dashed: guessing."
chapter.show(kb.explain.bar_chart(bars, caption, "accuracy, %", errors, baseline=50.0), "features")

# %% [markdown]
# *Look at* the first bar (the dashed line is 50 %, a random choice). On this task, counting words is better than the
# vectors of the bundled encoder: the sentiment of a review is often in single words, and TF-IDF has a weight for each
# of them. A sentence vector has to keep everything about a sentence in a few hundred numbers, and its pretraining had
# no labels of sentiment. The mean of MiniLM is the highest, by little more than one standard error (1.4 points). And
# for both encoders the mean is better than the maximum, the default of the class: try both.

# %%
assert chapter.full or means["TF-IDF"] > means["small, max"]
assert chapter.full or means["MiniLM, mean"] > means["small, mean"] > means["small, max"]

# %% [markdown]
# ## 6 · What could mislead you
#
# - **A cosine without a comparison.** All cosines are high in some models and low in others. Compare ranks, or
#   subtract the mean vector first (exercise 1).
# - **Random weights.** They keep which words a sentence has, so they are better than chance in section 3. The control
#   was run.
# - **A layer selected on the test.** The best layer of section 3 was selected on the sentences that it was measured on.
#   With seven layers, the best one looks better than it is. The control: select on one half, measure on the other.

# %%
vectors = vectors_by_layer(small.encoder, vectorizer(dev_texts[:600]))["mean"]  # [L + 1, 600, H]
selection = [neighbor_accuracy(layer[:300], dev_labels[:300]) for layer in vectors]
others = [neighbor_accuracy(layer[300:], dev_labels[300:600]) for layer in vectors]
chosen = int(np.argmax(selection))
print(f"best layer on the first 300 sentences: {chosen}, with {selection[chosen]:.1f} %")
print(f"the same layer on the next 300: {others[chosen]:.1f} %; the best layer there: {max(others):.1f} %")
assert selection[chosen] > others[chosen]

# %% [markdown]
# ## Summary
#
# - The mean over the tokens, without padding, is the safe choice for a frozen encoder. `[CLS]` and the pooled output
#   are made for fine-tuning.
# - The last layer is not always the best one. Select the layer on other data than you measure on.
# - Compare a sentence vector with TF-IDF and with random weights. On sentiment, TF-IDF was above the bundled encoder.
# - A vector that is good for one question (what is the message about?) can fail for another (is the review positive?).
# - Test a search with known answers, such as halves of sentences. Three good hits are not a test. On the command line,
#   `keras-bert embed --nearest FILE` searches in the lines of a file.
#
# ## Exercises
#
# 1. Subtract the mean vector of all dev sentences before computing cosines. How do the cosines of the six sentences
#    change?
# 2. Remove `[CLS]` and `[SEP]` from the mean. Does the search of section 4 find more halves?
# 3. Write a sentence and its opposite ("The film is good." and "The film is not good."). How near are they, compared
#    with two sentences about different subjects? What does this mean for a search?
#
# Solutions: [solutions/10_sentence_vectors.py](solutions/10_sentence_vectors.py).
#
# ## Next
#
# [Chapter 11](11_why_this_prediction.py) asks which words of a sentence a prediction comes from.
