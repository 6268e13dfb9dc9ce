# %% [markdown]
# # 09 · One encoder, four tasks?
#
# The same pretrained encoder classifies messages, compares sentences, finds answers in a text and tags names. What
# changes between the tasks, and is the result better than a simple rule?
#
# **At the end** you have built the four heads and the four kinds of inputs by hand, fine-tuned one encoder for each
# task, and measured each beside baselines that need no encoder.
#
# **Time**: under four minutes on 2 cores, without a network connection. **Papers**: Devlin et al. 2018
# ([BERT](https://arxiv.org/abs/1810.04805)), sections 4.1 to 4.3 and 5.3, figure 4 of the appendix; Rajpurkar et al.
# 2018 ([SQuAD 2.0](https://arxiv.org/abs/1806.03822)), for questions without an answer.
#
# ```
#  task       input                           head reads                 output
#  messages   [CLS] text [SEP]                pooled_output   [B, H]     one of C classes      [B, C]
#  pairs      [CLS] first [SEP] second [SEP]  pooled_output   [B, H]     one of 2 classes      [B, 2]
#  names      [CLS] words [SEP]               sequence_output [B, T, H]  one tag for each word [B, T, C]
#  answers    [CLS] question [SEP] text [SEP] sequence_output [B, T, H]  start and end scores  [B, T] each
# ```
#
# B is the batch size, T the number of tokens, H the hidden size, C the number of classes. Run it as a script
# (`python tutorials/09_four_tasks.py`; the figures go to `tutorials/out/`) or as a notebook.

# %%
from keras_bert.book import Chapter  # first, because it turns off log messages of TensorFlow

chapter = Chapter(9)

import collections
import gc

import keras
import numpy as np

import keras_bert as kb
from keras_bert import ops
from keras_bert.data.conll import load_conll
from keras_bert.data.samples import sample_file
from keras_bert.data.squad import load_squad
from keras_bert.explain.figures.plots import confusion_matrix
from keras_bert.metrics import entity_f1, squad_metrics
from keras_bert.metrics.baseline import tfidf_accuracy
from keras_bert.tasks import Preprocessor
from keras_bert.tasks.tokens import tag_rows
from keras_bert.text.windows import make_windows

# %% [markdown]
# ## 1 · Messages: one of three classes
#
# The package contains small data sets, written for it. The first has short messages: `spam`, `social` or `promotion`.
# They are few, so measured numbers are uncertain: we print the standard error of an accuracy of $p = 0.9$ on the $n$
# dev messages, $\sqrt{p (1 - p) / n}$. Each model of this chapter is trained once, with one seed.

# %%
small = kb.load_pretrained("bert_en_uncased_small")
vectorizer = kb.BertTextVectorization(small.vocabulary, sequence_length=48)
messages = kb.load_labeled("sample-messages")
names = list(messages.label_names)
for text, label in list(zip(messages.dev_texts, messages.dev_labels, strict=True))[:3]:
    print(f"{names[label]:10} {text}")
count = len(messages.dev_texts)
print(f"{len(messages.train_texts)} for training, {count} dev; standard error {np.sqrt(0.9 * 0.1 / count):.1%}")

# %% [markdown]
# Each task of this chapter trains its own copy of the pretrained encoder: only the start is the same, and at the end
# there are four models. The head is one dense layer on `pooled_output`, with C units. By hand: a matrix product with
# the head's weights. The learning rates of this chapter are higher than those of the paper, because the encoder is
# smaller (chapter 08).


# %%
def new_encoder():
    """Return a new copy of the pretrained encoder, with dropout for the fine-tuning."""
    return small.encoder.copy(dropout=0.1)


keras.utils.set_random_seed(0)
classifier = kb.BertClassifier(new_encoder(), num_classes=len(names))
ids = vectorizer(messages.dev_texts[:4])  # three [B, T]
pooled = np.asarray(classifier.encoder(ids, training=False)["pooled_output"])  # [B, H]
kernel, bias = classifier.head.get_weights()  # [H, C], [C]
np.testing.assert_allclose(classifier(ids, training=False), pooled @ kernel + bias, atol=1e-5)
print("logits:", (pooled @ kernel + bias).shape)


# %%
def fine_tune(model, inputs, labels, **settings):
    """Call `kb.finetune` without XLA, whose compilation would take longer than it saves in such short runs."""
    gc.collect()  # frees the memory of models that were deleted
    with ops.disable_kernels("xla"):
        return kb.finetune(model, inputs, labels, batch_size=16, seed=0, verbose=0, **settings).history


