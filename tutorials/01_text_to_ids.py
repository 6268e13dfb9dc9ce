# %% [markdown]
# # 01 · Text to ids
#
# A neural network computes with numbers. The input of BERT ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805))
# is three rows of integers per text. This tutorial computes these rows from strings, in plain Keras, in six steps.
#
# | step | what | from → to |
# |---|---|---|
# | 1 | why pieces of words, not words or letters | texts → counts |
# | 2 | a vocabulary, and the ids that `TextVectorization` reserves | texts → `V` tokens |
# | 3 | WordPiece, one word by hand | word → pieces |
# | 4 | WordPiece as the `split` of a `TextVectorization` | `[B]` strings → `[B, (tokens)]` |
# | 5 | `[CLS]`, `[SEP]`, padding, mask, pairs | `[B, (tokens)]` → three `[B, T]` |
# | 6 | which sequence length | T |
#
# B is the batch size, T the sequence length, V the vocabulary size. At the end the package's
# `BertTextVectorization` must give the same numbers for the same texts.
#
# Run it as a script (`python tutorials/01_text_to_ids.py`, figures in `tutorials/out/`) or as a notebook.
# `--full` uses the Stanford Sentiment Treebank (67,349 sentences and phrases) instead of the package's own sample.

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
BLUE, ORANGE, GREEN, GRAY = "#0072b2", "#d55e00", "#009e73", "#8a8f99"  # Okabe and Ito: readable with color blindness


def show(figure, name):
    """Show a figure below the cell in a notebook; write it to a file from a script."""
    if NOTEBOOK:
        plt.show()
    else:
        folder = Path(__file__).resolve().parent / "out"
        folder.mkdir(exist_ok=True)
        figure.savefig(folder / f"01_{name}.png", dpi=110)
        print(f"figure: {folder / f'01_{name}.png'}")
    plt.close(figure)


# %% [markdown]
# ## The data: sentences about films
#
# The training part is used to learn a vocabulary, the dev part to test it on new text.

# %%
source = "sample"
if FULL:  # a local folder if it exists; otherwise TensorFlow Datasets downloads "sst2"
    folder = Path(os.environ.get("KERAS_BERT_DATA", "/")) / "data" / "SST-2"
    source = str(folder) if folder.is_dir() else "sst2"
reviews = load_labeled(source)
train, dev = reviews.train_texts, reviews.dev_texts
print(f"{len(train):,} training sentences, {len(dev):,} dev sentences")
print(*dev[:3], sep="\n")

# %% [markdown]
# ## 1 · Why pieces of words
#
# The simplest vocabulary is a list of words. However long it is, new text contains words that are not in it. The
# model sees each of them as the same token, "unknown". Letters are never unknown, but they make the sequence several
# times as long, and the cost of attention grows with the square of the length.
#
# *Pieces* are a compromise: frequent words stay whole, rare words are split. A piece that continues a word begins
# with `##`. How are the pieces learned? Start from single letters and merge two neighboring pieces, again and again:
#
# - *BPE* merges the pair (a, b) with the highest count, freq(ab).
# - *WordPiece* merges the pair with the highest score freq(ab) / (freq(a) freq(b)), so that two pieces are merged
#   when they occur together more often than their frequencies suggest. Google never published its trainer.
#
# `kb.learn_vocabulary` uses the `WordPieceTrainer` of the library `tokenizers`, which merges by count, as BPE does,
# and writes the result in WordPiece's format.

# %%
simple_words = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")  # a run of letters and digits, or one punctuation mark
train_words = [simple_words.findall(text.lower()) for text in train]
dev_words = [simple_words.findall(text.lower()) for text in dev]
counts = Counter(word for words in train_words for word in words)
total = sum(map(len, dev_words))

