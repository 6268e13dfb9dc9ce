# %% [markdown]
# # 01 · How does text become ids?
#
# A neural network computes with numbers, and a text has words. Which numbers does BERT get for a text, and why are
# they not the numbers of its words?
#
# **At the end** you can compute the three arrays that BERT reads, by hand, and your numbers equal those of the
# package. You know how a vocabulary of pieces is learned, and a mistake with ids that raises no error.
#
# **Time**: under one minute on 2 cores, without a network connection. **Papers**: Devlin et al. 2018
# ([BERT](https://arxiv.org/abs/1810.04805)), section 3, "Input/Output Representations"; Sennrich et al. 2016
# ([BPE](https://arxiv.org/abs/1508.07909)), section 3.2; Schuster and Nakajima 2012 ("Japanese and Korean Voice
# Search"), section 3, for WordPiece.
#
# Run it as a script (`python tutorials/01_text_to_ids.py`; the figures go to `tutorials/out/`) or as a notebook.
# `--full` uses the Stanford Sentiment Treebank in place of the package's own sample.

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(1)

import re
from collections import Counter

import keras
import numpy as np
import tensorflow as tf

import keras_bert as kb

# %% [markdown]
# ## The whole picture
#
# A *row* is what the model reads for one text: a list of tokens with a fixed number of places. B is the number of
# texts, T the number of places in a row, V the number of tokens in the vocabulary. Read the drawing from top to bottom.

# %%
STEPS = [
    "texts [B]\nAn unfilmable book.",
    "words (section 4)\nan · unfilmable · book · .",
    "tokens of the published vocabulary (sections 1, 2 and 4)\nan · un · ##film · ##able · book · .",
    "ids: the line numbers of the tokens in the vocabulary (section 3)",
]
ARRAYS = ["input_word_ids [B, T]\nthe ids", "input_mask [B, T]\ntoken or padding", "input_type_ids [B, T]\nwhich text"]
picture = kb.explain.flow_chart([*STEPS, ARRAYS], "From texts to the three arrays that BERT reads.")
chapter.show(picture, "overview")

# %% [markdown]
# *Look at* the last row: the output is not one array but three, of the same shape. Section 5 builds them.
#
# The data of this chapter are sentences about films. The training part is used to learn a vocabulary, and the dev
# part is new text on which the vocabulary is tested.

# %%
reviews = chapter.reviews()
train, dev = reviews.train_texts, reviews.dev_texts
print(f"{len(train):,} training sentences, {len(dev):,} dev sentences, for example:")
print(*dev[:2], sep="\n")

# %% [markdown]
# ## 1 · Why pieces of words
#
# The first idea for a vocabulary is a list of the most frequent words. New text has words that are not in it. The model
# gets the same id for all of them, "unknown", and their meaning is lost. Single letters are hardly ever unknown, but
# then a text has several times as many tokens, and the cost of attention grows with the square of their number
# (chapter 03).
#
# *Pieces* are between the two: frequent words stay whole, and rare words are split. Let us measure both sides, the
# unknown words and the number of tokens, for vocabularies of several sizes.

# %%
simple_words = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")  # a run of letters and digits, or one punctuation mark
train_words = [word for text in train for word in simple_words.findall(text.lower())]
dev_words = [word for text in dev for word in simple_words.findall(text.lower())]
ranked = [word for word, _ in Counter(train_words).most_common()]
letters = np.mean([len(word) for word in dev_words])
print(f"{len(train_words):,} training words, {len(ranked):,} of them different; {len(dev_words):,} dev words")

# %%
sizes = [250, 500, 1000, 2000, 4000]
unknown = {"list of words": [], "pieces": []}  # % of the dev words
per_word = []  # tokens per dev word
for size in sizes:
    known = set(ranked[:size])
    unknown["list of words"].append(100 * np.mean([word not in known for word in dev_words]))
    layer = kb.BertTextVectorization(kb.learn_vocabulary(train, size))  # section 2 explains how it learns
    ids = layer.tokenize(dev).values.numpy()
    unknown["pieces"].append(100 * np.sum(ids == layer.unk_id) / len(dev_words))
    per_word.append(len(ids) / len(dev_words))