train = vectorizer(messages.train_texts), messages.train_labels
fine_tune(classifier, *train, epochs=4, learning_rate=2e-4)
dev_ids = vectorizer(messages.dev_texts)
found = kb.evaluate(classifier, dev_ids, messages.dev_labels)
majority = np.bincount(messages.dev_labels).max() / count
tfidf = tfidf_accuracy(messages.train_texts, messages.train_labels, messages.dev_texts, messages.dev_labels)
print(f"BERT {found['accuracy']:.1%}, TF-IDF {tfidf:.1%}, always the most frequent class {majority:.1%}")

# %% [markdown]
# Is it pretraining that helps, or would the same network learn these messages from random weights? The control trains
# an encoder of the same sizes, with the same data and settings, from random weights.

# %%
keras.utils.set_random_seed(0)
control = kb.BertClassifier(kb.BertEncoder(small.encoder.config).copy(dropout=0.1), num_classes=len(names))
fine_tune(control, *train, epochs=4, learning_rate=2e-4)
random_weights = kb.evaluate(control, dev_ids, messages.dev_labels)["accuracy"]
print(f"random weights: {random_weights:.1%}")

# %%
predicted = np.asarray(classifier(dev_ids, training=False)).argmax(-1)  # [N]
chapter.show(confusion_matrix(messages.dev_labels, predicted, names), "messages")

# %% [markdown]
# *Look at* the diagonal, the correct predictions, and then at the largest number outside of it: the two classes that
# are most often taken for each other. One accuracy would not show this. BERT has a higher accuracy than TF-IDF here,
# but the difference is a few messages of 90, with one seed. The distance from random weights is much larger than the
# standard error.

# %%
results = {"messages": [majority, tfidf, found["accuracy"]]}
assert found["accuracy"] > max(random_weights, majority) + 0.1
del classifier, control  # two encoders and their optimizers

# %% [markdown]
# ## 2 · Pairs: do two sentences say the same?
#
# A pair is one row: `[CLS] first [SEP] second [SEP]`. Attention can then compare each word of one sentence with each
# word of the other. The *segment ids* (`input_type_ids`) are 0 for the first and 1 for the second sentence.

# %%
pairs = kb.load_labeled("sample-pairs")
first, second = (part[0] for part in pairs.train_texts)
print(f"{first} | {second} -> {pairs.label_names[pairs.train_labels[0]]}")
a, b = (np.array(vectorizer([text])["input_word_ids"])[0] for text in (first, second))  # [T] each
row = [*a[a > 0], *b[b > 0][1:]]  # without padding; the second without its [CLS]
segments = [0] * (a > 0).sum() + [1] * ((b > 0).sum() - 1)
package = vectorizer(([first], [second]))  # three [1, T]
assert np.asarray(package["input_word_ids"])[0, : len(row)].tolist() == row
assert np.asarray(package["input_type_ids"])[0, : len(row)].tolist() == segments

# %% [markdown]
# The baseline is a rule: the share of the words that both sentences have. A threshold is selected on the training
# pairs. This data set was written against the rule: some pairs of the class `different` have the same words in another
# order ("from Tuesday to Friday", "from Friday to Tuesday").


# %%
def overlap(first, second):
    """Return the number of common words divided by the number of all words, [N]."""
    sets = [(set(x.lower().split()), set(y.lower().split())) for x, y in zip(first, second, strict=True)]
    return np.array([len(x & y) / len(x | y) for x, y in sets])


same = list(pairs.label_names).index("paraphrase")
is_same, dev_is_same = pairs.train_labels == same, pairs.dev_labels == same
scores = overlap(*pairs.train_texts)
threshold = max(np.unique(scores), key=lambda limit: np.mean((scores >= limit) == is_same))
rule = np.mean((overlap(*pairs.dev_texts) >= threshold) == dev_is_same)

# %%
keras.utils.set_random_seed(0)
pair_model = kb.BertClassifier(new_encoder(), num_classes=2)
train = vectorizer(pairs.train_texts), pairs.train_labels
fine_tune(pair_model, *train, epochs=5, learning_rate=2e-4)
accuracy = kb.evaluate(pair_model, vectorizer(pairs.dev_texts), pairs.dev_labels)["accuracy"]
majority = np.bincount(pairs.dev_labels).max() / len(pairs.dev_labels)
print(f"BERT {accuracy:.1%}, word overlap {rule:.1%}, most frequent class {majority:.1%}")
print(f"standard error of an accuracy of 60 % on {len(dev_is_same)} pairs: {np.sqrt(0.24 / len(dev_is_same)):.1%}")
results["pairs"] = [majority, rule, accuracy]
del pair_model

