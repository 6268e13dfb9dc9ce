# %% [markdown]
# # 13 · How do I change it?
#
# You have a pretrained BERT and want another layer in its blocks, or you want to train only a few of its weights. How
# do you do this without losing what the model has learned?
#
# **At the end** you have built four changes by hand: an adapter, a fully connected layer, a squeeze-and-excitation gate
# and LoRA. Each is compared with the package's own layer, or is put into the package's block. Then you measure what
# each of them costs and gives.
#
# **Time**: under two minutes on 2 cores. **Papers**: [Houlsby et al. 2019](https://arxiv.org/abs/1902.00751), section 2
# (adapters); [Hu et al. 2018](https://arxiv.org/abs/1709.01507), section 3 (squeeze and excitation); [Hu et al.
# 2021](https://arxiv.org/abs/2106.09685), sections 4.1 and 4.2 (LoRA).
#
# Run it as a script (`python tutorials/13_change_the_model.py`; the figures go to `tutorials/out/`) or as a notebook.
#
# One transformer block, and the places of this chapter's changes (`+` is the residual):
#
#     x ──┬─> attention ──> dropout ──> [after_attention] ──────> + ──> LayerNorm ──> y
#         │   (LoRA: query, value)        adapter                 ^
#         └───────────────────────────────────────────────────────┘
#     y ──┬─> dense, GELU, dense ──> dropout ──> [after_feed_forward] ──> + ──> LayerNorm ──> block output
#         │                                        adapter, FC + ReLU     ^              (times a gate)
#         └───────────────────────────────────────────────────────────────┘

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(13)

import tempfile

import keras
import numpy as np
from keras import ops
from keras.initializers import RandomNormal

import keras_bert as kb
from keras_bert.layers import Adapter, TransformerBlock
from keras_bert.text.masking import Masking, mask_tokens
from keras_bert.training import WarmupLinearDecay, bert_adamw

keras.utils.set_random_seed(0)

# %% [markdown]
# ## 1 · The pretrained model and one rule
#
# The model is `bert_en_uncased_mini`: 4 blocks with a hidden size of 256, pretrained. Its outputs for three sentences
# are the reference of the next sections. B is the number of texts in a batch, T the number of tokens of a row, H the
# hidden size; the page [symbols](../docs/book/symbols.md) has the other letters.
#
# Why not train all weights? Then each task needs a whole model of its own. With adapters the pretrained weights stay as
# they are, and a task adds only a few new ones, so many tasks can share one model (Houlsby et al., abstract). LoRA has
# the same use (Hu et al. 2021, section 4.2).
#
# The rule of this chapter: **at the start, a changed model must compute (nearly) the same as the pretrained one.** The
# upper blocks were trained on the outputs of the lower blocks. If a new layer changes these outputs before any
# training, the upper blocks get vectors of a kind that they were not trained on.

# %%
pretrained = kb.load_pretrained("bert_en_uncased_mini")
encoder, vectorizer = pretrained.encoder, pretrained.vectorizer
H, L = encoder.config.hidden_size, encoder.config.num_layers
sentences = ["a fine film , if a bit long .", "two hours that i want back .", "the actors are better than the script ."]
ids = {key: np.asarray(value) for key, value in vectorizer(sentences).items()}  # three [B, T]
is_token = ids["input_mask"] == 1  # [B, T]
print(f"{L} blocks, hidden size {H}, {encoder.count_params():,} parameters; rows {ids['input_mask'].shape}")


# %% [markdown]
# `cosine_to_pretrained` measures the rule. It returns one number per block: the mean cosine between the output of the
# changed model and that of the pretrained one, over all tokens. 1 means that the directions are equal.


# %%
def layer_outputs(encoder):
    outputs = encoder(ids)
    return np.stack([np.asarray(outputs[f"encoder_outputs_{i}"]) for i in range(L)])  # [L, B, T, H]


