# %% [markdown]
# # Solutions of chapter 09 · One encoder, four tasks?

# %%
from keras_bert.book import Chapter  # first, because it turns off log messages of TensorFlow

chapter = Chapter(9)

import numpy as np

import keras_bert as kb
from keras_bert.data.conll import load_conll
from keras_bert.data.samples import sample_file
from keras_bert.data.squad import load_squad
from keras_bert.text.windows import make_windows

small = kb.load_pretrained("bert_en_uncased_small")
vectorizer = kb.BertTextVectorization(small.vocabulary, sequence_length=48)

# %% [markdown]
# ## Exercise 1: a label for every piece
#
# The number of labels is the number of pieces. The measurement must still count words: each word needs one predicted
# tag, such as that of its first piece. Otherwise long words count several times, and `B-PER` at a second piece would
# begin a second name.

# %%
sentences = load_conll(sample_file("entities_train.txt"))
words = [word for sentence in sentences for word in sentence.words]
pieces = np.array(vectorizer(words)["input_mask"]).sum(1) - 2  # [N], without [CLS] and [SEP]
names = [tag != "O" for sentence in sentences for tag in sentence.tags]
print(f"{len(words):,} words, {pieces.sum():,} pieces")
print(f"pieces of a word in a name: {pieces[names].mean():.2f}, of another word: {pieces[~np.array(names)].mean():.2f}")
assert pieces.sum() > len(words) and pieces[names].mean() > pieces[~np.array(names)].mean()

# %% [markdown]
# Names are split into more pieces than other words, because many of them are not in the vocabulary.
#
# ## Exercise 2: windows and strides
#
# The smaller the stride, the more windows, and the more context around each token in its best window. An answer can be
# cut in every window only if it is longer than what two neighboring windows have in common.

# %%
question = next(each for each in load_squad(sample_file("questions_dev.json")) if each.answers)
text, start = question.answers[0]
for stride in (8, 16, 24):
    windows = make_windows([question.question], [question.context], list(small.vocabulary), True, 40, stride)
    whole = np.count_nonzero(windows.labels([(start, start + len(text))])["start_logits"])
    print(f"stride {stride:2}: {len(windows)} windows, the answer is whole in {whole}")
    assert whole >= 1

# %% [markdown]
# ## Exercise 3: the other order
#
# The rule is symmetric: the common words do not depend on the order of the sentences. A BERT reads two segments with
# different positions and segment ids, so its answer may change when the sentences are swapped.

# %%
firsts, seconds = kb.load_labeled("sample-pairs").dev_texts


def overlap(first, second):
    sets = [(set(x.lower().split()), set(y.lower().split())) for x, y in zip(first, second, strict=True)]
    return np.array([len(x & y) / len(x | y) for x, y in sets])


np.testing.assert_array_equal(overlap(firsts, seconds), overlap(seconds, firsts))
ids = [np.asarray(vectorizer(pair)["input_word_ids"]) for pair in ((firsts, seconds), (seconds, firsts))]
print("equal scores, but different rows:", not np.array_equal(*ids))
assert not np.array_equal(*ids)
