# %% [markdown]
# # 03 · Pretraining with masked tokens and next sentences
#
# Tutorial 02 built an encoder with random weights. Here it is trained on plain text, without labels
# ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805), section 3.1 and appendix A).
#
# | step | what | shape |
# |---|---|---|
# | 1 | documents of sentences become pairs `[CLS] A [SEP] B [SEP]` | `[N, T]` |
# | 2 | mask 15 % of the tokens, 80/10/10 | `[B, T]` → `[B, T]` and `[B, P]` |
# | 3 | compute logits at the masked positions only | `[B, T, H]` → `[B, P, V]` |
# | 4 | the loss by hand | `[B, P, V]` → one number |
# | 5 | the learning rate: warm-up, then decay | step → rate |
# | 6 | train, and predict masked tokens before and after | |
# | 7 | what more pretraining gives: the bundled encoder | |
# | 8 | initial embeddings from co-occurrence counts (not part of BERT) | `[V, V]` → `[V, H]` |
#
# B is the batch size, T the sequence length, P the number of masked positions per row, V the vocabulary size, H the
# hidden size. Each step is built in plain Keras and numpy first; then the package must give the same numbers.
#
# Run it as a script (`python tutorials/03_pretraining.py`, figures in `tutorials/out/`) or as a notebook. `--full`
# trains ten times as long, with twice the hidden size and twice the layers.

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
BLUE, ORANGE, GREEN, GRAY = "#0072b2", "#d55e00", "#009e73", "#8a8f99"  # Okabe and Ito: readable with color blindness
keras.utils.set_random_seed(0)


def show(figure, name):
    """Show a figure below the cell in a notebook; write it to a file from a script."""
    if NOTEBOOK:
        plt.show()
    else:
        folder = Path(__file__).resolve().parent / "out"
        folder.mkdir(exist_ok=True)
        figure.savefig(folder / f"03_{name}.png", dpi=110)
        print(f"figure: {folder / f'03_{name}.png'}")
    plt.close(figure)


# %% [markdown]
# ## 1 · Text to pairs
#
# The sample in the package is prose: documents of sentences. Some whole documents are held out for validation, so
# that no validation sentence comes from a document that was trained on.

# %%
corpus = kb.load_corpus("sample")
sentences = [sentence for document in corpus for sentence in document]
vocabulary = kb.learn_vocabulary(sentences, vocab_size=1500)
vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=48, special_tokens=True)
V, T, P = len(vocabulary), 48, 8

train, validation_documents = tokenize_documents(corpus, vectorizer).split(fraction=0.1, seed=0)
print(f"{len(train)} training and {len(validation_documents)} validation documents, {len(train.ids):,} tokens")

# %% [markdown]
# Next-sentence prediction: does B follow A? A pair is made from consecutive sentences, split at a sentence boundary.
# For half of the pairs, B is replaced with sentences of another document. Label 0 means "is next", 1 "is random", as
# in the original code. By hand, for one document:


# %%
def sentences_of(documents, d):
    """Return the sentences of document d as lists of ids."""
    first, last = documents.document_starts[d], documents.document_starts[d + 1]
    return [documents.ids[documents.sentence_starts[s] : documents.sentence_starts[s + 1]] for s in range(first, last)]


def pairs_of(documents, d, rng, max_tokens):
    """Return `(A, B, label)` pairs of document d; sentences replaced by a random B are used in the next pair."""
    document, pairs, start = sentences_of(documents, d), [], 0
    while start < len(document):
        stop = start + 1
        while stop < len(document) and sum(map(len, document[start:stop])) < max_tokens:
            stop += 1
        middle = int(rng.integers(start + 1, stop)) if stop - start > 1 else stop
        a, b, label = document[start:middle], document[middle:stop], 0
        if not b or rng.random() < 0.5:
            other = sentences_of(documents, (d + rng.integers(1, len(documents))) % len(documents))
            first = rng.integers(len(other))
            b, label, stop = other[first : first + max(1, stop - middle)], 1, middle
        pairs.append((np.concatenate(a), np.concatenate(b), label))
        start = stop
    return pairs


def to_text(ids):
    """Convert ids to text, with the pieces of a word joined."""
    return " ".join(vocabulary[i] for i in ids).replace(" ##", "")


by_hand = [pair for d in range(len(train)) for pair in pairs_of(train, d, np.random.default_rng(d), max_tokens=T - 3)]
for a, b, label in by_hand[:4]:
    print(f"{('is next', 'random')[label]:8} A: {to_text(a)[:60]} …\n{'':8} B: {to_text(b)[:60]} …")

