# %% [markdown]
# # 07 · What does pretraining need?
#
# Chapter 06 trained a model on text for a few seconds, and it learned little. What was missing: more text, another
# learning rate, the second task, better start values?
#
# **At the end** you have measured each of these with short runs that differ in one setting, and you have compared them
# with what models of this package learned from millions of tokens.
#
# **Time**: under three minutes on 2 cores. Sources: [Devlin et al. 2018](https://arxiv.org/abs/1810.04805),
# section 5.1 and appendices A.2 and C.1; [Liu et al. 2019](https://arxiv.org/abs/1907.11692) (RoBERTa), section 4.
#
#     one small model, the same validation rows, one setting changed at a time
#
#     tokens read     10,000 ──────── 81,000 ─────────► 135 million
#     text            one eighth of it, many times ───► all of it
#     learning rate   too low ─────── good ───────────► too high
#     second task     with next sentence prediction ──► without
#     start values    random ─────────────────────────► counted (this project's own method, not part of BERT)

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(7)

import keras
import numpy as np
from keras import ops

import keras_bert as kb
from keras_bert.data import tokenize_documents
from keras_bert.text.masking import Masking
from keras_bert.text.packing import pack_examples
from keras_bert.training import MaskedBatches, WarmupLinearDecay
from keras_bert.training.embedding_init import initialize_embeddings

# %% [markdown]
# ## 1 · The same measure for all
#
# Masked-LM losses of models with different vocabularies cannot be compared: it is easier to predict a piece than a
# word. So all models of this chapter have the vocabulary of the bundled `bert_en_uncased_mini`, and all predict the
# same masked tokens of the same held-out documents of the sample. T is the length of a row, P the number of
# predictions per row, B the number of rows per step, V the number of tokens in the vocabulary.

# %%
mini = kb.load_pretrained("bert_en_uncased_mini")
T, P, B, V = 32, 5, 16, len(mini.vocabulary)
vectorizer = kb.BertTextVectorization(mini.vocabulary, sequence_length=T)
train, held_out = tokenize_documents(kb.load_corpus("sample"), vectorizer).split(fraction=0.1, seed=0)
CLS, SEP = vectorizer.cls_id, vectorizer.sep_id
examples = pack_examples(train, T, CLS, SEP, seed=0, sentence_task=None)
validation = pack_examples(held_out, T, CLS, SEP, seed=0, sentence_task=None)
masking = Masking.from_vocabulary(mini.vocabulary, max_predictions=P)
questions = MaskedBatches(validation, masking, batch_size=64, shuffle=False)
print(f"{len(train.ids):,} tokens to train on, {len(validation)} rows to validate")

# %% [markdown]
# `evaluate` returns the masked-LM loss (the mean of minus the logarithm of the probability of the right token; lower is
# better) and the accuracy in percent on these rows. Two baselines: the accuracy of the most frequent
# token as constant answer, and the loss of the token frequencies (chapter 06).


# %%
def evaluate(model):
    loss = correct = count = 0
    for inputs, targets, weights in (questions[i] for i in range(len(questions))):
        logits, labels, w = model(inputs, training=False)["mlm_logits"], targets["mlm_logits"], weights["mlm_logits"]
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)  # [B, P]
        loss += float(ops.sum(losses * w))
        correct += float(ops.sum(w * (ops.convert_to_numpy(ops.argmax(logits, axis=-1)) == labels)))
        count += w.sum()
    return loss / count, 100 * correct / count  # nats per token, %


# %%
counts = np.bincount(train.ids, minlength=V) + 1.0  # [V]
asked = [(targets["mlm_logits"], w["mlm_logits"]) for _, targets, w in (questions[i] for i in range(len(questions)))]
labels = np.concatenate([target[weight == 1] for target, weight in asked])
UNIGRAM = float(-np.log(counts / counts.sum())[labels].mean())
FREQUENT = 100 * float((labels == counts.argmax()).mean())
print(f"always {mini.vocabulary[counts.argmax()]!r}: {FREQUENT:.1f} % correct; token frequencies: loss {UNIGRAM:.2f}")

# %% [markdown]
# ## 2 · A small model, trained by hand
#
# The model has two blocks with 64 numbers per token: small, so that a run takes seconds. A function makes its start
# values: LayerNorm scales are 1, biases are 0, everything else is random.


