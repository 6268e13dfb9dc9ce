# %% [markdown]
# # 12 · Smaller and faster?
#
# A trained BERT is too large or too slow for your machine. Which parts can you remove, and what does it cost?
#
# **At the end** you have computed the three losses of DistilBERT by hand, trained a student with half of the layers,
# shared the weights of all layers as ALBERT does, and stored a model in 8 bits. For each you know what became
# smaller, what became faster, and what became worse.
#
# **Time**: under two minutes on 2 cores. **Papers**: [Sanh et al. 2019](https://arxiv.org/abs/1910.01108), sections 2
# and 3 (DistilBERT); [Hinton et al. 2015](https://arxiv.org/abs/1503.02531), section 2 (temperature); [Lan et al.
# 2019](https://arxiv.org/abs/1909.11942), section 3.1 (ALBERT).
#
# Run it as a script (`python tutorials/12_smaller_and_faster.py`; the figures go to `tutorials/out/`) or as a notebook.
#
# The three losses of DistilBERT, all on the same masked text:
#
#     text with [MASK] ──> teacher (4 layers, frozen) ──> logits ──────┐
#                │                      └──> last hidden states ──┐    ├─> soft loss     x 5
#                │                                                ├────┼─> cosine loss   x 1
#                └──────> student (2 layers) ──> hidden states ───┘    │
#                                    └──────────────> logits ──────────┴─> masked LM loss x 2 (with the hidden words)

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(12)

import dataclasses
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import onnxruntime

import keras_bert as kb
from keras_bert.text.masking import Masking
from keras_bert.text.packing import pack_examples
from keras_bert.training import init_student
from keras_bert.training.batches import MaskedBatches
from keras_bert.training.distillation import DistillationBatches

keras.utils.set_random_seed(0)

# %% [markdown]
# ## 1 · Where are the weights?
#
# Before removing anything, count. Chapter 04 counted the weights of one block. Here is the whole encoder as a formula,
# with the two options of ALBERT: **shared blocks** (one block used L times) and **factorized embeddings** (vectors of
# size E, which one dense layer maps to H). H is the hidden size, F the size inside the feed-forward part, L the number
# of blocks; the page [symbols](../docs/book/symbols.md) has the other letters.


# %%
def count(config):
    H, F, L = config.hidden_size, config.intermediate_size, config.num_layers
    E = config.embedding_size or H
    rows = config.vocab_size + config.max_position_embeddings + config.type_vocab_size
    embeddings = rows * E + 2 * E + (E * H + H if E != H else 0)  # tables, LayerNorm, projection
    block = 4 * (H * H + H) + (H * F + F) + (F * H + H) + 4 * H  # attention, feed-forward, two LayerNorms
    pooler = H * H + H if config.pooler else 0
    return embeddings, block * (1 if config.share_blocks else L), pooler


# %% [markdown]
# The configs of three published models are in the package (`kb.PRESETS`). We count their weights without building them.

# %%
PUBLISHED = {  # name: preset
    "BERT base": "bert_en_uncased_L-12_H-768_A-12",
    "DistilBERT": "distilbert-base-uncased",
    "ALBERT base": "albert-base-v2",
}
counts = {name: count(kb.BertConfig.from_preset(preset)) for name, preset in PUBLISHED.items()}
for name, (embeddings, blocks, pooler) in counts.items():
    print(f"{name:12} embeddings {embeddings:11,}  blocks {blocks:11,}  all {embeddings + blocks + pooler:12,}")
assert sum(counts["BERT base"]) == 109_482_240

# %% [markdown]
# 109,482,240 is the number of weights of BERT base on TF-Hub. The papers round: 66 million for DistilBERT (table 3) and
# 12 million for ALBERT base (table 1). Now the bundled model, the teacher of this chapter: the formula must give the
# number that Keras counts, also with ALBERT's options.

# %%
pretrained = kb.load_pretrained("bert_en_uncased_mini")
teacher, vectorizer = pretrained.model, pretrained.vectorizer
mini = teacher.encoder.config
variants = {
    "mini": mini,
    "mini, embeddings of 64": dataclasses.replace(mini, embedding_size=64),
    "mini, shared blocks": dataclasses.replace(mini, share_blocks=True),
    "mini, both": dataclasses.replace(mini, embedding_size=64, share_blocks=True),
    "mini, 2 layers": dataclasses.replace(mini, num_layers=2),
}

