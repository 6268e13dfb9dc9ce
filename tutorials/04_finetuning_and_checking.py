# %% [markdown]
# # 04 · Fine-tuning for sentiment, and checking against TF-Hub
#
# Tutorial 03 pretrained an encoder. Here it gets a job: say whether a review is kind. Then the question that decides
# whether any of this can be trusted: is our encoder *the* BERT, number for number?
#
# | step | what | shape |
# |---|---|---|
# | 1 | reviews to ids | `[B]` strings → three `[B, T]` |
# | 2 | a classifier head on `pooled_output` | `[B, H]` → `[B, C]` |
# | 3 | AdamW that spares biases and norms, warm-up, then linear decay | |
# | 4 | training, the learning curve, the confusion matrix | |
# | 5 | the check, by hand and by `kb.compare` | one number a layer |
# | 6 | what four plausible mistakes would cost, and when a check does not see them | |
# | 7 | a SavedModel: text in, probabilities out | `[B]` strings → `[B, C]` |
#
# B is the batch, T the tokens, H the width of a vector, C the classes. Source:
# [Devlin et al. 2018](https://arxiv.org/abs/1810.04805), sections 3.2 and 4.1, appendix A.3.
#
# Run it as a script (`python tutorials/04_finetuning_and_checking.py`, pictures in `tutorials/out/`) or as a notebook.
# It needs no network: the check is against KerasHub's BERT, which other people wrote, and against our own export to the
# TF-Hub interface. `--check SOURCE` names a TF-Hub handle or a SavedModel folder to check against instead of our own.
# `--full` takes SST-2 and TF-Hub's published BERT base (that one needs network, or a SavedModel folder in `--check`).

# %%
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

import keras_bert as kb
from keras_bert.data import load_labeled
from keras_bert.inference import evaluate
from keras_bert.parity import check, parity_inputs
from keras_bert.training import WarmupLinearDecay, bert_adamw
from keras_bert.weights import to_keras_hub

FULL = "--full" in sys.argv
CHECK = sys.argv[sys.argv.index("--check") + 1] if "--check" in sys.argv[:-1] else os.environ.get("KERAS_BERT_CHECK")
if FULL and CHECK is None:
    CHECK = "https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4"
NOTEBOOK = "__file__" not in globals()
BLUE, RED, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#8a8f99"  # Okabe and Ito: the colour-blind tell them apart
keras.utils.set_random_seed(0)


def show(figure, name):
    """In a notebook below the cell, from a script into a file."""
    if NOTEBOOK:
        plt.show()
    else:
        folder = Path(__file__).resolve().parent / "out"
        folder.mkdir(exist_ok=True)
        figure.savefig(folder / f"04_{name}.png", dpi=110)
        print(f"picture: {folder / f'04_{name}.png'}")
    plt.close(figure)


# %% [markdown]
# ## 1 · Reviews to ids
#
# The package ships 1,713 review sentences with labels, written for it: 1,363 to learn from, 350 never learned from. A
# vocabulary is learned from the former alone, as tutorial 01 shows.

# %%
LOCAL = Path(os.environ.get("KERAS_BERT_DATA", "")) / "data" / "SST-2"  # train.tsv and dev.tsv, where they are at hand
if FULL:
    reviews = load_labeled(LOCAL, ["negative", "positive"]) if LOCAL.is_dir() else load_labeled("sst2")
else:
    reviews = load_labeled("sample")
vocabulary = kb.learn_vocabulary(reviews.train_texts, vocab_size=8000 if FULL else 2000)
vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=48 if FULL else 32)

train_ids, dev_ids = vectorizer(reviews.train_texts), vectorizer(reviews.dev_texts)  # each three [N, T]
names = list(reviews.label_names)
for text, label in list(zip(reviews.train_texts, reviews.train_labels, strict=True))[:4]:
    print(f"{names[label]:9} {text}")
print(f"{len(reviews.train_texts)} to learn from, {len(reviews.dev_texts)} to judge by, {len(vocabulary)} tokens")

