# %% [markdown]
# # 05 · Is it BERT?
#
# A model can have the right shapes, train well, and still not be BERT. How do we find out, and which mistakes does a
# check miss?
#
# **At the end** you have written BERT's forward pass in numpy, with the weights read from the files. You have compared
# it with the package and with a published model, layer by layer, and you know what eight plausible mistakes cost.
#
# **Time**: under one minute on 2 cores, without a network connection. **Sources**: [Devlin et al.
# 2018](https://arxiv.org/abs/1810.04805), section 3; `modeling.py` of
# [google-research/bert](https://github.com/google-research/bert) for the details that the paper does not give (epsilon,
# the tanh form of GELU, the mask).
#
#     one file of weights ──┬── numpy, written in this chapter ──┐
#                           ├── the package's BertEncoder ───────┼── largest difference per layer
#                           └── transformers, or the SavedModel ─┘          < 0.00005 ?
#
# If implementations that were written independently give the same numbers, it is unlikely that all have the same
# mistake.

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(5)

import importlib.util
import os

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file
from scipy.special import erf

import keras_bert as kb
from keras_bert.parity import check, parity_inputs
from keras_bert.text.masking import Masking, mask_tokens

# %% [markdown]
# ## 1 · The weights in a file
#
# A SavedModel is TensorFlow's format: a folder with the weights and the computation. TF-Hub is Google's collection of
# published SavedModels. The bundled model `bert_en_uncased_mini` is a SavedModel with the inputs, outputs and names of
# weights that TF-Hub's BERT has. We read it without the package: the variables of the SavedModel, as numpy arrays.

# %%
pretrained = kb.load_pretrained("bert_en_uncased_mini")
saved = tf.saved_model.load(pretrained.path)
variables = {variable.name.removesuffix(":0"): variable.numpy() for variable in saved.variables}
for name in list(variables)[:7]:
    print(f"{name:45} {variables[name].shape}")

# %% [markdown]
# A block has eight parts, each with two arrays: a kernel and a bias, or the scale and the shift of a LayerNorm. Hugging
# Face stores the same parts with other names, and its kernels are transposed: PyTorch's dense layer stores a kernel as
# [outputs, inputs], Keras's as [inputs, outputs]. One list of pairs fits both.

# %%
PARTS = {  # TF-Hub: Hugging Face
    "self_attention/query": "attention.self.query",
    "self_attention/key": "attention.self.key",
    "self_attention/value": "attention.self.value",
    "self_attention/attention_output": "attention.output.dense",
    "self_attention_layer_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_layer_norm": "output.LayerNorm",
}

# %% [markdown]
# `pair` reads the two arrays of a part. `reshape` joins the heads: a query kernel is stored as `[H, A, D]` and becomes
# `[H, H]`.

# %%
H, HEADS = variables["transformer/layer_0/self_attention/query/kernel"].shape[:2]


def pair(path):
    if path.endswith("layer_norm"):
        return variables[f"{path}/gamma"], variables[f"{path}/beta"]
    kernel, bias = variables[f"{path}/kernel"], variables[f"{path}/bias"]
    return kernel.reshape(H, -1) if kernel.ndim == 3 else kernel, bias.reshape(-1)


# %%
tables = [variables[f"{name}/embeddings"] for name in ("word_embeddings", "position_embedding", "type_embeddings")]
blocks = [[pair(f"transformer/layer_{i}/{part}") for part in PARTS] for i in range(4)]
mini = {"tables": tables, "norm": pair("embeddings/layer_norm"), "blocks": blocks, "heads": HEADS, "exact": False}
print(len(blocks), "blocks; the query part:", [array.shape for array in blocks[0][0]])

# %% [markdown]
# ## 2 · BERT in numpy
#
# The settings that people get wrong are arguments here: the version of GELU, the epsilon, which side of the attention
# the mask hides, and the number of the first position. The default values are those of Google's BERT.


# %%
def layer_norm(x, gamma, beta, epsilon):
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon) * gamma + beta


def gelu(z, exact):
    if exact:
        return 0.5 * z * (1 + erf(z / np.sqrt(np.float32(2))))
    return 0.5 * z * (1 + np.tanh(np.sqrt(np.float32(2 / np.pi)) * (z + 0.044715 * z * z * z)))