# %% [markdown]
# Five encoders are built, with random weights. The formula must be right for each of them.

# %%
encoders = {name: kb.BertEncoder(config) for name, config in variants.items()}
for name, encoder in encoders.items():
    assert sum(count(variants[name])) == encoder.count_params()

# %%
millions = {name: sum(each) / 1e6 for name, each in counts.items()}
millions |= {name: sum(count(config)) / 1e6 for name, config in variants.items()}
plot = kb.explain.bar_chart(
    millions, "Weights of three published encoders, and of the bundled one with four changes.", "million weights"
)
chapter.show(plot, "weights")

# %% [markdown]
# *Look at* the first three bars: ALBERT has about a ninth of BERT's weights, DistilBERT about 60 %. Then look at the
# bundled model: its table of 8,192 tokens is a large part of it, so smaller embeddings save a large part too, though
# less than shared blocks.
#
# ## 2 · Fewer weights, less time?
#
# Shared blocks by hand: one block, called L times, each time on its last output. The package's encoder with
# `share_blocks=True` gives the same.

# %%
shared = encoders["mini, both"]
word_ids = np.asarray(vectorizer(["a fine film , if a bit long ."])["input_word_ids"])  # [B, T]
mask = np.int32(word_ids > 0)  # [B, T]
x = shared.embeddings(word_ids, 0 * word_ids)  # [B, T, H]: looked up with size 64, then projected
for _ in range(mini.num_layers):
    x = shared.blocks[0](x, mask)  # [B, T, H]: the same block again
outputs = shared({"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": 0 * word_ids})
np.testing.assert_allclose(outputs["sequence_output"], x, atol=1e-5)
assert all(block is shared.blocks[0] for block in shared.blocks)

# %% [markdown]
# The loop shows what sharing does not change: the block is still computed L times. We measure it. The models are
# exported to ONNX, a file format for models (chapter 14), so that nothing but the model itself is timed: one row of 32
# tokens on one thread, the models in turn, and the shortest of many runs. Only ratios within this process are
# meaningful.

# %%
folder = Path(tempfile.mkdtemp(prefix="keras_bert_12_"))
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1


def session(model, name, dtype="float32"):
    path = kb.export_onnx(model, folder / name, dtype=dtype)
    return onnxruntime.InferenceSession(path / "model.onnx", options, providers=["CPUExecutionProvider"])


# %% [markdown]
# `shortest_times` runs the models in turn and returns the shortest time of each. `time.thread_time` counts the
# processor time of this thread only: the time in which other programs run is not counted.


# %%
def shortest_times(sessions, inputs, repeats=40):
    times = {name: [] for name in sessions}
    for _ in range(repeats):
        for name, each in sessions.items():
            start = time.thread_time()
            each.run(None, inputs)
            times[name].append(time.thread_time() - start)
    return {name: 1000 * min(values) for name, values in times.items()}  # milliseconds


# %%
row = {"input_word_ids": np.full((1, 32), 7, "int32"), "input_mask": np.ones((1, 32), "int32")}
row["input_type_ids"] = np.zeros((1, 32), "int32")

# %%
sessions = {name: session(encoder, f"encoder_{i}") for i, (name, encoder) in enumerate(encoders.items())}
times = shortest_times(sessions, row)
ratios = {name: value / times["mini"] for name, value in times.items()}
assert ratios["mini, shared blocks"] > 0.5 and ratios["mini, 2 layers"] < 0.8
plot = kb.explain.bar_chart(
    ratios,
    "Time of one row of 32 tokens, divided by that of the unchanged model.",
    "time ratio",
    number_format="{:.2f}",
)
chapter.show(plot, "times")

