# %% [markdown]
# # 04 · Fine-tuning for sentiment, and checking against TF-Hub
#
# Tutorial 03 pretrained an encoder. Here we fine-tune a classifier that predicts whether a review is positive: first
# from random weights, then from the pretrained bundled encoder, compared with a baseline without a neural network.
# Then we check that our encoder computes the same numbers as other implementations of BERT.
#
# | step | what | shape |
# |---|---|---|
# | 1 | reviews to ids | `[B]` strings → three `[B, T]` |
# | 2 | a classifier head on `pooled_output` | `[B, H]` → `[B, C]` |
# | 3 | AdamW without weight decay on biases and norms, warm-up, then linear decay | |
# | 4 | training from random weights, the learning curve, the confusion matrix | |
# | 5 | fine-tuning the pretrained encoder, a baseline, and what a small dev set can show | |
# | 6 | the parity check, by hand and with `kb.compare` | one number per layer |
# | 7 | the effect of four plausible mistakes, and when a check does not find them | |
# | 8 | a SavedModel: text in, probabilities out | `[B]` strings → `[B, C]` |
#
# B is the batch size, T the sequence length, H the hidden size, C the number of classes. Source:
# [Devlin et al. 2018](https://arxiv.org/abs/1810.04805), sections 3.2 and 4.1, appendix A.3.
#
# Run it as a script (`python tutorials/04_finetuning_and_checking.py`, figures in `tutorials/out/`) or as a notebook.
# It needs no network: the encoder is compared with KerasHub's independent BERT and with its own export to the TF-Hub
# interface. `--check SOURCE` names a TF-Hub handle or a SavedModel folder to check against instead of the export.
# `--full` uses SST-2 and TF-Hub's published BERT base (which needs a network, or a SavedModel folder in `--check`).
# `--encoder SOURCE` fine-tunes another pretrained encoder in section 5, any source of `kb.load_pretrained`.

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
from keras_bert.metrics.baseline import tfidf_accuracy
from keras_bert.parity import check, parity_inputs
from keras_bert.training import WarmupLinearDecay, bert_adamw
from keras_bert.weights import to_keras_hub

FULL = "--full" in sys.argv
CHECK = sys.argv[sys.argv.index("--check") + 1] if "--check" in sys.argv[:-1] else os.environ.get("KERAS_BERT_CHECK")
ENCODER = sys.argv[sys.argv.index("--encoder") + 1] if "--encoder" in sys.argv[:-1] else "bert_en_uncased_mini"
if FULL and CHECK is None:
    CHECK = "https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4"
NOTEBOOK = "__file__" not in globals()
BLUE, ORANGE, GREEN, GRAY = "#0072b2", "#d55e00", "#009e73", "#8a8f99"  # Okabe and Ito: readable with color blindness
keras.utils.set_random_seed(0)


def show(figure, name):
    """Show a figure below the cell in a notebook; write it to a file from a script."""
    if NOTEBOOK:
        plt.show()
    else:
        folder = Path(__file__).resolve().parent / "out"
        folder.mkdir(exist_ok=True)
        figure.savefig(folder / f"04_{name}.png", dpi=110)
        print(f"figure: {folder / f'04_{name}.png'}")
    plt.close(figure)


# %% [markdown]
# ## 1 · Reviews to ids
#
# The package contains 4,828 labeled review sentences, written for it: 3,693 for training, 1,135 for evaluation (dev).
# The vocabulary is learned from the training sentences only, as in tutorial 01.

# %%
LOCAL = Path(os.environ.get("KERAS_BERT_DATA", "")) / "data" / "SST-2"  # train.tsv and dev.tsv, if available
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
print(f"{len(reviews.train_texts)} training and {len(reviews.dev_texts)} dev sentences, {len(vocabulary)} tokens")

# %% [markdown]
# ## 2 · The head
#
# The encoder is that of tutorial 02. The head is a dropout and one dense layer on `pooled_output`, the pooled vector
# of `[CLS]`: $\text{logits} = \text{Dropout}(h_{[CLS]})\,W + b$, with $W$ `[H, C]`. These are the only new
# parameters: $H \cdot C + C$.

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
# The package's `BertClassifier` is the same model. With the same encoder and head weights it gives the same logits.

# %%
classifier = kb.BertClassifier(encoder, num_classes=C)
classifier.head.set_weights(head.get_weights())
first_rows = {key: value[:8] for key, value in dev_ids.items()}
np.testing.assert_allclose(classifier(first_rows), model(first_rows), atol=1e-6)
print("the package's classifier gives the same logits")