# %%
caption = "Unknown words in new text, by the size of the vocabulary."
picture = kb.explain.line_chart(sizes, unknown, caption, "size of the vocabulary", "unknown, % of words", log_x=True)
chapter.show(picture, "unknown")
assert min(unknown["list of words"]) > 5 and max(unknown["pieces"]) < 0.5

# %%
picture = kb.explain.line_chart(
    sizes,
    {"pieces": per_word},
    "Tokens per word of new text, by the size of the vocabulary.",
    "size of the vocabulary",
    "tokens per word",
    baselines={"letters": letters, "list of words": 1},
    log_x=True,
)
chapter.show(picture, "tokens_per_word")
assert 1 < per_word[-1] < per_word[0] < letters

# %% [markdown]
# *Look at* the first picture: with a list of words (blue), many words of new text are unknown at every size. With
# pieces (orange) the line is at 0 at every size. The second picture shows the price: more tokens per word than one,
# but fewer than letters, and fewer when the vocabulary grows. The vocabulary of the published English BERT has 30,522
# tokens.
#
# ## 2 · How pieces are learned
#
# Two usual methods start with single letters. A letter that does not begin a word is written with `##`. Then they
# merge two neighboring pieces into one, again and again, until the vocabulary has the wanted size. They differ in the
# pair that they choose:
#
# - *BPE* (byte-pair encoding) takes the pair (a, b) with the highest count, freq(ab).
# - *WordPiece* takes the pair with the highest score freq(ab) / (freq(a) · freq(b)).
#
# The second rule prefers pairs that occur together more often than the counts of their parts suggest. Schuster and
# Nakajima state it as a likelihood; this form and the example, five words with counts, are those of chapter 6 of the
# [Hugging Face course](https://huggingface.co/learn/llm-course/chapter6/6).

# %%
COUNTS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}


def letters_of(word):
    return [word[0], *("##" + letter for letter in word[1:])]


def count(splits):
    """Count the pieces and the neighboring pairs in the words."""
    pieces, pairs = Counter(), Counter()
    for word, split in splits.items():
        for a, b in zip(split, [*split[1:], None], strict=True):
            pieces[a] += COUNTS[word]
            pairs[a, b] += COUNTS[word] * (b is not None)
    return pieces, +pairs  # + removes the pairs with a count of 0


# %%
pieces, pairs = count({word: letters_of(word) for word in COUNTS})
print("pair        freq(ab)  freq(a)  freq(b)  WordPiece's score")
for (a, b), frequency in pairs.most_common():
    score = frequency / (pieces[a] * pieces[b])
    print(f"{a:3} {b:3} {frequency:10} {pieces[a]:8} {pieces[b]:8} {score:12.4f}")
assert max(pairs, key=pairs.get) == ("##u", "##g")
assert max(pairs, key=lambda ab: pairs[ab] / (pieces[ab[0]] * pieces[ab[1]])) == ("##g", "##s")

# %% [markdown]
# Check two rows with a pencil. "ug" occurs in hug, pug and hugs: 10 + 5 + 5 = 20 times, the highest count, so BPE
# merges it first. "gs" occurs 5 times, "g" 20 times and "s" 5 times: 5 / (20 · 5) = 0.05, the highest score, so
# WordPiece merges that. All pairs with "u" have the same score, because each other letter in them stands beside a "u"
# wherever it occurs: freq(ab) is the frequency of that letter, and 1 / freq(u) = 1 / 36 remains. (When scores are
# equal, the code below takes the pair that it meets first.)
#
# The loop of merges is short:


# %%
def merge(splits, pair):
    """Replace each occurrence of a pair by one piece."""
    merged = {}
    for word, split in splits.items():
        merged[word] = out = []
        for piece in split:
            if out and (out[-1], piece) == pair:
                out[-1] += piece.removeprefix("##")
            else:
                out.append(piece)
    return merged


