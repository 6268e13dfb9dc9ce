# %% [markdown]
# # 03 · Pretraining with masked words and next sentences
#
# Tutorial 02 built an encoder whose weights are random. Here it learns from plain text, with no label but the text
# itself ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805), section 3.1 and appendix A).
#
# | step | what | shape |
# |---|---|---|
# | 1 | documents of sentences become pairs `[CLS] A [SEP] B [SEP]` | `[N, T]` |
# | 2 | hide 15 % of the tokens, 80/10/10 | `[B, T]` → `[B, T]` and `[B, P]` |
# | 3 | score the vocabulary at the hidden positions, and nowhere else | `[B, T, H]` → `[B, P, V]` |
# | 4 | the loss by hand | `[B, P, V]` → one number |
# | 5 | the learning rate: up, then down | step → rate |
# | 6 | train, and fill gaps before and after | |
# | 7 | start from counted neighbours | `[V, V]` → `[V, H]` |
#
# B is the batch, T the tokens of a row, P the most predictions a row, V the vocabulary, H the width.
# Each step is built in plain Keras and numpy first; then the package's piece has to give the same numbers.
#
# Run it as a script (`python tutorials/03_pretraining.py`, pictures in `tutorials/out/`) or as a notebook. `--full`
# trains ten times as long, a model twice as wide and as deep.

# %%
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

import keras_bert as kb
from keras_bert.data import tokenize_documents
from keras_bert.text.masking import Masking, mask_tokens
from keras_bert.text.packing import pack_examples
from keras_bert.training import MaskedBatches, WarmupLinearDecay, evaluate_pretrainer
from keras_bert.training.embedding_init import cooccurrences, ppmi

FULL = "--full" in sys.argv
NOTEBOOK = "__file__" not in globals()
BLUE, RED, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#8a8f99"  # Okabe and Ito: the colour-blind tell them apart
keras.utils.set_random_seed(0)


def show(figure, name):
    """In a notebook below the cell, from a script into a file."""
    if NOTEBOOK:
        plt.show()
    else:
        folder = Path(__file__).resolve().parent / "out"
        folder.mkdir(exist_ok=True)
        figure.savefig(folder / f"03_{name}.png", dpi=110)
        print(f"picture: {folder / f'03_{name}.png'}")
    plt.close(figure)


# %% [markdown]
# ## 1 · Text to pairs
#
# The sample that comes with the package is prose: documents of sentences. Some documents are held out first, whole,
# so that no sentence measured later has a neighbour that was learned from.

# %%
corpus = kb.load_corpus("sample")
sentences = [sentence for document in corpus for sentence in document]
vocabulary = kb.learn_vocabulary(sentences, vocab_size=1500)
vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=48, special_tokens=True)
V, T, P = len(vocabulary), 48, 8

train, held_out = tokenize_documents(corpus, vectorizer).split(fraction=0.1, seed=0)
print(f"{len(train)} documents to learn from, {len(held_out)} held out; {len(train.ids):,} tokens, V = {V:,}")

# %% [markdown]
# Next-sentence prediction asks whether B follows A. A pair is made from consecutive sentences, cut in two at a
# sentence boundary; half the time B is then swapped for sentences of another document. Label 0 means "is next", 1 "is
# random", as in the original code. By hand, for one document:


# %%
def sentences_of(documents, d):
    """The sentences of document d as lists of ids."""
    first, last = documents.document_starts[d], documents.document_starts[d + 1]
    return [documents.ids[documents.sentence_starts[s] : documents.sentence_starts[s + 1]] for s in range(first, last)]


def pairs_of(documents, d, rng, room):
    """`(A, B, label)` of document d; the sentences that a random B displaces are used in the next pair."""
    document, pairs, here = sentences_of(documents, d), [], 0
    while here < len(document):
        stop = here + 1
        while stop < len(document) and sum(map(len, document[here:stop])) < room:
            stop += 1
        middle = int(rng.integers(here + 1, stop)) if stop - here > 1 else stop
        a, b, label = document[here:middle], document[middle:stop], 0
        if not b or rng.random() < 0.5:
            other = sentences_of(documents, (d + rng.integers(1, len(documents))) % len(documents))
            start = rng.integers(len(other))
            b, label, stop = other[start : start + max(1, stop - middle)], 1, middle
        pairs.append((np.concatenate(a), np.concatenate(b), label))
        here = stop
    return pairs


def read(ids):
    """Ids as text, pieces joined again."""
    return " ".join(vocabulary[i] for i in ids).replace(" ##", "")


