# %% [markdown]
# # 15 · How do I use my own data?
#
# You have a table of texts and labels. How do you get from there to a model that answers requests, and how do you know
# that it is good enough?
#
# **At the end** you have done every step once: a CSV file, a look at the data, baselines, fine-tuning with several
# seeds, slices, errors that you have read, a check of the probabilities, an export, and a prediction from it. The
# last section is a checklist for your own project.
#
# **Time**: under two minutes on 2 cores. **Papers**: [Devlin et al. 2018](https://arxiv.org/abs/1810.04805), section
# 4.1 and appendix A.3; [Guo et al. 2017](https://arxiv.org/abs/1706.04599), sections 2 and 4.2 (calibration).
#
# Run it as a script (`python tutorials/15_your_own_data.py`; the figures go to `tutorials/out/`) or as a notebook.
# The numbers in the text are of the sample. With `--full` the script writes its CSV files from the Stanford Sentiment
# Treebank (SST-2), and the numbers differ. The model of section 2 was trained on the training part of SST-2, so it has
# seen the texts on which section 4 then trains and validates, but not those of dev.
#
#     CSV file ──> look at it ──> baselines ──> fine-tune ──> slices, errors ──> calibrate ──> export ──> predict
#                  duplicates     majority      3 seeds       where is it        are 80 %      equal
#                  labels         TF-IDF        spread        wrong?             right 80 %?   outputs?
#                  lengths        no training

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(15)

import csv
import tempfile
from pathlib import Path

import keras
import numpy as np

import keras_bert as kb
from keras_bert.inference.predict import predict_logits
from keras_bert.metrics.baseline import tfidf_accuracy
from keras_bert.metrics.calibration import calibration_error
from keras_bert.training.temperature_scaling import calibrate

# %% [markdown]
# The files of this chapter go to a new temporary folder.

# %%
folder = Path(tempfile.mkdtemp(prefix="keras_bert_15_"))

# %% [markdown]
# ## 1 · A file with ordinary mistakes
#
# We write two CSV files, `train.csv` and `dev.csv`, as somebody could send them to you: film reviews with the columns
# `text` and `label`. The dev file is for measuring only: nothing is trained on it and nothing is selected on it. Real
# tables have mistakes, so we add some: a label in another spelling, a row without text, and rows of the training file
# in the dev file.

# %%
reviews = chapter.reviews()
rng = np.random.default_rng(0)
SIZES = (8000, 872) if chapter.full else (480, 400)
parts = {}
for part, size in zip(("train", "dev"), SIZES, strict=True):
    texts, labels = getattr(reviews, f"{part}_texts"), getattr(reviews, f"{part}_labels")
    chosen = rng.permutation(len(labels))[:size]
    parts[part] = [(texts[i], reviews.label_names[labels[i]]) for i in chosen]
parts["dev"][7:7] = parts["train"][:12]  # 12 rows of the training file
parts["train"][3] = (parts["train"][3][0], parts["train"][3][1].capitalize())
parts["train"].insert(5, ("", "positive"))


# %% [markdown]
# Python's `csv` puts quotation marks around texts with a comma.


# %%
def write(name, rows):
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


for name, rows in parts.items():
    write(name, rows)
print((folder / "train.csv").read_text(encoding="utf-8")[:200])

# %% [markdown]
# ## 2 · Look at the data
#
# First: can every row be read? `load_labeled` reads the folder, with files that end in `.csv`, `.tsv`, `.jsonl` or
# `.parquet`. The text column is named `text` or `sentence`, the other one `label`; `sentence1` and `sentence2` are a
# pair. It refuses the row without text, and names the file and the line. So no row disappears without a message.

# %%
try:
    kb.load_labeled(folder)
    raise AssertionError("the row without text was read")
except kb.InputError as error:
    message = str(error).replace(str(folder), "FOLDER")
print(message)
assert "line" in message
write("train", [row for row in parts["train"] if row[0]])

# %% [markdown]
# Second: which classes are there? Now the folder can be read, but it has three classes in place of two: a label in
# another spelling is a new class. Always print the classes and their counts. If one class is rare, accuracy says
# little: `kb.evaluate` also gives the F1 of each class, and `kb.finetune` takes `class_weight`.


# %%
def class_counts():
    data = kb.load_labeled(folder)
    return data, {name: int((data.train_labels == i).sum()) for i, name in enumerate(data.label_names)}