# %%
def learn(rule, steps):
    """Return the split of "hugs" before and after each merge, and the new pieces."""
    splits = {word: letters_of(word) for word in COUNTS}
    history, new = {f"{rule}: letters": splits["hugs"]}, []
    for step in range(1, steps + 1):
        pieces, pairs = count(splits)
        score = pairs if rule == "BPE" else {ab: n / (pieces[ab[0]] * pieces[ab[1]]) for ab, n in pairs.items()}
        a, b = max(score, key=score.get)
        splits = merge(splits, (a, b))
        new.append(a + b.removeprefix("##"))
        history[f"{rule}: {step}. merge, {new[-1]}"] = splits["hugs"]
    return history, new


# %%
bpe, bpe_pieces = learn("BPE", 3)
wordpiece, wordpiece_pieces = learn("WordPiece", 3)
rows = bpe | wordpiece
widths = {name: [len(piece.removeprefix("##")) for piece in split] for name, split in rows.items()}
groups = {name: ["rest" if piece.startswith("##") else "start" for piece in split] for name, split in rows.items()}
picture = kb.explain.cell_chart(rows, 'The word "hugs" after each merge, by both rules.', groups, widths)
chapter.show(picture, "merges")

# %% [markdown]
# *Look at* the second row of each half: BPE (upper half) first joins the frequent "ug", WordPiece (lower half) the
# rare "gs". (The second merge of BPE, "un", is not in "hugs", so its row does not change.) Blue cells begin the word,
# and orange cells continue it.
#
# **Which rule made BERT's vocabulary?** WordPiece's, as far as is known; Google never published its trainer.
# `kb.learn_vocabulary` uses `WordPieceTrainer` of the library `tokenizers`. In spite of its name it merges by the
# count, as BPE does, and writes the result in WordPiece's format. We can test this: the first pieces that it learns
# must be those of BPE.

# %%
corpus = [word for word, number in COUNTS.items() for _ in range(number)]
learned = kb.learn_vocabulary(corpus, vocab_size=200)
new = [token for token in learned[5:] if len(token.removeprefix("##")) > 1]
print("learned by the trainer:", new, "\nBPE:", bpe_pieces, "\nWordPiece:", wordpiece_pieces)
assert new[:3] == bpe_pieces and new[0] != wordpiece_pieces[0]

# %% [markdown]
# ## 3 · A vocabulary, and a trap
#
# A vocabulary file has one token per line, and **the id of a token is its line number**, counted from 0. A BERT has
# one vector for each id. With wrong ids every word gets the vector of another word, and no error is raised.

# %%
vocabulary = kb.learn_vocabulary(train, vocab_size=2000)
line = {token: number for number, token in enumerate(vocabulary)}  # token -> id
print("first:", vocabulary[:5], "\nlast: ", vocabulary[-5:])

# %% [markdown]
# The first five are special tokens: padding, unknown, the start of a row, the end of a text, and the gap (chapter
# 00). Their lines are a choice: in the published vocabulary of BERT, which MiniLM has, all but `[PAD]` are at other
# lines. So ids belong to one vocabulary file.

# %%
SPECIAL = vocabulary[:5]


def published_lines(folder):
    tokens = kb.load_vocabulary(folder / "vocab.txt")
    return {"tokens": len(tokens), "lines": [tokens.index(token) for token in SPECIAL]}


published = chapter.minilm("special", published_lines)
print("published:", published["tokens"], "tokens;", dict(zip(SPECIAL, published["lines"], strict=True)))
assert published["tokens"] == 30522 and published["lines"][2] != line["[CLS]"]

# %% [markdown]
# Keras has a layer that maps strings to ids, `keras.layers.TextVectorization`. Let us give it our vocabulary:

# %%
naive = keras.layers.TextVectorization(vocabulary=vocabulary)
for word in ("the", "film"):
    print(f"{word!r} is line {line[word]} of the vocabulary; TextVectorization returns {int(naive([word])[0, 0])}")
assert all(int(naive([word])[0, 0]) == line[word] + 2 for word in ("the", "film"))
print([str(token) for token in naive.get_vocabulary()[:5]])

# %% [markdown]
# All ids are too large by two. The layer reserves id 0 for padding, written `''`, and id 1 for unknown words, written
# `[UNK]`, and puts our tokens after them (last line of the output).
#
# How bad is this? As an experiment, we give the bundled model the ids of a sentence, and then the same ids plus two.
# With `special_tokens=True` the layer reads `[MASK]` in a text as the special token. `masked_lm_positions` names the
# places at which the model predicts a token (chapter 06).

# %%
mini = kb.load_pretrained("bert_en_uncased_mini")
vectorizer = kb.BertTextVectorization(mini.vocabulary, special_tokens=True, sequence_length=12)
inputs = {name: np.array(value) for name, value in vectorizer(["she opened the [MASK] and went in ."]).items()}
gap = int(np.flatnonzero(inputs["input_word_ids"][0] == vectorizer.mask_id)[0])


def best_tokens(shift):
    """Return the three most probable tokens at the gap when all ids are shifted."""
    shifted = {**inputs, "input_word_ids": inputs["input_word_ids"] + shift, "masked_lm_positions": np.array([[gap]])}
    logits = np.array(mini.model(shifted)["mlm_logits"])[0, 0]  # [V]
    return [mini.vocabulary[i] for i in np.argsort(-logits)[:3]]


# %%
for shift in (0, 2):
    shown = " ".join(mini.vocabulary[i + shift] for i in inputs["input_word_ids"][0])
    print(f"ids + {shift}: {best_tokens(shift)}\n    input of the model: {shown}")
assert "door" in best_tokens(0) and "door" not in best_tokens(2)

# %% [markdown]
# With the right ids the first prediction is "door". With the shifted ids the model gets another text (even `[MASK]`
# is another token), and it predicts something without any error.
#
# The repair has two parts: pass the vocabulary without `[UNK]`, which the layer has already, and map the ids of the
# layer back to line numbers with a small table (`back`). The package's layer does this inside.

# %%
others = [token for token in vocabulary if token != "[UNK]"]
layer = keras.layers.TextVectorization(vocabulary=others)
back = np.array([line["[PAD]"], line["[UNK]"], *(line[token] for token in others)])  # [V + 1]: layer's id -> line
for word, number in (("film", line["film"]), ("xylophone", line["[UNK]"])):
    assert back[int(layer([word])[0, 0])] == number

# %% [markdown]
# ## 4 · Splitting a word
#
# Learning is done. Now a vocabulary is given. The text becomes lowercase, accents are removed, and every punctuation
# mark and every Chinese character becomes a word of its own. (This is the *uncased* BERT. A *cased* one keeps capital
# letters and accents.) Then each word is split into pieces. BERT's rule is the same, whichever method learned the
# vocabulary: take the longest piece in the vocabulary with which the word begins. Then do the same with the rest. If
# no piece fits, the whole word becomes `[UNK]`. This is called *greedy*, because the rule never takes a piece back.


# %%
def split_word(word, line, tries):  # appends (start, end, found) to `tries` for each try
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):  # the longest first
            piece = ("##" if start else "") + word[start:end]
            tries.append((start, end, piece in line))
            if piece in line:
                break
        else:
            return ["[UNK]"]
        pieces, start = [*pieces, piece], end
    return pieces


# %%
WORD = "unfilmable"
tries = []
found = split_word(WORD, line, tries)
print(WORD, "->", found, f"after {len(tries)} tries")
print("filmΩ ->", split_word("filmΩ", line, []))
assert "".join(piece.removeprefix("##") for piece in found) == WORD
assert split_word("filmΩ", line, []) == ["[UNK]"]