by_hand = [pair for d in range(len(train)) for pair in pairs_of(train, d, np.random.default_rng(d), room=T - 3)]
for a, b, label in by_hand[:4]:
    print(f"{('is next', 'random')[label]:8} A: {read(a)[:60]} …\n{'':8} B: {read(b)[:60]} …")

# %% [markdown]
# The package does the same for millions of sentences, with what is still missing here: too long pairs are cut from
# the front or the back of the longer member, and one row in ten aims at a random shorter length, since fine-tuning
# will meet short ones. It does so ten times over (`dupe_factor`, as in the original code), each time with other
# pairs: with one set of pairs the model would soon know them by heart.

# %%
examples = pack_examples(train, T, vectorizer.cls_id, vectorizer.sep_id, seed=0, dupe_factor=10)
validation = pack_examples(held_out, T, vectorizer.cls_id, vectorizer.sep_id, seed=0)

follows = {(int(x), int(y)) for x, y in zip(train.ids, train.ids[1:], strict=False)}
share = {"by hand": np.mean([label for _, _, label in by_hand]), "package": examples.next_sentence_labels.mean()}
for row, types, n in zip(examples.input_word_ids, examples.input_type_ids, examples.lengths, strict=True):
    separators = np.flatnonzero(row == vectorizer.sep_id)
    assert row[0] == vectorizer.cls_id and len(separators) == 2 and separators[1] == n - 1
    assert types.sum() == separators[1] - separators[0]  # B and its [SEP] are segment 1
    inside = [pair for pair in zip(row[1 : n - 1], row[2 : n - 1], strict=False) if vectorizer.sep_id not in pair]
    assert all((int(x), int(y)) in follows for x, y in inside)  # each member is one piece of the text
print(f"rows: {len(examples)} (by hand {len(by_hand)}); "
      f"share of random B: {share['by hand']:.1%} by hand, {share['package']:.1%}")  # fmt: skip
assert abs(share["by hand"] - share["package"]) < 0.08

figure, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained", width_ratios=(3, 1))
uncut = [min(len(a) + len(b) + 3, 107) for a, b, _ in by_hand]
bins = np.arange(0, 112, 4)
axes[0].hist(uncut, bins, density=True, color=GREY, label="pairs before cutting (107: or more)")
axes[0].hist(examples.lengths, bins, density=True, histtype="step", linewidth=2, color=BLUE, label="packed rows")
axes[0].axvline(T, color=RED, linewidth=1)
axes[0].set(xlabel="tokens", ylabel="share of rows a token")
axes[0].legend(frameon=False)
bars = axes[1].bar(["is next", "random"], np.bincount(examples.next_sentence_labels), color=[BLUE, RED])
axes[1].bar_label(bars)
axes[1].set(title="labels")
for axis in axes:
    axis.spines[["top", "right"]].set_visible(False)
show(figure, "pairs")

# %% [markdown]
# *Look at* the line at 48: nearly every row is full, so little arithmetic is wasted on padding; the few short ones
# are there on purpose. Labels are not quite half and half: where a single sentence fills the row, or ends the
# document, none is left to be the next one, so its B must be random.

# %% [markdown]
# ## 2 · Masking: 15 %, of which 80/10/10
#
# In each row 15 % of the ordinary tokens are to be predicted. If they all turned into `[MASK]`, the encoder would
# only ever work where it sees that token, and fine-tuning shows none. So of the chosen ones
#
# - 80 % become `[MASK]`,
# - 10 % become a random token: any token may be wrong, so every one must be checked against its context,
# - 10 % stay as they are: what stands there is mostly right, so it may be used.
#
# The draws are made anew for each batch ("dynamic masking"): an epoch later the same sentence has other gaps.