# %% [markdown]
# Attention of all heads, as in chapter 03. `hidden` is True where a score must not count: there the score is minus one
# billion, and its exponential is 0. The usual case hides the padding *keys*, for all queries.


# %%
def split(x, heads):
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)  # [B, T, H] -> [B, A, T, D]


def attend(x, mask, query, key, value, heads, mask_on):
    q, k, v = (split(x @ kernel + bias, heads) for kernel, bias in (query, key, value))  # [B, A, T, D]
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(np.float32(q.shape[-1]))  # [B, A, T, T]
    hidden = {"keys": mask[:, None, None, :] == 0, "queries": mask[:, None, :, None] == 0, "nothing": False}
    scores = np.where(hidden[mask_on], np.float32(-1e9), scores)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return (weights @ v).swapaxes(1, 2).reshape(x.shape)  # [B, T, H]


# %% [markdown]
# The block and the whole encoder. `forward` returns the embeddings and the output of each block.


# %%
def block(x, mask, parts, heads, exact, epsilon, mask_on):
    query, key, value, out, norm1, up, down, norm2 = parts
    attended = attend(x, mask, query, key, value, heads, mask_on) @ out[0] + out[1]  # [B, T, H]
    x = layer_norm(x + attended, *norm1, epsilon)
    inner = gelu(x @ up[0] + up[1], exact)  # [B, T, F]
    return layer_norm(x + inner @ down[0] + down[1], *norm2, epsilon)  # [B, T, H]


# %%
def forward(model, inputs, exact=None, epsilon=1e-12, mask_on="keys", first_position=0):
    ids, mask, types = (inputs[name] for name in ("input_word_ids", "input_mask", "input_type_ids"))  # [B, T]
    word, position, segment = model["tables"]
    x = word[ids] + position[first_position : first_position + ids.shape[1]] + segment[types]  # [B, T, H]
    states = [layer_norm(x, *model["norm"], epsilon)]
    for parts in model["blocks"]:
        exact = model["exact"] if exact is None else exact
        states.append(block(states[-1], mask, parts, model["heads"], exact, epsilon, mask_on))
    return states  # L + 1 of [B, T, H]


# %% [markdown]
# ## 3 · The check, layer by layer
#
# Which inputs? `parity_inputs` makes rows with padding of different lengths, pairs with two segments, and random ids
# from the whole vocabulary. Section 6 shows why a short text is not enough. Only tokens count: no model uses the
# outputs at padding. We take the largest difference, not the mean: a mean of a million numbers hides one wrong
# number.


# %%
def largest_differences(first, second, mask):
    return [float(np.abs(a - b)[mask == 1].max()) for a, b in zip(first, second, strict=True)]


def states_of(encoder, inputs):
    outputs = encoder.predict_on_batch(inputs)
    embedded = keras.ops.convert_to_numpy(encoder.embeddings(inputs["input_word_ids"], inputs["input_type_ids"]))
    return [embedded, *(outputs[f"encoder_outputs_{i}"] for i in range(encoder.config.num_layers))]


inputs = parity_inputs(pretrained.encoder.config, pretrained.vectorizer, sequence_length=48)
by_hand, by_package = forward(mini, inputs), states_of(pretrained.encoder, inputs)  # L + 1 of [B, T, H] each
mini_differences = largest_differences(by_hand, by_package, inputs["input_mask"])
print("numpy and package, per layer:", [f"{value:.0e}" for value in mini_differences])
assert max(mini_differences) < 5e-5

# %% [markdown]
# The differences are rounding errors: float32 has about seven digits, and the two programs add in a different order.
# The SavedModel is a program, too. We call it as a user of TF-Hub would:

# %%
outputs = saved({name: tf.constant(value, tf.int32) for name, value in inputs.items()}, training=False)
layers = [value.numpy() for value in outputs["encoder_outputs"]]  # L of [B, T, H]
saved_differences = largest_differences(layers, by_package[1:], inputs["input_mask"])
print("SavedModel and package, per layer:", [f"{value:.0e}" for value in saved_differences])
assert max(saved_differences) < 5e-5

# %% [markdown]
# This SavedModel was written by this package, so it is not independent. A published model is. MiniLM (6 layers, 384
# numbers per token) was trained by others and is stored in Hugging Face's format. It was trained with the exact GELU
# (`"hidden_act": "gelu"` in its config). Where it is installed, the next cells
# compute with it. Otherwise they show stored numbers.