# %%
rows, groups, widths = {}, {}, {}
for number, (start, end, hit) in enumerate(tries, 1):
    piece = ("##" if start else "") + WORD[start:end]
    rows[f"try {number}"] = [""] * bool(start) + [piece]  # an empty gray cell for the letters that are done
    groups[f"try {number}"] = [""] * bool(start) + ["in the vocabulary" if hit else "not in the vocabulary"]
    widths[f"try {number}"] = [start] * bool(start) + [end - start]
picture = kb.explain.cell_chart(rows, f'The tries for "{WORD}", one row for each, from top to bottom.', groups, widths)
chapter.show(picture, "greedy")

# %% [markdown]
# *Look at* the rows from top to bottom. Blue tries are not in the vocabulary: the piece loses its last letter. At an
# orange one the piece is found, and the next try starts at its end (gray: the letters that are already done). The
# pieces depend on what was frequent in the training text, not on grammar.
#
# ### One word in three vocabularies
#
# Other vocabularies split the same words in other places: the one learned here (2,000 tokens of film reviews), that
# of the bundled models (8,192, mostly from an encyclopedia) and the published one of BERT (30,522, which MiniLM has).

# %%
WORDS = ["unfilmable", "affordable", "unaffordable"]


def split_all(tokens):
    return [" ".join(split_word(word, set(tokens), [])) for word in WORDS]


splits = {
    "learned here": split_all(vocabulary),
    "bundled": split_all(mini.vocabulary),
    "published": chapter.minilm("words", lambda folder: split_all(kb.load_vocabulary(folder / "vocab.txt"))),
}

# %%
rows = {f"{WORDS[i]}, {name}": split[i].split() for i in range(3) for name, split in splits.items()}
widths = {name: [len(piece.removeprefix("##")) for piece in split] for name, split in rows.items()}
groups = {name: ["rest" if piece.startswith("##") else "start" for piece in split] for name, split in rows.items()}
picture = kb.explain.cell_chart(rows, "Three words, each with three vocabularies.", groups, widths)
chapter.show(picture, "three_vocabularies")

# %% [markdown]
# *Look at* the three rows of one word: a larger vocabulary never needs more pieces here. But the pieces are not
# always syllables or stems. Compare "affordable" and "unaffordable" in the published vocabulary: except for "un" they
# are the same word, and they share no piece. The model must learn from texts that they are related.

# %%
affordable, unaffordable = (set(split.split()) for split in splits["published"][1:])
shared = affordable & unaffordable
print("shared pieces in the published vocabulary:", shared or "none")
assert not shared and splits["published"][0].count("##") < splits["learned here"][0].count("##")

# %% [markdown]
# ### The same for many words at once
#
# `split_word` is a Python loop. In the package the split runs in TensorFlow operations, so that it works in `tf.data`
# and in an exported model without Python. Each round handles all words together. Here is one round for three words (W
# is the number of words, M the number of lengths): all prefixes, the longest first; look them up; take the first one
# that is known. (A length beyond the end of the word gives the whole word, so it may come twice.)

# %%
table = tf.lookup.StaticHashTable(
    tf.lookup.KeyValueTensorInitializer(vocabulary, tf.range(len(vocabulary))), default_value=-1
)
words = tf.constant(["filmed", "dull", "zombies"])  # [W]
lengths = tf.range(7, 0, -1)  # [M], the longest first
grid = tf.broadcast_to(lengths, [3, 7])  # [W, M]
prefixes = tf.strings.substr(tf.repeat(words[:, None], 7, axis=1), tf.zeros_like(grid), grid)  # [W, M]
known = tf.cast(table.lookup(prefixes) >= 0, "int32")  # [W, M]
first = tf.gather(prefixes, tf.argmax(known, axis=1), batch_dims=1)  # [W], argmax returns the first 1
print(prefixes.numpy()[0], known.numpy()[0], first.numpy(), sep="\n")