def cosine_to_pretrained(encoder):
    changed = layer_outputs(encoder)  # [L, B, T, H]
    norms = np.linalg.norm(changed, axis=-1) * np.linalg.norm(reference, axis=-1)  # [L, B, T]
    return ((changed * reference).sum(-1) / norms)[:, is_token].mean(axis=1)  # [L]


reference = layer_outputs(encoder)
assert cosine_to_pretrained(encoder).min() > 0.9999

# %% [markdown]
# ## 2 · An adapter, by hand
#
# An adapter is a small network with a bottleneck: a dense layer from H to m, a ReLU, and a dense layer from m back to
# H. Its output is *added* to its input, which is called a skip connection:
#
# $$\text{adapter}(x) = x + \text{ReLU}(x W_{down} + b_{down})\, W_{up} + b_{up}$$
#
# If the kernels are small, the second term is nearly 0, and the adapter is nearly the identity. The paper finds that
# its results change little for standard deviations below 0.01, and are worse for large ones (section 3.6). Here are
# four numbers in and four numbers out.

# %%
x = np.array([[1.0, -2.0, 0.5, 3.0]], "float32")  # [1, 4]
W_down = np.array([[0.1, 0.0], [0.0, 0.1], [0.1, 0.0], [0.0, 0.1]], "float32")  # [4, 2]
W_up = np.array([[0.2, 0.2, 0.0, 0.0], [0.0, 0.0, 0.2, 0.2]], "float32")  # [2, 4]
inner = np.maximum(x @ W_down, 0)  # [1, 2]; the biases are 0
by_hand = x + inner @ W_up  # [1, 4]

adapter = Adapter(bottleneck_size=2)
adapter.build((None, None, 4))
adapter.set_weights([W_down, np.zeros(2), W_up, np.zeros(4)])
np.testing.assert_allclose(adapter(x[None])[0], by_hand, atol=1e-6)
print("input", x[0], " inner", inner[0].round(3), " output", by_hand[0].round(3))

# %% [markdown]
# The package's `Adapter` gives the same numbers. A new one starts with a standard deviation of 0.001.
#
# How do you put it into a block? `TransformerBlock` has two slots, `after_attention` and `after_feed_forward`, at the
# two places of the paper's figure 2. So each block gets two adapters. The block adds the residual to the output of the
# slot. A slot of a built block can be filled at any time before `compile`. The new weights are then part of the model:
# they are trained, saved and copied with it.


# %%
def with_adapters(encoder, make_layer):
    changed = encoder.copy()  # shares no weights with the pretrained encoder
    for block in changed.blocks:
        block.after_attention = make_layer()
        block.after_feed_forward = make_layer()
    return changed


adapted = with_adapters(encoder, lambda: Adapter(16))
added = adapted.count_params() - encoder.count_params()
print(f"{added:,} new parameters, {added / encoder.count_params():.1%} of the model")
assert added == L * 2 * (2 * H * 16 + 16 + H)  # two kernels and two biases per adapter

# %% [markdown]
# ## 3 · Is it still the pretrained model?
#
# Now the rule, with two controls that break it:
#
# - **no skip**: the same bottleneck without "x +";
# - **large start**: with the skip connection, but kernels with a standard deviation of 0.2.


# %%
@keras.saving.register_keras_serializable(package="chapter_13")
class NoSkip(Adapter):
    def call(self, x, training=None):
        return super().call(x, training) - x  # only the bottleneck


# %%
cosines = {
    "adapter": cosine_to_pretrained(adapted),
    "large start": cosine_to_pretrained(with_adapters(encoder, lambda: Adapter(16, initializer_range=0.2))),
    "no skip": cosine_to_pretrained(with_adapters(encoder, lambda: NoSkip(16))),
}
for name, values in cosines.items():
    print(f"{name:12}", *(f"{value:6.3f}" for value in values))
assert cosines["adapter"].min() > 0.999
assert max(cosines["large start"][-1], cosines["no skip"][-1]) < 0.9