# %%
def read_minilm(folder):
    tensors = load_file(folder / "model.safetensors")

    def pair_of(path):
        return tensors[f"{path}.weight"].T, tensors[f"{path}.bias"]

    names = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    blocks = [[pair_of(f"encoder.layer.{i}.{part}") for part in PARTS.values()] for i in range(6)]
    tables = [tensors[f"embeddings.{name}.weight"] for name in names]
    return {"tables": tables, "norm": pair_of("embeddings.LayerNorm"), "blocks": blocks, "heads": 12, "exact": True}


# %%
def minilm_differences(folder):
    loaded = kb.load_pretrained(str(folder))
    inputs = parity_inputs(loaded.encoder.config, loaded.vectorizer, sequence_length=48)
    by_hand, by_package = forward(read_minilm(folder), inputs), states_of(loaded.encoder, inputs)
    return largest_differences(by_hand, by_package, inputs["input_mask"])


# The tolerance allows other rounding errors on another machine.
minilm = chapter.minilm("numpy_and_package", minilm_differences, tolerance=0.05)

# %%
nan = [float("nan")] * 2  # MiniLM has two layers more
series = {"mini: numpy": mini_differences + nan, "MiniLM: numpy": minilm}
series["mini: SavedModel"] = nan[:1] + saved_differences + nan  # it does not return its embeddings
caption = "Largest difference from the package's encoder after each layer (0: embeddings), logarithmic axis."
settings = {"baselines": {"tolerance 5e-5": 5e-5}, "log_y": True}
plot = kb.explain.line_chart(range(7), series, caption, "layer", "largest difference", **settings)
chapter.show(plot, "parity")
assert max(minilm) < 5e-5

# %% [markdown]
# *Look at* the distance from the dashed line: every point is below it. The tolerance of 5e-5 is that of `kb.compare`.
# It is above the rounding errors of twelve layers ([parity](../docs/parity.md) has those of published models) and
# below the smallest effect of a mistake in section 5, that of an epsilon of 1e-6.
#
# And the library that most people use for MiniLM? `transformers` is not needed for this chapter. Its outputs for two
# sentences are stored in the package: the first four numbers of `[CLS]` after each layer.

# %%
SENTENCES = ["The river bank was covered with flowers.", "It was not bad."]


def ids_of(folder):
    loaded = kb.load_pretrained(str(folder))
    return loaded.encoder, {name: np.asarray(value) for name, value in loaded.vectorizer(SENTENCES).items()}


def by_keras_bert(folder):
    return [state[:, 0, :4] for state in states_of(*ids_of(folder))]  # L + 1 of [2, 4]


# %%
def by_transformers(folder):
    import torch
    import transformers

    names = {"input_word_ids": "input_ids", "input_mask": "attention_mask", "input_type_ids": "token_type_ids"}
    inputs = {names[name]: torch.tensor(value).long() for name, value in ids_of(folder)[1].items()}
    with torch.no_grad():
        outputs = transformers.AutoModel.from_pretrained(folder).eval()(**inputs, output_hidden_states=True)
    return [state[:, 0, :4].numpy() for state in outputs.hidden_states]


# %%
has_transformers = importlib.util.find_spec("transformers") and importlib.util.find_spec("torch")
# Without transformers, the package's numbers are compared with the stored ones of transformers.
theirs = np.array(chapter.minilm("transformers", by_transformers if has_transformers else by_keras_bert))
ours = np.array(chapter.minilm("keras_bert", by_keras_bert))
print("first sentence, last layer: transformers", theirs[-1, 0], " keras_bert", ours[-1, 0])
print(f"largest difference: {np.abs(theirs - ours).max():.1e}")
assert np.abs(theirs - ours).max() < 5e-5

# %% [markdown]
# ## 4 · TF-Hub's BERT base
#
# `check` does all of this for a model in any supported format: it opens the source, copies each tensor once into an
# encoder of the package, runs both, and compares. By default it checks the bundled model here. With `--full` it
# checks the published BERT base from TF-Hub, 440 MB; the page on parity has the result. The environment variable
# `KERAS_BERT_CHECK` names a folder or another handle.

# %%
HANDLE = "https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4"
source = os.environ.get("KERAS_BERT_CHECK", HANDLE if chapter.full else pretrained.path)
report = check(source)
print(f"{report.weights.count} tensors, {report.weights.parameters:,} parameters, each copied once")
print(f"largest difference {report.parity.worst:.1e}, passed: {report.passed}")
assert report.passed