# %% [markdown]
# The package does the same for millions of sentences, with two additions: a pair that is too long loses tokens at the
# front or the back of its longer segment, and one row in ten has a random shorter length, because fine-tuning uses
# short rows too. The documents are packed ten times (`dupe_factor`, as in the original code), each time into different
# pairs; with one set of pairs the model would memorize them.

# %%
examples = pack_examples(train, T, vectorizer.cls_id, vectorizer.sep_id, seed=0, dupe_factor=10)
validation = pack_examples(validation_documents, T, vectorizer.cls_id, vectorizer.sep_id, seed=0)

follows = {(int(x), int(y)) for x, y in zip(train.ids, train.ids[1:], strict=False)}
share = {"by hand": np.mean([label for _, _, label in by_hand]), "package": examples.next_sentence_labels.mean()}
for row, types, n in zip(examples.input_word_ids, examples.input_type_ids, examples.lengths, strict=True):
    separators = np.flatnonzero(row == vectorizer.sep_id)
    assert row[0] == vectorizer.cls_id and len(separators) == 2 and separators[1] == n - 1
    assert types.sum() == separators[1] - separators[0]  # B and its [SEP] are segment 1
    inside = [pair for pair in zip(row[1 : n - 1], row[2 : n - 1], strict=False) if vectorizer.sep_id not in pair]
    assert all((int(x), int(y)) in follows for x, y in inside)  # each segment is consecutive text
print(f"rows: {len(examples)} (by hand {len(by_hand)}); "
      f"share of random B: {share['by hand']:.1%} by hand, {share['package']:.1%}")  # fmt: skip
assert abs(share["by hand"] - share["package"]) < 0.08

figure, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained", width_ratios=(3, 1))
lengths_before = [min(len(a) + len(b) + 3, 107) for a, b, _ in by_hand]
bins = np.arange(0.5, 112, 4)
axes[0].hist(lengths_before, bins, density=True, color=GRAY, label="pairs before truncation (last bin: 105 or more)")
axes[0].hist(examples.lengths, bins, density=True, histtype="step", linewidth=2, color=BLUE, label="packed rows")
axes[0].axvline(T, color=ORANGE, linewidth=1)
axes[0].set(xlabel="tokens per row", ylabel="density")
axes[0].legend(frameon=False)
bars = axes[1].bar(["is next", "random"], np.bincount(examples.next_sentence_labels), color=[BLUE, ORANGE])
axes[1].bar_label(bars)
axes[1].set(title="labels")
for axis in axes:
    axis.spines[["top", "right"]].set_visible(False)
show(figure, "pairs")

# %% [markdown]
# *Look at* the line at T = 48: most rows are full, so little computation is wasted on padding; the short rows are
# intended. The labels are not balanced: a sentence that fills a row, or that ends its document, has no next sentence,
# so its B must be random. Remember the share of "random" for the loss in section 6.

# %% [markdown]
# ## 2 · Masking: 15 %, of which 80/10/10
#
# In each row, 15 % of the ordinary tokens are selected for prediction. If all of them were replaced with `[MASK]`,
# the encoder would learn good vectors only where it sees that token, and fine-tuning never shows it. So of the
# selected tokens
#
# - 80 % become `[MASK]`,
# - 10 % become a random token: any token can be wrong, so the model must compare every token with its context,
# - 10 % stay unchanged: a token is usually correct, so the model can use it.
#
# The selection is drawn again for each batch ("dynamic masking"), so the same sentence has different masks in the next
# epoch.