# %% [markdown]
# ## 3 · The optimizer
#
# - **Warm-up, then linear decay** (appendix A.2 of the paper). Adam's first steps are based on few gradients, so the
#   learning rate starts small.
# - **Weight decay of 0.01** (appendix A.2), but not for biases and LayerNorms (only in the code, `optimization.py` of
#   google-research/bert). Weight decay moves kernels toward 0; a bias or a scale near 0 would not regularize the
#   model.
# - **Gradient clipping** (only in the code). If the norm of all gradients together is above 1, it is scaled to 1.
#
# And the learning rate itself? For a *pretrained* BERT base, appendix A.3 recommends 5e-5, 3e-5 or 2e-5, a batch size
# of 16 or 32, and 2, 3 or 4 epochs. Section 4 below uses 1e-3, because its model is small and starts from *random*
# weights. This learning rate would destroy what a pretrained model has learned; section 5 uses a lower one.

# %%
BATCH, EPOCHS, PEAK = 32, 3 if FULL else 5, 3e-4 if FULL else 1e-3
steps = EPOCHS * -(-len(reviews.train_texts) // BATCH)
warmup = steps // 10


class WarmupThenDecay(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        step = ops.cast(step, "float32")
        return PEAK * ops.minimum(step / warmup, (steps - step) / (steps - warmup))


optimizer = keras.optimizers.AdamW(WarmupThenDecay(), weight_decay=0.01, epsilon=1e-6, global_clipnorm=1.0)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])

rates = [float(WarmupThenDecay()(step)) for step in range(steps + 1)]
package = WarmupLinearDecay(PEAK, total_steps=steps, warmup_steps=warmup)
np.testing.assert_allclose(rates, [float(package(step)) for step in range(steps + 1)], atol=1e-9)

# %% [markdown]
# Do the two optimizers agree? One step each on copies of the same variables, with the same gradients, must give the
# same values: for a kernel (with weight decay) and a bias (without).


# %%
def one_step(optimizer):
    variables = [keras.Variable(np.full(3, 2.0), name=name) for name in ("kernel", "bias")]
    optimizer.apply([np.array([0.3, -0.1, 0.0], "float32")] * 2, variables)
    return [variable.numpy() for variable in variables]


plain = keras.optimizers.AdamW(0.1, weight_decay=0.01, epsilon=1e-6, global_clipnorm=1.0)
plain.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
kernel, bias = one_step(plain)
np.testing.assert_allclose([kernel, bias], one_step(bert_adamw(0.1)), rtol=1e-6)
print("after one step: kernel", kernel, " bias", bias)
assert kernel[2] < 2 and bias[2] == 2  # gradient 0: only weight decay changes the kernel; the bias is unchanged

# %%
figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
axes.plot(rates, color=BLUE)
axes.axvline(warmup, color=GRAY, linestyle="--")
axes.annotate("end of warm-up", (warmup, PEAK / 3), xytext=(6, 0), textcoords="offset points", color=GRAY)
axes.set(xlabel="step", ylabel="learning rate", title="Linear warm-up, then linear decay")
show(figure, "learning_rate")

# %% [markdown]
# ## 4 · Training from random weights
#
# First the experiment without pretraining: all weights, of the encoder and of the head, start from random values.
# Section 5 repeats it with pretrained weights.

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
    axes.plot(epochs, history[f"val_{quantity}"], "s-", color=ORANGE, label="dev")
    axes.set(xlabel="epoch", ylabel=quantity)
panels[0].legend(frameon=False)
share = max(np.bincount(reviews.dev_labels)) / len(reviews.dev_labels)
panels[1].axhline(share, color=GRAY, linestyle="--")
panels[1].annotate(
    "most frequent class", (EPOCHS, share), xytext=(0, 4), textcoords="offset points", ha="right", color=GRAY
)
figure.suptitle("Overfitting: the dev loss stops decreasing, the training loss does not")
show(figure, "learning_curve")

# %% [markdown]
# The training loss keeps decreasing, the dev loss does not: with so few sentences, the model memorizes them. More data
# and pretraining help, and so does keeping the weights of the best epoch, which `kb.finetune` does.
#
# The accuracy does not show *which* mistakes are made. The confusion matrix does: a row is the expected class, a
# column the predicted class.

# %%
logits = ops.convert_to_numpy(model(dev_ids, training=False))  # [N, C]
predicted = logits.argmax(axis=-1)  # [N]
confusion = np.zeros((C, C), int)
np.add.at(confusion, (reviews.dev_labels, predicted), 1)