# %% [markdown]
# Read the three numbers with the standard error: a difference of less than two standard errors means nothing, and this
# is one seed. The training pairs are few, and only some of them teach that the order of the words matters. The page
# [every task on real data](../docs/tasks.md) has MRPC, a larger set of pairs, with the smaller bundled encoder and
# three seeds: there, too, it is not better than TF-IDF. The encoder of this chapter is above TF-IDF there, with one
# seed.
#
# ## 3 · Names: one tag for each word
#
# The tags are those of CoNLL-2003: `B-PER` begins the name of a person, `I-PER` continues it, `LOC` are places, `ORG`
# organizations, `O` is everything else. BERT reads pieces of words, but the labels are for words. The paper's rule
# (section 5.3): the first piece of a word has the label, and the other pieces have none. They get -1 here, and the loss
# leaves them out.

# %%
train_sentences = load_conll(sample_file("entities_train.txt"))
dev_sentences = load_conll(sample_file("entities_dev.txt"))
tags = sorted({tag for sentence in train_sentences for tag in sentence.tags})
print(tags)


def tagged_row(words, word_tags):
    """Return the ids and the labels of one sentence, with [CLS] and [SEP]: two lists of T numbers."""
    row, labels = [vectorizer.cls_id], [-1]
    for word, tag in zip(words, word_tags, strict=True):
        pieces = np.array(vectorizer([word])["input_word_ids"])[0]
        pieces = pieces[pieces > 0][1:-1].tolist()  # without padding, [CLS] and [SEP]
        row, labels = row + pieces, labels + [tags.index(tag)] + [-1] * (len(pieces) - 1)
    return [*row, vectorizer.sep_id], [*labels, -1]


# %%
example = train_sentences[0]
row, labels = tagged_row(example.words, example.tags)
for number, label in zip(row, labels, strict=True):
    print(f"{small.vocabulary[number]:12} {tags[label] if label >= 0 else '-'}")

# %% [markdown]
# The package does the same for many sentences, in `tag_rows`. The head is one dense layer at *every* token: by hand,
# the matrix product of `sequence_output`, `[B, T, H]`, with a kernel `[H, C]`.

# %%
preprocessor = Preprocessor.from_vectorizer(vectorizer, small.encoder)
word_ids, word_labels = tag_rows(train_sentences, tags, preprocessor)  # three [N, T], [N, T]
assert word_ids["input_word_ids"][0, : len(row)].tolist() == row and word_labels[0, : len(row)].tolist() == labels
keras.utils.set_random_seed(0)
tagger = kb.BertTokenClassifier(new_encoder(), num_classes=len(tags))
some = {key: value[:2] for key, value in word_ids.items()}
hidden = np.asarray(tagger.encoder(some, training=False)["sequence_output"])  # [2, T, H]
kernel, bias = tagger.head.get_weights()  # [H, C], [C]
np.testing.assert_allclose(tagger(some, training=False), hidden @ kernel + bias, atol=1e-4)

# %%
fine_tune(tagger, word_ids, word_labels, epochs=8, learning_rate=3e-4, label_names=tags)
predict = kb.Predictor(tagger, labels=tags)
predictions = predict([" ".join(sentence.words) for sentence in dev_sentences])
expected = [list(sentence.tags) for sentence in dev_sentences]
bert = entity_f1(expected, [prediction["tags"] for prediction in predictions])

# %% [markdown]
# Three baselines: always the tag `O`; a table with the most frequent tag of each training word; and a rule: each word
# with a capital letter that is not the first of its sentence belongs to a name of the most frequent type. A name counts
# as found only if its first word, its last word and its type are right. *Precision* is the share of the found names
# that are right, *recall* the share of the expected names that are found, and F1 is their harmonic mean. The output
# also has the accuracy of the tags, word by word.


# %%
seen, types = collections.defaultdict(collections.Counter), collections.Counter()
for sentence in train_sentences:
    for word, tag in zip(sentence.words, sentence.tags, strict=True):
        seen[word][tag] += 1
        types[tag[2:]] += tag.startswith("B-")
table = [[seen[word].most_common(1)[0][0] if word in seen else "O" for word in s.words] for s in dev_sentences]