# %% [markdown]
# ## 2 · The head
#
# Everything below the head is the encoder of tutorial 02. The head is one dense layer on `pooled_output`, the vector
# that stands over `[CLS]`, after a dropout: $\text{logits} = \text{Dropout}(h_{[CLS]})\,W + b$, with $W$ `[H, C]`.
# That is all that fine-tuning adds: $H \cdot C + C$ new numbers.

# %%
config = kb.BertConfig(
    vocab_size=len(vocabulary),
    hidden_size=128 if FULL else 64,
    num_layers=4 if FULL else 3,
    num_heads=2,
    intermediate_size=512 if FULL else 256,
    max_position_embeddings=64,
)
encoder = kb.BertEncoder(config, name="encoder")
C = len(names)

pooled = encoder(encoder.input)["pooled_output"]  # [B, H]
dropped = keras.layers.Dropout(0.1)(pooled)  # [B, H]
head = keras.layers.Dense(C, kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02), name="head")
model = keras.Model(encoder.input, head(dropped), name="sentiment")  # -> [B, C]

new = head.count_params()
print(f"encoder {encoder.count_params():,} parameters, head {new:,}")
assert new == config.hidden_size * C + C

# %% [markdown]
# The package's `BertClassifier` is the same on the same encoder. Given the head's weights, it gives the same logits.

# %%
classifier = kb.BertClassifier(encoder, num_classes=C)
classifier.head.set_weights(head.get_weights())
some = {key: value[:8] for key, value in dev_ids.items()}
np.testing.assert_allclose(classifier(some), model(some), atol=1e-6)
print("the package's classifier gives the same logits")

# %% [markdown]
# ## 3 · How BERT learns
#
# Three habits, all in the paper's appendix A.2:
# - **Warm-up, then linear decay.** Adam's first steps rest on few gradients, so they are kept small.
# - **Decay only what multiplies.** Weight decay pulls a kernel towards 0. Biases and LayerNorms set a level and a
#   scale: to pull those towards 0 would not regularise anything.
# - **Clipping.** A gradient longer than 1 is shortened to 1, all its parts together.

# %%
BATCH, EPOCHS, PEAK = 32, 3 if FULL else 6, 3e-4 if FULL else 1e-3
steps = EPOCHS * -(-len(reviews.train_texts) // BATCH)
warmup = steps // 10


class WarmupThenDecay(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        step = ops.cast(step, "float32")
        return PEAK * ops.minimum(step / warmup, (steps - step) / (steps - warmup))


optimizer = keras.optimizers.AdamW(WarmupThenDecay(), weight_decay=0.01, epsilon=1e-6, global_clipnorm=1.0)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])

ours = [float(WarmupThenDecay()(step)) for step in range(steps + 1)]
package = WarmupLinearDecay(PEAK, total_steps=steps, warmup_steps=warmup)
np.testing.assert_allclose(ours, [float(package(step)) for step in range(steps + 1)], atol=1e-9)

# %% [markdown]
# Do the two optimizers agree as well? One step each on copies of the same numbers, with the same gradients, must leave
# the same numbers: a kernel (decayed) and a bias (spared).


# %%
def one_step(optimizer):
    variables = [keras.Variable(np.full(3, 2.0), name=name) for name in ("kernel", "bias")]
    optimizer.apply([np.array([0.3, -0.1, 0.0], "float32")] * 2, variables)
    return [variable.numpy() for variable in variables]


plain = keras.optimizers.AdamW(0.1, weight_decay=0.01, epsilon=1e-6, global_clipnorm=1.0)
plain.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
kernel, bias = one_step(plain)
np.testing.assert_allclose([kernel, bias], one_step(bert_adamw(0.1)), rtol=1e-6)
print("after a step  kernel", kernel, " bias", bias)
assert kernel[2] < 2 and bias[2] == 2  # no gradient: the kernel decays all the same, the bias stays

# %%
figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
axes.plot(ours, color=BLUE)
axes.axvline(warmup, color=GREY, linestyle="--")
axes.annotate("end of warm-up", (warmup, PEAK / 3), xytext=(6, 0), textcoords="offset points", color=GREY)
axes.set(xlabel="step", ylabel="learning rate", title="Up for a tenth of the way, then straight down")
show(figure, "learning_rate")