sizes = [250, 500, 1000, 2000, 4000] + [8000] * FULL
unknown_words, unknown_pieces, pieces_per_word = [], [], []
for size in sizes:
    known = {word for word, _ in counts.most_common(size)}
    unknown_words.append(sum(word not in known for words in dev_words for word in words) / total)
    pieces = kb.BertTextVectorization(kb.learn_vocabulary(train, size))
    ids = pieces.tokenize(dev).values.numpy()
    unknown_pieces.append((ids == pieces.unk_id).sum() / total)
    pieces_per_word.append(len(ids) / total)

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
axes[0].plot(sizes, np.array(unknown_words) * 100, "o-", color=ORANGE, label="whole words")
axes[0].plot(sizes, np.array(unknown_pieces) * 100, "o-", color=BLUE, label="WordPiece")
axes[0].set(title="Unknown words in new text", ylabel="% of words")
axes[0].legend(frameon=False)
axes[1].plot(sizes, pieces_per_word, "o-", color=BLUE, label="WordPiece")
axes[1].axhline(1, color=ORANGE, label="whole words")
letters_per_word = sum(len(word) for words in dev_words for word in words) / total
axes[1].axhline(letters_per_word, color=GRAY, linestyle="--", label="letters")
axes[1].set(title="Tokens per word", ylabel="tokens per word", ylim=(0, None))
axes[1].legend(frameon=False)
for axis in axes:
    axis.set_xscale("log")
    axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axis.minorticks_off()
    axis.set_xlabel("size of the vocabulary")
    axis.spines[["top", "right"]].set_visible(False)
show(figure, "unknown")

# %% [markdown]
# *Look at* the left figure: with a list of words, many words of new text are unknown at every size; with WordPiece
# none are, unless a character is new. The right figure shows the cost: more tokens per word, fewer as the vocabulary
# grows. BERT's vocabulary has 30,522 tokens.
#
# ## 2 · A vocabulary, and reserved ids
#
# A vocabulary file has one token per line, and **the id of a token is its line number**, from 0. The embedding table
# has one row per id. With wrong ids every word would get the vector of another word, and no error would be raised.

# %%
vocabulary = kb.learn_vocabulary(train, vocab_size=2000)
V = len(vocabulary)
line = {token: number for number, token in enumerate(vocabulary)}
print("first lines:", vocabulary[:5], "\nlast lines: ", vocabulary[-5:])

# %% [markdown]
# `keras.layers.TextVectorization` maps strings to ids. It reserves two ids: 0 for padding, written `''`, and 1 for
# unknown tokens, `[UNK]`. The given vocabulary comes after them, including BERT's own `[PAD]` and `[UNK]`. So every
# id is too large by two, and no error is raised:

# %%
naive = keras.layers.TextVectorization(vocabulary=vocabulary)
for word in ("the", "film"):
    print(f"{word!r} is line {line[word]} of the file, id {int(naive([word])[0, 0])} in TextVectorization")
assert int(naive(["film"])[0, 0]) == line["film"] + 2

# %% [markdown]
# The solution has two parts: pass the vocabulary without `[UNK]`, which the layer has already, and map its ids back
# to line numbers with a small table.

# %%
others = [token for token in vocabulary if token != "[UNK]"]
layer = keras.layers.TextVectorization(vocabulary=others)
back = tf.constant([line["[PAD]"], line["[UNK]"], *(line[token] for token in others)])  # [V + 1]
for word, number in (("film", line["film"]), ("xylophone", line["[UNK]"])):
    assert int(back[layer([word])[0, 0]]) == number

# %% [markdown]
# ## 3 · WordPiece, one word by hand
#
# To split a word, take the longest piece in the vocabulary that is a prefix of the word. Then take the longest piece
# that is a prefix of the rest, and so on. If no piece fits, the whole word becomes `[UNK]`. This algorithm is greedy:
# it does not search for the best split. So it is fast, and its result is unique.


# %%
def word_piece(word, tries=None):
    """Split a word into pieces; append every try to `tries` as (start, end, found)."""
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
axis.set_title(f"{WORD}: the pieces that are tried; blue: in the vocabulary", fontsize="medium")
axis.set_yticks(range(0, len(tries), 5), range(1, len(tries) + 1, 5))
axis.spines[["top", "right"]].set_visible(False)
show(figure, "greedy")

# %% [markdown]
# *Look at* the tries from top to bottom: the gray bars shrink from the right until a piece is found (blue). The next
# tries start at the end of the blue bar. The pieces depend on what was frequent in the training text, not on grammar,
# so another vocabulary splits the same word differently. Here is the same word with the vocabulary of the bundled
# encoder, which has 8,192 tokens learned from an encyclopedia and novels:

# %%
larger = kb.load_pretrained("bert_en_uncased_mini").vectorizer
print(WORD, "->", [larger.id_to_token(i) for i in larger.tokenize([WORD])[0].numpy()])

# %% [markdown]
#
# ## 4 · WordPiece inside TextVectorization
#
# `TextVectorization` takes a function that cleans a batch of texts (`standardize`) and a function that splits it
# (`split`). If both use TensorFlow operations only, the layer works in `tf.data`, in a model and in an exported
# graph, without Python.
#
# Cleaning, for English letters: lowercase, and a space on both sides of every punctuation mark, because BERT treats
# each mark as a word.

