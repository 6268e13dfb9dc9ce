# %% [markdown]
# # Solutions of chapter 06 · How does it learn from text alone?

# %%
import numpy as np

import keras_bert as kb
from keras_bert.data import tokenize_documents
from keras_bert.text.masking import Masking, mask_tokens
from keras_bert.text.packing import pack_examples

corpus = kb.load_corpus("sample")
vocabulary = kb.learn_vocabulary([sentence for document in corpus for sentence in document], vocab_size=1000)
vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=32, special_tokens=True)
V, T, P = len(vocabulary), 32, 5
train, held_out = tokenize_documents(corpus, vectorizer).split(fraction=0.1, seed=0)
examples = pack_examples(train, T, vectorizer.cls_id, vectorizer.sep_id, seed=0)
ordinary = np.array([not token.startswith("[") or len(token) == 1 for token in vocabulary])  # [V]

# %% [markdown]
# ## Exercise 1: whole words

# %%
rows = examples.input_word_ids
chosen = {}
for whole_words in (False, True):
    masking = Masking.from_vocabulary(vocabulary, whole_words=whole_words, max_predictions=P)
    masked = mask_tokens(rows, masking, np.random.default_rng(0))
    chosen[whole_words] = masked["masked_lm_weights"].sum() / ordinary[rows].sum()
    print(f"whole words {whole_words}: {chosen[whole_words]:.1%} of the ordinary tokens are chosen")
assert 0.1 < chosen[True] <= chosen[False] + 1e-6

# %% [markdown]
# It is nearly the same or a little lower: the number of tokens per row is fixed, and a word that does not fit into it
# is skipped. The task is harder, because no piece of a masked word is visible.
#
# ## Exercise 2: the token after the gap

# %%
counts = np.bincount(train.ids, minlength=V) + 1.0
unigram = counts / counts.sum()


def loss_of_pairs(step):
    """Return the loss of a table of pairs with the token before (`step` 1) or after (`step` -1)."""
    given, token = (train.ids[:-1], train.ids[1:]) if step == 1 else (train.ids[1:], train.ids[:-1])
    pairs = np.zeros((V, V))
    np.add.at(pairs, (given, token), 1)
    table = 0.5 * pairs / np.maximum(pairs.sum(1, keepdims=True), 1) + 0.5 * unigram
    ids = held_out.ids
    given, token = (ids[:-1], ids[1:]) if step == 1 else (ids[1:], ids[:-1])
    keep = ordinary[token]
    return -np.log(table[given, token])[keep].mean()


# %%
before, after = loss_of_pairs(1), loss_of_pairs(-1)
print(f"token before the gap: {before:.2f}, token after the gap: {after:.2f}")
assert max(before, after) < -np.log(unigram[held_out.ids])[ordinary[held_out.ids]].mean()

# %% [markdown]
# It is not better: the two losses are equal to two digits, because both tables count the same pairs of neighbors. Both
# are below the loss of the unigram. A masked LM sees both sides at once, so a baseline with both would be fairer.
#
# ## Exercise 3: 70 % random pairs

# %%
p = 0.7
loss, accuracy = -(p * np.log(p) + (1 - p) * np.log(1 - p)), max(p, 1 - p)
print(f"loss {loss:.3f}, accuracy {accuracy:.0%}")
assert abs(loss - 0.611) < 0.001 and accuracy == 0.7