# %% [markdown]
# *Look at* the last three bars. Half of the layers need about half of the time. The model with shared blocks and small
# embeddings has a quarter of the weights, but it needs much more than a quarter of the time: each block is still
# computed. Its ratio can still be a little below 1. A possible reason, which is not tested here: one row needs few
# multiplications, so reading the weights from memory is a part of the time, and a single block can stay in the cache of
# the processor. So ALBERT's sharing saves memory for weights and the size of a download, and DistilBERT's fewer layers
# save memory and time.
#
# ## 3 · What does a teacher's output say that a label does not?
#
# The masked LM has one correct word per gap. A trained model gives a probability for *every* token of the vocabulary.
# These probabilities are called *soft targets*. A *temperature* T above 1 makes them more equal: the logits are divided
# by T before the softmax. (In the shapes of arrays, such as `[B, T, H]`, T is the number of tokens, as in the other
# chapters.)

# %%
text = "she opened the door and went into the house ."
ids = {key: np.asarray(value) for key, value in vectorizer([text]).items()}  # [1, T] each
is_hidden = ids["input_word_ids"] == pretrained.vocabulary.index("door")  # [1, T]
ids["input_word_ids"] = np.where(is_hidden, pretrained.vocabulary.index("[MASK]"), ids["input_word_ids"])
place = np.argwhere(is_hidden)[:, 1:]  # [1, 1]
logits = np.asarray(teacher({**ids, "masked_lm_positions": place.astype("int32")})["mlm_logits"])[0, 0]  # [V]


def softmax(logits, temperature=1.0):
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


# %% [markdown]
# The same logits at three temperatures. Each row is one distribution over the whole vocabulary; the last column is the
# sum of all tokens that have no column.

# %%
best = np.argsort(-logits)[:7]
words = [pretrained.vocabulary[i] for i in best]
soft = np.stack([softmax(logits, T)[best] for T in (0.5, 1, 2)])  # [3, 7]
soft = np.concatenate([soft, 1 - soft.sum(1, keepdims=True)], axis=1)  # [3, 8]
print(f"the label: probability 1 for one word; the teacher at T = 1: {softmax(logits)[best[0]]:.2f} for {words[0]}")
plot = kb.explain.matrix_chart(
    soft,
    ["T = 0.5", "T = 1", "T = 2"],
    [*words, "all others"],
    "The teacher's most probable words in: she opened the [MASK] and went into the house .",
)
chapter.show(plot, "soft_targets")

# %% [markdown]
# *Look at* the middle row, the teacher's own probabilities: they say not only which word is the best, but also which
# others are possible. With T = 2 most of the probability is on the other 8,185 tokens, so the differences among those
# have a larger part in the loss. T = 2 is the default of `kb.distill`.
#
# ## 4 · DistilBERT's three losses, by hand
#
# The student has every second block of the teacher, its embeddings and its masked-LM head. `init_student` copies them.
# Like DistilBERT it has no segment embeddings and no pooler.

# %%
student = init_student(teacher)
print(f"teacher {teacher.count_params():,} weights, student {student.count_params():,}")
for i, block in enumerate(student.encoder.blocks):
    for copied, original in zip(block.get_weights(), teacher.encoder.blocks[2 * i].get_weights(), strict=True):
        np.testing.assert_array_equal(copied, original)

# %% [markdown]
# The text: review sentences, each a row of at most 32 tokens, with new masks in each epoch. `DistillationBatches` makes
# the batches of `kb.distill`; we take the first one and compute the three losses on it.

# %%
reviews = chapter.reviews()
rng = np.random.default_rng(0)
special = {f"{name.lower()}_id": pretrained.vocabulary.index(f"[{name}]") for name in ("CLS", "SEP")}


def rows(texts):
    ids = np.asarray(vectorizer(texts)["input_word_ids"])  # [N, T]
    documents = [[[i for i in row if i > 4]] for row in ids.tolist()]  # without special tokens and padding
    return pack_examples(documents, 32, **special, sentence_task=None, short_seq_prob=0.0)


# %% [markdown]
# 1,024 sentences are for training and 300 others for measuring.

# %%
SIZES = (8192, 872) if chapter.full else (1024, 300)
train = rows([reviews.train_texts[i] for i in rng.permutation(len(reviews.train_labels))[: SIZES[0]]])
dev = rows([reviews.dev_texts[i] for i in rng.permutation(len(reviews.dev_labels))[: SIZES[1]]])
masking = Masking.from_vocabulary(pretrained.vocabulary, max_predictions=5)
inputs, _, weights = DistillationBatches(train, masking, batch_size=32, seed=0).batch(0, 0)
print({name: value.shape for name, value in inputs.items()})

