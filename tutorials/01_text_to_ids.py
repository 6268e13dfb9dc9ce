# %% [markdown]
# # 01 · Text to ids
#
# A neural network reads numbers. BERT ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805)) reads three rows of
# them for each text, and this tutorial makes these rows from strings, in plain Keras, in six steps.
#
# | step | what | from → to |
# |---|---|---|
# | 1 | why neither words nor letters | texts → counts |
# | 2 | a vocabulary, and a trap in `TextVectorization` | texts → `V` tokens |
# | 3 | WordPiece, one word by hand | word → pieces |
# | 4 | WordPiece as the `split` of a `TextVectorization` | `[B]` strings → `[B, (tokens)]` |
# | 5 | `[CLS]`, `[SEP]`, padding, mask, pairs | `[B, (tokens)]` → three `[B, T]` |
# | 6 | how long is long enough | T |
#
# B is the batch, T the tokens of a row, V the tokens of the vocabulary. At the end the package's
# `BertTextVectorization` reads the same texts and has to give the same numbers.
#
# Run it as a script (`python tutorials/01_text_to_ids.py`, pictures in `tutorials/out/`) or as a notebook.
# `--full` reads the Stanford Sentiment Treebank (67,349 sentences and phrases) instead of the package's own sample.

# %%
import os
import re
import sys
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import keras_bert as kb
from keras_bert.data import load_labeled

FULL = "--full" in sys.argv
NOTEBOOK = "__file__" not in globals()
BLUE, RED, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#8a8f99"  # Okabe and Ito: the colour-blind tell them apart


def show(figure, name):
    """In a notebook below the cell, from a script into a file."""
    if NOTEBOOK:
        plt.show()
    else:
        folder = Path(__file__).resolve().parent / "out"
        folder.mkdir(exist_ok=True)
        figure.savefig(folder / f"01_{name}.png", dpi=110)
        print(f"picture: {folder / f'01_{name}.png'}")
    plt.close(figure)


# %% [markdown]
# ## The data: sentences about films
#
# One part to learn a vocabulary from, another to see how it does on text it has not met.

# %%
source = "sample"
if FULL:  # a folder where there is one; "sst2" is fetched by TensorFlow Datasets
    folder = Path(os.environ.get("KERAS_BERT_DATA", "/")) / "data" / "SST-2"
    source = str(folder) if folder.is_dir() else "sst2"
reviews = load_labeled(source)
train, dev = reviews.train_texts, reviews.dev_texts
print(f"{len(train):,} sentences to learn from, {len(dev):,} others")
print(*dev[:3], sep="\n")

# %% [markdown]
# ## 1 · Why neither words nor letters
#
# The obvious vocabulary is a list of words. However long it is, new text holds words that are not on it, and to the
# model these are all the same word, "unknown". Letters are never unknown, but they make rows several times as
# long, and attention pays for the square of the length.
#
# Between them stand *pieces*: frequent words whole, rare ones in parts. WordPiece learns such a vocabulary by starting
# from the letters and joining, again and again, the two neighbours that occur together most. A piece that continues a
# word begins with `##`.

# %%
simple_words = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")  # a run of letters, or one mark
train_words = [simple_words.findall(text.lower()) for text in train]
dev_words = [simple_words.findall(text.lower()) for text in dev]
counts = Counter(word for words in train_words for word in words)
total = sum(map(len, dev_words))