# %%
ordinary = np.array([token not in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") for token in vocabulary])  # [V]


def mask_by_hand(rows, rng, rate=0.15):
    """One row after another, as one would say it."""
    hidden = rows.astype("int32").copy()  # [B, T]
    positions, answers, weights = (np.zeros((len(rows), P), kind) for kind in ("int32", "int32", "float32"))
    order, action = rng.random(rows.shape), rng.random(rows.shape)
    random_tokens = rng.choice(np.flatnonzero(ordinary), rows.shape)
    for b, row in enumerate(rows):
        candidates = np.flatnonzero(ordinary[row])  # never [CLS], [SEP], [PAD]
        count = min(max(1, round(rate * len(candidates))), P)
        chosen = np.sort(candidates[np.argsort(order[b, : len(candidates)])[:count]])
        positions[b, :count], answers[b, :count], weights[b, :count] = chosen, row[chosen], 1.0
        for t in chosen:
            if action[b, t] < 0.8:
                hidden[b, t] = vectorizer.mask_id
            elif action[b, t] < 0.9:
                hidden[b, t] = random_tokens[b, t]
    return hidden, positions, answers, weights


masking = Masking.from_vocabulary(vocabulary, max_predictions=P)
hidden, positions, answers, weights = mask_by_hand(examples.input_word_ids, np.random.default_rng(7))
package = mask_tokens(examples.input_word_ids, masking, np.random.default_rng(7))
assert (hidden == package["input_word_ids"]).all() and (positions == package["masked_lm_positions"]).all()
assert (answers == package["masked_lm_ids"]).all() and (weights == package["masked_lm_weights"]).all()

at = np.take_along_axis(hidden, positions, axis=1)[weights == 1]
was = answers[weights == 1]
share = weights.sum() / ordinary[examples.input_word_ids].sum()
print(f"predicted: {share:.1%} of the ordinary tokens (counts are rounded in each row), {len(at):,} in all")
print(f"[MASK] {np.mean(at == vectorizer.mask_id):.1%}, as it was {np.mean(at == was):.1%}, the rest at random")

# %%
figure, axis = plt.subplots(figsize=(11, 3.6), layout="constrained")
shown = np.flatnonzero(examples.lengths == T)[:6]
for y, b in enumerate(shown):
    for t in range(16):
        token, new = vocabulary[examples.input_word_ids[b, t]], hidden[b, t]
        chosen = t in positions[b][weights[b] == 1]
        colour, text = "white", token
        if chosen:
            same = new == examples.input_word_ids[b, t]
            colour = GREEN if same else BLUE if new == vectorizer.mask_id else RED
            text = token if same else f"{vocabulary[new]}\n({token})"
        alpha = 0.35 if chosen else 1
        axis.add_patch(plt.Rectangle((t, -y), 0.94, 0.86, facecolor=colour, alpha=alpha, edgecolor=GREY))
        axis.text(t + 0.47, -y + 0.43, text, ha="center", va="center", fontsize=7)
for colour, label in ((BLUE, "[MASK]"), (RED, "random token"), (GREEN, "left as it was, predicted all the same")):
    axis.plot([], [], "s", color=colour, alpha=0.5, label=label)
axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, frameon=False)
axis.set(xlim=(0, 16), ylim=(-len(shown) + 0.9, 1))
axis.axis("off")
show(figure, "masking")

# %% [markdown]
# *Look at* the colours: most gaps are blue, a red or a green one comes now and then, `[CLS]` and `[SEP]` are never
# touched. In brackets is what the model has to say.

# %% [markdown]
# ## 3 · Score the vocabulary at the hidden positions alone
#
# The head turns a vector of width H into V scores: a dense layer, GELU, LayerNorm, then the product with *the token
# embedding itself*, transposed (the weights are tied), and a bias. The product is by far the largest: so the P hidden
# positions are gathered first, and the other T - P are never scored.

# %%
H = 256 if FULL else 128
config = kb.BertConfig(
    vocab_size=V,
    hidden_size=H,
    num_layers=4 if FULL else 2,
    num_heads=H // 32,
    intermediate_size=4 * H,
    max_position_embeddings=T,
    # A small model on little text learns sooner from a wider start and without dropout; the paper has 0.02 and 0.1.
    initializer_range=0.05,
    hidden_dropout=0.0,
    attention_dropout=0.0,
)
encoder = kb.BertEncoder(config)
pretrainer = kb.BertPretrainer(encoder)

batches = MaskedBatches(validation, masking, batch_size=32, shuffle=False)
inputs, targets, target_weights = batches[0]
outputs = encoder({key: inputs[key] for key in ("input_word_ids", "input_mask", "input_type_ids")}, training=False)
head = pretrainer.mlm_head
head.output_bias.assign(np.random.default_rng(0).normal(0, 0.1, V))  # a fresh bias of 0 would hide that it is there


def score(vectors):
    """`[…, H]` → `[…, V]`"""
    x = head.layer_norm(keras.activations.gelu(head.dense(vectors), approximate=True))
    return ops.matmul(x, ops.transpose(encoder.embeddings.word_embeddings.embeddings)) + head.output_bias


at = inputs["masked_lm_positions"][..., None]  # [B, P, 1]
gathered = ops.take_along_axis(outputs["sequence_output"], at, axis=1)  # [B, P, H]
mlm_logits = score(gathered)  # [B, P, V]
theirs = pretrainer(inputs, training=False)
difference = float(ops.max(ops.abs(mlm_logits - theirs["mlm_logits"])))
print(f"gathered {tuple(gathered.shape)} → {tuple(mlm_logits.shape)}, difference from the package's {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# What does gathering save? Time the head on all positions and on the gathered ones, with BERT's real vocabulary.

# %%
table = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(30522, 64)).astype("float32"))