# %% [markdown]
# ## 4 · Training
#
# Every weight learns, the encoder's too: that is what makes it *fine-tuning* and not a classifier on fixed features.
# The encoder here starts from random weights so that this page stands alone; what pretraining adds is tutorial 03's
# subject. So expect a modest number, and look at how the two curves part.

# %%
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
history = model.fit(
    train_ids,
    reviews.train_labels,
    batch_size=BATCH,
    epochs=EPOCHS,
    validation_data=(dev_ids, reviews.dev_labels),
    verbose=2,
).history

# %%
figure, panels = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for axes, quantity in zip(panels, ("loss", "accuracy"), strict=True):
    epochs = range(1, EPOCHS + 1)
    axes.plot(epochs, history[quantity], "o-", color=BLUE, label="training")
    axes.plot(epochs, history[f"val_{quantity}"], "s-", color=RED, label="held out")
    axes.set(xlabel="epoch", ylabel=quantity)
panels[0].legend(frameon=False)
share = max(np.bincount(reviews.dev_labels)) / len(reviews.dev_labels)
panels[1].axhline(share, color=GREY, linestyle="--")
panels[1].annotate(
    "always the larger class", (EPOCHS, share), xytext=(0, 4), textcoords="offset points", ha="right", color=GREY
)
figure.suptitle("Where the curves part, the model learns reviews by heart")
show(figure, "learning_curve")

# %% [markdown]
# The training loss keeps falling while the held-out loss does not: with so few sentences the model soon knows them by
# heart. The remedies are more data, pretraining, and to keep the best epoch, which `kb`'s `finetune` does.
#
# One accuracy hides *which* mistakes are made. The confusion matrix shows them: a row is what is true, a column what
# the model said.

# %%
logits = ops.convert_to_numpy(model(dev_ids, training=False))  # [N, C]
predicted = logits.argmax(axis=-1)  # [N]
confusion = np.zeros((C, C), int)
np.add.at(confusion, (reviews.dev_labels, predicted), 1)

classifier.head.set_weights(head.get_weights())  # the encoder is shared, and so trained already
scores = evaluate(classifier, dev_ids, reviews.dev_labels)
np.testing.assert_array_equal(confusion, scores["confusion"])
np.testing.assert_allclose(np.trace(confusion) / len(predicted), scores["accuracy"])
print(f"accuracy {scores['accuracy']:.3f} on {scores['examples']} held-out sentences; kb's evaluate counts the same")

figure, axes = plt.subplots(figsize=(3.6, 3.2), layout="constrained")
shares = confusion / confusion.sum(axis=1, keepdims=True)
axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
for row, column in np.ndindex(C, C):
    ink = "white" if shares[row, column] > 0.55 else "black"
    axes.text(column, row, confusion[row, column], ha="center", va="center", color=ink, fontsize=14)
axes.set(xticks=range(C), yticks=range(C), xticklabels=names, yticklabels=names, xlabel="said", ylabel="true")
axes.set_title("The diagonal is right")
show(figure, "confusion")

# %% [markdown]
# ## 5 · Is it BERT?
#
# A model can learn and still not be the model it claims to be: a slightly different GELU trains just as well. It shows
# only when *published* weights are loaded, and then as a small loss of quality that nobody can explain. So we compare
# numbers. The recipe: the same weights in two implementations, the same inputs, and the largest difference in a layer.
#
# Which inputs? Fresh weights and unpadded rows hide mistakes: biases are 0, norms are 1, and a mask of ones masks
# nothing. Our weights are trained, and the inputs have any padding, pairs, and ids from the whole vocabulary.

# %%
inputs = parity_inputs(config, vectorizer, sequence_length=48)
print(
    "rows x tokens:",
    inputs["input_word_ids"].shape,
    " padding in",
    (inputs["input_mask"].min(axis=1) == 0).sum(),
    "rows",
)