def by_capitals(words):
    """Return a tag for each word by its first letter."""
    name = [i > 0 and word[0].isupper() for i, word in enumerate(words)]
    kind = types.most_common(1)[0][0]
    return [f"{'I' if name[i - 1] else 'B'}-{kind}" if is_name else "O" for i, is_name in enumerate(name)]


# %%
always_o = entity_f1(expected, [["O"] * len(s.words) for s in dev_sentences])
by_table, by_rule = entity_f1(expected, table), entity_f1(expected, [by_capitals(s.words) for s in dev_sentences])
for name, each in {"always O": always_o, "table": by_table, "capital letters": by_rule, "BERT": bert}.items():
    print(f"{name:15} accuracy of tags {each['accuracy']:.1%}, F1 of names {each['f1']:.1%}")
results["names"] = [always_o["f1"], max(by_table["f1"], by_rule["f1"]), bert["f1"]]

# %% [markdown]
# The table finds nothing, because the names of the dev sentences do not occur in the training sentences. The rule finds
# many names, but gives all of them one type. BERT is better, although its vocabulary has no capital letters: it can use
# the words around a name, and perhaps also that rare names are cut into more pieces than other words (exercise 1).

# %%
sentence = max(dev_sentences[:30], key=lambda each: len(set(each.tags)))
ids, _ = tag_rows([sentence], tags, preprocessor)  # three [1, T]
probabilities = np.asarray(keras.ops.softmax(tagger(ids, training=False)))[0]  # [T, C]
tokens = [small.vocabulary[number] for number in ids["input_word_ids"][0]]
caption = f"Probability of each tag at each token. Expected: {' '.join(sentence.tags)}."
texts = [[f"{100 * value:.0f}" if value > 0.1 else "" for value in column] for column in probabilities.T[:, 1:-1]]
picture = kb.explain.matrix_chart(probabilities.T[:, 1:-1], tags, tokens[1:-1], caption, 1.0, texts)
chapter.show(picture, "names")

# %% [markdown]
# *Look at* the columns whose strongest cell is not in the row `O`: the tokens that the model predicts to be names. The
# numbers are percent, those above 10. Columns that begin with `##` continue a word; their tags are not used. The
# expected tags are in the caption: the model can find a name and still take it for another type. The output above also
# shows a trap: "always O" has a high accuracy of tags and finds no name at all. So names are measured by F1.

# %%
assert always_o["f1"] == 0 and always_o["accuracy"] > 0.5
assert bert["f1"] > max(by_table["f1"], by_rule["f1"]) + 0.05
del tagger, predict

# %% [markdown]
# ## 4 · Answers: where in the text?
#
# The input is a question and a text. The head has two units at each token: a score for the *start* and one for the
# *end* of the answer. Some questions have no answer in their text (as in SQuAD 2.0); then both should point to `[CLS]`.

# %%
questions, dev_questions = (load_squad(sample_file(f"questions_{part}.json")) for part in ("train", "dev"))
answerable = [each for each in dev_questions if each.answers]
print(f"{len(questions)} training questions, {len(dev_questions)} dev, {len(answerable)} of them with an answer")
example = answerable[0]
print(example.question, "->", example.answers[0][0])


def windows_of(questions, length=144, stride=64):
    """Return rows of a question and a part of its text."""
    texts = [each.question for each in questions], [each.context for each in questions]
    return make_windows(*texts, list(small.vocabulary), True, length, stride)


# %% [markdown]
# A text that is longer than a row is cut into overlapping *windows*. The *doc stride* is the number of tokens between
# the starts of two windows. By hand, for rows of 48 tokens and a stride of 16 (the output has the beginning of each
# window):

# %%
windows = windows_of([example], 48, 16)
both = vectorizer([example.question, example.context], sequence_length=512)
in_question, in_text = np.array(both["input_mask"]).sum(1) - 2  # tokens, without [CLS] and [SEP]
space = 48 - in_question - 3  # for the text: without the question, [CLS] and two [SEP]
starts = range(0, max(1, in_text - space + 16), 16)  # the last window reaches the end of the text
assert len(starts) == len(windows)
for start, row in zip(starts, windows.ids["input_word_ids"], strict=True):
    words = " ".join(small.vocabulary[number] for number in row[in_question + 2 :] if number > 0)
    print(f"from token {start:2}: {words[:85]} …")