sizes = [250, 500, 1000, 2000, 4000] + [8000] * FULL
unknown_words, unknown_pieces, pieces_a_word = [], [], []
for size in sizes:
    known = {word for word, _ in counts.most_common(size)}
    unknown_words.append(sum(word not in known for words in dev_words for word in words) / total)
    pieces = kb.BertTextVectorization(kb.learn_vocabulary(train, size))
    ids = pieces.tokenize(dev).values.numpy()
    unknown_pieces.append((ids == pieces.unk_id).sum() / total)
    pieces_a_word.append(len(ids) / total)

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
axes[0].plot(sizes, np.array(unknown_words) * 100, "o-", color=RED, label="whole words")
axes[0].plot(sizes, np.array(unknown_pieces) * 100, "o-", color=BLUE, label="WordPiece")
axes[0].set(title="Unknown in new text", ylabel="% of words")
axes[0].legend(frameon=False)
axes[1].plot(sizes, pieces_a_word, "o-", color=BLUE, label="WordPiece")
axes[1].axhline(1, color=RED, label="whole words")
letters_a_word = sum(len(word) for words in dev_words for word in words) / total
axes[1].axhline(letters_a_word, color=GREY, linestyle="--", label="letters")
axes[1].set(title="What it costs", ylabel="tokens a word", ylim=(0, None))
axes[1].legend(frameon=False)
for axis in axes:
    axis.set_xscale("log")
    axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axis.minorticks_off()
    axis.set_xlabel("size of the vocabulary")
    axis.spines[["top", "right"]].set_visible(False)
show(figure, "unknown")

# %% [markdown]
# *Look at* the left picture: lists of words leave a good part of new text unread at every size, WordPiece next to
# nothing. On the right, the price: more tokens a word, fewer as the vocabulary grows. BERT's has 30,522.
#
# ## 2 · A vocabulary, and a trap
#
# A vocabulary file has one token a line, and **the id of a token is the number of its line**, from 0. A model's first
# matrix has a row for each id; with other ids every word would get another word's vector, and nothing would complain.

# %%
vocabulary = kb.learn_vocabulary(train, vocab_size=2000)
V = len(vocabulary)
line = {token: number for number, token in enumerate(vocabulary)}
print("first lines:", vocabulary[:5], "\nlast lines: ", vocabulary[-5:])

# %% [markdown]
# `keras.layers.TextVectorization` is Keras' way from strings to ids. It keeps two numbers for itself: 0 for padding,
# written `''`, and 1 for what it does not know. What it is given comes behind them, BERT's own `[PAD]` and `[UNK]` too.
# So every id is wrong by two, and no error says so:

# %%
naive = keras.layers.TextVectorization(vocabulary=vocabulary)
for word in ("the", "film"):
    print(f"{word!r} is line {line[word]} of the file, TextVectorization says {int(naive([word])[0, 0])}")
assert int(naive(["film"])[0, 0]) == line["film"] + 2

# %% [markdown]
# The cure has two halves: give it the list without `[UNK]`, for which it has its own number, and put its numbers back
# to lines with a small table.

# %%
others = [token for token in vocabulary if token != "[UNK]"]
cured = keras.layers.TextVectorization(vocabulary=others)
back = tf.constant([line["[PAD]"], line["[UNK]"], *(line[token] for token in others)])  # [V + 1]
for word, number in (("film", line["film"]), ("xylophone", line["[UNK]"])):
    assert int(back[cured([word])[0, 0]]) == number

# %% [markdown]
# ## 3 · WordPiece, one word by hand
#
# To read a word, take the longest piece of the vocabulary that it begins with. Then the longest that its rest begins
# with, and so on. If some rest has no piece, the whole word is `[UNK]`. There is no search for the best split and no
# score: it is greedy, and therefore fast and always the same.


# %%
def word_piece(word, tries=None):
    """The pieces of a word; what was tried goes into `tries` as (start, end, found)."""
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):  # longest first
            piece = ("##" if start else "") + word[start:end]
            if tries is not None:
                tries.append((start, end, piece in line))
            if piece in line:
                pieces.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces


WORD = "unfilmable"
tries = []
print(WORD, "->", word_piece(WORD, tries))
print("film -> ", word_piece("film"), " filmΩ ->", word_piece("filmΩ"))