classifier.head.set_weights(head.get_weights())  # the encoder is shared, and so trained already
scores = evaluate(classifier, dev_ids, reviews.dev_labels)
np.testing.assert_array_equal(confusion, scores["confusion"])
np.testing.assert_allclose(np.trace(confusion) / len(predicted), scores["accuracy"])
print(f"accuracy {scores['accuracy']:.3f} on {scores['examples']} dev sentences; `kb.evaluate` gives the same")

figure, axes = plt.subplots(figsize=(3.6, 3.2), layout="constrained")
rows = confusion / confusion.sum(axis=1, keepdims=True)
axes.imshow(rows, cmap="Blues", vmin=0, vmax=1)
for row, column in np.ndindex(C, C):
    text_color = "white" if rows[row, column] > 0.55 else "black"
    axes.text(column, row, confusion[row, column], ha="center", va="center", color=text_color, fontsize=14)
axes.set(xticks=range(C), yticks=range(C), xticklabels=names, yticklabels=names, xlabel="predicted", ylabel="expected")
axes.set_title("The diagonal is correct")
show(figure, "confusion")

# %% [markdown]
# ## 5 · What pretraining gives
#
# The bundled encoder was pretrained for hours (tutorial 03, section 7). `kb.load_pretrained` returns it with *its*
# vocabulary: ids from another vocabulary would be meaningless to it. To see what pretraining gives, only one thing may
# differ: we train an encoder of the same size from random weights, with the same sentences, epochs, batch size and
# learning rate. `kb.finetune` selects the best epoch with validation sentences from the training part, never with dev.
#
# The bundled encoder was pretrained with a masked LM alone, which does not read the pooler: its pooler has random
# initial weights and a bias of 0. `pooled_output` has no meaning yet, and fine-tuning trains the pooler with the head.
#
# Every accuracy needs a baseline. TF-IDF with logistic regression, a bag of words and word pairs, takes a second.

# %%
pretrained = kb.load_pretrained(ENCODER)
T = 48 if FULL else 32
bundled_vectorizer = kb.BertTextVectorization(pretrained.vocabulary, lowercase=pretrained.lowercase, sequence_length=T)
train, validation = reviews.train_validation_split(seed=0)


def rows_of(indices):
    return bundled_vectorizer([reviews.train_texts[i] for i in indices]), reviews.train_labels[indices]


def finetune(encoder):
    model = kb.BertClassifier(encoder.copy(dropout=0.1), num_classes=C)
    kb.finetune(
        model,
        *rows_of(train),
        *rows_of(validation),
        epochs=3,
        batch_size=32,
        learning_rate=5e-4 if encoder.config.hidden_size <= 256 else 1e-4,  # the smaller the encoder, the higher
        seed=0,
        verbose=0,
    )
    return model, evaluate(model, bundled_vectorizer(reviews.dev_texts), reviews.dev_labels)["accuracy"]


finetuned, pretrained_accuracy = finetune(pretrained.encoder)
_, random_accuracy = finetune(kb.BertEncoder(pretrained.encoder.config))
accuracies = {
    "most frequent class": share,
    "TF-IDF, logistic regression": tfidf_accuracy(
        [reviews.train_texts[i] for i in train], reviews.train_labels[train], reviews.dev_texts, reviews.dev_labels
    ),
    "this encoder, random weights": random_accuracy,
    "this encoder, pretrained": pretrained_accuracy,
}

figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
bars = axes.barh(list(accuracies), list(accuracies.values()), color=[GRAY, GRAY, BLUE, BLUE])
axes.bar_label(bars, [f"{value:.1%}" for value in accuracies.values()], padding=4)
axes.invert_yaxis()
axes.set(xlim=(0, 1), xlabel="accuracy on dev")
axes.spines[["top", "right"]].set_visible(False)
show(figure, "pretraining")
assert min(random_accuracy, pretrained_accuracy) > share + 0.1

# %% [markdown]
# *Look at* the two blue bars and at TF-IDF. Both encoders are better than the most frequent class, and neither is
# better than a bag of words. The dev set has 1,135 sentences, so the standard error of each accuracy is a little more
# than one point: the difference between the blue bars is noise. "Pretrained" alone says little. What counts is what
# the encoder has learned, and the bundled one is small: 5.5 million parameters, 135 million tokens read, a few hours
# on two cores. BERT base has 110 million parameters and read 3.3 billion words 40 times (appendix A.2 of the paper).
#
# There are two ways to see an effect:
#
# - **More labeled data.** On SST-2 (67,349 sentences and phrases) the same encoder reaches 84.3 % (mean of 5 seeds),
#   from random weights 80.9 % (3 seeds), and TF-IDF 81.2 % (`docs/results.md`, with the commands). `--full` repeats
#   this section on SST-2.
# - **A better encoder.** `--encoder FOLDER` repeats this section with another one. With all-MiniLM-L6-v2 (22.7 million
#   parameters, trained by others; a Hugging Face folder) this section prints 85.9 % from its pretrained weights and
#   67.2 % from random weights (one seed), on the same sentences.
#
# ## 6 · Is it BERT?
#
# A model can train well and still differ from BERT: a slightly different GELU trains just as well. The difference
# matters only when *published* weights are loaded, and then as a small loss of quality without an error. So we
# compare numbers: the same weights in two implementations, the same inputs, and the largest difference per layer.
#
# Which inputs? New weights and rows without padding hide mistakes: biases are 0, norms are 1, and a mask of ones
# masks nothing. Our weights are trained, and the inputs have padding, pairs, and ids from the whole vocabulary.