# %% [markdown]
# Each token of the text occurs in several windows, and an answer at the border of one window is whole in another. Now
# the training. The labels are two positions for each window; 0, the position of `[CLS]`, where it has no answer.


# %%
def spans(questions):
    """Return the first and the last character of each answer, None without an answer."""
    first = [each.answers[0] if each.answers else None for each in questions]
    return [None if answer is None else (answer[1], answer[1] + len(answer[0])) for answer in first]


train_windows = windows_of(questions)
keras.utils.set_random_seed(0)
reader = kb.BertSpanLabeler(new_encoder())
log = fine_tune(reader, train_windows.ids, train_windows.labels(spans(questions)), epochs=3, learning_rate=3e-4)
print("training loss by epoch:", np.round(log["loss"], 2))

# %% [markdown]
# The answer is the pair of a start and an end, not before it, with the highest sum of scores. By hand: a matrix of all
# sums, without the part below the diagonal and without answers of more than 30 tokens. `kb.Predictor` gives the same.

# %%
windows = windows_of([example])
logits = {key: np.asarray(value)[0] for key, value in reader(windows.ids, training=False).items()}  # [T] each
places = np.flatnonzero(windows.token_to_char[0, :, 0] >= 0)  # the tokens of the text
sums = logits["start_logits"][places][:, None] + logits["end_logits"][places][None]  # [S, S]
long = np.subtract.outer(np.arange(len(places)), np.arange(len(places)))  # start minus end
sums = np.where((long <= 0) & (long > -30), sums, -np.inf)  # at most 30 tokens
start, end = np.unravel_index(sums.argmax(), sums.shape)
begin, stop = windows.token_to_char[0, places[start], 0], windows.token_to_char[0, places[end], 1]
predict = kb.Predictor(reader)
answer = predict([(example.question, example.context)])[0]
print({key: answer[key] for key in ("answer", "score", "null_score")})
assert len(windows) > 1 or answer["answer"] == example.context[begin:stop]

# %%
near = places[max(0, start - 4) : end + 4][:22]  # the predicted answer and some tokens around it
near_tokens = [small.vocabulary[number] for number in windows.ids["input_word_ids"][0, near]]
table = np.stack([logits["start_logits"][near], logits["end_logits"][near]])  # [2, tokens]
caption = f'Scores of "{example.question}" around the predicted answer, "{answer["answer"]}".'
texts = [[f"{value:.1f}" for value in row] for row in table]
chapter.show(kb.explain.matrix_chart(table, ["start", "end"], near_tokens, caption, texts=texts), "answer")

# %% [markdown]
# *Look at* the blue cells, the positive scores: the predicted answer begins at one of them in the upper row and ends at
# one in the lower row. Compare it with the right answer in the first output of this section. With 150 training
# questions few answers are found, as the blue line of the next figure shows.
#
# The *null score* is the sum of both scores at `[CLS]`. The answer is "no answer" where the null score is higher than
# the best sum by more than a threshold. Here is the effect of the threshold on both kinds of questions.

# %%
predictions = predict([(each.question, each.context) for each in dev_questions])
expected = {each.name: [text for text, _ in each.answers] for each in dev_questions}
differences = np.array([each["null_score"] - each["score"] for each in predictions])


def metrics(threshold):
    chosen = ["" if gap > threshold else each["answer"] for gap, each in zip(differences, predictions, strict=True)]
    return squad_metrics(expected, dict(zip(expected, chosen, strict=True)))


limits = np.linspace(differences.min() - 0.1, differences.max() + 0.1, 15)
curve = [metrics(limit) for limit in limits]

# %%
lines = {
    "with an answer": [each["answerable_f1"] for each in curve],
    "without an answer": [each["unanswerable_f1"] for each in curve],
    "all": [each["f1"] for each in curve],
}
caption = "F1 on the dev questions, by the threshold of the null score. Left: always no answer. Right: never."
chapter.show(kb.explain.line_chart(limits, lines, caption, "threshold", "F1, %"), "null_score")

# %% [markdown]
# *Look at* the two ends. At the left, every question gets "no answer": all questions without an answer are right, the
# others are wrong. At the right, no question gets "no answer": those without an answer are all wrong, and the blue line
# is as high as it gets. The green line, all questions, is between, and its value at the left is a baseline that needs
# no model. A threshold must be selected on other questions than those that are reported; 0 is usual. (Where the picture
# begins above 0, as here, the threshold 0 gives "no answer" to every question.)
#
# F1 of an answer compares the words of the predicted answer with those of the right one: it is 100 if they are equal,
# and between 0 and 100 if some words agree. The *exact match* ("exact" in the output) counts only equal answers. The
# second baseline is a rule: the sentence of the text that shares the most words with the question.