figure, axis = plt.subplots(figsize=(7, 0.8 + 0.24 * len(tries)), layout="constrained")
for row, (start, end, found) in enumerate(tries):
    axis.barh(row, end - start, left=start, height=0.78, color=BLUE if found else "#e3e6ec")
    for column in range(start, end):
        axis.text(
            column + 0.5, row, WORD[column], ha="center", va="center", fontsize=9, color="white" if found else "#1f2430"
        )
axis.set(xlim=(0, len(WORD)), ylim=(len(tries) - 0.4, -0.6), xlabel="character", ylabel="try")
axis.set_title(f"{WORD}: every piece that is tried; blue ones are in the vocabulary")
axis.set_yticks(range(0, len(tries), 5), range(1, len(tries) + 1, 5))
axis.spines[["top", "right"]].set_visible(False)
show(figure, "greedy")

# %% [markdown]
# *Look at* the steps from top to bottom: each run of grey bars shrinks from the right until a piece is found, and the
# next run starts where the blue bar ended. The pieces are what was frequent in the corpus, not what a grammar says.
#
# ## 4 · WordPiece inside TextVectorization
#
# `TextVectorization` lets us say how texts are cleaned (`standardize`) and how they are split (`split`), by functions
# on whole batches. If these use TensorFlow operations alone, the layer works in `tf.data`, in a model and in a served
# graph, with no Python left in it.
#
# Cleaning, for English letters: lower-case, and a space on both sides of every mark, since marks are words to BERT.

# %%
MARKS = r"([!-/:-@\[-`{-~])"  # the four runs of marks in ASCII


def standardize(texts):
    """[B] -> [B]"""
    return tf.strings.regex_replace(tf.strings.lower(texts), MARKS, r" \1 ")


print(standardize(["Don't!"]).numpy())

# %% [markdown]
# Splitting does for all words at once what the function above did for one. In each round every unfinished word tries
# all lengths of its rest; of those in the vocabulary the longest is kept. A word is unfinished until its end is read.

# %%
LONGEST = max(map(len, vocabulary))
table = tf.lookup.StaticHashTable(
    tf.lookup.KeyValueTensorInitializer(vocabulary, tf.range(V)), default_value=-1
)  # token -> line, -1 if there is none


def split(texts):
    """[B] -> [B, (tokens)]"""
    words = tf.strings.split(texts)  # [B, (words)]
    flat = words.values  # [W]
    end = tf.strings.length(flat)  # [W]
    tokens = tf.zeros([tf.size(flat), 0], tf.string)  # [W, rounds], one column more each round

    def unfinished(start, failed, tokens):
        return tf.reduce_any((start < end) & ~failed)

    def one_round(start, failed, tokens):
        lengths = tf.range(LONGEST, 0, -1)  # [L] longest first
        rest = tf.strings.substr(flat, start, end - start)  # [W]
        tried = tf.strings.substr(tf.tile(rest[:, None], [1, LONGEST]), *_grid(rest, lengths))  # [W, L]
        tried = tf.where((start > 0)[:, None], "##" + tried, tried)
        fits = (table.lookup(tried) >= 0) & (lengths <= (end - start)[:, None])  # [W, L]
        best = tf.argmax(fits, axis=1, output_type=tf.int32)  # [W] the first that fits is the longest
        found = tf.reduce_any(fits, axis=1)
        piece = tf.where(found, tf.gather(tried, best, batch_dims=1), "")
        failed = failed | (~found & (start < end))
        return start + tf.where(found, tf.gather(lengths, best), 0), failed, tf.concat([tokens, piece[:, None]], 1)

    start, failed, tokens = tf.while_loop(
        unfinished,
        one_round,
        (tf.zeros_like(end), tf.zeros_like(end, tf.bool), tokens),
        shape_invariants=(end.shape, end.shape, tf.TensorShape([None, None])),
    )
    unknown = tf.concat([tf.fill([tf.size(flat), 1], "[UNK]"), tf.fill(tf.shape(tokens), "")], 1)
    tokens = tf.where(failed[:, None], unknown, tf.concat([tokens, tf.fill([tf.size(flat), 1], "")], 1))
    pieces = tf.ragged.boolean_mask(tokens, tokens != "")  # [W, (pieces)]
    return words.with_values(pieces).merge_dims(1, 2)  # [B, (tokens)]