# %% [markdown]
# ## 5 · Eight mistakes
#
# Each mistake is one argument of our numpy model, or one change of the inputs. None raises an error.


# %%
def mistakes(model, inputs):
    ones, types = np.ones_like(inputs["input_mask"]), inputs["input_type_ids"]
    return {
        "other GELU": (inputs, {"exact": not model["exact"]}),
        "epsilon 1e-6": (inputs, {"epsilon": 1e-6}),
        "epsilon 1e-3": (inputs, {"epsilon": 1e-3}),
        "no mask": (inputs, {"mask_on": "nothing"}),
        "mask on queries": (inputs, {"mask_on": "queries"}),
        "positions from 1": (inputs, {"first_position": 1}),
        "segments swapped": ({**inputs, "input_type_ids": ones - types}, {}),
        "segments all 0": ({**inputs, "input_type_ids": 0 * types}, {}),
    }


# %%
def effects(model, inputs):
    correct, result = forward(model, inputs), {}
    for name, (changed, settings) in mistakes(model, inputs).items():
        result[name] = largest_differences(forward(model, changed, **settings), correct, inputs["input_mask"])
    return result


# %%
def effects_on_minilm(folder):
    loaded = kb.load_pretrained(str(folder))
    return effects(read_minilm(folder), parity_inputs(loaded.encoder.config, loaded.vectorizer, sequence_length=24))


by_layer = chapter.minilm("effects", effects_on_minilm, tolerance=0.01)

# %%
shown = ("other GELU", "epsilon 1e-6", "no mask", "positions from 1")
series = {name: [value or float("nan") for value in by_layer[name]] for name in shown}  # NaN: no difference
caption = "MiniLM: effect of four mistakes after each layer (0: embeddings), logarithmic axis."
plot = kb.explain.line_chart(range(7), series, caption, "layer", "largest difference", **settings)
chapter.show(plot, "mistakes")

# %% [markdown]
# *Look at* the layer in which each line begins. Wrong positions (pink) and the epsilon (orange) change the embeddings,
# layer 0. The mask (green) and GELU (blue) act inside the blocks, so their lines begin at layer 1. A comparison by
# layer shows *where* to search. The last layer alone would not. The epsilon has the smallest effect, still above the
# tolerance.

# %%
assert max(by_layer["no mask"][0], by_layer["other GELU"][0]) < 1e-6 and by_layer["positions from 1"][0] > 0.1
assert by_layer["other GELU"][-1] > 1e-4 and by_layer["epsilon 1e-6"][-1] < by_layer["other GELU"][-1]

# %% [markdown]
# ## 6 · What could mislead you: the inputs of a check
#
# The same mistakes, with three inputs: one short text, two texts of which the shorter one is padded, and the rows of
# `parity_inputs`. The control is the model without a mistake; its difference is 0 by definition here, and rounding in
# section 3.


# %%
CASES = {"one text": ["It was not bad."], "two texts": ["It was not bad.", "The river bank was covered with flowers."]}


def effects_by_input(folder):
    loaded, result = kb.load_pretrained(str(folder)), {}
    for case, texts in CASES.items():
        rows = {name: np.asarray(value) for name, value in loaded.vectorizer(texts).items()}  # [B, T]
        length = int(rows["input_mask"].sum(1).max())
        found = effects(read_minilm(folder), {name: value[:, :length] for name, value in rows.items()})
        result[case] = {name: values[-1] for name, values in found.items()}
    return result


by_input = chapter.minilm("effects_by_input", effects_by_input, tolerance=0.01)
by_input["parity_inputs"] = {name: values[-1] for name, values in by_layer.items()}

# %%
names = list(by_layer)
values = np.array([[by_input[case][name] for case in by_input] for name in names])  # [8, 3]
shades = np.log10(np.maximum(values, 1e-8) / 5e-5)  # positive: above the tolerance
texts = [[f"{value:.0e}" if value else "0" for value in row] for row in values]
caption = "Difference after the last layer. Blue: above the tolerance, found. Orange: below it, missed."
chapter.show(kb.explain.matrix_chart(shades, names, list(by_input), caption, texts=texts), "checks")
missed = {case: [name for name in names if by_input[case][name] < 5e-5] for case in by_input}
print(missed)
assert {"no mask", "mask on queries", "segments all 0"} <= set(missed["one text"])
assert "segments all 0" in missed["two texts"] and "no mask" not in missed["two texts"]
assert not missed["parity_inputs"]