# %%
ordinary = np.array([token not in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") for token in vocabulary])  # [V]


def mask_by_hand(rows, rng, rate=0.15):
    """Mask one row after another."""
    masked = rows.astype("int32").copy()  # [B, T]
    positions, labels, weights = (np.zeros((len(rows), P), kind) for kind in ("int32", "int32", "float32"))
    order, action = rng.random(rows.shape), rng.random(rows.shape)
    random_tokens = rng.choice(np.flatnonzero(ordinary), rows.shape)
    for b, row in enumerate(rows):
        candidates = np.flatnonzero(ordinary[row])  # never [CLS], [SEP], [PAD]
        count = min(max(1, round(rate * len(candidates))), P)
        chosen = np.sort(candidates[np.argsort(order[b, : len(candidates)])[:count]])
        positions[b, :count], labels[b, :count], weights[b, :count] = chosen, row[chosen], 1.0
        for t in chosen:
            if action[b, t] < 0.8:
                masked[b, t] = vectorizer.mask_id
            elif action[b, t] < 0.9:
                masked[b, t] = random_tokens[b, t]
    return masked, positions, labels, weights


masking = Masking.from_vocabulary(vocabulary, max_predictions=P)
masked, positions, labels, weights = mask_by_hand(examples.input_word_ids, np.random.default_rng(7))
package = mask_tokens(examples.input_word_ids, masking, np.random.default_rng(7))
assert (masked == package["input_word_ids"]).all() and (positions == package["masked_lm_positions"]).all()
assert (labels == package["masked_lm_ids"]).all() and (weights == package["masked_lm_weights"]).all()

new = np.take_along_axis(masked, positions, axis=1)[weights == 1]
original = labels[weights == 1]
share = weights.sum() / ordinary[examples.input_word_ids].sum()
print(f"selected: {share:.1%} of the ordinary tokens (rounded in each row), {len(new):,} in total")
print(f"[MASK] {np.mean(new == vectorizer.mask_id):.1%}, unchanged {np.mean(new == original):.1%}, the rest random")

# %%
figure, axis = plt.subplots(figsize=(11, 3.6), layout="constrained")
# Full rows, among them rows with a selected token that is unchanged (10 % of the selected tokens).
same = (weights == 1) & (np.take_along_axis(masked, positions, axis=1) == labels) & (positions < 16)
full, has_unchanged = examples.lengths == T, same.any(axis=1)
shown = [*np.flatnonzero(full & has_unchanged)[:2], *np.flatnonzero(full & ~has_unchanged)[:4]]
for y, b in enumerate(shown):
    for t in range(16):
        token, new = vocabulary[examples.input_word_ids[b, t]], masked[b, t]
        chosen = t in positions[b][weights[b] == 1]
        color, text = "white", token
        if chosen:
            same = new == examples.input_word_ids[b, t]
            color = GREEN if same else BLUE if new == vectorizer.mask_id else ORANGE
            text = token if same else f"{vocabulary[new]}\n({token})"
        alpha = 0.35 if chosen else 1
        axis.add_patch(plt.Rectangle((t, -y), 0.94, 0.86, facecolor=color, alpha=alpha, edgecolor=GRAY))
        axis.text(t + 0.47, -y + 0.43, text, ha="center", va="center", fontsize=7)
for color, label in ((BLUE, "[MASK]"), (ORANGE, "random token"), (GREEN, "unchanged, but predicted")):
    axis.plot([], [], "s", color=color, alpha=0.5, label=label)
axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, frameon=False)
axis.set(xlim=(0, 16), ylim=(-len(shown) + 0.9, 1))
axis.axis("off")
show(figure, "masking")

# %% [markdown]
# *Look at* the colors: most selected tokens are blue, few are orange or green; `[CLS]` and `[SEP]` are never
# selected. In parentheses is the token that the model must predict. (Two rows with a green token were chosen for this
# figure.)

# %% [markdown]
# ## 3 · Logits at the masked positions only
#
# The masked-LM head turns a vector of width H into V logits: a dense layer, GELU, LayerNorm, then the product with
# the transposed token embeddings (the weights are tied), and a bias. This product is by far the most expensive part.
# So the vectors at the P masked positions are gathered first, and no logits are computed for the other positions.

# %%
H = 256 if FULL else 128
config = kb.BertConfig(
    vocab_size=V,
    hidden_size=H,
    num_layers=4 if FULL else 2,
    num_heads=H // 32,
    intermediate_size=4 * H,
    max_position_embeddings=T,
    # A small model on little text learns faster with larger initial weights and no dropout; the paper has 0.02 and 0.1.
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
head.output_bias.assign(np.random.default_rng(0).normal(0, 0.1, V))  # a bias of 0 would hide a missing bias


def compute_logits(vectors):
    """`[…, H]` → `[…, V]`"""
    x = head.layer_norm(keras.activations.gelu(head.dense(vectors), approximate=True))
    return ops.matmul(x, ops.transpose(encoder.embeddings.word_embeddings.embeddings)) + head.output_bias


at = inputs["masked_lm_positions"][..., None]  # [B, P, 1]
gathered = ops.take_along_axis(outputs["sequence_output"], at, axis=1)  # [B, P, H]
mlm_logits = compute_logits(gathered)  # [B, P, V]
package_logits = pretrainer(inputs, training=False)["mlm_logits"]
difference = float(ops.max(ops.abs(mlm_logits - package_logits)))
print(f"gathered {tuple(gathered.shape)} → {tuple(mlm_logits.shape)}, difference from the package's {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# What does gathering save? Measure the product for all positions and for the gathered positions, with BERT's
# vocabulary size.

# %%
table = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(30522, 64)).astype("float32"))


def seconds(rows):
    """Return the shortest of five times of a product `[rows, 64] x [64, 30522]`."""
    x = ops.ones((rows, 64))
    times = []
    for _ in range(5):
        start_time = time.perf_counter()
        np.asarray(ops.matmul(x, ops.transpose(table))[0, 0])
        times.append(time.perf_counter() - start_time)
    return min(times)


rows = {"all positions\n32 x 128": 32 * 128, "gathered\n32 x 20": 32 * 20}
figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for axis, values, unit in (
    (axes[0], [1e3 * seconds(n) for n in rows.values()], "milliseconds, this machine"),
    (axes[1], [n * 30522 * 4 / 2**20 for n in rows.values()], "MiB of logits"),
):
    axis.bar_label(axis.bar(list(rows), values, color=[GRAY, BLUE]), fmt="%.0f")
    axis.set(ylabel=unit)
    axis.spines[["top", "right"]].set_visible(False)
show(figure, "gather")

# %% [markdown]
# *Look at* both bars: a sixth of the time and of the memory, for the same loss. Training needs both again for the
# gradient.

# %% [markdown]
# ## 4 · The loss by hand
#
# The masked-LM loss is the cross-entropy, minus the logarithm of the probability of the correct token, averaged over
# the masked positions. Unused positions have weight 0. The next-sentence loss is the same with two classes. The total
# loss is the sum of both.


# %%
def cross_entropy(logits, labels):
    """`[…, C]` and `[…]` → `[…]`, in nats."""
    logits = np.asarray(logits, "float64")
    logits = logits - logits.max(axis=-1, keepdims=True)  # does not change the result, but prevents overflow
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
# A model that gives every token the same probability, 1 / V, has a loss of ln V. A new model is near this value (here
# a little above, because of the random bias). A loss *far above* ln V at the start indicates a bug.

# %% [markdown]
# ## 5 · The learning rate: warm-up, then decay
#
# Large first steps make a new transformer diverge, and Adam's averages are unreliable at the beginning. So the
# learning rate starts at 0 and rises linearly (warm-up). Then it decreases linearly, to 0 at the last step.

# %%
STEPS, PEAK = (5000, 1e-3) if FULL else (500, 2e-3)
steps = np.arange(STEPS + 1)
rates = PEAK * np.minimum(steps / (0.1 * STEPS), (STEPS - steps) / (0.9 * STEPS))
schedule = WarmupLinearDecay(PEAK, STEPS, STEPS // 10)
assert np.allclose(rates[::20], [float(schedule(int(step))) for step in steps[::20]], atol=1e-9)

figure, axis = plt.subplots(figsize=(7, 2.6), layout="constrained")
axis.plot(steps, rates, color=BLUE)
axis.axvline(STEPS // 10, color=GRAY, linewidth=1, linestyle=":")
axis.set(xlabel="step", ylabel="learning rate", ylim=(0, None))
axis.spines[["top", "right"]].set_visible(False)
show(figure, "schedule")

# %% [markdown]
# *Look at* the dotted line: the first tenth of the steps is the warm-up.

# %% [markdown]
# ## 6 · Train, and predict masked tokens
#
# First the predictions before training. Then `kb.pretrain`: AdamW, gradient clipping, the schedule, new masks in each
# epoch, and a validation every few steps.

# %%
MASKED = [
    "she opened the [MASK] and looked out .",
    "he did not [MASK] what to say .",
    "it was the end [MASK] the day .",
    'he said , " i [MASK] not know . "',
]


def predict_masked(text, k=5):
    """Return the k most probable tokens at [MASK], with their probabilities."""
    inputs = {key: np.asarray(value) for key, value in vectorizer([text]).items()}
    at = np.argwhere(inputs["input_word_ids"] == vectorizer.mask_id)[:, 1][None]  # [1, 1]
    logits = pretrainer({**inputs, "masked_lm_positions": at}, training=False)["mlm_logits"][0, 0]  # [V]
    probabilities = np.asarray(ops.softmax(logits))
    return [(vocabulary[i], float(probabilities[i])) for i in np.argsort(-probabilities)[:k]]


# A baseline without context: give each token the probability of its frequency in the training text.
counts = np.bincount(train.ids, minlength=V) + 1
frequency = -np.log(counts / counts.sum())  # [V]
tokens = validation_documents.ids[ordinary[validation_documents.ids]]
random_share = float(validation.next_sentence_labels.mean())
nsp_baseline = -(random_share * np.log(random_share) + (1 - random_share) * np.log(1 - random_share))
print(f"masked-LM loss of token frequencies, on the validation documents: {frequency[tokens].mean():.2f}")
print(f"next-sentence loss of the share of 'random', {random_share:.1%}: {nsp_baseline:.3f}")

before_training = {text: predict_masked(text) for text in MASKED}
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
for axis, name, baseline, meaning in (
    (axes[0], "mlm_loss", frequency[tokens].mean(), "token frequencies"),
    (axes[1], "nsp_loss", nsp_baseline, "share of the labels"),
):
    axis.plot(history["step"], history[name], "o-", color=BLUE, label="training")
    axis.plot([0, *history["step"]], [before[name], *history[f"val_{name}"]], "s-", color=ORANGE, label="validation")
    axis.axhline(baseline, color=GRAY, linestyle=":", label=meaning)
    axis.set(xlabel="step", title=name)
    axis.set_ylim(*((0.5, 0.9) if name == "nsp_loss" else (None, None)))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
show(figure, "training")

# %% [markdown]
# *Look at* the left figure: from ln V the loss decreases fast while the model learns which tokens are frequent, down
# to the dotted line. It continues to decrease, more slowly; what is below the line comes from the context. On the
# right the loss stays near its dotted line: the model has learned the share of the labels and little else. A few
# dozen documents are too few to learn which texts belong together.

# %%
for text in MASKED:
    print(text)
    print("   before:", "  ".join(f"{token} {p:.1%}" for token, p in before_training[text]))
    print("   after: ", "  ".join(f"{token} {p:.1%}" for token, p in predict_masked(text)))

after = evaluate_pretrainer(pretrainer, validation, masking)
print(f"validation: masked-LM loss {before['mlm_loss']:.2f} → {after['mlm_loss']:.2f}, "
      f"accuracy {before['mlm_accuracy']:.1%} → {after['mlm_accuracy']:.1%}")  # fmt: skip
assert after["mlm_loss"] < before["mlm_loss"] - 1
assert np.isclose(after["loss"], min(history["val_loss"]), rtol=1e-4)  # the best weights were kept

# %% [markdown]
# ## 7 · What more pretraining gives
#
# After half a minute of training on 40,000 tokens, the model predicts frequent tokens nearly everywhere. The bundled
# encoder was pretrained with the same code for hours, on an encyclopedia and novels. The same sentences:

# %%
pretrained = kb.load_pretrained("bert_en_uncased_mini")
bundled_predictions = kb.fill_mask(pretrained, MASKED)
for row in bundled_predictions:
    predictions = row["masks"][0]["predictions"]
    print(row["text"], "\n   ", "  ".join(f"{each['token']} {each['probability']:.1%}" for each in predictions))
assert {"door", "window"} & {each["token"] for each in bundled_predictions[0]["masks"][0]["predictions"]}

# %% [markdown]
# These predictions fit their sentences, and they differ from sentence to sentence. The model card,
# `saved_models/bert_en_uncased_mini/README.md`, has the measurements: about half of the masked tokens of held-out
# documents are predicted correctly. Tutorial 04 fine-tunes this encoder.
#
# ## 8 · Initial embeddings from counts
#
# This section is about a method of this project. BERT does not have it; its embeddings start from random numbers.
#
# At the beginning of training, attention cannot learn before the token vectors contain something, and the token
# vectors cannot learn before attention uses them. But which tokens occur near each other can be *counted* without
# training ([Levy, Goldberg and Dagan 2015](https://aclanthology.org/Q15-1016/)). A neighbor at distance d, up to
# five, counts 1 / d:


# %%
def count_neighbors(rows, window=5):
    """Count how often two ordinary tokens occur near each other, `[V, V]`."""
    counts = np.zeros((V, V))
    for distance in range(1, window + 1):
        left, right = rows[:, :-distance].ravel(), rows[:, distance:].ravel()
        both = ordinary[left] & ordinary[right]
        np.add.at(counts, (left[both], right[both]), 1 / distance)
    return counts + counts.T


counts = count_neighbors(examples.input_word_ids)
package_counts, frequencies = cooccurrences(examples, V, ordinary)
assert np.allclose(counts, package_counts.toarray(), rtol=1e-3)

# %% [markdown]
# *Pointwise mutual information* (PMI) is the logarithm of how much more often two tokens occur together than by
# chance. Negative values are set to 0 (PPMI), and the context frequencies are raised to the power of 0.75. The table
# is V by V. A singular value decomposition reduces it: the H largest singular vectors, each times the root of its
# singular value, are vectors of width H.

# %%
seen = np.flatnonzero(counts.sum(axis=1))
near = counts[np.ix_(seen, seen)]  # [S, S]
share = near.sum(axis=1) / near.sum()  # [S]
context = share**0.75 / (share**0.75).sum()  # [S]
with np.errstate(divide="ignore"):
    table = np.maximum(0, np.log(near / near.sum() / np.outer(share, context)))  # [S, S]
assert np.allclose(table, ppmi(package_counts[seen][:, seen]).toarray(), atol=1e-3)

left, values, _ = np.linalg.svd(table)
vectors = left[:, :H] * np.sqrt(values[:H])  # [S, H]
unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
for word in ("she", "her", "could", "said"):
    similar = unit @ unit[np.flatnonzero(seen == vocabulary.index(word))[0]]
    print(f"nearest to {word!r}:", "  ".join(vocabulary[seen[i]] for i in np.argsort(-similar)[1:8]))

# %% [markdown]
# Without any training, pronouns are near pronouns. `embedding_init="ppmi"` sets the token embeddings to such vectors,
# the bias of the masked-LM head to the logarithm of each token's frequency, and the position embeddings to sinusoids.
# The model is not changed. The same training from random embeddings (above) and from these:

# %%
keras.utils.set_random_seed(0)
ppmi_pretrainer = kb.BertPretrainer(kb.BertEncoder(config))
ppmi_history = kb.pretrain(
    ppmi_pretrainer,
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
for run, color, label in ((history, GRAY, "random embeddings"), (ppmi_history, BLUE, "PPMI embeddings")):
    axis.plot(run["step"], run["val_mlm_loss"], "o-", color=color, label=label)
axis.axhline(frequency[tokens].mean(), color=GRAY, linestyle=":", label="token frequencies")
axis.set(xlabel="step", ylabel="validation masked-LM loss")
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False)
show(figure, "embedding_init")
print(f"lowest validation loss: random embeddings {min(history['val_mlm_loss']):.3f}, "
      f"PPMI embeddings {min(ppmi_history['val_mlm_loss']):.3f} (one seed)")  # fmt: skip
assert np.mean(ppmi_history["val_mlm_loss"]) < np.mean(history["val_mlm_loss"])

# %% [markdown]
# *Look at* the horizontal distance of the curves: the blue curve reaches the same loss 100 to 200 steps earlier. At
# the end the difference is small, because the text is small. On the command line: `keras-bert pretrain
# --embedding-init ppmi`. `docs/recipe.md` has runs on a larger corpus with each of the three parts left out.

# %% [markdown]
# ## Summary
#
# - Text provides its own labels: the masked token, and whether B follows A.
# - 15 % of the tokens are predicted; 80/10/10 makes the encoder useful at tokens that are not masked.
# - Logits over the vocabulary are expensive, so they are computed at the masked positions only.
# - A new model has a loss of about ln V + ln 2. Compare it with baselines: token frequencies and the share of the
#   labels.
# - Masks, loss and schedule by hand are equal to the package's.
# - Half a minute of pretraining learns token frequencies; hours of pretraining learn to use the context. BERT was
#   trained on 3.3 billion words, forty times.
#
# Tutorial 04 fine-tunes the pretrained encoder.
#
# ## Exercises
#
# 1. Turn all chosen tokens into `[MASK]` (`action < 1.0` in `mask_by_hand`). What does the trained model predict at a
#    token that is *not* masked?
# 2. Pass `whole_words=True` to `Masking.from_vocabulary`. Is the loss higher or lower, and why?
# 3. Train without next-sentence prediction (`sentence_task=None` in `pack_examples` and `BertPretrainer`). Does the
#    MLM loss change?
# 4. Set the warm-up to 0 (`warmup=0.0`) and the peak to 3e-2. At which step does the loss diverge?
# 5. Interrupt a run with `checkpoint_dir="run"` by Ctrl-C and start it again: `history` has the same final numbers.