# %%
inputs = parity_inputs(config, vectorizer, sequence_length=48)
print(
    "rows x tokens:",
    inputs["input_word_ids"].shape,
    " padding in",
    (inputs["input_mask"].min(axis=1) == 0).sum(),
    "rows",
)

backbone = to_keras_hub(encoder)  # KerasHub's BertBackbone with the weights of the encoder
outputs = {
    f"encoder_outputs_{i}": backbone.get_layer(f"transformer_layer_{i}").output for i in range(config.num_layers)
}
reference = keras.Model(backbone.input, {**backbone.output, **outputs})
reference_outputs = reference.predict_on_batch(
    {
        "token_ids": inputs["input_word_ids"],
        "segment_ids": inputs["input_type_ids"],
        "padding_mask": inputs["input_mask"],
    }
)
encoder_outputs = encoder.predict_on_batch(inputs)
is_token = inputs["input_mask"] == 1  # [B, T]; no model reads the outputs at padding
by_hand = {}
for key, value in encoder_outputs.items():
    difference = np.abs(value - reference_outputs[key])  # [B, T, H], or [B, H] of the pooler
    by_hand[key] = float((difference[is_token] if difference.ndim == 3 else difference).max())
for key, value in by_hand.items():
    print(f"{key:18} {value:.1e}")

# %% [markdown]
# Differences of 1e-6 are rounding errors of float32: both add the same numbers in another order. `kb.compare` does
# the same with any reference that has this interface.

# %%
parity = kb.compare(encoder, backbone, inputs)
assert parity.passed and parity.tolerance == 5e-5
np.testing.assert_allclose(parity.max_abs_difference["pooled_output"], by_hand["pooled_output"], atol=1e-9)
layers = [by_hand[f"encoder_outputs_{i}"] for i in range(config.num_layers)]
np.testing.assert_allclose(parity.max_abs_difference["encoder_outputs"], layers, atol=1e-9)
print(f"kb.compare: largest difference {parity.worst:.1e}, passed: {parity.passed}")

# %% [markdown]
# Now TF-Hub. Its BERT is a SavedModel with a fixed interface: a dict of three int32 inputs, a dict of outputs, and
# named variables. `check` opens one by handle or folder, builds an encoder of its size, copies every tensor exactly
# once, and compares the outputs. Without a source, we export our own encoder with this interface first; then the
# check shows that code written for TF-Hub's BERT can load this encoder.

# %%
folder = Path(tempfile.mkdtemp(prefix="keras_bert_"))
kb.export_saved_model(encoder, folder / "tfhub_encoder", vectorizer, interface="tfhub")
report = check(CHECK or str(folder / "tfhub_encoder"))
print(report.source if CHECK else "our own export, loaded again")
print(f"{report.weights.count} tensors, {report.weights.parameters:,} parameters, each copied once")
for name, shape in report.weights.tensors[:6]:
    print(f"  {name:45} {shape}")
print(f"largest difference {report.parity.worst:.1e}, passed: {report.passed}")
if CHECK:
    print(report.published_note)
assert report.passed

# %% [markdown]
# ## 7 · The effect of a mistake
#
# Four mistakes that look like details. Each is made in a copy of the encoder with the same weights:
# - no mask: padding is treated as text,
# - a LayerNorm epsilon of 1e-3 (the default of Keras), or of 1e-6, instead of 1e-12,
# - the exact GELU, $x\,\Phi(x)$, instead of Google's tanh approximation (Hugging Face's `"gelu"` is the exact one).
#
# Each is measured twice: with the trained weights, and with *randomized* weights (noise added to all weights, biases
# and norms included), so that every part of the model is far from its initial value.