print(class_counts()[1])
write("train", [(text, label.lower()) for text, label in parts["train"] if text])
data, counts = class_counts()
print(counts)
assert list(counts) == ["negative", "positive"]

# %% [markdown]
# Third: are texts of the training file also in the dev file? A model that has been trained on a text and its label
# looks better than it is. We compare the texts in lower case and without outer spaces, and remove such rows from the
# *dev* file.

# %%
seen = {text.strip().lower() for text in data.train_texts}
leaked = [text for text in data.dev_texts if text.strip().lower() in seen]
print(f"{len(leaked)} of {len(data.dev_texts)} dev texts are in the training file, for example: {leaked[0][:60]}")
assert len(leaked) >= 12
write("dev", [(text, label) for text, label in parts["dev"] if text.strip().lower() not in seen])
data, counts = class_counts()
assert len(data.dev_texts) <= SIZES[1]

# %% [markdown]
# Fourth: how long are the texts, in tokens of the model? `sequence_length` should cover almost all of them, because
# longer texts lose their end (512 tokens are the limit of this model, chapter 02). And which share of the tokens is
# `[UNK]`? A high share means that the vocabulary does not fit the texts.
# The bundled models are English. For texts in another language, start from a published encoder that was pretrained on
# it, such as `bert_multi_cased_L-12_H-768_A-12`, which is downloaded. `kb.list_pretrained()` lists the names.
#
# The model of this chapter is `sst2_sentiment`, a classifier of film reviews that comes with the package. It was
# trained on other reviews (SST-2). Section 3 measures whether a model of a similar subject is a good start.

# %%
pretrained = kb.load_pretrained("sst2_sentiment")
vectorizer = pretrained.vectorizer  # of this model: it cuts texts at 128 tokens
ids = np.asarray(vectorizer(data.train_texts)["input_word_ids"])  # [N, T]
lengths = (ids > 0).sum(axis=1)  # [N]
unknown = (ids == pretrained.vocabulary.index("[UNK]")).sum() / (ids > 0).sum()

# %% [markdown]
# A histogram of the lengths:

# %%
edges = [0, 10, 15, 20, 25, 30, 40, 64]
shares = np.histogram(lengths, np.array(edges) + 0.5)[0] / len(lengths)  # each upper edge is in its bin
names = [f"{low + 1} to {high}" for low, high in zip(edges[:-1], edges[1:], strict=True)]
print(f"median {np.median(lengths):.0f}, longest {lengths.max()} tokens; unknown tokens: {unknown:.2%}")
plot = kb.explain.bar_chart(
    dict(zip(names, 100 * shares, strict=True)),
    "Lengths of the training texts, with [CLS] and [SEP].",
    "% of the texts",
)
chapter.show(plot, "lengths")

# %% [markdown]
# *Look at* the last two bars: less than a tenth of the texts have more than 30 tokens, and none comes near 128. Nothing
# is cut off.
#
# ## 3 · Baselines first
#
# Before any fine-tuning, three numbers that need seconds. Each later number is compared with them:
#
# - **most frequent class**: what a constant answer reaches;
# - **TF-IDF with logistic regression**: a bag of words and word pairs, trained on the same file;
# - **the model as it is**: `sst2_sentiment` without any training on your data.

# %%
dev_texts, dev_labels = data.dev_texts, data.dev_labels
classifier = pretrained.model


def probabilities(model, texts):
    logits = np.asarray(predict_logits(model, vectorizer(texts)), "float64")  # [N, 2]
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


# %% [markdown]
# All three on the same dev texts:

# %%
before = probabilities(classifier, dev_texts)  # [N, 2]
accuracies = {
    "most frequent class": np.bincount(dev_labels).max() / len(dev_labels),
    "TF-IDF, logistic regression": tfidf_accuracy(data.train_texts, data.train_labels, dev_texts, dev_labels),
    "sst2_sentiment, not trained": (before.argmax(-1) == dev_labels).mean(),
}
print({name: f"{value:.1%}" for name, value in accuracies.items()})