def seconds(rows):
    """The fastest of five products `[rows, 64] x [64, 30522]`."""
    x = ops.ones((rows, 64))
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        np.asarray(ops.matmul(x, ops.transpose(table))[0, 0])
        times.append(time.perf_counter() - begun)
    return min(times)


rows = {"all positions\n32 x 128": 32 * 128, "gathered\n32 x 20": 32 * 20}
figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for axis, values, unit in (
    (axes[0], [1e3 * seconds(n) for n in rows.values()], "milliseconds, this machine"),
    (axes[1], [n * 30522 * 4 / 2**20 for n in rows.values()], "MiB of logits"),
):
    axis.bar_label(axis.bar(list(rows), values, color=[GREY, BLUE]), fmt="%.0f")
    axis.set(ylabel=unit)
    axis.spines[["top", "right"]].set_visible(False)
show(figure, "gather")

# %% [markdown]
# *Look at* both bars: a sixth of the work and of the memory, for the same loss. In training each is needed again for
# the gradient.

# %% [markdown]
# ## 4 · The loss by hand
#
# For each hidden token, minus the logarithm of the probability that the softmax gives the right one; the mean over
# the hidden tokens. Unused slots (weight 0) count for nothing. NSP is the same with two classes. The loss is the sum.


# %%
def cross_entropy(logits, labels):
    """`[…, C]` and `[…]` → `[…]`, in nats."""
    logits = np.asarray(logits, "float64")
    logits = logits - logits.max(axis=-1, keepdims=True)  # changes nothing but keeps exp in range
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(log_probabilities, labels[..., None], axis=-1)[..., 0]


sums = np.zeros(4)
for i in range(len(batches)):
    inputs, targets, target_weights = batches[i]
    outputs = pretrainer(inputs, training=False)
    w = target_weights["mlm_logits"]
    sums += [
        (w * cross_entropy(outputs["mlm_logits"], targets["mlm_logits"])).sum(),
        w.sum(),
        cross_entropy(outputs["nsp_logits"], targets["nsp_logits"]).sum(),
        len(w),
    ]
by_hand_loss = sums[0] / sums[1], sums[2] / sums[3]
before = evaluate_pretrainer(pretrainer, validation, masking)
print(f"MLM by hand {by_hand_loss[0]:.5f}, package {before['mlm_loss']:.5f}; ln V = {np.log(V):.5f}")
print(f"NSP by hand {by_hand_loss[1]:.5f}, package {before['nsp_loss']:.5f}; ln 2 = {np.log(2):.5f}")
assert np.allclose(by_hand_loss, (before["mlm_loss"], before["nsp_loss"]), rtol=1e-4)

# %% [markdown]
# A model that knows nothing gives every token the same probability, 1 / V, and so a loss of ln V. The fresh one is
# near it, a little above for the random bias. A loss *far above* it at the start means that something is broken.

# %% [markdown]
# ## 5 · The learning rate: up, then down
#
# A fresh transformer takes large steps badly, and Adam's averages are poor in the beginning: the rate rises from 0
# in a warm-up. Then it falls linearly, to 0 at the last step.