# %%
def best_sentence(question, context):
    """Return the sentence with the most words of the question."""
    words = set(question.lower().strip("?").split())
    return max(context.split(". "), key=lambda sentence: len(words & set(sentence.lower().split())))


by_rule = squad_metrics(expected, {q.name: best_sentence(q.question, q.context) for q in dev_questions})
nothing = squad_metrics(expected, dict.fromkeys(expected, ""))
at_zero = metrics(0.0)
for name, each in {"always no answer": nothing, "best sentence": by_rule, "BERT": at_zero}.items():
    print(f"{name:17} F1 {each['f1']:.1f}, exact {each['exact_match']:.1f}, answerable F1 {each['answerable_f1']:.1f}")
results["answers"] = [nothing["f1"] / 100, by_rule["f1"] / 100, at_zero["f1"] / 100]
assert at_zero["f1"] < nothing["f1"] + 10  # not learned: hardly better than a constant answer
assert curve[0]["unanswerable_f1"] == 100 and curve[-1]["unanswerable_f1"] == 0

# %% [markdown]
# This is a negative result, and the baseline shows it: with the threshold 0, BERT is not clearly better than the
# constant answer. Without the baseline, its F1 would look as if the model had learned something. The paper's models
# learned from SQuAD's 100,000 questions (section 4.2); 150 are too few. On parts of SQuAD the bundled encoders are not
# above the best baseline, either ([every task on real data](../docs/tasks.md)).

# %% [markdown]
# ## 5 · All four beside each other

# %%
columns = ["most frequent", "words", "BERT"]
table = 100 * np.array(list(results.values()))  # [4, 3]
texts = [[f"{value:.0f}{' *' if value == max(row) else ''}" for value in row] for row in table]
caption = "Accuracy (messages, pairs) and F1 (names, answers) on dev, %. A star marks the best of a row. One seed."
chapter.show(kb.explain.matrix_chart(table, list(results), columns, caption, 100, texts), "four_tasks")
assert table[0].argmax() == table[2].argmax() == 2  # messages and names: BERT is the best
assert table[1, 2] < table[1, 1] + 15  # pairs: not clearly better than the rule

# %% [markdown]
# *Look at* the row of each task. "Most frequent" is always the same answer; "words" is TF-IDF, word overlap, the better
# of the table and the capital letters, and the best sentence. All numbers of BERT are of one seed. The encoder, the
# optimizer and the code of the training were the same in all four: the inputs, the head and the labels changed, and a
# little the epochs and the learning rate. How much BERT helps depends on the task. The few examples of this chapter are
# enough to be better than the rules on messages and names, but not on pairs and answers. SQuAD 1.1 has 100,000
# questions (section 4.2 of the paper).
#
# ## 6 · What could mislead you
#
# - **The metric.** "Always O" has a high accuracy of tags, and "no answer" has an F1 above 0. Measure the constant
#   answer first.
# - **Small dev sets and one seed.** With 50 to 90 rows, one row is one or two points, and the standard errors are 3 to
#   7 points. Another seed would give other numbers again; chapter 08 has three.
# - **Words that give the class away.** TF-IDF shows how far single words go. What it reaches needs no encoder.
# - **The random control.** Section 1 repeats the training from random weights: the network alone is not the reason.
#
# ## Summary
#
# - One vector per text: a head on `pooled_output`. One label per token: a head on `sequence_output`.
# - Pairs and questions are two segments of one row.
# - Labels of words belong to the first piece of each word.
# - Answers are pairs of positions; long texts are cut into windows with a stride; the null score says "no answer".
# - Every task has a baseline without an encoder, and it must be run.
#
# ## Exercises
#
# 1. Give the label to *all* pieces of a word instead of the first one. How many labels are there then, and what must
#    change in the measurement?
# 2. Cut one dev text into windows of 40 tokens with strides of 8, 16 and 24. How many windows are there, and is the
#    answer whole in at least one of them?
# 3. Swap the two sentences of all dev pairs and compute the word overlap again. Which property does the rule have that
#    a BERT need not have?
#
# Solutions: [solutions/09_four_tasks.py](solutions/09_four_tasks.py).
#
# ## Next
#
# [Chapter 10](10_sentence_vectors.py) asks which vector represents a whole sentence when there is no head.