# %% [markdown]
# ## 4 · Fine-tune, with three seeds
#
# The settings: 2 epochs, batches of 16, a peak learning rate of 1e-4. The paper's range for BERT base is 2e-5 to 5e-5
# (appendix A.3); smaller models need more. `freeze=4` leaves the embeddings and the first four of the six blocks as
# they are: this saves time, and these layers keep their pretrained weights.
#
# If your classes are not "negative" and "positive", there is no trained head for them. Then start from an
# encoder, with a new head:
#
#     pretrained = kb.load_pretrained("bert_en_uncased_small")  # .encoder, .vectorizer
#     model = kb.BertClassifier(pretrained.encoder.copy(dropout=0.1), num_classes=len(data.label_names))
#
# A new head needs more epochs: choose their number on validation texts.
#
# `train_validation_split` holds out 15 % of the *training* file. The best epoch is chosen on it, never on dev. A seed
# changes the order of the texts and the dropout. One run is one random result: only several runs show how large the
# effect of chance is.

# %%
SEEDS = 3
train, validation = data.train_validation_split(seed=0, fraction=0.15)


def pick(rows):
    return [data.train_texts[i] for i in rows], data.train_labels[rows]


# %% [markdown]
# Each run starts from the same weights, those of `sst2_sentiment` with its head.

# %%
models, validation_accuracy, after = [], [], []
for seed in range(SEEDS):
    keras.utils.set_random_seed(seed)
    model = kb.BertClassifier(classifier.encoder.copy(dropout=0.1), num_classes=2)
    model.head.set_weights(classifier.head.get_weights())
    settings = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-4, "freeze": 4, "seed": seed, "verbose": 0}
    history = kb.finetune(model, *pick(train), *pick(validation), **settings).history
    models.append(model)
    validation_accuracy.append(max(history["val_accuracy"]))
    after.append(probabilities(model, dev_texts))
    print(f"seed {seed}: validation {validation_accuracy[-1]:.1%}")

# %% [markdown]
# The mean and the standard deviation over the seeds, beside the three baselines:

# %%
each = 100 * np.array([(values.argmax(-1) == dev_labels).mean() for values in after])
error = 100 * np.sqrt(0.25 / len(dev_labels))  # at most: the standard error of a share
print(f"fine-tuned: {each.round(1)}, mean {each.mean():.1f}, standard deviation {each.std(ddof=1):.1f}")
print(f"standard error of one accuracy on {len(dev_labels)} texts: at most {error:.1f} points")
bars = {**{name: 100 * value for name, value in accuracies.items()}, "sst2_sentiment, fine-tuned": each.mean()}
plot = kb.explain.bar_chart(
    bars,
    "Accuracy on dev. The last bar is the mean of three seeds, with their standard deviation.",
    "accuracy, %",
    errors={"sst2_sentiment, fine-tuned": each.std(ddof=1)},
)
chapter.show(plot, "accuracy")

# %% [markdown]
# *Look at* the last two bars. The model without training is already far above the bag of words, because it was trained
# on other film reviews (SST-2, see its model card). Training on this file changes the accuracy by less than the
# standard error of dev (the output above). The three seeds are close together, so the chance in training is small here:
# all of them start from the same trained head. The chance in the choice of 400 dev texts is larger.
#
# From here on we use one model: the seed with the best *validation* accuracy. Choosing the seed by its dev accuracy
# would make the dev accuracy too good.

# %%
best = int(np.argmax(validation_accuracy))
model, found = models[best], after[best]  # found: [N, 2]
is_correct = found.argmax(-1) == dev_labels  # [N]
print(f"seed {best} has the best validation accuracy; dev {is_correct.mean():.1%}")
was_correct = before.argmax(-1) == dev_labels  # [N]
fixed, broken = (is_correct & ~was_correct).sum(), (was_correct & ~is_correct).sum()
print(f"training corrected {fixed} texts of dev and broke {broken}")
assert is_correct.mean() > accuracies["TF-IDF, logistic regression"] + 0.03

# %% [markdown]
# The last line is the better comparison of two models on the same texts: only the texts on which they differ count. If
# the two numbers are close, training has not been shown to help. Then you need more labeled texts, or you serve the
# model without training. A quick test of "more labeled texts": train with half of the file. If the result is clearly
# worse than with the whole file, still more texts will probably help. (We go on with the trained model, to show the
# other steps.)
#
# ## 5 · Slices: where is it wrong?
#
# One accuracy is a mean over all texts. A slice is a group of texts that you can name before you look at the results:
# here short and long texts, and texts with and without a negation. Each slice needs its size and its standard error.

# %%
words = [text.lower().replace("’", "'").split() for text in dev_texts]
dev_lengths = np.array([len(each) for each in words])
NEGATIONS = {"not", "no", "never", "nothing", "nobody", "without", "neither", "nor", "cannot"}
negated = np.array([any(word.strip(".,;:!?") in NEGATIONS or "n't" in word for word in each) for each in words])