# %%
def new_setup(sentence_task=None):
    config = kb.BertConfig(
        vocab_size=V, hidden_size=64, num_layers=2, num_heads=2, intermediate_size=256, max_position_embeddings=T,
        hidden_dropout=0.0, attention_dropout=0.0,
    )  # fmt: skip
    model = kb.BertPretrainer(kb.BertEncoder(config), sentence_task=sentence_task)
    model.encoder.pooler.trainable = sentence_task is not None  # the masked LM does not use it
    return compiled(model)


# %%
def compiled(model):
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.01, epsilon=1e-6, global_clipnorm=1.0)
    loss = {name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in model.output_names}
    model.compile(optimizer, loss, jit_compile=False)
    return model, optimizer


# %%
def start_values(model, seed):
    rng = np.random.default_rng(seed)
    fixed = {"gamma": np.ones, "beta": np.zeros, "bias": np.zeros, "output_bias": np.zeros}
    return [fixed[w.name](w.shape) if w.name in fixed else rng.normal(0, 0.05, w.shape) for w in model.weights]


# %% [markdown]
# `run` trains with warm-up and linear decay, and evaluates after some of the steps. The same seed gives the same
# start values and the same random numbers for the order of the rows and the masks, whatever other setting is changed:
# that is the control in every comparison below. (`START` is for section 7.)

# %%
FREQUENCIES = np.log(counts / counts.sum())  # [V]
START = {
    None: lambda model: None,
    "output bias": lambda model: model.mlm_head.output_bias.assign(FREQUENCIES),
    "PPMI": lambda model: initialize_embeddings(model, examples, masking),
}