def _grid(rest, lengths):
    """Start (always 0) and length of every try, [W, L] each."""
    shape = [tf.size(rest), LONGEST]
    return tf.zeros(shape, tf.int32), tf.broadcast_to(lengths, shape)


reader = keras.layers.TextVectorization(standardize=standardize, split=split, vocabulary=others, ragged=True)


def tokenize(texts):
    """[B] strings -> [B, (tokens)] lines of the vocabulary"""
    numbers = reader(tf.constant(texts))
    return numbers.with_values(tf.gather(back, numbers.values))


for text in ("An unfilmable book, filmed.", "Dull? Not at all!"):
    print(text, "->", [vocabulary[i] for i in tokenize([text])[0].numpy()])

# %% [markdown]
# It agrees with the function for one word on all words of the data:

# %%
ascii_dev = [text for text in dev if text.isascii()]
by_hand = [[line[p] for word in simple_words.findall(t.lower()) for p in word_piece(word)] for t in ascii_dev]
assert tokenize(ascii_dev).to_list() == by_hand
print(f"{len(ascii_dev)} of {len(dev)} sentences are plain ASCII, and the two agree on all of these")

# %% [markdown]
# ## 5 · Special tokens, padding, mask, pairs
#
# A row for BERT starts with `[CLS]`, over which the model puts what it thinks of the whole, and every text ends with
# `[SEP]`. Rows of a batch have one length T, so that short ones are padded and long ones cut. With a pair the longer
# member loses its last token until both fit. Three rows say it all:
#
# - `input_word_ids`: which token,
# - `input_mask`: 1 where there is one, 0 at padding,
# - `input_type_ids`: 0 in the first text, 1 in the second.


# %%
def pack(first, second=None, T=16):
    """One row of each input from lists of ids."""
    first, second = list(first), list(second or [])
    specials = 3 if second else 2
    while len(first) + len(second) > T - specials:
        (first if len(first) > len(second) else second).pop()
    ids = [line["[CLS]"], *first, line["[SEP]"]]
    types = [0] * len(ids)
    if second:
        ids += [*second, line["[SEP]"]]
        types += [1] * (len(second) + 1)
    padding = [0] * (T - len(ids))
    return ids + padding, [1] * len(ids) + padding, types + padding


pairs = [("Not bad.", "A fine film, and never dull."), ("The film was funny and sad and far too long.", "It was fun.")]
rows = [pack(*tokenize(pair).to_list()) for pair in pairs]

figure, axes = plt.subplots(2, 1, figsize=(11, 4.6), layout="constrained")
names = ("input_word_ids", "input_mask", "input_type_ids")
for axis, row in zip(axes, rows, strict=True):
    ids, mask, types = row
    colours = ["#e3e6ec" if not m else (RED if t else BLUE) for m, t in zip(mask, types, strict=True)]
    for number, values in enumerate(row):
        for column, value in enumerate(values):
            axis.add_patch(plt.Rectangle((column, number), 0.94, 0.9, color=colours[column]))
            ink = "white" if mask[column] else "#1f2430"
            axis.text(column + 0.47, number + 0.45, value, ha="center", va="center", fontsize=9, color=ink)
    axis.set(xlim=(0, len(ids)), ylim=(3, 0))
    axis.set_yticks([0.45, 1.45, 2.45], names)
    axis.set_xticks(
        [column + 0.47 for column in range(len(ids))], [vocabulary[i] for i in ids], rotation=40, ha="right"
    )
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
show(figure, "packing")