# %% [markdown]
# The median splits the texts into two groups of nearly the same size.

# %%
middle = np.median(dev_lengths)
slices = {
    "all": np.ones(len(words), bool),
    f"up to {middle:.0f} words": dev_lengths <= middle,
    f"more than {middle:.0f} words": dev_lengths > middle,
    "without negation": ~negated,
    "with negation": negated,
    "label negative": dev_labels == 0,
    "label positive": dev_labels == 1,
}

# %% [markdown]
# The accuracy of each group, with the standard error of a share: the root of p (1 - p) / n.

# %%
rates, errors = {}, {}
for name, rows in slices.items():
    rate = is_correct[rows].mean()
    label = f"{name} ({rows.sum()})"
    rates[label], errors[label] = 100 * rate, 100 * np.sqrt(rate * (1 - rate) / rows.sum())
plot = kb.explain.bar_chart(
    rates, "Accuracy of slices of dev, with the number of texts and one standard error.", "accuracy, %", errors
)
chapter.show(plot, "slices")

# %% [markdown]
# *Look at* the error bars before you compare two bars. In this run the accuracy of short texts is a little higher than
# that of long ones, but the error bars of the two overlap or nearly touch. Texts with a negation have the longest error
# bar, because there are few. A difference of three or four points between slices of this size does not show anything
# yet. It needs a larger dev file.
#
# ## 6 · Read the errors
#
# The most useful errors are the confident ones. We sort the wrong predictions by their probability and read them. For
# each one ask: is the label wrong? Is the text ambiguous? Does the model miss irony, a comparison, a negation? Is
# something important cut off?

# %%
confidence = found.max(-1)  # [N]
wrong = np.flatnonzero(~is_correct)
for i in wrong[np.argsort(-confidence[wrong])][:8]:
    expected, predicted = (data.label_names[k] for k in (dev_labels[i], found[i].argmax()))
    print(f"{confidence[i]:.2f} {predicted}, expected {expected}\n    {dev_texts[i]}")

# %% [markdown]
# Write one word beside each error, such as "irony" or "wrong label", and count the words. The most frequent one says
# what to do next: correct labels, or collect and label more texts of this kind.
#
# ## 7 · Are the probabilities true?
#
# A model says "positive, 0.90". Is it right in 90 % of such cases? We sort the predictions of dev into bins by their
# probability, and compare with the share that is correct. The *expected calibration error* is the mean of the absolute
# differences, weighted by the sizes of the bins (`calibration_error` has 15 bins, the figure has five). Temperature
# scaling divides all logits by one number, which is fitted on the validation texts. It changes no predicted class.


# %%
def by_bin(values, bins=5):
    confidence, correct = values.max(-1), values.argmax(-1) == dev_labels
    index = np.minimum(((confidence - 0.5) * 2 * bins).astype(int), bins - 1)  # 0.5 to 1 in 5 bins
    return [correct[index == k].mean() if (index == k).any() else np.nan for k in range(bins)]


head = model.head.get_weights()
facts = calibrate(model, *pick(validation))  # changes the head
calibrated = probabilities(model, dev_texts)
assert (calibrated.argmax(-1) == found.argmax(-1)).all()
by_hand = np.exp(np.log(found) / facts["temperature"])  # the same logits, divided
np.testing.assert_allclose(by_hand / by_hand.sum(-1, keepdims=True), calibrated, atol=1e-4)
ece = {name: calibration_error(each.max(-1), is_correct) for name, each in (("before", found), ("after", calibrated))}
print(f"temperature {facts['temperature']:.2f}; error on dev before {ece['before']:.3f}, after {ece['after']:.3f}")

# %%
centers = [0.55, 0.65, 0.75, 0.85, 0.95]
plot = kb.explain.line_chart(
    centers,
    {"before": by_bin(found), "after": by_bin(calibrated), "perfect": centers},
    "Share of correct predictions by the probability of the predicted class, in five bins.",
    "probability of the predicted class (middle of the bin)",
    "share correct",
)
chapter.show(plot, "calibration")