# %%
plot = kb.explain.line_chart(
    range(1, L + 1),
    cosines,
    "Mean cosine between the outputs of the changed and of the pretrained model, before any training.",
    "block",
    "cosine",
)
plot.figure.axes[0].set_xticks(range(1, L + 1))
chapter.show(plot, "cosine", "Line chart of the cosine to the pretrained outputs by block, for three adapters")

# %% [markdown]
# *Look at* the blue line: with the adapter of the paper, all blocks still give the pretrained outputs. Without the skip
# connection, or with a large start, the last block gives other vectors. Such a model also trains, and no error is
# raised, but it starts without much of what pretraining gave.
#
# ## 4 · A layer of your own: FC + ReLU
#
# A slot takes any Keras layer from `[B, T, H]` to `[B, T, H]`. The smallest one is a fully connected layer with a ReLU
# and a skip connection: $x + \text{ReLU}(x W + b)$. To follow the rule, W must be small. Is 0 the best start? Then the
# layer is exactly the identity. The decorator and `get_config` are needed to load a saved model that has this layer.


# %%
@keras.saving.register_keras_serializable(package="chapter_13")
class FullyConnected(keras.layers.Layer):
    def __init__(self, start=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, shape):
        self.dense = keras.layers.Dense(shape[-1], "relu", kernel_initializer=RandomNormal(0, self.start))
        self.dense.build(shape)

    def call(self, x):
        return x + self.dense(x)  # [B, T, H]

    def get_config(self):
        return {**super().get_config(), "start": self.start}


# %% [markdown]
# We look at the gradient of the new kernel, for both starts. The loss is the mean square of the outputs; any loss would
# do.


# %%
def gradient_norm(start):
    layer, x = FullyConnected(start), keras.Variable(reference[0])  # [B, T, H]
    model = keras.Sequential([keras.Input((None, H)), layer])
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    before = layer.dense.kernel.numpy()
    model.train_on_batch(x, ops.zeros_like(x))
    return float(np.linalg.norm(layer.dense.kernel.numpy() - before))  # one step of size 1: the gradient


norms = {"start 0.001": gradient_norm(1e-3), "start 0": gradient_norm(0.0)}
print({name: round(value, 6) for name, value in norms.items()})
assert norms["start 0"] == 0 and norms["start 0.001"] > 1e-4

# %% [markdown]
# With a start of 0 the gradient is exactly 0. All inputs of the ReLU are 0; there it has no derivative, and Keras's
# backends use 0. So this layer would never learn anything. LoRA (section 6) does start one of its matrices at 0, and it
# works there, because the *other* matrix is not 0 and no ReLU follows.

# %%
fc = with_adapters(encoder, FullyConnected)
with tempfile.TemporaryDirectory() as folder:
    fc.save(f"{folder}/model.keras")
    loaded = keras.saving.load_model(f"{folder}/model.keras")
np.testing.assert_allclose(layer_outputs(loaded), layer_outputs(fc), atol=1e-5)
print("cosine of the last block:", round(float(cosine_to_pretrained(fc)[-1]), 4), " saved and loaded: the same outputs")

# %% [markdown]
# ## 5 · A block of your own: squeeze and excitation
#
# A squeeze-and-excitation layer computes one factor per hidden unit from the whole text, and multiplies all tokens by
# it. *Squeeze*: the mean over the tokens, `[B, H]`. *Excitation*: dense, ReLU, dense, sigmoid. The result is H factors
# between 0 and 1. We multiply the sigmoid by 2 and start the last kernel and bias at 0, so that all factors are 1 at
# the start. (The paper is about images and trains from random weights. The factor 2 is this project's own, and so is
# the place: the factors are computed from the *input* of a block and multiply its *output*.)
#
# The mean must leave out padding, so the layer needs the mask.