# %%
MARKS = r"([!-/:-@\[-`{-~])"  # the four ranges of punctuation in ASCII


def standardize(texts):
    """[B] -> [B]"""
    return tf.strings.regex_replace(tf.strings.lower(texts), MARKS, r" \1 ")


print(standardize(["Don't!"]).numpy())

# %% [markdown]
# `split` does for all words at once what `word_piece` does for one word. In each round, every unfinished word tries
# all prefixes of its rest and keeps the longest one that is in the vocabulary. Before the loop, one round on three
# words:

# %%
three_words, prefix_lengths = ["film", "filmed", "dull"], range(6, 0, -1)  # longest first
for word in three_words:
    print(f"{word:7}", [(word[:n], word[:n] in line) for n in prefix_lengths if n <= len(word)])

# %% [markdown]
# Now the loop. A word is finished when its end is reached.

# %%
LONGEST = max(map(len, vocabulary))
table = tf.lookup.StaticHashTable(
    tf.lookup.KeyValueTensorInitializer(vocabulary, tf.range(V)), default_value=-1
)  # token -> line number, -1 for unknown tokens


def split(texts):
    """[B] -> [B, (tokens)]"""
    words = tf.strings.split(texts)  # [B, (words)]
    flat = words.values  # [W]
    end = tf.strings.length(flat)  # [W]
    tokens = tf.zeros([tf.size(flat), 0], tf.string)  # [W, rounds], one column more each round

    def unfinished(start, failed, tokens):
        return tf.reduce_any((start < end) & ~failed)

    def one_round(start, failed, tokens):
        lengths = tf.range(LONGEST, 0, -1)  # [M], longest first
        rest = tf.strings.substr(flat, start, end - start)  # [W]
        tried = tf.strings.substr(tf.tile(rest[:, None], [1, LONGEST]), *_grid(rest, lengths))  # [W, M]
        tried = tf.where((start > 0)[:, None], "##" + tried, tried)
        fits = (table.lookup(tried) >= 0) & (lengths <= (end - start)[:, None])  # [W, M]
        best = tf.argmax(fits, axis=1, output_type=tf.int32)  # [W], the first that fits is the longest
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
    """Return start (always 0) and length of every try, [W, M] each."""
    shape = [tf.size(rest), LONGEST]
    return tf.zeros(shape, tf.int32), tf.broadcast_to(lengths, shape)


vectorization = keras.layers.TextVectorization(standardize=standardize, split=split, vocabulary=others, ragged=True)


def tokenize(texts):
    """[B] strings -> [B, (tokens)] line numbers"""
    numbers = vectorization(tf.constant(texts))
    return numbers.with_values(tf.gather(back, numbers.values))


for text in ("An unfilmable book, filmed.", "Dull? Not at all!"):
    print(text, "->", [vocabulary[i] for i in tokenize([text])[0].numpy()])

# %% [markdown]
# It must agree with `word_piece` on all words of the data:

# %%
ascii_dev = [text for text in dev if text.isascii()]
by_hand = [[line[p] for word in simple_words.findall(t.lower()) for p in word_piece(word)] for t in ascii_dev]
assert tokenize(ascii_dev).to_list() == by_hand
print(f"{len(ascii_dev)} of {len(dev)} sentences are ASCII; both functions agree on all of them")

# %% [markdown]
# ## 5 · Special tokens, padding, mask, pairs
#
# A sequence starts with `[CLS]`, whose output vector is trained to represent the whole sequence, and every text ends
# with `[SEP]`. All sequences of a batch have the same length T: short ones are padded, long ones truncated. In a
# pair, the longer text loses its last token until both fit. The model gets three arrays:
#
# - `input_word_ids`: the token ids,
# - `input_mask`: 1 at tokens, 0 at padding,
# - `input_type_ids`: 0 in the first text, 1 in the second (BERT's second pretraining task needs to know which is
#   which; RoBERTa and DistilBERT have no such input).