# %% [markdown]
# *Look at* the distance of the other lines from the green one, on which probability and share are equal. The blue line,
# before calibration, is already near it: `sst2_sentiment` was calibrated when it was made. Where the orange line ends,
# there are no predictions with a higher probability: a temperature above 1 makes all probabilities smaller. It was
# fitted on 72 validation texts, which are few: the printed error on dev shows whether it helped. But this error must
# not decide, because then dev would be used for a choice. Our rule was made before: with fewer than 300 validation
# texts, keep the model as it is. So we put the head back.

# %%
if len(validation) < 300:
    model.head.set_weights(head)
served = probabilities(model, dev_texts)  # [N, 2]: what will be served
assert (served.argmax(-1) == found.argmax(-1)).all()

# %% [markdown]
# ## 8 · Export and predict
#
# The model is saved with its vocabulary, its labels and its length. `kb.Predictor` opens the folder in any process. The
# last check is the most important one: does the exported model give the same probabilities as the one that was
# measured?

# %%
model.save_pretrained(folder / "model", vectorizer, labels=data.label_names)
kb.export_onnx(model, folder / "onnx", vectorizer, labels=data.label_names)
texts = dev_texts[:50]
for name in ("model", "onnx"):
    answers = kb.Predictor(folder / name)(texts)
    values = [[answer["probabilities"][label] for label in data.label_names] for answer in answers]
    np.testing.assert_allclose(values, served[:50], atol=1e-4)
    print(f"{name}: the same probabilities; {answers[0]['label']} {answers[0]['probability']:.2f}: {texts[0][:50]}")

# %% [markdown]
# `kb.load_pretrained(folder / "model")` opens the folder as a Keras model, to train it further. Chapter 14 puts such
# a folder behind an address. The same work from the command line (`--help` lists the options, such as `--freeze`,
# `--seed` and `--calibrate`):
#
#     keras-bert finetune --encoder bert_en_uncased_small --dataset FOLDER --epochs 3 --out my_model
#     keras-bert evaluate --model my_model --data FOLDER/dev.csv --bootstrap 1000
#     keras-bert predict --model my_model "A text of your own."
#
# The formats of tables, names of columns, tags and data sets by name: [labeled data](../docs/guides/labeled-data.md).
#
# ## What could mislead you
#
# - **Rows in both files.** A model that memorizes looks better on the 12 rows. The check has two lines.
# - **Choosing on dev.** Epoch, seed and temperature were chosen on validation texts from the training file, not on dev.
#   If you change the data or the model because of the slices and errors of sections 5 and 6, dev was used for a choice:
#   measure the next model on new texts.
# - **One seed, small dev.** Compare differences with the spread over seeds *and* with the standard error.
# - **No baseline.** The control of this chapter is the model without training, beside the bag of words. If training is
#   not clearly better than both, serve the simpler one. By this rule, the model without training would be served here.
# - **Slices after the fact.** If you look at many slices, one of them is bad by chance. Name them before, and confirm
#   on new texts.
# - **Data of tomorrow.** Dev has the same source as the training file. Texts of your users may differ: label some of
#   them and measure again. (With 100 texts, the standard error is up to 5 points.)
#
# ## Summary: a checklist
#
# - [ ] Classes and counts printed; duplicates between the files removed; lengths and unknown tokens looked at.
# - [ ] Baselines: most frequent class, TF-IDF, the model without training.
# - [ ] Validation part of the training file for all choices; dev measured at the end.
# - [ ] At least three seeds; mean, spread, standard error.
# - [ ] Slices named before; twenty errors read.
# - [ ] Calibration error known; a temperature only from some hundred validation texts.
# - [ ] The exported model gives the same probabilities.
#
# ## Exercises
#
# 1. Measure what the leak does: put n rows of the training file into a dev file of N texts, and assume that the model
#    is right on these n. By how much does an accuracy of 80 % rise, for n = 12 and N = 400?
# 2. Write a function that computes a 95 % bootstrap interval of the difference of two models' accuracies on the same
#    texts. Why is it narrower than the two single intervals suggest?
# 3. Calibrate by hand: find the temperature with the lowest cross-entropy for given logits and labels, and compare with
#    `best_temperature` of `keras_bert.training.temperature_scaling`.
#
# Solutions: [solutions/15_your_own_data.py](solutions/15_your_own_data.py).
#
# ## Next
#
# This is the last chapter. The appendices list the [symbols](../docs/book/symbols.md), the places of the [paper in
# the code](../docs/book/paper-and-code.md), [common traps](../docs/book/traps.md), and the [models that came after
# BERT](../docs/book/descendants.md). The [glossary](../docs/glossary.md) explains the terms.