# %%
@keras.saving.register_keras_serializable(package="chapter_13")
class Gate(keras.layers.Layer):
    def build(self, shape):
        self.squeeze = keras.layers.Dense(16, "relu", name="squeeze")
        self.excite = keras.layers.Dense(shape[-1], kernel_initializer="zeros", name="excite")
        self.squeeze.build((None, shape[-1]))
        self.excite.build((None, 16))

    def call(self, x, mask):
        weights = ops.cast(mask, x.dtype)[:, :, None]  # [B, T, 1]
        mean = ops.sum(x * weights, 1) / ops.sum(weights, 1)  # [B, H]
        return 2 * ops.sigmoid(self.excite(self.squeeze(mean)))  # [B, H]


# %% [markdown]
# A slot gets only `x`, not the mask. We therefore make a block of our own, by subclassing. `SUBLAYERS` names the new
# layer, so that it is saved and can be replaced; `sublayer_shapes` says for which input it is built.


# %%
@keras.saving.register_keras_serializable(package="chapter_13")
class GatedBlock(TransformerBlock):
    SUBLAYERS = (*TransformerBlock.SUBLAYERS, "gate")

    def __init__(self, **settings):
        super().__init__(**settings)
        self.gate = Gate(name="gate")

    def sublayer_shapes(self):
        return {**super().sublayer_shapes(), "gate": ((None, None, self.hidden_size),)}

    def call(self, hidden_states, input_mask=None, positions=None, training=None):
        output = super().call(hidden_states, input_mask, positions, training)  # [B, P, H]
        return output * self.gate(hidden_states, input_mask)[:, None, :]  # [B, P, H]


# %% [markdown]
# `from_pretrained(name, block=GatedBlock)` builds an encoder of such blocks and loads the pretrained weights by name;
# the new weights keep their start values. The cosine is 1, as the rule requires. (`block=` takes any function that
# makes a block, so a function that returns a `TransformerBlock` with adapters in its slots works, too.)


# %%
def gated_encoder():
    return kb.BertEncoder.from_pretrained("bert_en_uncased_mini", block=GatedBlock)


gated = gated_encoder()
print("cosine of the last block:", round(float(cosine_to_pretrained(gated)[-1]), 6))
assert cosine_to_pretrained(gated).min() > 0.9999

# %% [markdown]
# What if the mask is forgotten? At the start nothing is visible, because all factors are 1. So we give the last kernel
# random values, as training would, and compute the same sentence twice: alone, and padded to 64 tokens.


# %%
class NoMask(Gate):
    def call(self, x, mask):
        return super().call(x, ops.ones_like(mask))


short = {key: value[:1, : is_token[0].sum()] for key, value in ids.items()}  # [1, T] without padding
long = {key: np.pad(value, ((0, 0), (0, 64 - value.shape[1]))) for key, value in short.items()}  # [1, 64]


def padding_effect(gate):
    model, rng = gated_encoder(), np.random.default_rng(0)
    for block in model.blocks:
        block.gate = gate(name="gate")  # any sublayer can be replaced
        block.gate.excite.kernel.assign(rng.normal(0, 0.5, (16, H)))
    a, b = (np.asarray(model(each)["sequence_output"])[0, 0] for each in (short, long))  # [H] each
    return float(np.abs(a - b).max())


# %% [markdown]
# The layer with the mask, and the control without it:

# %%
effects = {"mean over tokens": padding_effect(Gate), "mean over tokens and padding": padding_effect(NoMask)}
assert effects["mean over tokens"] < 1e-4 and effects["mean over tokens and padding"] > 1e-2
plot = kb.explain.bar_chart(
    effects, "Change of the [CLS] vector when padding is added.", "largest absolute change", number_format="{:.2g}"
)
chapter.show(plot, "padding")