hub = to_keras_hub(encoder)  # KerasHub's BertBackbone, our weights copied into it by name
outputs = {f"encoder_outputs_{i}": hub.get_layer(f"transformer_layer_{i}").output for i in range(config.num_layers)}
reference = keras.Model(hub.input, {**hub.output, **outputs})
theirs = reference.predict_on_batch(  # as one graph, which is how models serve
    {
        "token_ids": inputs["input_word_ids"],
        "segment_ids": inputs["input_type_ids"],
        "padding_mask": inputs["input_mask"],
    }
)
own = encoder.predict_on_batch(inputs)
by_hand = {key: float(np.abs(own[key] - theirs[key]).max()) for key in own}
for key, value in by_hand.items():
    print(f"{key:18} {value:.1e}")

# %% [markdown]
# Differences of 1e-6 are the last bits of float32: the two add the same numbers in another order. `kb.compare` does the
# same by itself, with any reference that has the interface.

# %%
parity = kb.compare(encoder, hub, inputs)
assert parity.passed and parity.tolerance == 5e-5
np.testing.assert_allclose(parity.max_abs_difference["pooled_output"], by_hand["pooled_output"], atol=1e-9)
layers = [by_hand[f"encoder_outputs_{i}"] for i in range(config.num_layers)]
np.testing.assert_allclose(parity.max_abs_difference["encoder_outputs"], layers, atol=1e-9)
print(f"kb.compare: largest difference {parity.worst:.1e}, passed: {parity.passed}")

# %% [markdown]
# Now TF-Hub. Its BERT is a SavedModel with a fixed interface: a dict of three int32 inputs, a dict of outputs, and
# variables by name. `check` opens one by handle or folder, builds an encoder of its size, copies every tensor exactly
# once, and compares. Without a source we write our own encoder in that interface first; what is then checked is that
# whatever loads TF-Hub's BERT loads ours.

# %%
folder = Path(tempfile.mkdtemp(prefix="keras_bert_"))
kb.export_saved_model(encoder, folder / "tfhub_encoder", vectorizer, interface="tfhub")
report = check(CHECK or str(folder / "tfhub_encoder"))
print(report.source if CHECK else "our own export, read back")
print(f"{report.weights.count} tensors, {report.weights.parameters:,} parameters, each used once")
for name, shape in report.weights.tensors[:6]:
    print(f"  {name:45} {shape}")
print(f"largest difference {report.parity.worst:.1e}, passed: {report.passed}")
if CHECK:
    print(report.published_note)
assert report.passed

# %% [markdown]
# ## 6 · What a mistake would cost
#
# Four choices that look like details. Each is made in a copy of the encoder with the very same weights:
# - no mask: padding is read as if it were text,
# - a LayerNorm epsilon of 1e-3 (Keras' own default), or of 1e-6, instead of 1e-12,
# - the exact GELU, $x\,\Phi(x)$, instead of Google's tanh approximation (Hugging Face's `"gelu"` is the exact one).
#
# And each twice: with the weights just trained, and with weights *shaken* by noise, biases and norms included, so that
# every part of the model works far from where training started it.


# %%
def differences(one, other, other_inputs=inputs):
    parts = [f"encoder_outputs_{i}" for i in range(config.num_layers)]
    one, other = one(inputs), other(other_inputs)
    return [float(ops.max(ops.abs(one[part] - other[part]))) for part in parts]


def variant(encoder, **changes):
    other = kb.BertEncoder(kb.BertConfig.from_dict({**config.to_dict(), **changes}))
    other.set_weights(encoder.get_weights())
    return other


def measure(encoder):
    unmasked = {**inputs, "input_mask": np.ones_like(inputs["input_mask"])}
    return {
        "no mask": differences(encoder, encoder, unmasked),
        "epsilon 1e-3": differences(encoder, variant(encoder, layer_norm_epsilon=1e-3)),
        "epsilon 1e-6": differences(encoder, variant(encoder, layer_norm_epsilon=1e-6)),
        "exact GELU": differences(encoder, variant(encoder, activation="gelu")),
        "KerasHub": kb.compare(encoder, to_keras_hub(encoder), inputs).max_abs_difference["encoder_outputs"],
    }


