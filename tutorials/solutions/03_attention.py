# %% [markdown]
# # Solutions of chapter 03 · How does attention work?

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(3)

import keras
import numpy as np
from keras import ops

import keras_bert as kb

small = kb.load_pretrained("bert_en_uncased_small")

# %% [markdown]
# ## Exercise 1: a longer key
#
# The dot product of (1, 1, 1, 1) and (2, 2, 2, 2) is 8, divided by 2 it is 4. The exponentials are 1, 2.72 and 54.60,
# with the sum 58.32. The weights are 0.02, 0.05 and 0.94: a longer key gets more weight from every query that points
# in its direction.

# %%
query, key = np.array([1, 1, 1, 1]), np.array([[1, -1, 0, 0], [1, 1, 0, 0], [2, 2, 2, 2]])
exponentials = np.exp(key @ query / 2)
weights = exponentials / exponentials.sum()
print(exponentials.round(2), weights.round(2))
assert np.allclose(weights, [0.02, 0.05, 0.94], atol=0.006)

# %% [markdown]
# ## Exercise 2: a causal mask
#
# Row: query; column: key. A query may use itself and what is before it.

# %%
vectorizer, attention = small.vectorizer, small.encoder.blocks[0].attention
ids = np.array([[vectorizer.cls_id, *vectorizer.tokenize(["The old man opened the door."])[0].numpy()]], "int32")
T = ids.shape[1]
causal = np.tril(np.ones((T, T), "int32"))  # [T, T]
other = ids.copy()
other[0, -2] = vectorizer.token_to_id("window")  # "door" becomes "window"


# %%
def output(ids, mask):
    x = small.encoder.embeddings(ids, np.zeros_like(ids))  # [1, T, H]
    return ops.convert_to_numpy(attention(x, x, attention_mask=mask[None]))[0]  # [T, H]


change = {}
for name, mask in {"both sides": np.ones((T, T), "int32"), "causal": causal}.items():
    change[name] = np.abs(output(ids, mask) - output(other, mask)).max(axis=1)  # [T]
    print(f"{name:10}", change[name].round(4))
assert change["causal"][:-2].max() < 1e-6 < 1e-4 < change["both sides"][:-2].min()

# %% [markdown]
# With the causal mask only the changed token and those after it change.
#
# ## Exercise 3: choose on one half, measure on the other

# %%
texts = kb.load_labeled("sample").dev_texts[:40]
keras.utils.set_random_seed(0)
random_encoder = kb.BertEncoder(small.encoder.config)


def next_share(pretrained, texts):
    """Return the mean weight to the next token, [L, A]."""
    maps = [each.maps for each in kb.explain.attention(pretrained, texts)]
    return np.mean([np.diagonal(each, 1, 2, 3).mean(-1) for each in maps], axis=0)


# %%
measured = {}
for name, model in {"small": small, "random weights": (random_encoder, vectorizer)}.items():
    first, second = next_share(model, texts[:20]), next_share(model, texts[20:])
    best = np.unravel_index(first.argmax(), first.shape)
    measured[name] = second[best]
    layer, head = (int(i) + 1 for i in best)
    print(f"{name:15} layer {layer}, head {head}: {first[best]:.1%} where chosen, {second[best]:.1%} on new sentences")
assert measured["small"] > 0.5 > 0.1 > measured["random weights"]

# %% [markdown]
# The largest of 72 numbers is usually too high on the sentences where it was chosen: a part of it is chance, and on
# new sentences this part is gone. For the head of `small` there is no such loss, because its effect is large.