# %% [markdown]
# *Look at* the two bars. With the mask, padding changes nothing but the last digits. Without it, the vector of a
# sentence depends on how much padding follows it, and so on the length of the other sentences of its batch. Test every
# layer of your own in this way.
#
# ## 6 · LoRA, by hand
#
# LoRA adds no layer. It leaves a kernel W, `[n, k]`, as it is, and adds a product of two thin matrices:
#
# $$W' = W + \frac{\alpha}{r} A B$$
#
# A is `[n, r]`, B is `[r, k]`, and the rank r is small: in section 7.2 of the paper, ranks from 1 to 64 give nearly the
# same results for GPT-3, on two data sets. α is a constant factor. A starts with random values and B with 0, so W' is W
# at first. Only A and B are trained. After training the product can be added to W; then the model has its old shape and
# size.
#
# We take the query projection of the last block. Keras stores its kernel as `[H, heads, D]`, with D = H / heads, and
# `enable_lora` of Keras works on the last axis: A is `[H, heads, r]` and B is `[r, D]`. So each head has an A of its
# own, and all heads share one B. (In the paper, A and B belong to the whole projection.)

# %%
lora = encoder.copy()
lora.enable_lora(rank=4)  # queries and values of all blocks; all other weights of the encoder are frozen
query = lora.blocks[-1].attention.query_dense
W, A, B = (np.asarray(w) for w in (query._kernel, query.lora_kernel_a, query.lora_kernel_b))
print("W", W.shape, " A", A.shape, " B", B.shape)
np.testing.assert_allclose(layer_outputs(lora), reference, atol=1e-5)  # B is 0: nothing changes
assert not B.any() and A.any()

# %% [markdown]
# Training would change B. We set it to random values and compute the projection by hand. Then `merge_lora` adds the
# product to the kernel: the same outputs, and no extra parameters.

# %%
rng = np.random.default_rng(0)
query.lora_kernel_b.assign(rng.normal(0, 0.02, B.shape))
x = reference[-2]  # [B, T, H], the input of the last block
kernel = W + query.lora_alpha / 4 * np.tensordot(A, np.asarray(query.lora_kernel_b), 1)  # [H, heads, D]
by_hand = np.tensordot(x, kernel, 1) + np.asarray(query.bias)  # [B, T, heads, D]
np.testing.assert_allclose(query(x), by_hand, atol=1e-4)

outputs = layer_outputs(lora)
lora.merge_lora()
np.testing.assert_allclose(layer_outputs(lora), outputs, atol=1e-4)
assert lora.count_params() == encoder.count_params()

# %% [markdown]
# ## 7 · What does each of them give?
#
# The task: adapt the pretrained model to film reviews. It was pretrained on an encyclopedia and old novels, with the
# masked LM. We continue with the masked LM on a few hundred review sentences, and measure on other review sentences.
# This needs no labels. A sentence has several masked tokens, so the same number of sentences gives more measurements
# than the accuracy of a classifier. Continuing the pretraining on texts of your own subject is called *domain-adaptive
# pretraining* ([Gururangan et al. 2020](https://arxiv.org/abs/2004.10964)).
#
# First the data: 384 sentences with two different masks each for training, and 300 other sentences with one mask for
# measuring. `mask_tokens` chooses and replaces tokens as in chapter 06.

# %%
reviews, rng = chapter.reviews(), np.random.default_rng(0)
vectorizer = kb.BertTextVectorization(pretrained.vocabulary, lowercase=pretrained.lowercase, sequence_length=32)
masking = Masking.from_vocabulary(pretrained.vocabulary, max_predictions=5)


def masked_rows(texts, count, copies):
    chosen = [texts[i] for i in rng.permutation(len(texts))[:count]]
    word_ids = np.repeat(np.asarray(vectorizer(chosen)["input_word_ids"]), copies, axis=0)  # [N, T]
    return mask_tokens(word_ids, masking, rng)  # a dict of arrays [N, T] and [N, P]


train = masked_rows(reviews.train_texts, *((8192, 1) if chapter.full else (384, 2)))
dev = masked_rows(reviews.dev_texts, 300, 1)
print(
    f"{len(train['masked_lm_ids'])} training rows, {int(dev['masked_lm_weights'].sum())} chosen tokens in 300 dev rows"
)

# %% [markdown]
# To save time, the lower two blocks are frozen for all methods. Then their output is the same in every step, and we
# compute it **once**. Only the upper two blocks and the masked-LM head are in the model that we train.

