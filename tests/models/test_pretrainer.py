"""`BertPretrainer`: heads, the tied embedding, sentence tasks, training."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.constants import INPUT_KEYS
from tests.helpers import assert_close, random_inputs, randomize, tiny_config, to_numpy


def make_batch(config):
    """Return inputs with masked positions, and the labels of both tasks."""
    inputs = random_inputs(config, batch=4, positions=3)
    words = np.take_along_axis(inputs["input_word_ids"], inputs["masked_lm_positions"], axis=1)  # [B, P]
    return inputs, {"mlm_logits": words, "nsp_logits": np.array([0, 1, 1, 0])}


def encode(model, inputs):
    return model.encoder({key: inputs[key] for key in INPUT_KEYS})


def cross_entropy(labels, logits):
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


@pytest.mark.parametrize(("task", "head"), [("next", "nsp"), ("order", "sop")])
def test_heads_read_the_outputs_of_the_encoder(task, head):
    config = tiny_config()
    pretrainer = randomize(kb.BertPretrainer(kb.BertEncoder(config), task))
    inputs, _ = make_batch(config)
    encoded = encode(pretrainer, inputs)
    outputs = to_numpy(pretrainer(inputs))
    assert set(outputs) == {"mlm_logits", f"{head}_logits"}
    assert outputs["mlm_logits"].shape == (4, 3, 100) and outputs[f"{head}_logits"].shape == (4, 2)
    mlm_logits = pretrainer.mlm_head(encoded["sequence_output"], inputs["masked_lm_positions"])
    assert_close(outputs["mlm_logits"], mlm_logits, 1e-6)
    kernel, bias = getattr(pretrainer, f"{head}_head").get_weights()
    assert_close(outputs[f"{head}_logits"], to_numpy(encoded["pooled_output"]) @ kernel + bias, 1e-5)


def test_sentence_tasks():
    encoder = kb.BertEncoder(tiny_config())
    inputs, _ = make_batch(encoder.config)
    for task, output in (("next", {"nsp_logits"}), ("order", {"sop_logits"}), (None, set())):
        pretrainer = kb.BertPretrainer(encoder, task)
        assert pretrainer.sentence_task == task
        assert set(pretrainer(inputs)) == {"mlm_logits"} | output
        assert (pretrainer.nsp_head is not None) == (task == "next")
        assert (pretrainer.sop_head is not None) == (task == "order")
        assert kb.BertPretrainer.from_config(pretrainer.get_config()).sentence_task == task
    assert kb.BertPretrainer(encoder).sentence_task == "next"


@pytest.mark.parametrize("task", ["sop", True, False])
def test_rejects_unknown_sentence_tasks(task):
    with pytest.raises(kb.InputError, match=f"`sentence_task`.* Received: sentence_task={task!r}"):
        kb.BertPretrainer(kb.BertEncoder(tiny_config()), task)


def test_rejects_sentence_tasks_without_a_pooler():
    encoder = kb.BertEncoder(tiny_config(pooler=False))
    for task in ("next", "order"):
        with pytest.raises(kb.InputError, match=f"^`sentence_task`.*Received: sentence_task={task!r}"):
            kb.BertPretrainer(encoder, task)
    kb.BertPretrainer(encoder, sentence_task=None)


def test_parameter_counts():
    encoder = kb.BertEncoder(tiny_config())
    heads = kb.BertPretrainer(encoder).count_params() - encoder.count_params()
    assert heads == (32 * 32 + 32) + 2 * 32 + 100 + (32 * 2 + 2)  # transform, LayerNorm, output bias, NSP; no table
    assert kb.BertClassifier(encoder, 5).count_params() - encoder.count_params() == 32 * 5 + 5


def test_embedding_is_tied_after_loading(tmp_path):
    config = tiny_config()
    pretrainer = randomize(kb.BertPretrainer(kb.BertEncoder(config)))
    inputs, labels = make_batch(config)
    pretrainer.save(tmp_path / "p.keras")
    loaded = keras.saving.load_model(tmp_path / "p.keras")
    before = to_numpy(loaded(inputs)["mlm_logits"])

    # Changing the embedding of a token that the inputs do not contain changes the logit of this token only.
    unused = int(np.setdiff1d(np.arange(100), inputs["input_word_ids"])[0])
    table = loaded.encoder.embeddings.word_embeddings.embeddings
    rows = keras.ops.convert_to_numpy(table).copy()
    rows[unused] += 1.0
    table.assign(rows)
    changed = np.abs(to_numpy(loaded(inputs)["mlm_logits"]) - before).max(axis=(0, 1)) > 1e-4
    assert changed[unused] and changed.sum() == 1

    # A training step on the masked-LM loss alone changes the embeddings of tokens that the inputs do not contain.
    loaded.compile(keras.optimizers.SGD(0.1), {"mlm_logits": cross_entropy}, jit_compile=False)
    loaded.train_on_batch(inputs, {"mlm_logits": labels["mlm_logits"]})
    assert np.abs(keras.ops.convert_to_numpy(table) - rows)[unused].max() > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "jit_compile"),
    [("float32", False), ("mixed_bfloat16", False), ("mixed_float16", False), ("mixed_bfloat16", True)],
)
def test_training_lowers_the_loss(policy, jit_compile):
    keras.utils.set_random_seed(0)
    config = tiny_config(num_layers=1, hidden_dropout=0.1, attention_dropout=0.1)
    inputs, labels = make_batch(config)
    model = kb.BertPretrainer(kb.BertEncoder(config, dtype=policy))
    dtypes = {name: value.dtype for name, value in model.output.items()}
    assert dtypes == {"mlm_logits": keras.dtype_policies.get(policy).compute_dtype, "nsp_logits": "float32"}
    losses = {key: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for key in labels}
    model.compile(keras.optimizers.Adam(3e-3), losses, jit_compile=jit_compile)
    history = [float(np.ravel(model.train_on_batch(inputs, labels))[0]) for _ in range(12)]
    assert np.isfinite(history).all() and history[-1] < 0.8 * history[0], history
    assert all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in model.weights)


@pytest.mark.slow
def test_every_weight_has_a_gradient():
    import tensorflow as tf

    config = tiny_config()
    pretrainer = randomize(kb.BertPretrainer(kb.BertEncoder(config)))
    inputs, labels = make_batch(config)
    with tf.GradientTape() as tape:
        outputs = pretrainer(inputs, training=True)
        loss = sum(tf.reduce_mean(cross_entropy(labels[key], outputs[key])) for key in outputs)
    variables = pretrainer.trainable_weights
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    for variable, gradient in zip(variables, gradients, strict=True):
        size = float(tf.reduce_max(tf.abs(tf.convert_to_tensor(gradient))))
        # The bias of the keys adds the same number to all logits of a query, which does not change the softmax.
        assert size > 1e-7 or variable.path.endswith("key/bias"), variable.path