# %% [markdown]
# The next round would do the same with the rests ("##" and what follows the piece), until every word is at its end.
# `BertTextVectorization.tokenize` has this loop. It must agree with our function on all words of the dev sentences:

# %%
assert [piece.decode() for piece in first.numpy()] == [split_word(word.decode(), line, [])[0] for word in words.numpy()]
package = kb.BertTextVectorization(vocabulary, sequence_length=16)
ascii_dev = [text for text in dev if text.isascii()]
by_hand = [
    [line[piece] for word in simple_words.findall(text.lower()) for piece in split_word(word, line, [])]
    for text in ascii_dev
]
assert package.tokenize(ascii_dev).to_list() == by_hand
print(f"{len(ascii_dev):,} of {len(dev):,} dev sentences are ASCII: the ids agree in all of them")

# %% [markdown]
# ## 5 · Three arrays: ids, mask, segments
#
# A row has one text or a pair of texts. It starts with `[CLS]`, and every text ends with `[SEP]`. The output of
# `[CLS]` is later used for the whole row. All rows of a batch have the same number of places, T: short texts are
# filled with padding, long ones are cut. In a pair of texts, the longer one loses its last token, again and again,
# until both fit.


# %%
def pack(first, second=(), T=16):
    """Return ids, mask and segments of one row from the ids of one or two texts."""
    first, second = list(first), list(second)
    while len(first) + len(second) > T - (3 if second else 2):
        (first if len(first) > len(second) else second).pop()
    ids = [line["[CLS]"], *first, line["[SEP]"]]
    types = [0] * len(ids)
    if second:
        ids += [*second, line["[SEP]"]]
        types += [1] * (len(second) + 1)
    padding = [0] * (T - len(ids))
    return ids + padding, [1] * len(ids) + padding, types + padding


# %% [markdown]
# Two rows: a pair with padding, and a pair whose first text is cut. The segments (`input_type_ids`) tell the model
# which of the two texts a token belongs to; BERT's second pretraining task needs that (chapter 06). RoBERTa and
# DistilBERT have no such input.

# %%
PAIRS = [("Not bad.", "A fine film."), ("The film was funny and sad and far too long.", "It was fun.")]
names = ("input_word_ids", "input_mask", "input_type_ids")
packed = [pack(*package.tokenize(list(pair)).to_list()) for pair in PAIRS]
for number, (ids, mask, types) in enumerate(packed, 1):
    tokens = [vocabulary[i] for i in ids]
    groups = ["" if not m else f"segment {t}" for m, t in zip(mask, types, strict=True)]
    rows = dict(zip(("token", *names), (tokens, ids, mask, types), strict=True))
    picture = kb.explain.cell_chart(
        rows, f"Row {number}: {sum(mask)} tokens, {mask.count(0)} places with padding.", dict.fromkeys(rows, groups)
    )
    chapter.show(picture, f"row_{number}")

# %% [markdown]
# *Look at* the colors: the first text with `[CLS]` and its `[SEP]` is blue, the second text is orange, the padding is
# gray. In the gray part all three arrays have 0. There the id 0 is the token `[PAD]`, and segment 0 means nothing:
# only the mask says that a place is empty. The second row has no padding, and the end of its first text is missing.
#
# There is also a way back: `package.detokenize(ids)` joins the tokens of the ids into a text. Capital letters, accents,
# the original spaces and every unknown word are lost.
#
# The package must give the same arrays:

# %%
outputs = package(([first for first, _ in PAIRS], [second for _, second in PAIRS]))
for number, name in enumerate(names):
    assert np.array_equal(outputs[name], [row[number] for row in packed]), name
outputs = package(ascii_dev)
for number, name in enumerate(names):
    assert np.array_equal(outputs[name], [pack(ids)[number] for ids in by_hand]), name
print(f"{len(PAIRS)} pairs and {len(ascii_dev):,} texts: equal ids, masks and segments")