# %%
lower = keras.Model(encoder.input, encoder.output["encoder_outputs_1"])
for rows in (train, dev):
    mask = np.int32(rows["input_word_ids"] > 0)  # [N, T]
    inputs = {"input_word_ids": rows["input_word_ids"], "input_mask": mask, "input_type_ids": 0 * mask}
    rows["inputs"] = [lower.predict(inputs, verbose=0), mask, rows["masked_lm_positions"]]  # [N, T, H], [N, T], [N, P]


def upper_model(pretrainer):
    x = inputs = keras.Input((None, H))  # [B, T, H]
    mask, places = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")  # [B, T], [B, P]
    for block in pretrainer.encoder.blocks[2:]:
        x = block(x, mask)  # [B, T, H]
    return keras.Model([inputs, mask, places], pretrainer.mlm_head(x, places))  # [B, P, V]


# %% [markdown]
# The methods. "Everything" and "head only" are the controls: all weights of the two blocks and of the head, and a part
# that changes no block. The other three leave the head as it is. With adapters the paper also trains the LayerNorms
# (section 2.1). "Biases" is BitFit ([Ben Zaken et al. 2021](https://arxiv.org/abs/2106.10199)): no new weights, only
# the biases.


# %%
def train_only(pretrainer, choose):
    for variable in pretrainer.variables:
        variable.trainable = choose(variable.path, variable.name)


def add_adapters(pretrainer):
    for block in pretrainer.encoder.blocks:
        block.after_attention, block.after_feed_forward = Adapter(16), Adapter(16)
    parts = ("adapter", "attention_layer_norm", "output_layer_norm")
    train_only(pretrainer, lambda path, name: any(part in path for part in parts))


def add_lora(pretrainer):
    pretrainer.mlm_head.trainable = False
    pretrainer.encoder.enable_lora(rank=4)


# %%
def is_block_bias(path, name):
    return "block" in path and name in ("bias", "beta")


BATCH, SEEDS = 32, 3
steps = len(train["masked_lm_ids"]) // BATCH
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
METHODS = {  # name: (how the pretrained model is changed, learning rate)
    "biases": (lambda model: train_only(model, is_block_bias), 5e-3),
    "LoRA": (add_lora, 5e-3),
    "adapters": (add_adapters, 5e-3),
    "head only": (lambda model: train_only(model, lambda path, name: "mlm_logits" in path), 1e-3),
    "everything": (lambda model: None, 1e-3),
}

# %% [markdown]
# Methods that train few weights usually get a higher learning rate. The rates above were chosen once, by hand, with one
# seed, and not on separate rows, so the losses after training may be a little too low. Each method then runs with three
# seeds; a seed changes the order of the rows and the dropout.
#
# `new_model` copies the pretrained model, changes it, and compiles its upper half. The two metrics are means over the
# chosen tokens: the loss in nats (with the natural logarithm), and the share of the tokens that are found.


