# %% [markdown]
# # 06 · How does it learn from text alone?
#
# The text that BERT was trained on has no labels. Where does the training signal come from, and why are the masked
# tokens treated in three different ways?
#
# **At the end** you have masked tokens by hand, as the package does, and trained a small model on plain text. You have
# compared its losses with the baselines that show whether it learned anything, and you have measured what the 80/10/10
# rule is good for.
#
# **Time**: under three minutes on 2 cores. Source: [Devlin et al. 2018](https://arxiv.org/abs/1810.04805),
# section 3.1 and appendices A.1 and C.2.
#
#     text      the  ship  was   old  and  slow
#     input     the  [MASK] was  old  and  rope      15 % of the tokens are chosen; most become [MASK]
#     BERT       │     │    │     │    │    │
#     labels          ship                slow       predict the original at the chosen positions only

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(6)

import keras
import numpy as np
from keras import ops

import keras_bert as kb
from keras_bert.data import tokenize_documents
from keras_bert.text.masking import Masking, mask_tokens
from keras_bert.text.packing import pack_examples
from keras_bert.training import MaskedBatches, evaluate_pretrainer

# %% [markdown]
# ## 1 · Text to rows
#
# The sample of the package has prose: documents of sentences. A vocabulary of 1,000 tokens is learned from it (chapter
# 01). Whole documents are held out for validation. Then pairs of text parts are packed into rows
# `[CLS] A [SEP] B [SEP]`. Section 6 explains the pairs. A pair that is too long for a row loses tokens at a start or an
# end, so a row may begin inside a word. Each document is packed ten times (`dupe_factor`), each time into other pairs.
# With `special_tokens=True` a `[MASK]` in a text is the special token; section 5 needs this.

# %%
corpus = kb.load_corpus("sample")
vocabulary = kb.learn_vocabulary([sentence for document in corpus for sentence in document], vocab_size=1000)
vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=32, special_tokens=True)
V, T, P = len(vocabulary), 32, 5  # tokens, row length, predictions per row

train, held_out = tokenize_documents(corpus, vectorizer).split(fraction=0.1, seed=0)
examples = pack_examples(train, T, vectorizer.cls_id, vectorizer.sep_id, seed=0, dupe_factor=10)
validation = pack_examples(held_out, T, vectorizer.cls_id, vectorizer.sep_id, seed=0)
print(f"{len(train)} documents, {len(train.ids):,} tokens; {len(examples):,} rows, {len(validation)} to validate")

# %% [markdown]
# ## 2 · Masking: 15 %, of which 80/10/10
#
# In each row 15 % of the ordinary tokens are chosen (never `[CLS]`, `[SEP]` or padding). The model must predict them.
# Of the chosen tokens, 80 % become `[MASK]`, 10 % become a random token, and 10 % stay as they are. Section 7
# measures why. Why 15 %? With fewer tokens a row gives fewer predictions to learn from; with more, less context is
# left to predict them from. It is a choice of the paper, not a law: [recipe](../docs/recipe.md) compares 15, 25 and
# 40 % in short runs. First the choice and the replacement by hand:


# %%
ordinary = np.array([token not in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") for token in vocabulary])  # [V]


def choose(row, order):
    candidates = np.flatnonzero(ordinary[row])
    count = min(max(1, round(0.15 * len(candidates))), P)
    return np.sort(candidates[np.argsort(order[: len(candidates)])[:count]])  # positions


def replace(row, chosen, action, random_tokens):
    new = row.copy()
    new[chosen] = np.where(action[chosen] < 0.8, vectorizer.mask_id, row[chosen])
    is_random = chosen[(action[chosen] >= 0.8) & (action[chosen] < 0.9)]
    new[is_random] = random_tokens[is_random]
    return new


# %% [markdown]
# With the same random numbers, the package's `mask_tokens` makes the same choice and the same replacements:

# %%
rows = examples.input_word_ids.astype("int32")  # [N, T]
rng = np.random.default_rng(7)
order, action = rng.random(rows.shape), rng.random(rows.shape)
random_tokens = rng.choice(np.flatnonzero(ordinary), rows.shape)

masking = Masking.from_vocabulary(vocabulary, max_predictions=P)
package = mask_tokens(rows, masking, np.random.default_rng(7))
chosen = [choose(row, order[i]) for i, row in enumerate(rows)]
masked = np.array([replace(row, chosen[i], action[i], random_tokens[i]) for i, row in enumerate(rows)])
np.testing.assert_array_equal(masked, package["input_word_ids"])
print(f"{sum(map(len, chosen)) / ordinary[rows].sum():.1%} of the ordinary tokens are chosen")

# %% [markdown]
# Why not 15 %? The number per row is rounded: most rows have 29 ordinary tokens, 15 % of them are 4.35, and 4 are
# chosen. For a figure, each chosen position gets a number for its kind:

# %%
kinds = np.zeros(rows.shape)  # for the colors: 1 [MASK], -1 random, 0.4 unchanged
for i, positions in enumerate(chosen):
    now = masked[i, positions]
    kinds[i, positions] = np.where(now == vectorizer.mask_id, 1, np.where(now == rows[i, positions], 0.4, -1))

# %%
W = 9
shown = [*np.flatnonzero((kinds[:, :W] == -1).any(1))[:2], *np.flatnonzero((kinds[:, :W] == 0.4).any(1))[:2], 0, 1]
texts = [[vocabulary[token] for token in masked[i, :W]] for i in shown]
names = [" ".join(vocabulary[rows[i, t]] for t in range(W) if kinds[i, t]) for i in shown]
caption = (
    "Six rows after masking; at the left the tokens to predict. Blue: [MASK], orange: random, pale blue: unchanged."
)
plot = kb.explain.matrix_chart(kinds[shown, :W], names, [f"position {t}" for t in range(W)], caption, 1.0, texts)
chapter.show(plot, "masking")

# %% [markdown]
# *Look at* the colors. The model sees the tokens in the cells and must predict the tokens at the left. At an orange
# cell it sees a wrong token, at a pale blue cell the right one. (Rows with these rare cases were chosen for the
# figure.) Here the tokens are chosen again in every epoch, so the same sentence gives new questions (*dynamic masking*,
# [Liu et al. 2019](https://arxiv.org/abs/1907.11692), section 4.1). BERT's authors masked their text ten times before
# the training, and read the same masks several times.
#
# ## 3 · The loss by hand
#
# The masked-LM head computes one number per token of the vocabulary (the logits) at each chosen position: a dense
# layer with GELU and LayerNorm, then the product with the word embeddings (chapter 02), plus a bias per token. A
# softmax makes probabilities of the logits. The loss is the *cross-entropy*: minus the logarithm of the probability
# that the model gives the right token. Logits are computed at the chosen positions only, because the product with the
# vocabulary is expensive.


# %%
def new_pretrainer(seed=0):
    keras.utils.set_random_seed(seed)
    config = kb.BertConfig(
        vocab_size=V, hidden_size=64, num_layers=2, num_heads=2, intermediate_size=256, max_position_embeddings=T,
        initializer_range=0.05, hidden_dropout=0.0, attention_dropout=0.0,
    )  # fmt: skip
    return kb.BertPretrainer(kb.BertEncoder(config))


def cross_entropy(logits, labels):
    logits = np.asarray(logits, "float64")
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(log_probabilities, labels[..., None], axis=-1)[..., 0]  # [B, P]


# %%
pretrainer = new_pretrainer()
total = count = 0
batches = MaskedBatches(validation, masking, batch_size=32, shuffle=False)
for inputs, targets, weights in (batches[i] for i in range(len(batches))):
    losses = cross_entropy(pretrainer(inputs)["mlm_logits"], targets["mlm_logits"])  # [B, P]
    total, count = total + (losses * weights["mlm_logits"]).sum(), count + weights["mlm_logits"].sum()
before = evaluate_pretrainer(pretrainer, validation, masking)
print(f"by hand {total / count:.4f}, package {before['mlm_loss']:.4f}, ln V {np.log(V):.4f}")
np.testing.assert_allclose(total / count, before["mlm_loss"], rtol=1e-4)
assert abs(before["mlm_loss"] - np.log(V)) < 0.5

# %% [markdown]
# A new model gives every token about the same probability, 1 / V, so its loss is about ln V. A loss far above ln V at
# the start is a sign of a mistake, such as initial weights that are too large. In the same way, any loss x is that of a
# guess among exp(x) tokens with equal probabilities. This number is called the *perplexity*.
#
# ## 4 · Two baselines without a neural network
#
# How low must the loss be before we may say that the model uses the context? Two baselines, counted in the training
# text: the *unigram* gives each token its frequency. The *bigram* looks at the token before, half and half with the
# unigram.

# %%
counts = np.bincount(train.ids, minlength=V) + 1.0  # [V]; + 1 for tokens that do not occur
unigram = counts / counts.sum()
pairs = np.zeros((V, V))
np.add.at(pairs, (train.ids[:-1], train.ids[1:]), 1)
bigram = 0.5 * pairs / np.maximum(pairs.sum(1, keepdims=True), 1) + 0.5 * unigram  # [V, V]

now, previous = held_out.ids[1:], held_out.ids[:-1]
keep = ordinary[now]
baselines = {"unigram": -np.log(unigram[now])[keep].mean(), "bigram": -np.log(bigram[previous, now])[keep].mean()}
print({name: round(float(value), 2) for name, value in baselines.items()})
assert baselines["bigram"] < baselines["unigram"]

# %% [markdown]
# ## 5 · Train, and fill a gap every 50 steps
#
# `kb.pretrain` trains with AdamW (Adam with weight decay), and a learning rate that rises and then decays (chapter
# 04). A callback asks the model for two masked words after every 50 steps (`validate_every`; Keras calls such a part
# of the training an epoch). Can it learn that "not" belongs into the first gap and "of" into the second? (The page on
# [text of any size](../docs/guides/packing.md) trains on files of your own.)

# %%
GAPS = {"he did [MASK] know what to say .": "not", "it was the end [MASK] the day .": "of"}
filled = {text: [] for text in GAPS}


def fill(model, text):
    inputs = {name: np.asarray(value) for name, value in vectorizer([text]).items()}
    at = np.argwhere(inputs["input_word_ids"] == vectorizer.mask_id)[:, 1][None]  # [1, 1]
    logits = model({**inputs, "masked_lm_positions": at}, training=False)["mlm_logits"][0, 0]  # [V]
    return ops.convert_to_numpy(ops.softmax(logits))


def fill_all(model):
    for text in GAPS:
        filled[text].append(fill(model, text))


# %%
STEPS = 4000 if chapter.full else 400
fill_all(pretrainer)
callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: fill_all(pretrainer))
history = kb.pretrain(
    pretrainer, examples, masking, validation=validation, steps=STEPS, learning_rate=3e-3, validate_every=50,
    callbacks=[callback], seed=0, verbose=0,
).history  # fmt: skip
STEP = [0, *history["step"]]
print("masked-LM loss, validation:", [round(value, 2) for value in history["val_mlm_loss"]])

# %%
series = {
    "training": [before["mlm_loss"], *history["mlm_loss"]],
    "validation": [before["mlm_loss"], *history["val_mlm_loss"]],
}
caption = "Masked-LM loss. The mark at step 0 is about ln V; the dashed lines are the baselines."
plot = kb.explain.line_chart(STEP, series, caption, "step", "masked-LM loss", baselines=baselines)
chapter.show(plot, "loss")
lowest = min(history["val_mlm_loss"])
assert lowest < baselines["unigram"] and (chapter.full or lowest > baselines["bigram"] + 0.5)

# %% [markdown]
# *Look at* the dashed lines. First the validation loss falls to the unigram line: the model has learned which tokens
# are frequent. What it gains below that line comes from the context. The validation curve (orange) stays far above the
# bigram line: a table of counted pairs is better than this model. 50,000 tokens of text, read a few times, are very
# few.

# %%
for text in GAPS:
    for step, row in list(zip(STEP, filled[text], strict=True))[::2]:
        best = ", ".join(f"{vocabulary[i]} {row[i]:.0%}" for i in np.argsort(-row)[:4])
        print(f"{text}  step {step:4}: {best}")

# %%
series = {}
for text, word in GAPS.items():
    at = vocabulary.index(word)
    series[f'"{word}"'] = [row[at] / unigram[at] for row in filled[text]]
caption = (
    "Probability of the right word in its gap, divided by its frequency in the text. Dashed: equal to the frequency."
)
chapter.show(kb.explain.line_chart(STEP, series, caption, "step", "probability / frequency", baselines={"": 1}), "gaps")

# %% [markdown]
# *Look at* the end of both curves: they are near the dashed line. The model gives each word about its frequency in
# the text, and both gaps get nearly the same answers in the output above. So far it has learned the frequencies and
# little of the context, as the loss says, too. The bundled mini model is larger and was trained with the same code on
# 135 million tokens:

# %%
pretrained = kb.load_pretrained("bert_en_uncased_mini")
for row in kb.fill_mask(pretrained, list(GAPS), top_k=3):
    best, word = row["masks"][0]["predictions"], GAPS[row["text"]]
    print(row["text"], " ", ", ".join(f"{each['token']} {each['probability']:.0%}" for each in best))
    found = {each["token"]: each["probability"] for each in best}
    assert found[word] > 5 * filled[row["text"]][-1][vocabulary.index(word)]

# %% [markdown]
# ## 6 · Next sentence prediction, and its right baseline
#
# The second task of BERT: does B follow A in the text, or is it from another document? It was added because tasks such
# as question answering need the relation of two texts (Devlin et al., section 3.1). A usual baseline is
# ln 2 = 0.693, the loss of a probability of one half. It is wrong when the classes are not equally frequent. The right
# baseline is the best *constant* answer: always the share of "random" in the training rows.

# %%
share = float(examples.next_sentence_labels.mean())  # 1: B is random
labels = validation.next_sentence_labels
constant_loss = -float(np.mean(np.where(labels == 1, np.log(share), np.log(1 - share))))
constant_accuracy = max(labels.mean(), 1 - labels.mean())
print(f"share of random B: {share:.1%} in training, {labels.mean():.1%} in validation")
print(f"the constant answer: loss {constant_loss:.3f} (ln 2 = {np.log(2):.3f}), accuracy {constant_accuracy:.1%}")
print(f"the model: loss {min(history['val_nsp_loss']):.3f}, accuracy {max(history['val_nsp_accuracy']):.1%}")
assert min(history["val_nsp_loss"]) < constant_loss and max(history["val_nsp_accuracy"]) > 0.65

# %% [markdown]
# The loss of the model, the lowest of its eight evaluations, is below that of the constant answer. Has it learned which
# texts belong together? Here is a control that does not read the texts: it sees only the lengths of A and B, and looks
# up the share of random pairs with such lengths in the training rows. (A long sentence leaves no room for the next one
# in the row, so its B must be random.)


# %%
def lengths(rows):
    second = rows.input_type_ids.sum(axis=1)  # tokens of B
    return (rows.lengths - second) // 4, second // 4  # in steps of four tokens


table = np.ones((T, T, 2))  # + 1 for lengths that do not occur
np.add.at(table, (*lengths(examples), examples.next_sentence_labels), 1)
chances = table / table.sum(axis=2, keepdims=True)
lengths_loss = -float(np.log(chances[(*lengths(validation), labels)]).mean())
print(f"lengths only: loss {lengths_loss:.3f}")

# %%
series = {"training": [before["nsp_loss"], *history["nsp_loss"]]}
series["validation"] = [before["nsp_loss"], *history["val_nsp_loss"]]
caption = "Next-sentence loss. Dashed: answers that do not read the text."
marks = {"constant answer": constant_loss, "lengths only": lengths_loss}
plot = kb.explain.line_chart(STEP, series, caption, "step", "next-sentence loss", baselines=marks)
chapter.show(plot, "next_sentence")
assert share > 0.5 and constant_accuracy > 0.5 and constant_loss < np.log(2)
assert lengths_loss < constant_loss and min(history["val_nsp_loss"]) > lengths_loss - 0.05

# %% [markdown]
# *Look at* the end of the validation curve (orange) and the lower dashed line. The lengths alone give nearly the same
# loss, and 199 rows are too few to see a difference of one hundredth. So this loss does not show that the model reads
# the texts. With the baseline ln 2, and an accuracy of 70 %, we would have believed it. (Compare only the orange curve
# with the dashed lines: they are for the validation rows. The training rows have fewer random pairs, so their loss,
# blue, is higher.)
#
# ## 7 · Why 80/10/10?
#
# `[MASK]` never occurs in the texts that the model is used on later. With 100 % `[MASK]`, the model is never asked
# about a position where it sees an ordinary token. The experiment: continue to train the bundled model for 150 steps,
# once with 80/10/10 and once with 100 % `[MASK]`. The control: start, rows, chosen positions and learning rate are the
# same.

# %%
start, words = pretrained.model.get_weights(), pretrained.vectorizer
sentences = [sentence for document in corpus for sentence in document]
ids = np.asarray(
    kb.BertTextVectorization(pretrained.vocabulary, sequence_length=24)(sentences)["input_word_ids"]
)  # [N, T]
usable = np.array([not token.startswith("[") or len(token) == 1 for token in pretrained.vocabulary])  # [V]
ids = ids[(usable[ids].sum(axis=1) >= 8)]
learn, test = ids[:-200], ids[-200:]  # the last documents are held out


# %%
def new_inputs(rows, rng, mask, random):
    order = np.where(usable[rows], rng.random(rows.shape), 2).argsort(axis=1)
    positions = np.sort(order[:, :3], axis=1)  # [B, P], P = 3, about 15 % of a full row
    labels = np.take_along_axis(rows, positions, axis=1)  # [B, P]
    action, other = rng.random(positions.shape), rng.choice(np.flatnonzero(usable), positions.shape)
    new = np.where(action < mask, words.mask_id, np.where(action < mask + random, other, labels))
    changed = rows.copy()
    np.put_along_axis(changed, positions, new, axis=1)
    inputs = {"input_word_ids": changed, "input_mask": (rows > 0) * 1, "input_type_ids": 0 * rows}
    return {**inputs, "masked_lm_positions": positions}, labels


# %% [markdown]
# The test asks for the original token at the same held-out positions in three situations: the position shows `[MASK]`,
# it shows a random token, or it shows the original token itself.

# %%
SITUATIONS = {"[MASK]": (1.0, 0.0), "random token": (0.0, 1.0), "the token itself": (0.0, 0.0)}


def accuracies(model):
    result = []
    for mask, random in SITUATIONS.values():
        inputs, labels = new_inputs(test, np.random.default_rng(1), mask, random)
        predicted = ops.argmax(model(inputs, training=False)["mlm_logits"], axis=-1)  # [B, P]
        result.append(float((ops.convert_to_numpy(predicted) == labels).mean()))
    return result


# %%
model = pretrained.model
model.encoder.pooler.trainable = False  # the masked LM does not use it
optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.01, clipnorm=1.0)
loss = {"mlm_logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
model.compile(optimizer, loss, jit_compile=False)
optimizer.build(model.trainable_variables)


# %%
def continue_training(mask, random, seed, steps=150, batch_size=8):
    model.set_weights(start)
    for variable in optimizer.variables:
        if variable is not optimizer.learning_rate:
            variable.assign(ops.zeros_like(variable))
    rng, found = np.random.default_rng(seed), [accuracies(model)]
    for step in range(1, steps + 1):
        rows = learn[rng.integers(0, len(learn), batch_size)]
        inputs, labels = new_inputs(rows, rng, mask, random)
        model.train_on_batch(inputs, {"mlm_logits": labels})
        found += [accuracies(model)] if step % 50 == 0 else []
    return np.array(found)  # [4, 3]


# %%
SHARES = {"80/10/10": (0.8, 0.1), "100 % [MASK]": (1.0, 0.0)}
both = {name: np.array([continue_training(*shares, seed) for seed in range(3)]) for name, shares in SHARES.items()}
for name, values in both.items():  # [seeds, 4, 3]
    for i, situation in enumerate(SITUATIONS):
        print(f"{name:12} at {situation:16} each seed:", *(f"{accuracy:.1%}" for accuracy in values[:, -1, i]))

# %%
means, deviations = {}, {}
for i, situation in ((1, "random"), (2, "itself")):
    for name, values in both.items():
        means[f"{name}, {situation}"] = 100 * values[:, :, i].mean(0)
        deviations[f"{name}, {situation}"] = 100 * values[:, :, i].std(0, ddof=1)
caption = (
    "Accuracy where a held-out position shows a random token, or the token itself. Three seeds, mean and deviation."
)
plot = kb.explain.line_chart([0, 50, 100, 150], means, caption, "step", "accuracy, %", errors=deviations)
chapter.show(plot, "recipe")
assert both["80/10/10"][:, -1, 2].min() > both["100 % [MASK]"][:, -1, 2].max()

# %% [markdown]
# *Look at* the upper pair of curves. With 80/10/10 (green) the model still gives back nearly every token that it can
# see. With 100 % `[MASK]` (pink) it loses this step by step: nothing in its training asks for it. The lower pair, at
# random tokens, is nearly equal: after 150 steps the 10 % random tokens show no effect here. (All curves end lower
# than they start: the learning rate is high and the text is small, so the model gets worse in both experiments.)
#
# ## 8 · What could mislead you
#
# The usual number, the accuracy at `[MASK]`, does not show this difference:

# %%
bars = {"before": 100 * both["80/10/10"][0, 0, 0]}
bars |= {f"after, {name}": 100 * values[:, -1, 0].mean() for name, values in both.items()}
errors = {f"after, {name}": 100 * values[:, -1, 0].std(ddof=1) for name, values in both.items()}
caption = "Accuracy at [MASK] on held-out rows, mean and standard deviation of three seeds."
chapter.show(kb.explain.bar_chart(bars, caption, "accuracy, %", errors), "at_mask")
assert abs(bars["after, 80/10/10"] - bars["after, 100 % [MASK]"]) < 5

# %% [markdown]
# *Look at* how near the last two bars are. If only masked positions are measured, there is no reason for 80/10/10. The
# paper reports something similar in appendix C.2: the masking rule changes little in fine-tuning, more where the
# encoder is used without fine-tuning.
#
# Two more limits: the losses of sections 5 and 6 are those of one seed, and 36 documents are a very small text.
# Section 7 has three seeds, but one text and one learning rate.
#
# ## Summary
#
# - Text gives its own labels: the masked token, and whether B follows A.
# - 15 % of the tokens are predicted: 80 % of them masked, 10 % random, 10 % unchanged.
# - A new model has a loss of about ln V. The unigram and the bigram baseline show whether the model uses the context.
# - The baseline of the next-sentence loss is the best constant answer, not ln 2. Lengths alone can be better than that.
# - With 80/10/10 the model can still tell which token it sees. The accuracy at `[MASK]` does not show it.
#
# ## Exercises
#
# 1. Mask whole words, which means all pieces of a word together:
#    `Masking.from_vocabulary(vocabulary, whole_words=True)`. Is the share of chosen tokens the same?
# 2. Compute a baseline that looks at the token *after* the gap. Is it better than the bigram?
# 3. What are loss and accuracy of the constant answer when exactly 70 % of the pairs are random?
#
# Solutions: [solutions/06_learning_from_text.py](solutions/06_learning_from_text.py).
#
# ## Next
#
# [Chapter 07](07_what_pretraining_needs.py) asks what pretraining needs: how much text, which learning rate, which
# tasks.