# %% [markdown]
# ## 6 · How many places does a row need?
#
# You choose T, up to the limit of the model (chapter 02, section 3). The computing time of a row depends on T, not on
# the length of its text, and texts of more than T - 2 tokens are cut. So count first:

# %%
lengths = package.tokenize(train).row_lengths().numpy() + 2  # with [CLS] and [SEP]
T = [16, 24, 32, 48, 64, 128]
fit = [100 * np.mean(lengths <= t) for t in T]
filled = [100 * np.mean(np.minimum(lengths, t)) / t for t in T]
enough = int(np.quantile(lengths, 0.99, method="higher"))
print(f"99 % of the sentences have at most {enough} tokens; T = 128 has {100 - filled[-1]:.0f} % padding")
assert enough < 128 and filled[-1] < 50

# %%
picture = kb.explain.line_chart(
    T,
    {"rows that fit": fit, "places that are not padding": filled},
    "What a choice of T costs: texts that are cut, or places that hold padding.",
    "T",
    "share, %",
    log_x=True,
)
chapter.show(picture, "lengths")

# %% [markdown]
# *Look at* the right end: at T = 128 all rows fit (blue), and few places hold tokens (orange). For the padding in the
# other places the model computes as much as for tokens. At the left end nearly all places hold tokens, and few texts
# fit.
#
# ## What could mislead you
#
# - **"No word is unknown" holds for text like the training text.** The control is text that is different: other
#   alphabets and symbols. The next cell runs it.
# - **Pieces look like syllables.** They are what was frequent. In the published vocabulary, "affordable" and
#   "unaffordable" share no piece.
# - **A model with wrong ids still answers.** The experiment with shifted ids gave three tokens and no error. Compare
#   the ids of some words with the lines of the vocabulary file.
# - **The name of a trainer is not its rule.** `WordPieceTrainer` merges by the count.

# %%
CONTROL = ["A fine film.", "Ein schöner Film.", "Ένα ωραίο έργο.", "良い映画", "🎬 👍"]
for text in CONTROL:
    tokens = [vocabulary[i] for i in package.tokenize([text])[0].numpy()]
    print(f"{tokens.count('[UNK]'):2} of {len(tokens)} tokens are unknown: {text} -> {' '.join(tokens)}")
unknown_ids = [np.mean(package.tokenize([text])[0].numpy() == package.unk_id) for text in CONTROL]
assert unknown_ids[0] == 0 and min(unknown_ids[3:]) == 1

# %% [markdown]
# German is split into many pieces, because its letters are known and most of its words are not. The letters and signs
# of the last three lines are not among those of the training text: every word is `[UNK]`, and nothing of the text
# reaches the model but a period.
#
# ## Summary
#
# - A vocabulary of pieces covers all text of its kind: frequent words stay whole, and rare words are split.
# - Pieces are learned by merging pairs: BPE takes the highest count, WordPiece the highest freq(ab) / (freq(a) ·
#   freq(b)).
# - The id of a token is its line number. `TextVectorization` adds two, without an error.
# - A word is split greedily: the longest piece that fits, again and again; if none fits, the word is `[UNK]`.
# - A row is `[CLS] first [SEP] second [SEP]` and padding. The mask marks the tokens, the type ids the text.
# - `BertTextVectorization` does all this: the same texts gave the same numbers.
#
# ## Exercises
#
# 1. Remove "hugs" from `COUNTS`. What happens to the scores of WordPiece, and why?
# 2. Give `package.tokenize` the texts "É", "E" and "e". What does our `simple_words.findall(text.lower())` miss, and
#    which Unicode normal form (`unicodedata.normalize`) helps? What about "ß"?
# 3. How many tokens per dev word have the bundled vocabulary and the one learned here with 2,000 and with 8,192
#    tokens? Which is best for film reviews, and why is the size alone no answer?
#
# Solutions: [solutions/01_text_to_ids.py](solutions/01_text_to_ids.py).
#
# ## Next
#
# [Chapter 02](02_vectors_and_context.py) looks up a vector for every id, and measures what it depends on.