# %%
def new_model(name):
    change, rate = METHODS[name]
    pretrainer = kb.BertPretrainer(encoder.copy(dropout=0.1), sentence_task=None)
    pretrainer.mlm_head.set_weights(pretrained.model.mlm_head.get_weights())
    change(pretrainer)
    model = upper_model(pretrainer)
    nats = keras.metrics.SparseCategoricalCrossentropy("nats", from_logits=True)
    metrics = [nats, keras.metrics.SparseCategoricalAccuracy("found")]
    optimizer = bert_adamw(WarmupLinearDecay(rate, steps, steps // 10))
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, loss, weighted_metrics=metrics, jit_compile=False)
    return model, model.get_weights()


# %% [markdown]
# `run` trains one model with one seed. To save time, a method has one compiled model, which gets its first weights back
# before each seed.


# %%
def evaluate(model):
    settings = {"sample_weight": dev["masked_lm_weights"], "return_dict": True, "verbose": 0}
    return model.evaluate(dev["inputs"], dev["masked_lm_ids"], **settings)


def run(model, start, seed):
    keras.utils.set_random_seed(seed)
    model.set_weights(start)
    for variable in model.optimizer.variables:
        variable.assign(ops.zeros_like(variable))
    settings = {"sample_weight": train["masked_lm_weights"], "batch_size": BATCH, "verbose": 0}
    model.fit(train["inputs"], train["masked_lm_ids"], **settings)
    return evaluate(model)


# %% [markdown]
# All runs. The first line is the control: the model before any change. Expect a loss around 3.0 nats there, and lower
# ones below.

# %%
models = {name: new_model(name) for name in METHODS}
unchanged, results = evaluate(models["everything"][0]), {}
print(f"{'unchanged':12} {0:10,} trained weights, loss {unchanged['nats']:.3f}, found {unchanged['found']:.1%}")
for name, (model, start) in models.items():
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    runs = [run(model, start, seed) for seed in range(SEEDS)]
    losses, found = ([each[key] for each in runs] for key in ("nats", "found"))
    results[name] = {"trained": trained, "loss": np.mean(losses), "spread": np.std(losses, ddof=1)}
    print(f"{name:12} {trained:10,} trained weights, loss {np.mean(losses):.3f}, found {np.mean(found):.1%}")

# %%
total = results["everything"]["trained"]
plot = kb.explain.scatter_chart(
    {name: (100 * each["trained"] / total, each["loss"]) for name, each in results.items()},
    "Masked-LM loss on film reviews by the share of the weights that are trained. Lower is better; 3 seeds.",
    "trained weights, % of those of the upper two blocks and the head (log scale)",
    "loss on dev, nats per masked token",
    errors={name: each["spread"] for name, each in results.items()},
    baselines={"unchanged model": unchanged["nats"]},
    log_x=True,
)
chapter.show(plot, "loss_by_share")

# %% [markdown]
# *Look at* the points from left to right: the x axis goes from less than 1 % to 100 %. All methods are below the dashed
# line of the unchanged model. Training everything gives the lowest loss, so it has the largest gain. The adapters train
# about 2 % of the weights, the biases a third of a percent, and yet both have a large part of this gain (the next
# output has the numbers). But look at the control: "head only" is at nearly the same height and changes no block. The
# differences between these three are not larger than the error bars, so this experiment does not show which of them is
# better. A possible reason why they are alike, which is not tested here: words have other frequencies in reviews, and
# each of the three can learn that. LoRA has the smallest gain in this run. It changes only queries and values, and not
# the head; Hu et al. report that it equals full fine-tuning, but for models of 125 million weights and more, and with
# longer training. One task of one small model does not show which method is better in general.
#
# The next cell prints the part of the gain: 0 % is the unchanged model, 100 % is what training everything gains. Is
# the gain large? A loss that is lower by 0.08 means that the probability of the chosen token is higher by a factor of
# $e^{0.08}$ = 1.08 (in the geometric mean).

# %%
gain = unchanged["nats"] - results["everything"]["loss"]
for name, each in results.items():
    part = (unchanged["nats"] - each["loss"]) / gain
    print(
        f"{name:12} {each['trained'] / total:7.2%} of the weights, {part:5.0%} of the gain, spread {each['spread']:.3f}"
    )
    assert each["loss"] < unchanged["nats"] - 0.01
assert gain > 0.05 and unchanged["nats"] - results["adapters"]["loss"] > 0.4 * gain

# %% [markdown]
# ## 8 · Are the frozen weights unchanged?
#
# Two checks that you should do after every run with frozen layers. First: the frozen weights must be the same numbers
# as before, bit for bit. Second: every trained tensor must have changed.


# %%
def changed_weights(name):
    model, start = models[name]
    pairs = zip(model.weights, start, strict=True)
    return {weight.path: not np.array_equal(weight.numpy(), before) for weight, before in pairs}


for name in METHODS:
    changed = changed_weights(name)
    trainable = {weight.path for weight in models[name][0].trainable_weights}
    assert {path for path, value in changed.items() if value} == trainable
    print(f"{name:12} {len(trainable):3} of {len(changed)} tensors changed: those that are trainable")

# %% [markdown]
# ## 9 · The same with `kb.finetune`
#
# For your own task you do not need the cells of section 7. Change the encoder, build a task model on it, and call
# `kb.finetune`. One argument matters: its default `freeze="none"` makes the embeddings, the blocks and the pooler
# trainable again. `freeze=None` leaves every layer's own `trainable` as you have set it. (LoRA is an exception: with
# it, `freeze="none"` trains only LoRA's weights and the head of the task.) A tiny model shows the difference.

# %%
config = kb.BertConfig(vocab_size=50, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32)
rows = {"input_word_ids": np.full((4, 6), 7), "input_mask": np.ones((4, 6)), "input_type_ids": np.zeros((4, 6))}
rows = {key: value.astype("int32") for key, value in rows.items()}


# %%
def is_table_changed(freeze):
    classifier = kb.BertClassifier(with_adapters(kb.BertEncoder(config), lambda: Adapter(4)), num_classes=2)
    embeddings = classifier.encoder.embeddings
    embeddings.trainable = False
    before = embeddings.get_weights()[0]
    kb.finetune(classifier, rows, np.array([0, 0, 0, 1]), epochs=2, learning_rate=1e-2, freeze=freeze, verbose=0)
    return not np.array_equal(embeddings.get_weights()[0], before)


changes = {str(freeze): is_table_changed(freeze) for freeze in ("none", None)}
print("were the frozen embeddings changed?", changes)
assert changes == {"none": True, "None": False}

# %% [markdown]
# ## What could mislead you
#
# - **The controls were run**: the unchanged model, the head alone, and everything. "Head only" is the one that is easy
#   to forget: without it, the gain of the adapters would look like a gain of the changed blocks.
# - **The masks are fixed.** All methods are measured on the same masked tokens. With other masks all losses would be
#   different, so a loss of 3.0 says little alone. The differences between the methods do not contain this source of
#   chance in full, because all of them have the same tokens.
# - **Few weights is not little time.** The gradient must still pass through all blocks above the lowest trained layer.
#   What saves time here is that the lower two blocks are frozen and computed once.
# - **The learning rate is a part of the method.** Each method has its own rate, chosen by hand. A comparison with one
#   rate for all, or with too few rates, can make a method look worse than it is.
# - **"Everything" is not everything here**: it is the upper two blocks. `kb.finetune` trains all blocks.
# - **No error message does not mean no mistake**: sections 3 to 5 had four mistakes without one (no skip connection, a
#   large start, a start at 0, no mask).
#
# ## Summary
#
# - A changed model must compute the same as the pretrained one at the start. Measure it with a cosine.
# - `block.after_attention` and `block.after_feed_forward` take any layer from `[B, T, H]` to `[B, T, H]`; `block=`
#   takes a block of your own; `encoder.enable_lora(rank)` adds LoRA, and `merge_lora()` removes it again.
# - A layer that mixes tokens needs the mask. Test it with more padding.
# - A kernel that starts at exactly 0 before a ReLU never learns.
# - Check after training that the frozen weights did not change. With `kb.finetune`, pass `freeze=None`.
#
# ## Exercises
#
# 1. How many weights do adapters of size 4, 16 and 64 add? Write the formula, and check it with `count_params`.
# 2. Enable LoRA for `"intermediate"` and `"output"` too. How many weights are trained now? Are the outputs at the start
#    still those of the pretrained model, and are they the same after `merge_lora`? Which rank has the change of one
#    head's query kernel?
# 3. Write a gate that computes its factors for each token from this token alone. Show that it needs no mask.
#
# Solutions: [solutions/13_change_the_model.py](solutions/13_change_the_model.py).
#
# ## Next
#
# [Chapter 14](14_serving.py) puts a model behind an address, so that other programs can ask it.