# %% [markdown]
# First the outputs of both models. No dropout: a student with dropout would compute other numbers each time.

# %%
places, words = inputs["masked_lm_positions"], inputs["masked_lm_ids"]  # [B, P] each
states, logits = {}, {}
for name, model in (("teacher", teacher), ("student", student)):
    keys = ("input_word_ids", "input_mask", "input_type_ids")
    output = model.encoder({key: inputs[key] for key in keys}, training=False)["sequence_output"]
    states[name] = np.asarray(output, "float64")  # [B, T, H]
    logits[name] = np.asarray(model.mlm_head(output, places), "float64")  # [B, P, V]

# %% [markdown]
# - **Soft**: the Kullback-Leibler divergence from the student's to the teacher's soft targets, times T². Without T², a
#   high temperature would make the gradients small (Hinton et al., section 2).
# - **Masked**: the cross-entropy with the hidden word, as in pretraining.
# - **Cosine**: 1 minus the cosine between the last hidden states. It is computed at every token; the other two losses
#   are computed at the masked tokens only.

# %%
T = 2.0
p, q = softmax(logits["teacher"], T), softmax(logits["student"], T)  # [B, P, V]
soft = T**2 * (p * (np.log(p) - np.log(q))).sum(-1)  # [B, P]
of_word = np.take_along_axis(softmax(logits["student"]), words[..., None], -1)[..., 0]  # [B, P]
masked = -np.log(of_word)  # [B, P]
dot = (states["teacher"] * states["student"]).sum(-1)  # [B, T]
norms = np.linalg.norm(states["teacher"], axis=-1) * np.linalg.norm(states["student"], axis=-1)  # [B, T]
cosine = 1 - dot / norms  # [B, T]

by_hand = {}
for name, factor, values in (("soft", 5, soft), ("masked", 2, masked), ("cosine", 1, cosine)):
    by_hand[f"{name}_loss"] = factor * float((values * weights[name]).sum() / weights[name].sum())
print({name: round(value, 4) for name, value in by_hand.items()})

# %% [markdown]
# The package: one step of `kb.distill` on the same batch, with a student without dropout. The history has the losses
# before the step. The factors 5, 2 and 1 are those of the training command that the authors published.


# %%
def student_with(dropout):
    rates = {"hidden_dropout": dropout, "attention_dropout": dropout}
    config = dataclasses.replace(student.encoder.config, **rates)
    copy = kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None)
    copy.set_weights(student.get_weights())
    return copy


history = kb.distill(teacher, student_with(0.0), train, masking, steps=1, batch_size=32, seed=0, verbose=0).history
for name, value in by_hand.items():
    np.testing.assert_allclose(history[name][0], value, rtol=2e-3)
np.testing.assert_allclose(history["loss"][0], sum(by_hand.values()), rtol=2e-3)
print("kb.distill gives the same three losses")

# %% [markdown]
# ## 5 · Does the teacher help?
#
# The experiment: the same student, the same rows, the same few steps, three seeds each.
#
# - **labels only** is the control: masked LM alone, factors 0, 2 and 0;
# - **three losses**: factors 5, 2 and 1, with a temperature of 1;
# - **three losses, T = 2**: the default temperature, with one seed.
#
# We measure the share of the masked tokens that are found in other sentences. Two more controls: the student before any
# training, and always answering with the most frequent token.

# %%
dev_batch = MaskedBatches(dev, masking, batch_size=len(dev.input_word_ids), seed=0, shuffle=False).batch(0, 0)
dev_inputs, dev_words = dev_batch[0], dev_batch[1]["mlm_logits"]  # dict of [N, T] and [N, P], [N, P]
dev_weights = dev_batch[2]["mlm_logits"]  # [N, P]


def share_found(predict):
    parts = np.array_split(np.arange(len(dev_words)), 5)
    found = [predict({key: value[part] for key, value in dev_inputs.items()}).argmax(-1) for part in parts]
    return 100 * float(((np.concatenate(found) == dev_words) * dev_weights).sum() / dev_weights.sum())


def of_model(model):
    return share_found(lambda inputs: np.asarray(model(inputs)["mlm_logits"]))