# %%
def pack(first, second=None, T=16):
    """Return one row of each input from lists of ids."""
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
    colors = ["#e3e6ec" if not m else (ORANGE if t else BLUE) for m, t in zip(mask, types, strict=True)]
    for number, values in enumerate(row):
        for column, value in enumerate(values):
            axis.add_patch(plt.Rectangle((column, number), 0.94, 0.9, color=colors[column]))
            text_color = "white" if mask[column] else "#1f2430"
            axis.text(column + 0.47, number + 0.45, value, ha="center", va="center", fontsize=9, color=text_color)
    axis.set(xlim=(0, len(ids)), ylim=(3, 0))
    axis.set_yticks([0.45, 1.45, 2.45], names)
    axis.set_xticks(
        [column + 0.47 for column in range(len(ids))], [vocabulary[i] for i in ids], rotation=40, ha="right"
    )
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
show(figure, "packing")

# %% [markdown]
# *Look at* the colors: the first text is blue, the second orange, the padding gray. Only the mask distinguishes
# padding from a token with id 0. The lower pair has no padding: its first text was truncated, its second is complete.
#
# ## The same in the package
#
# `BertTextVectorization` is this layer, complete: it gives the ids of Google's Python tokenizer for every string
# (accents, Chinese, final sigmas, control characters, invalid UTF-8), adds special tokens, packs pairs, and splits
# each distinct word of a batch only once. It must give the numbers that we computed:

# %%
package = kb.BertTextVectorization(vocabulary, sequence_length=16)
assert package.tokenize(ascii_dev).to_list() == by_hand

packed = [pack(ids) for ids in by_hand]
outputs = package(ascii_dev)
for number, name in enumerate(names):
    assert np.array_equal(outputs[name], np.array([row[number] for row in packed], "int32")), name

outputs = package(([first for first, _ in pairs], [second for _, second in pairs]))
for number, name in enumerate(names):
    assert np.array_equal(outputs[name], np.array([row[number] for row in rows], "int32")), name
print(f"{len(ascii_dev)} texts and {len(pairs)} pairs: the same ids, masks and types")

# %% [markdown]
# It is a Keras layer: use it in `tf.data`, in a model, in a saved file. With `special_tokens=True`, `[MASK]` in a
# text is one token, which tutorial 03 needs.

# %%
batch = next(iter(tf.data.Dataset.from_tensor_slices(dev).batch(4).map(package)))
print({name: tuple(value.shape) for name, value in batch.items()})
marked = kb.BertTextVectorization(vocabulary, special_tokens=True)
for vectorizer in (package, marked):
    print([vectorizer.id_to_token(i) for i in vectorizer.tokenize("a [MASK] film").numpy()])

# %% [markdown]
# ## 6 · Which sequence length
#
# We choose T. The cost of a sequence depends on T, not on the length of its text. A text of more than T - 2 tokens is
# truncated.

# %%
lengths = package.tokenize(train).row_lengths().numpy() + 2
enough = int(np.ceil(np.quantile(lengths, 0.99)))
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
axis.hist(lengths, bins=np.arange(lengths.min(), lengths.max() + 2) - 0.5, color=BLUE)
axis.axvline(enough, color=ORANGE)
axis.text(enough, axis.get_ylim()[1], f" T = {enough}: 99 % of the sentences fit", color=ORANGE, va="top")
axis.set(xlabel="tokens per sentence, with [CLS] and [SEP]", ylabel="sentences")
axis.spines[["top", "right"]].set_visible(False)
show(figure, "lengths")
print(f"T = {enough} instead of 128 saves {1 - enough / 128:.0%} of the tokens that the model computes")

# %% [markdown]
# *Look at* the orange line: with T = 128, a usual choice, most of every sequence would be padding.
#
# ## Summary
#
# - With pieces of words, a vocabulary of any size covers all text: frequent words stay whole, rare words are split.
# - The id of a token is its line number. `TextVectorization` uses other ids without a warning; a table maps them
#   back.
# - WordPiece takes the longest piece that fits, again and again; if none fits, the word is `[UNK]`.
# - A sequence is `[CLS] first [SEP] second [SEP]` and padding; the mask marks tokens, the type ids mark the text.
# - `BertTextVectorization` is this layer, exact on every string: the same texts gave the same numbers.
#
# ## Exercises
#
# 1. Give `tokenize` the text `"É"` and then the package's. What does our `standardize` miss, and which Unicode
#    normal form solves it? Why is `"İ"` even harder?
# 2. `"unaffordable"` and `"affordable"` share a word. Do they share a piece? Find a word that is split where
#    you would not split it.
# 3. Learn vocabularies with `lowercase=False`. How many of the 2,000 tokens differ from another token only in the
#    case of their first letter?
# 4. Time `tokenize` and `package.tokenize` on all of `train`. Which words does the package not need to split at all?
# 5. Draw the figure of step 6 for pairs of sentences. Which T would you choose?