# %%
def differences(first, second, second_inputs=inputs):
    parts = [f"encoder_outputs_{i}" for i in range(config.num_layers)]
    first, second = first(inputs), second(second_inputs)
    return [float(ops.max(ops.abs(first[part] - second[part]))) for part in parts]


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
randomized = variant(encoder)
randomized.set_weights([weight + 0.2 * rng.standard_normal(weight.shape) for weight in encoder.get_weights()])
effects = {"trained weights": measure(encoder), "randomized weights": measure(randomized)}
for title, effect in effects.items():
    print(title)
    for name, values in effect.items():
        print(f"  {name:14}", *(f"{value:.1e}" for value in values))

# %%
TOLERANCE = 5e-5
colors = {"no mask": ORANGE, "epsilon 1e-3": "#cc79a7", "epsilon 1e-6": "#e69f00", "exact GELU": GREEN}
colors["KerasHub"] = BLUE
figure, panels = plt.subplots(1, 2, figsize=(8.5, 3.8), sharey=True, layout="constrained")
for axes, (title, effect) in zip(panels, effects.items(), strict=True):
    for marker, (name, values) in zip("sv^Do", effect.items(), strict=True):
        style = "-" if name == "KerasHub" else "--"
        axes.plot(range(1, len(values) + 1), values, marker + style, color=colors[name], label=name)
    axes.axhline(TOLERANCE, color=GRAY)
    axes.set(yscale="log", xlabel="layer", title=title, xticks=range(1, config.num_layers + 1))
panels[0].annotate("tolerance 5e-5", (1, TOLERANCE), xytext=(-4, 4), textcoords="offset points", color=GRAY)
panels[0].set_ylabel("largest |difference|")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
show(figure, "differences")

# %% [markdown]
# *Look at* the blue line: KerasHub's BERT differs by rounding only, in both panels. The missing mask and the default
# epsilon of Keras are far above the tolerance. But in each panel one mistake is hardly visible. With trained weights
# the activations are small, and there the two GELUs are nearly equal. With randomized weights the vectors are long, and
# there an epsilon of 1e-6 has little effect. None of these models raises an error, and each of them would train.
#
# So a check is only as good as its weights and inputs. The tests of this package randomize biases and norms, and so
# does `docs/parity.md`, which has a check at the published sizes for every format. `--check` adds published weights.

# %%
for name in ("no mask", "epsilon 1e-3", "epsilon 1e-6", "exact GELU"):
    assert max(max(effect[name]) for effect in effects.values()) > TOLERANCE, name
assert all(max(effect["KerasHub"]) < TOLERANCE for effect in effects.values())

# %% [markdown]
# ## 8 · Text in, probabilities out
#
# A served model should not need this package. `export_saved_model` writes the vectorizer and the classifier as one
# graph of standard TensorFlow operations. We export the fine-tuned classifier of section 5.

# %%
import tensorflow as tf

kb.export_saved_model(finetuned, folder / "sentiment", bundled_vectorizer, labels=names)
served = tf.saved_model.load(str(folder / "sentiment")).signatures["serving_default"]

texts = {
    "A fine film, and a brave one.": "positive",
    "Two hours of my life that I want back.": "negative",
    "It was not bad at all.": "positive",
}
outputs = served(text=tf.constant(list(texts)))
for (text, expected), label, row in zip(
    texts.items(), outputs["label"].numpy(), outputs["probabilities"].numpy(), strict=True
):
    mark = "" if label.decode() == expected else f"   (wrong: {expected})"
    print(f"{label.decode():9} {row.max():.2f}  {text}{mark}")

ids = bundled_vectorizer(list(texts))
np.testing.assert_allclose(outputs["logits"], finetuned(ids), atol=2e-5)
np.testing.assert_allclose(outputs["probabilities"], ops.softmax(finetuned(ids)), atol=1e-5)
print("the SavedModel and the model in this process give the same outputs")

# %% [markdown]
# ## Summary
#
# - A classifier is a dense layer on `pooled_output`; fine-tuning trains it together with the encoder.
# - AdamW with warm-up, linear decay, clipping, and no weight decay on biases and norms.
# - A baseline shows whether a result is good, and the size of the dev set shows which differences mean anything.
# - The encoder equals other implementations of BERT up to rounding, and a check shows it.
#
# ## Exercises
#
# 1. Freeze the encoder (`encoder.trainable = False`, compile again) and train only the head. How high is the accuracy?
# 2. Read ten mistakes of the model. What do they have in common: negation, irony, rare words?
# 3. Add 1e-3 to one bias of one layer and run `kb.compare` again. In which layer is the difference visible?
# 4. Check with rows that have no padding. Which of the four mistakes does the check miss?
# 5. Repeat section 5 with the learning rate 1e-3, and with three seeds. How large is the spread?