# %% [markdown]
# Each run starts from the same student. Only the factors of the losses, the temperature and the seed differ.

# %%
STEPS, SEEDS = (250, 3) if chapter.full else (32, 3)
RUNS = {  # name: (factors, temperature, seeds)
    "labels only": ((0, 2, 0), 1.0, SEEDS),
    "three losses": ((5, 2, 1), 1.0, SEEDS),
    "three losses, T = 2": ((5, 2, 1), 2.0, 1),
}

# %%
found, students = {}, {}
for name, (factors, T, seeds) in RUNS.items():
    for seed in range(seeds):
        students[name] = student_with(0.1)
        settings = {"steps": STEPS, "learning_rate": 1e-3, "seed": seed, "verbose": 0}
        kb.distill(teacher, students[name], train, masking, loss_weights=factors, temperature=T, **settings)
        found.setdefault(name, []).append(of_model(students[name]))
    print(f"{name:20}", *(f"{value:.1f} %" for value in found[name]))

# %% [markdown]
# Now the controls and the teacher itself, on the same masked tokens.

# %%
frequent = np.bincount(train.input_word_ids[train.input_word_ids > 4]).argmax()
controls = {
    "most frequent token": 100 * float(((dev_words == frequent) * dev_weights).sum() / dev_weights.sum()),
    "student before training": of_model(student),
}
means = {name: float(np.mean(values)) for name, values in found.items()}

# %%
bars = {**controls, **means, "teacher": of_model(teacher)}
spreads = {name: float(np.std(values, ddof=1)) for name, values in found.items() if len(values) > 1}
assert means["three losses"] > means["labels only"] - 1 and min(means.values()) > controls["student before training"]
plot = kb.explain.bar_chart(
    bars,
    "Masked tokens of dev that are found. The bars with an error bar are means of three seeds.",
    "accuracy, %",
    spreads,
)
chapter.show(plot, "student")

# %% [markdown]
# *Look at* the two bars with error bars, the students. In so few steps both recover a part of what the student lost
# when half of its layers were removed: its second block now reads vectors that it was not trained on (see the rule in
# section 1 of chapter 13). Compare the difference of the two bars with the chance in the measurement: a share p of n
# tokens has a standard error of $\sqrt{p (1 - p) / n}$, which is more than one point for the about 1,000 masked tokens
# here. The difference is not larger. So this experiment does not show that the teacher helps, and both students are far
# below the teacher. A longer training may show it. The bar of T = 2 is a single run, so it does not show which
# temperature is better.
#
# What a long training gives was measured with this teacher on SST-2 ([results](../docs/results.md), with the
# command): the student keeps 99.0 % of the teacher's accuracy with 29 % fewer weights (mean of three seeds). The
# authors report 97 % for BERT base, with 40 % fewer weights and 60 % more speed (abstract). `--full` runs this
# section with more steps and texts.
#
# For a classifier there is a shorter way: `kb.finetune(student, texts, labels, teacher_logits=...)` adds the soft loss
# to the loss of the labels.
#
# ## 6 · 8 bits
#
# A weight has 32 bits. `export_onnx(dtype="int8")` stores the weights as integers of 8 bits, with one scale per column:
# $w \approx s\,q$ with q in -127 … 127. By hand, for one kernel:

# %%
W = np.asarray(teacher.encoder.blocks[0].intermediate.kernel)  # [H, F]
scale = np.abs(W).max(axis=0) / 127  # [F]
q = np.round(W / scale).astype("int8")  # [H, F]
error = np.abs(q * scale - W)
assert (error <= scale / 2 + 1e-7).all()
print(f"{W.nbytes:,} bytes become {q.nbytes + scale.nbytes:,}")
print(f"largest error {error.max():.1e}, largest weight {np.abs(W).max():.2f}")

# %% [markdown]
# ONNX Runtime also rounds the *inputs* of the dense layers to 8 bits, while the model runs (*dynamic quantization*).
# The package uses only 7 of the 8 bits of a weight: some processors add two products in 16 bits, and with 8 bits this
# sum can be too large. We export teacher and student in both formats and measure size, time and found tokens. The
# embedding table stays in 32 bits here: the masked-LM head multiplies with it too.