# %%
STEPS, PEAK = (5000, 1e-3) if FULL else (500, 2e-3)
steps = np.arange(STEPS + 1)
rates = PEAK * np.minimum(steps / (0.1 * STEPS), (STEPS - steps) / (0.9 * STEPS))
schedule = WarmupLinearDecay(PEAK, STEPS, STEPS // 10)
assert np.allclose(rates[::20], [float(schedule(int(step))) for step in steps[::20]], atol=1e-9)

figure, axis = plt.subplots(figsize=(7, 2.6), layout="constrained")
axis.plot(steps, rates, color=BLUE)
axis.axvline(STEPS // 10, color=GREY, linewidth=1, linestyle=":")
axis.set(xlabel="step", ylabel="learning rate", ylim=(0, None))
axis.spines[["top", "right"]].set_visible(False)
show(figure, "schedule")

# %% [markdown]
# *Look at* the dotted line: a tenth of the steps to the peak, the rest down.

# %% [markdown]
# ## 6 · Train, and fill the gaps
#
# First what the model says before it has learned anything. Then `kb.pretrain`: AdamW, clipping, the schedule, fresh
# masks each epoch, the held-out documents every few steps.

# %%
GAPS = [
    "she opened the [MASK] and looked out .",
    "he did not [MASK] what to say .",
    "it was the end [MASK] the day .",
    'he said , " i [MASK] not know . "',
]


def fill(text, k=5):
    """The k likeliest tokens in the gap, with their probabilities."""
    inputs = {key: np.asarray(value) for key, value in vectorizer([text]).items()}
    at = np.argwhere(inputs["input_word_ids"] == vectorizer.mask_id)[:, 1][None]  # [1, 1]
    logits = pretrainer({**inputs, "masked_lm_positions": at}, training=False)["mlm_logits"][0, 0]  # [V]
    probabilities = np.asarray(ops.softmax(logits))
    return [(vocabulary[i], float(probabilities[i])) for i in np.argsort(-probabilities)[:k]]


# How far does one get without looking at the context at all? The frequency of each token, counted, is the mark to beat.
counts = np.bincount(train.ids, minlength=V) + 1
frequency = -np.log(counts / counts.sum())  # [V]
words = held_out.ids[ordinary[held_out.ids]]
print(f"MLM loss of frequencies alone, on the held-out documents: {frequency[words].mean():.2f}")

fresh = {text: fill(text) for text in GAPS}
history = kb.pretrain(
    pretrainer,
    examples,
    masking,
    validation=validation,
    steps=STEPS,
    learning_rate=PEAK,
    validate_every=STEPS // 10,
    seed=0,
    verbose=0,
).history

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
for axis, name, mark, meaning in (
    (axes[0], "mlm_loss", frequency[words].mean(), "frequencies alone"),
    (axes[1], "nsp_loss", np.log(2), "knows nothing: ln 2"),
):
    axis.plot(history["step"], history[name], "o-", color=BLUE, label="learned from")
    axis.plot([0, *history["step"]], [before[name], *history[f"val_{name}"]], "s-", color=RED, label="held out")
    axis.axhline(mark, color=GREY, linestyle=":", label=meaning)
    axis.set(xlabel="step", title=name)
    axis.set_ylim(*((0.5, 0.9) if name == "nsp_loss" else (None, None)))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
show(figure, "training")

# %% [markdown]
# *Look at* the left: from ln V the loss falls fast while the model learns which tokens are frequent, down to the
# dotted line. What it gains below that line comes from the context. The right hardly leaves its dotted line: with 36
# documents there is little to tell one story from another.

# %%
for text in GAPS:
    print(text)
    print("   before:", "  ".join(f"{token} {p:.1%}" for token, p in fresh[text]))
    print("   after: ", "  ".join(f"{token} {p:.1%}" for token, p in fill(text)))

after = evaluate_pretrainer(pretrainer, validation, masking)
print(f"held out: MLM loss {before['mlm_loss']:.2f} → {after['mlm_loss']:.2f}, "
      f"accuracy {before['mlm_accuracy']:.1%} → {after['mlm_accuracy']:.1%}")  # fmt: skip
assert after["mlm_loss"] < before["mlm_loss"] - 1
assert np.isclose(after["loss"], min(history["val_loss"]), rtol=1e-4)  # the best weights were kept

# %% [markdown]
# ## 7 · Where training starts
#
# The curve above first comes down to the dotted line and stays near it: a plateau, on which the model knows how
# frequent tokens are and nothing else. Attention can only learn once token vectors mean something, and vectors only
# once attention uses them.
#
# But which tokens stand near each other can be *counted*, with no training at all
# ([Levy, Goldberg and Dagan 2015](https://aclanthology.org/Q15-1016/)). A neighbour d tokens away, up to five, counts
# 1 / d:


# %%
def count_neighbours(rows, window=5):
    """`[V, V]`: how often two tokens stand near each other; special tokens take their place but do not count."""
    counts = np.zeros((V, V))
    for distance in range(1, window + 1):
        left, right = rows[:, :-distance].ravel(), rows[:, distance:].ravel()
        both = ordinary[left] & ordinary[right]
        np.add.at(counts, (left[both], right[both]), 1 / distance)
    return counts + counts.T


counts = count_neighbours(examples.input_word_ids)
theirs, frequencies = cooccurrences(examples, V, ordinary)
assert np.allclose(counts, theirs.toarray(), rtol=1e-3)

# %% [markdown]
# *Pointwise mutual information* says how much more often two tokens meet than chance would have it; what is negative
# is set to 0 (PPMI), and the contexts' frequencies are flattened a little (to the power of 0.75). The table is V by
# V: its H largest singular vectors, each times the root of its value, are vectors of width H that hold most of it.

# %%
seen = np.flatnonzero(counts.sum(axis=1))
near = counts[np.ix_(seen, seen)]  # [S, S]
share = near.sum(axis=1) / near.sum()  # [S]
context = share**0.75 / (share**0.75).sum()  # [S]
with np.errstate(divide="ignore"):
    table = np.maximum(0, np.log(near / near.sum() / np.outer(share, context)))  # [S, S]
assert np.allclose(table, ppmi(theirs[seen][:, seen]).toarray(), atol=1e-3)

left, values, _ = np.linalg.svd(table)
vectors = left[:, :H] * np.sqrt(values[:H])  # [S, H]
unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
for word in ("she", "her", "could", "said"):
    similar = unit @ unit[np.flatnonzero(seen == vocabulary.index(word))[0]]
    print(f"near {word!r}:", "  ".join(vocabulary[seen[i]] for i in np.argsort(-similar)[1:8]))

# %% [markdown]
# No step was trained, and pronouns already stand with pronouns. `embedding_init="ppmi"` puts such vectors into the
# token embedding, the log of each token's share into the head's bias, and gentle waves into the positions; the
# architecture is untouched. The same training twice, from random weights (as above) and from there:

# %%
keras.utils.set_random_seed(0)
warm = kb.BertPretrainer(kb.BertEncoder(config))
warm_history = kb.pretrain(
    warm,
    examples,
    masking,
    validation=validation,
    steps=STEPS,
    learning_rate=PEAK,
    embedding_init="ppmi",
    validate_every=STEPS // 10,
    seed=0,
    verbose=0,
).history

figure, axis = plt.subplots(figsize=(7, 3.2), layout="constrained")
for found, colour, label in ((history, GREY, "from random weights"), (warm_history, BLUE, "from PPMI vectors")):
    axis.plot(found["step"], found["val_mlm_loss"], "o-", color=colour, label=label)
axis.axhline(frequency[words].mean(), color=GREY, linestyle=":", label="frequencies alone")
axis.set(xlabel="step", ylabel="MLM loss, held out")
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False)
show(figure, "embedding_init")
print(f"held out: from random weights {min(history['val_mlm_loss']):.3f}, "
      f"from PPMI vectors {min(warm_history['val_mlm_loss']):.3f}")  # fmt: skip
assert np.mean(warm_history["val_mlm_loss"]) < np.mean(history["val_mlm_loss"])

# %% [markdown]
# *Look at* how far the blue curve is ahead: it reaches every loss some hundred steps sooner. In the end so small a
# text holds both back. The command has it too: `keras-bert pretrain --embedding-init ppmi`; runs on Wikipedia with
# each of the three parts left out: `docs/recipe.md`.

# %% [markdown]
# ## Summary
#
# - Text labels itself: hide a token and it is the answer; take B from elsewhere and you know it is not next.
# - 15 % are predicted; 80/10/10 keeps the encoder honest where there is no `[MASK]`.
# - Scores over the vocabulary are the dear part, so they are computed at the gathered positions alone.
# - A fresh model has a loss of ln V + ln 2. Everything below it is learned.
# - Masks, loss and schedule by hand are the package's, number for number.
# - Counted neighbours are a better place to start from than random vectors.
#
# Half a minute on 40,000 tokens gives a model that knows little more than which words are common; BERT read 3.3
# billion words, forty times. Tutorial 04 takes an encoder and gives it a job.
#
# ## Exercises
#
# 1. Turn all chosen tokens into `[MASK]` (`action < 1.0` in `mask_by_hand`). What does the trained model predict at a
#    token that is *not* hidden?
# 2. Pass `whole_words=True` to `Masking.from_vocabulary`. Is the loss higher or lower, and why?
# 3. Train without next-sentence prediction (`next_sentence=False` in `pack_examples` and `BertPretrainer`). Does the
#    MLM loss change?
# 4. Set the warm-up to 0 (`warmup=0.0`) and the peak to 3e-2. At which step does the loss diverge?
# 5. Interrupt a run with `checkpoint_dir="run"` by Ctrl-C and start it again: `history` ends in the very same
#    numbers.