# %% [markdown]
# *Look at* the colours: blue is the first text, red the second, grey the padding, which only the mask tells from
# a token with id 0. In the lower row nothing is grey: the first text lost its end, the second is whole.
#
# ## The package's piece
#
# `BertTextVectorization` is this layer with the rest of the work done: every string there is (accents, Chinese, final
# sigmas, control characters, broken UTF-8), exactly as Google's Python tokenizer reads it, special tokens, packing, and
# the speed of reading each distinct word of a batch once. It must give our numbers:

# %%
package = kb.BertTextVectorization(vocabulary, sequence_length=16)
assert package.tokenize(ascii_dev).to_list() == by_hand

ours = [pack(ids) for ids in by_hand]
theirs = package(ascii_dev)
for number, name in enumerate(names):
    assert np.array_equal(theirs[name], np.array([row[number] for row in ours], "int32")), name

theirs = package(([first for first, _ in pairs], [second for _, second in pairs]))
for number, name in enumerate(names):
    assert np.array_equal(theirs[name], np.array([row[number] for row in rows], "int32")), name
print(f"{len(ascii_dev)} texts and {len(pairs)} pairs: the same ids, masks and types")

# %% [markdown]
# It is a layer: it goes into `tf.data`, into a model, into a file. And where the caller asks for it, `[MASK]` in a text
# is one token, which tutorial 03 needs.

# %%
batch = next(iter(tf.data.Dataset.from_tensor_slices(dev).batch(4).map(package)))
print({name: tuple(value.shape) for name, value in batch.items()})
marked = kb.BertTextVectorization(vocabulary, special_tokens=True)
for vectorizer in (package, marked):
    print([vectorizer.id_to_token(i) for i in vectorizer.tokenize("a [MASK] film").numpy()])

# %% [markdown]
# ## 6 · How long is long enough
#
# T is ours to choose. Every row costs as much as T, however short its text; every text longer than T - 2 loses its end.

# %%
lengths = package.tokenize(train).row_lengths().numpy() + 2
enough = int(np.ceil(np.quantile(lengths, 0.99)))
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
axis.hist(lengths, bins=np.arange(lengths.min(), lengths.max() + 2) - 0.5, color=BLUE)
axis.axvline(enough, color=RED)
axis.text(enough, axis.get_ylim()[1], f" T = {enough}: 99 in 100 fit", color=RED, va="top")
axis.set(xlabel="tokens of a sentence, with [CLS] and [SEP]", ylabel="sentences")
axis.spines[["top", "right"]].set_visible(False)
show(figure, "lengths")
print(f"T = {enough} instead of 128 saves {1 - enough / 128:.0%} of the tokens that the model works on")

# %% [markdown]
# *Look at* how far left of 128 the red line is: with short sentences most of a row of 128 would be padding.
#
# ## Summary
#
# - Pieces of words make a vocabulary of any size read all text: frequent words whole, rare ones in parts.
# - The id of a token is the number of its line. `TextVectorization` counts differently, silently; a table mends it.
# - WordPiece takes the longest piece that fits, again and again; a rest without a piece makes the word `[UNK]`.
# - A row is `[CLS] first [SEP] second [SEP]`, padded; the mask marks what is real, the types which text it is.
# - `BertTextVectorization` is this layer, exact on every string: the same texts gave the same numbers.
#
# ## Exercises
#
# 1. Give `tokenize` the text `"É"` and then the package's. What does our `standardize` miss, and which Unicode normal
#    form mends it? Why is `"İ"` harder still?
# 2. `"unaffordable"` and `"affordable"` share a word. Do they share a piece? Find a word that the greedy rule splits
#    where you would not.
# 3. Learn vocabularies with `lowercase=False`. How many of the 2,000 tokens differ from another in their first letter's
#    case alone?
# 4. Time `tokenize` and `package.tokenize` on all of `train`. Which words does the package not need to split at all?
# 5. Draw the picture of step 6 for pairs of sentences. Which T would you choose?