# %%
final = {"teacher": teacher, "student": students["three losses"]}
exported, sizes = {}, {}
for name, model in final.items():
    for dtype in ("float32", "int8"):
        key = f"{name}, {dtype}"
        exported[key] = session(model, key, dtype)
        sizes[key] = (folder / key / "model.onnx").stat().st_size / 1e6
row["masked_lm_positions"] = np.array([[1, 2, 3, 4, 5]], "int32")
times = shortest_times(exported, row)


# %% [markdown]
# The found tokens are counted with the exported files themselves, not with the Keras models. The float32 file must give
# the same number as the Keras model.


# %%
def of_session(each):
    names = [value.name for value in each.get_inputs()]
    return share_found(lambda inputs: each.run(["mlm_logits"], {name: inputs[name] for name in names})[0])


accuracy = {name: of_session(each) for name, each in exported.items()}
for name in exported:
    ratio = times[name] / times["teacher, float32"]
    print(f"{name:17} {sizes[name]:5.1f} MB, time ratio {ratio:.2f}, found {accuracy[name]:.1f} %")
assert abs(accuracy["teacher, float32"] - bars["teacher"]) < 0.2
assert abs(accuracy["teacher, int8"] - accuracy["teacher, float32"]) < 3
assert sizes["teacher, int8"] < 0.8 * sizes["teacher, float32"]
assert times["student, float32"] < 0.8 * times["teacher, float32"]

# %%
plot = kb.explain.scatter_chart(
    {name: (times[name], accuracy[name]) for name in exported},
    "Found tokens by the time of one row of 32 tokens on one thread, all measured in this process.",
    "milliseconds",
    "masked tokens found, %",
    baselines={"most frequent token": controls["most frequent token"]},
)
chapter.show(plot, "accuracy_by_time")

# %% [markdown]
# *Look at* the four points: up is better, left is faster. Each int8 file is at nearly the same height as its float32
# file. How much time it saves depends on the processor: the printed ratios are those of one machine. The student is
# left of the teacher and far below it: after this short training it is faster and finds far fewer tokens.
#
# ## What could mislead you
#
# - **The control was run**: most of the gain of "three losses" is also there with "labels only". Without this control
#   you would think that the teacher gave all of it.
# - **Fewer weights do not always mean less time**: section 2. Measure the time on the machine that will serve the
#   model.
# - **A ratio of times holds for one machine, one batch size and one length.** On processors with 8-bit instructions
#   int8 gains more; on others it may gain nothing.
# - **Perhaps you need no BERT.** If a bag of words is good enough for your data, it is smaller than all models of this
#   chapter (chapter 15 measures its accuracy).
# - **An average hides single answers**: int8 can change single predictions even where the share of found tokens stays
#   the same (chapter 14 measures how far its probabilities move).
#
# ## Summary
#
# - Three ways to make a model smaller: fewer layers (DistilBERT), shared weights (ALBERT), fewer bits (int8). A
#   fourth is a smaller vocabulary: [small models](../docs/small-models.md) says what `trim_vocabulary` and larger
#   teachers give and cost.
# - Shared blocks and small embeddings save memory for weights, and little or no time. Fewer layers save both. int8
#   saves memory, and time on some machines. It needs no training and no texts, so it is the easiest of the three to
#   try. A student and shared blocks must be trained.
# - A student learns from soft targets, hidden words and hidden states. `kb.distill` computes the three losses of
#   section 4 with the factors 5, 2 and 1.
# - A student starts from layers of its teacher, not from random weights.
#
# ## Exercises
#
# 1. How many weights has BERT base with shared blocks and embeddings of size 128? Compare with ALBERT base, and explain
#    the rest of the difference.
# 2. Show that T² is needed: compute the gradient of the soft loss with respect to the student's logits for T = 1, 2, 4
#    and 8, with and without the factor.
# 3. Quantize a kernel to 8, 6, 4 and 2 bits by hand. How does the largest error grow?
#
# Solutions: [solutions/12_smaller_and_faster.py](solutions/12_smaller_and_faster.py).
#
# ## Next
#
# [Chapter 13](13_change_the_model.py) goes the other way: it adds layers to a pretrained model.