rng = np.random.default_rng(0)
shaken = variant(encoder)
shaken.set_weights([weight + 0.2 * rng.standard_normal(weight.shape) for weight in encoder.get_weights()])
costs = {"as trained": measure(encoder), "shaken": measure(shaken)}
for title, cost in costs.items():
    print(title)
    for name, values in cost.items():
        print(f"  {name:14}", *(f"{value:.1e}" for value in values))

# %%
LIMIT = 5e-5
colours = {"no mask": RED, "epsilon 1e-3": "#cc79a7", "epsilon 1e-6": "#e69f00", "exact GELU": GREEN, "KerasHub": BLUE}
figure, panels = plt.subplots(1, 2, figsize=(8.5, 3.8), sharey=True, layout="constrained")
for axes, (title, cost) in zip(panels, costs.items(), strict=True):
    for marker, (name, values) in zip("sv^Do", cost.items(), strict=True):
        style = "-" if name == "KerasHub" else "--"
        axes.plot(range(1, len(values) + 1), values, marker + style, color=colours[name], label=name)
    axes.axhline(LIMIT, color=GREY)
    axes.set(yscale="log", xlabel="layer", title=title, xticks=range(1, config.num_layers + 1))
panels[0].annotate("limit 5e-5", (1, LIMIT), xytext=(-4, 4), textcoords="offset points", color=GREY)
panels[0].set_ylabel("largest |difference|")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
show(figure, "differences")

# %% [markdown]
# KerasHub's BERT, blue, stays at rounding on both sides. No mask and Keras' own epsilon are far above the line. But
# each side all but lets one mistake *pass*. As trained, all activations are small, and there the two GELUs are nearly
# the same curve. Shaken, all vectors are long, and there an epsilon of 1e-6 hardly shows. None of these models raises
# an error, and each would train.
#
# So a check is worth as much as the numbers it is made with. Ours draws biases and norms at random in its tests, and
# the one that counts is on the published weights: at 12 layers the exact GELU makes 2e-3, the epsilon 2e-4.

# %%
for name in ("no mask", "epsilon 1e-3", "epsilon 1e-6", "exact GELU"):
    assert max(max(cost[name]) for cost in costs.values()) > LIMIT, name
assert all(max(cost["KerasHub"]) < LIMIT for cost in costs.values())

# %% [markdown]
# ## 7 · Text in, probabilities out
#
# A served model should not need our code. `export_saved_model` puts the vectorizer and the classifier into one graph of
# TensorFlow's own operations.

# %%
import tensorflow as tf

kb.export_saved_model(classifier, folder / "sentiment", vectorizer, labels=names)
served = tf.saved_model.load(str(folder / "sentiment")).signatures["serving_default"]

texts = ["A fine film, and a brave one.", "Two hours of my life that I want back.", "It was not bad at all."]
answer = served(text=tf.constant(texts))
for text, label, row in zip(texts, answer["label"].numpy(), answer["probabilities"].numpy(), strict=True):
    print(f"{label.decode():9} {row.max():.2f}  {text}")

ids = vectorizer(texts)
np.testing.assert_allclose(answer["logits"], model(ids), atol=2e-5)
np.testing.assert_allclose(answer["probabilities"], ops.softmax(model(ids)), atol=1e-5)
print("the SavedModel gives what the model in this process gives")

# %% [markdown]
# ## What we have
#
# A head of a few numbers on `pooled_output` makes a classifier; AdamW that spares biases and norms, with warm-up and
# decay, trains it. And the encoder under it is BERT to the last bits of float32, which is a statement one can check.
#
# ## Exercises
#
# 1. Freeze the encoder (`encoder.trainable = False`, compile again) and train only the head. How far does it get?
# 2. Read ten mistakes of the model. What have they in common: negation, irony, words the vocabulary never saw?
# 3. Set one bias of one layer off by 1e-3 and run `kb.compare` again. At which layer does it show?
# 4. Check with rows that have no padding. Which of the four mistakes would you no longer find?
# 5. Start from tutorial 03's encoder instead of random weights, all else equal. What does pretraining add?