# %%
def run(setup, rows, seed=0, steps=80, rate=2e-3, start=None, marks=None, values=None):
    (model, optimizer), found = setup, []
    model.set_weights(start_values(model, seed) if values is None else values)
    START[start](model)
    for variable in optimizer.variables:
        variable.assign(ops.zeros_like(variable))  # a new optimizer
    batches, schedule = MaskedBatches(rows, masking, B, seed), WarmupLinearDecay(rate, steps, steps // 10)
    for step in range(1, steps + 1):
        optimizer.learning_rate.assign(schedule(step))
        model.train_on_batch(*batches.batch(*divmod(step, len(batches))))
        found += [evaluate(model)] if step in (marks or (steps,)) else []
    return np.array(found)  # [marks, 2]: loss, accuracy


# %% [markdown]
# ## 3 · Tokens read
#
# First: how does the accuracy grow with the number of tokens that the model has read? We train 160 steps and evaluate
# on the way. The last point is the bundled mini model, evaluated on the same rows. It read 135 million tokens of
# Wikipedia and novels (its model card), so not only the number of tokens differs at this point: the model is larger,
# the text is another one, and its training started from the counted vectors of section 7. `chapter.results` reads
# numbers that longer runs of this project measured and stored.

# %%
plain = new_setup()
per_step = B * float(examples.lengths.mean())
small_run = run(plain, examples, steps=160, marks=(20, 160))
stored = chapter.results("mini")
thousands = [*(round(per_step * step / 1000) for step in (20, 160)), 1000 * stored["million tokens read"]]
accuracy = [*small_run[:, 1], evaluate(mini.model)[1]]
for each in zip(thousands, accuracy, strict=True):
    print("{:7,},000 tokens: {:.1f} % of the masked tokens".format(*each))
print(f"stored, the mini model on held-out documents of its own corpus: {stored['held-out accuracy']:.1f} %")

# %%
marks = {"most frequent token": FREQUENT}
caption = "Masked tokens predicted correctly, by tokens read (logarithmic). The last point is the bundled mini model."
settings = {"baselines": marks, "log_x": True}
plot = kb.explain.line_chart(
    thousands, {"accuracy": accuracy}, caption, "thousand tokens read", "accuracy, %", **settings
)
chapter.show(plot, "tokens_read")
assert accuracy[-1] > 25 and accuracy[-1] > 3 * max(accuracy[:-1])

# %% [markdown]
# *Look at* the first two points: they lie near the dashed line, the accuracy of always answering with the most
# frequent token. The model of this chapter is still in the first phase, in which it learns how frequent each token
# is. Between these points and the last one lie 2.3 hours of training on 2 cores ([results](../docs/results.md)). (The
# straight line between them is drawn, not measured, and the points are of one seed. On held-out documents of its own
# corpus, in longer rows, the mini model predicts more tokens correctly: the last line of the output, and its model
# card.)
#
# What does such a training look like? These are stored numbers: the log of the masked-LM loss of
# `bert_en_uncased_small` (source: `tools/small_model/measured.json` of the repository, "healing"; one run). Its blocks
# started from MiniLM, its masked-LM head from random numbers. It read 256 rows of up to 128 tokens per step.

# %%
log = chapter.results("healing")
million = [step * 256 * 128 / 1e6 for step in log["step"]]
caption = "Stored log: training loss of bert_en_uncased_small, mean over the 200 steps before each point."
plot = kb.explain.line_chart(million, {"loss": log["masked_loss"]}, caption, "million tokens read", "masked-LM loss")
chapter.show(plot, "stored_log")
assert log["masked_loss"] == sorted(log["masked_loss"], reverse=True)


# %% [markdown]
# *Look at* the shape: most of the gain comes early, and the curve still falls at the end. BERT base read 3.3 billion
# words 40 times (appendix A.2), and its authors report that 1 million steps are better than 500,000 (appendix C.1).
#
# Must you do this yourself? Usually not: a published model can be fine-tuned for a task (chapter 08), or trained
# further on texts of your subject (chapter 13, section 7). The page [recipe](../docs/recipe.md) compares other sizes of
# the model in short runs.
#
# ## 4 · Different text, or the same text again?
#
# Is it the number of tokens, or the number of *different* tokens? The same 160 steps, with one eighth of the documents.

# %%
few = pack_examples(train.split(fraction=1 / 8, seed=1)[1], T, CLS, SEP, seed=0, sentence_task=None)
REPEATS = 160
amount = {"all documents": small_run[-1, 0], "one eighth": run(plain, few, steps=REPEATS)[-1, 0]}
print(f"passes over the text: {REPEATS * B / len(examples):.1f} and {REPEATS * B / len(few):.1f}")
caption = "Validation loss after 160 steps, lower is better."
plot = kb.explain.bar_chart({**amount, "token frequencies": UNIGRAM}, caption, "masked-LM loss", number_format="{:.2f}")
chapter.show(plot, "different_text")
assert amount["one eighth"] > amount["all documents"] > UNIGRAM

# %% [markdown]
# *Look at* the second bar: with the same number of tokens read, less text gives a higher loss on new documents. The
# frequent words of a few documents are not those of others. Both bars are longer than the third one, so neither run
# knows even the frequencies well, and each is of one seed: the result is about this first phase only. For longer
# trainings the effect is known: Liu et al. (section 3.2 and Table 4) got better results from ten times more text.
#
# ## 5 · The learning rate
#
# First the small model from random start values, with four peak rates:

# %%
SEEDS = (0, 1, 2)
base = np.array([run(plain, examples, seed)[-1, 0] for seed in SEEDS])  # [seeds]: loss
from_random = {f"{rate:g}": run(plain, examples, rate=rate)[-1, 0] for rate in (1e-5, 2e-4)}
from_random |= {"0.002": base[0], "0.1": run(plain, examples, rate=0.1)[-1, 0], "token frequencies": UNIGRAM}
caption = "Random start: validation loss after 80 steps with four peak learning rates."
plot = kb.explain.bar_chart(from_random, caption, "masked-LM loss", number_format="{:.2f}")
chapter.show(plot, "rate_random_start")
assert from_random["1e-05"] > from_random["0.0002"] > from_random["0.002"] + 0.5

# %% [markdown]
# *Look at* the first two bars: with a low rate the weights have hardly moved after 80 steps. (One seed each. These
# two bars differ from the others by much more than the three seeds of section 6 differ.) The rate 0.1 does no visible
# harm in this run, because the model knows no more than the frequencies so far. Too high a rate does harm where a
# model already knows something: the bundled mini model, trained for 15 more steps on the sample, shows it.

# %%
mini.model.encoder.pooler.trainable = False  # the masked LM does not use it
pretrained = mini.model.get_weights()
mini_setup = compiled(mini.model)
before = evaluate(mini.model)[0]
from_mini = {"no training": before}
for rate in (1e-5, 1e-4, 1e-3, 1e-2):
    from_mini[f"{rate:g}"] = run(mini_setup, examples, steps=15, rate=rate, values=pretrained)[-1, 0]
mini.model.set_weights(pretrained)

# %%
caption = "Start from the mini model: validation loss after 15 steps with four peak learning rates."
plot = kb.explain.bar_chart(
    {**from_mini, "token frequencies": UNIGRAM}, caption, "masked-LM loss", number_format="{:.2f}"
)
chapter.show(plot, "rate_pretrained_start")
assert from_mini["0.01"] > before + 0.5 and from_mini["0.0001"] < before + 0.1

# %% [markdown]
# *Look at* the bar of 0.01: after fifteen steps the loss is near that of the token frequencies, so almost nothing is
# left of what hours of training had taught. The three lower rates change the loss by a few hundredths only (one seed
# each). So there is no best rate in general. It depends on the size of the model, the batch, and on what the weights
# know already: BERT base was pretrained with 1e-4 (appendix A.2), and fine-tuned with 2e-5 to 5e-5 (appendix A.3).
#
# ## 6 · With or without next sentence prediction?
#
# A second model has both tasks. Its rows have the same length; more than half of them have a random second part
# (chapter 06). Three seeds, the same number of steps:

# %%
pairs = pack_examples(train, T, CLS, SEP, seed=0)
both_tasks = new_setup("next")
losses = {
    "masked LM only": base,
    "with next sentences": np.array([run(both_tasks, pairs, seed)[-1, 0] for seed in SEEDS]),
}
spread = {name: float(values.std(ddof=1)) for name, values in losses.items()}
caption = "Validation loss after 80 steps: mean and standard deviation of three seeds."
means = {name: float(values.mean()) for name, values in losses.items()} | {"token frequencies": UNIGRAM}
plot = kb.explain.bar_chart(means, caption, "masked-LM loss", errors=spread, number_format="{:.2f}")
chapter.show(plot, "next_sentence")

# %% [markdown]
# *Look at* the difference of the first two bars, and at how short these runs are. They cannot decide whether the
# second task is good for a large model. Here are stored results of longer runs of the same code, 3.3 million tokens
# each ([recipe](../docs/recipe.md)): the accuracy on masked tokens. "As bundled" is the recipe of the bundled mini
# model, and each other row changes one part of it.

# %%
for name, values in chapter.results("recipe").items():  # one value per seed
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    print(f"{name:30} {np.mean(values):.1f}{spread} %, number of seeds: {len(values)}")

# %% [markdown]
# "As bundled" is without the second task. Its spread over three seeds is larger than its distance from the one run
# with the task: no clear difference either. Devlin et al. (section 5.1) found that removing the task hurts on some
# tasks. Liu et al. (section 4.2) found that removing it does not hurt, or helps a little, when the rows are full of
# text. The bundled mini model was trained without it.
#
# ## 7 · Start values from counts (this project's own, not part of BERT)
#
# BERT starts from random numbers. Our guess why the beginning is slow: attention learns little while the token vectors
# say nothing, and the token vectors learn little while attention does not use them. But which tokens occur near each
# other can be *counted* before training. The *positive pointwise mutual information* (PPMI) of two tokens is the
# logarithm of how much more often they occur together than by chance, with negative values set to 0 ([Levy et al.
# 2015](https://aclanthology.org/Q15-1016/)). A *singular value decomposition* replaces this table, which has one number
# per pair of tokens, by 64 numbers per token that keep as much of it as possible. Nearest tokens, without any training:

# %%
model, _ = plain
model.set_weights(start_values(model, 0))
initialize_embeddings(model, examples, masking)
table = ops.convert_to_numpy(model.encoder.embeddings.word_embeddings.embeddings)  # [V, H]
unit = table / np.linalg.norm(table, axis=1, keepdims=True)
for word in ("she", "could", "two"):
    similar = np.argsort(-(unit @ unit[mini.vocabulary.index(word)]))
    print(f"nearest to {word!r}:", ", ".join(mini.vocabulary[i] for i in similar[1:7]))

# %% [markdown]
# Some of these neighbors are words of the same kind, others are not.
#
# `kb.pretrain(..., embedding_init="ppmi")` starts from such vectors; it also sets the output bias of the masked-LM
# head to the token frequencies and the position vectors to sine and cosine waves, which the first Transformer used.
# So there are two controls: the random start, and the random start with this output bias alone. Three seeds:

# %%
LONG = (20, 60, 120, 240)
curves = {}  # [seeds, marks] each
for name in START:
    runs = [run(plain, examples, seed, steps=240, start=name, marks=LONG)[:, 0] for seed in SEEDS]
    curves[name or "random"] = np.array(runs)

# %%
means = {name: values.mean(0) for name, values in curves.items()}
deviations = {name: values.std(0, ddof=1) for name, values in curves.items()}
caption = "Three kinds of start values: mean and standard deviation of three seeds. Dashed: token frequencies."
settings = {"errors": deviations, "baselines": {"": UNIGRAM}}
chapter.show(kb.explain.line_chart(LONG, means, caption, "step", "masked-LM loss", **settings), "ppmi")

# %% [markdown]
# *Look at* the blue curve and the other two. Both other starts are far better from the beginning. But the control,
# the output bias alone (orange), has most of the gain: it is the token frequencies, which the random start must learn
# first. At the beginning the counted *vectors* add almost nothing; at the end the green curve is a little below the
# orange one. Without this control we would have believed that the whole gain comes from the vectors. The numbers at
# the end:

# %%
final = {name: values[:, -1] for name, values in curves.items()}  # [seeds]
for name, values in final.items():
    print(f"{name:12} loss of each seed:", *(f"{value:.3f}" for value in values), f" mean {values.mean():.3f}")
random, bias, all_values = (values.mean() for values in final.values())
print(f"share of the gain that the output bias alone gives: {(random - bias) / (random - all_values):.0%}")
assert max(final["output bias"].max(), final["PPMI"].max()) < final["random"].min()
assert random - bias > bias - all_values > 0

# %% [markdown]
# Do the vectors add more later? The stored runs of 3.3 million tokens in section 6 suggest it: "random
# initialization" and "PPMI without the embeddings" (bias and positions without the vectors, one seed) are near each
# other, and "as bundled", which has all three, is higher. But the [recipe](../docs/recipe.md) also lists runs with
# the vectors alone and with all but the position vectors, and both are near the random start. So the vectors seem to
# help only together with the position vectors (one seed each). After a hundred million tokens it was not measured.
#
# ## 8 · What could mislead you
#
# - **One seed.** Sections 3, 4 and 5 have one seed per run, sections 6 and 7 have three. The bands and error bars show
#   how much the seed alone changes; a smaller difference of two runs with one seed shows nothing.
# - **Training loss.** A text that is read many times gets a low training loss, also if nothing general was learned.
#   Only held-out documents count, and whole documents must be held out, not sentences.
# - **Different vocabularies or texts.** All runs of this chapter were measured on the same rows. The stored log and the
#   stored results are of other documents, so they cannot be compared with these runs.
# - **A short run as a forecast.** All small runs here are in the phase of the token frequencies. They show what ends
#   this phase earlier, not which model is better in the end.
#
# ## Summary
#
# - Masked-LM models are compared on the same rows with the same vocabulary, beside the token frequencies.
# - Accuracy grows with the tokens read: thousands of tokens teach frequencies, millions teach context.
# - More different text is better than the same text again (here: one seed, a short run).
# - The learning rate decides whether anything is learned, and whether anything is lost.
# - These runs show no clear effect of next sentence prediction. Counted start values (this project's own) shorten the
#   beginning, and a control shows which part of them does it.
#
# ## Exercises
#
# 1. How many tokens does a run of 1 million steps with 256 rows of 512 tokens read (BERT base, appendix A.2)? How many
#    passes over 3.3 billion words is this, with 1.3 tokens per word?
# 2. Which accuracy has the rule "repeat the token before the gap"? Is it better than the most frequent token?
# 3. How many masked tokens must a test have, so that the standard error of an accuracy of 50 % is one point? The
#    standard error of a share $p$ of $n$ answers is $\sqrt{p (1 - p) / n}$.
#
# Solutions: [solutions/07_what_pretraining_needs.py](solutions/07_what_pretraining_needs.py).
#
# ## Next
#
# [Chapter 08](08_what_pretraining_gives.py) shows what a pretrained encoder gives to a task with few labels.