# %% [markdown]
# *Look at* the first column: one short text has no padding and no second segment, so three mistakes change nothing at
# all. Padding shows the mask, pairs show the segments. In the last column every mistake is found.
#
# There is a second trap: new weights. In a new model all biases are 0 and all LayerNorms are 1. A model that forgets
# its biases passes a check with such weights. So a check needs trained weights, or random ones in every array
# (chapter 04).
#
# ## 7 · What does a mistake cost?
#
# Does a difference of 0.001 in a vector change an answer? We mask 15 % of the tokens of the bundled sample of prose
# (chapter 06 explains `mask_tokens`), let the mini model predict them, and count how many predictions change, and how
# many are correct.

# %%
sentences = [sentence for document in kb.load_corpus("sample") for sentence in document][:48]
vectorizer = kb.BertTextVectorization(pretrained.vocabulary, sequence_length=32)
rows = {name: np.asarray(value) for name, value in vectorizer(sentences).items()}  # [N, T]
masking = Masking.from_vocabulary(pretrained.vocabulary, max_predictions=5)
masked = mask_tokens(rows["input_word_ids"], masking, np.random.default_rng(0))
rows["input_word_ids"] = masked["input_word_ids"]
counted = masked["masked_lm_weights"] == 1  # [N, P]


def predict(inputs, **settings):
    states = forward(mini, inputs, **settings)[-1]  # [N, T, H]
    logits = pretrained.model.mlm_head(states, masked["masked_lm_positions"])  # [N, P, V]
    return keras.ops.convert_to_numpy(keras.ops.argmax(logits, axis=-1))[counted]


# %%
correct, labels = predict(rows), masked["masked_lm_ids"][counted]
changed = {}
print(f"no mistake: {np.mean(correct == labels):.1%} of {len(labels)} masked tokens are correct")
for name, (inputs, settings) in mistakes(mini, rows).items():
    predicted = predict(inputs, **settings)
    changed[name] = 100 * np.mean(predicted != correct)
    print(f"{name:17} {np.mean(predicted == labels):.1%} correct")
p = np.mean(correct == labels)
error = np.sqrt(p * (1 - p) / len(labels))
print(f"standard error of the accuracy without a mistake: {error:.1%}")

# %%
plot = kb.explain.bar_chart(changed, "Predictions of masked tokens that change because of a mistake.", "changed, %")
chapter.show(plot, "cost")
assert changed["other GELU"] < 5 and changed["epsilon 1e-6"] < 2  # %
assert min(changed["no mask"], changed["mask on queries"], changed["positions from 1"]) > 3

# %% [markdown]
# *Look at* the first two bars: the other GELU and an epsilon of 1e-6 change no prediction here, or almost none. A
# missing mask and wrong positions change many. And yet compare the accuracies above: with 143 masked tokens the
# standard error is about 4 points, so of all these mistakes only the swapped segments are visible, and a missing mask
# even looks a little better by chance. A mistake of this kind can stay in a program for long, because every accuracy
# looks right. (This model has seen segment 0 only. So "segments swapped" gives it vectors that were never trained, and
# "segments all 0" changes nothing.)
#
# ## Summary
#
# - A BERT forward pass in numpy has fewer than 40 lines, and its numbers equal the package's, transformers' and a
#   SavedModel's up to rounding.
# - Compare layer by layer: the first layer with a difference is the place of the mistake.
# - A check on one short text misses the mask and the segments. Use padding, pairs, and weights that are not new.
# - An accuracy on so few tokens shows almost none of these mistakes. A comparison of numbers finds all.
#
# ## Exercises
#
# 1. Add 0.001 to one bias of block 2 of the numpy model. In which layers is the difference visible?
# 2. Leave out the division by the square root in `attend`. Does the check on one short text find it?
# 3. Mask both queries and keys. Is it found, and does it change a prediction?
#
# Solutions: [solutions/05_is_it_bert.py](solutions/05_is_it_bert.py).
#
# ## Next
#
# [Chapter 06](06_learning_from_text.py) trains BERT on text alone: masked words are the labels.
