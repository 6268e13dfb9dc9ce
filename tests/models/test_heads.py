"""BertPretrainer and BertClassifier: the tie, training, saving without help, bad arguments."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from helpers import random_inputs, randomize, tiny_config

import keras_bert as kb


def loss_of(logits, labels):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


def batch(config, **sizes):
    inputs = random_inputs(config, batch=4, positions=3, **sizes)
    words = np.take_along_axis(inputs["input_word_ids"], inputs["masked_lm_positions"], axis=1)  # [B, P]
    return inputs, {"mlm_logits": words, "nsp_logits": np.array([0, 1, 1, 0])}


def compiled(model, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = {key: loss for key in model.output} if isinstance(model.output, dict) else loss
    model.compile(keras.optimizers.Adam(3e-3), losses, **options)
    return model


def test_the_pretrainer_uses_the_encoders_outputs():
    config = tiny_config()
    pretrainer = randomize(kb.BertPretrainer(kb.BertEncoder(config)))
    inputs, _ = batch(config)
    encoded = pretrainer.encoder({key: inputs[key] for key in list(inputs)[:3]})
    outputs = pretrainer(inputs)
    assert outputs["mlm_logits"].shape == (4, 3, 100) and outputs["nsp_logits"].shape == (4, 2)
    mlm = pretrainer.mlm_head(encoded["sequence_output"], inputs["masked_lm_positions"])
    np.testing.assert_allclose(outputs["mlm_logits"], mlm, atol=1e-6)
    kernel, bias = pretrainer.nsp_head.get_weights()
    np.testing.assert_allclose(outputs["nsp_logits"], encoded["pooled_output"].numpy() @ kernel + bias, atol=1e-5)


def test_without_next_sentence_there_is_one_output():
    config = tiny_config()
    pretrainer = kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None)
    assert set(pretrainer(batch(config)[0])) == {"mlm_logits"}
    assert pretrainer.nsp_head is None and kb.BertPretrainer.from_config(pretrainer.get_config()).sentence_task is None


def test_sentence_order_is_a_head_of_its_own(tmp_path):
    encoder = kb.BertEncoder(tiny_config())
    pretrainer = randomize(kb.BertPretrainer(encoder, sentence_task="order"))
    inputs, _ = batch(encoder.config)
    outputs = pretrainer(inputs)
    assert set(outputs) == {"mlm_logits", "sop_logits"} and pretrainer.nsp_head is None
    pooled = encoder({key: inputs[key] for key in list(inputs)[:3]})["pooled_output"].numpy()
    kernel, bias = pretrainer.sop_head.get_weights()
    np.testing.assert_allclose(outputs["sop_logits"], pooled @ kernel + bias, atol=1e-5)
    pretrainer.save(tmp_path / "p.keras")
    loaded = keras.saving.load_model(tmp_path / "p.keras")
    assert loaded.sentence_task == "order"
    np.testing.assert_array_equal(loaded(inputs)["sop_logits"], outputs["sop_logits"])


def test_both_ways_to_name_the_sentence_task():
    encoder = kb.BertEncoder(tiny_config())
    for settings, task in (
        ({}, "next"),
        ({"next_sentence": True}, "next"),
        ({"next_sentence": False}, None),
        ({"sentence_task": None}, None),
        ({"sentence_task": "order", "next_sentence": False}, "order"),
    ):
        assert kb.BertPretrainer(encoder, **settings).sentence_task == task
    config = kb.BertPretrainer(encoder).get_config()
    del config["sentence_task"]  # as it was written before there were two tasks
    for said, task in ((True, "next"), (False, None)):
        assert kb.BertPretrainer.from_config({**config, "next_sentence": said}).sentence_task == task
    for settings, received in (
        ({"sentence_task": "sop"}, "Received: 'sop'"),
        ({"sentence_task": None, "next_sentence": True}, "sentence_task="next", sentence_task=None"),
    ):
        with pytest.raises(kb.InputError, match=received):
            kb.BertPretrainer(encoder, **settings)
    with pytest.raises(kb.InputError, match="an encoder without one"):
        kb.BertPretrainer(kb.BertEncoder(tiny_config(pooler=False)), sentence_task="order")


def test_the_heads_count_what_the_paper_says():
    encoder = kb.BertEncoder(tiny_config())
    heads = kb.BertPretrainer(encoder).count_params() - encoder.count_params()
    assert heads == (32 * 32 + 32) + 2 * 32 + 100 + (32 * 2 + 2)  # transform, LayerNorm, output bias; NSP. No table.
    assert kb.BertClassifier(encoder, 5).count_params() - encoder.count_params() == 32 * 5 + 5


def test_the_tie_is_real_after_loading(tmp_path):
    config = tiny_config()
    pretrainer = randomize(kb.BertPretrainer(kb.BertEncoder(config)))
    inputs, _ = batch(config)
    pretrainer.save(tmp_path / "p.keras")
    loaded = keras.saving.load_model(tmp_path / "p.keras")
    assert loaded.count_params() == pretrainer.count_params()
    before = loaded(inputs)["mlm_logits"].numpy()
    np.testing.assert_array_equal(before, pretrainer(inputs)["mlm_logits"])

    # A word that no input has, moved in the embedding, moves its own logit and no other.
    unused = int(np.setdiff1d(np.arange(100), inputs["input_word_ids"])[0])
    table = loaded.encoder.embeddings.word_embeddings.embeddings
    rows = table.numpy()
    rows[unused] += 1.0
    table.assign(rows)
    moved = np.abs(loaded(inputs)["mlm_logits"].numpy() - before).max(axis=(0, 1)) > 1e-4
    assert moved[unused] and moved.sum() == 1

    # And a training step on the words' loss alone moves the rows of words that no input has.
    rows = table.numpy()
    loaded.compile(keras.optimizers.SGD(0.1), {"mlm_logits": word_loss}, jit_compile=False)
    loaded.train_on_batch(inputs, {"mlm_logits": batch(config)[1]["mlm_logits"]})
    assert np.abs(table.numpy() - rows)[unused].max() > 0


def word_loss(labels, logits):
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


@pytest.mark.parametrize(
    ("policy", "jit_compile"),
    [("float32", False), ("mixed_bfloat16", False), ("mixed_float16", False), ("mixed_bfloat16", True)],
)
def test_training_lowers_the_loss(policy, jit_compile):
    keras.utils.set_random_seed(0)
    config = tiny_config(num_layers=1, hidden_dropout=0.1, attention_dropout=0.1)
    inputs, labels = batch(config)
    model = compiled(kb.BertPretrainer(kb.BertEncoder(config, dtype=policy)), jit_compile=jit_compile)
    dtypes = {name: value.dtype for name, value in model.output.items()}
    assert dtypes == {"mlm_logits": keras.dtype_policies.get(policy).compute_dtype, "nsp_logits": "float32"}
    losses = [float(np.ravel(model.train_on_batch(inputs, labels))[0]) for _ in range(12)]
    assert np.isfinite(losses).all() and losses[-1] < 0.8 * losses[0], losses
    assert all(np.isfinite(weight.numpy()).all() for weight in model.weights)


def test_the_classifier_learns_and_is_deterministic():
    config = tiny_config(num_layers=1, hidden_dropout=0.1, attention_dropout=0.1)
    inputs, labels = random_inputs(config, batch=8), np.arange(8) % 3

    def run(seed):
        keras.utils.set_random_seed(seed)
        model = compiled(kb.BertClassifier(kb.BertEncoder(config), num_classes=3, dropout=0.2), jit_compile=False)
        history = model.fit(inputs, labels, batch_size=4, epochs=8, verbose=0).history["loss"]
        return history, model.predict(inputs, verbose=0)

    (history, logits), (again, same_logits) = run(3), run(3)
    assert history == again and history[-1] < history[0]
    np.testing.assert_array_equal(logits, same_logits)
    assert run(4)[0] != history


def test_every_weight_has_a_gradient():
    import tensorflow as tf

    config = tiny_config()
    pretrainer = randomize(kb.BertPretrainer(kb.BertEncoder(config)))
    inputs, labels = batch(config)
    with tf.GradientTape() as tape:
        outputs = pretrainer(inputs, training=True)
        loss = sum(loss_of(outputs[key], labels[key]) for key in outputs)
    variables = pretrainer.trainable_weights
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    for variable, gradient in zip(variables, gradients, strict=True):
        size = float(tf.reduce_max(tf.abs(tf.convert_to_tensor(gradient))))
        # The softmax does not see a number added to all logits of a query, which is what a key's bias is.
        assert size > 1e-7 or variable.path.endswith("key/bias"), variable.path


FRESH = """
import sys, numpy as np, keras, keras_bert
for kind in ("encoder", "pretrainer", "classifier"):
    model = keras.saving.load_model(f"{sys.argv[1]}/{kind}.keras", safe_mode=True)
    encoder = getattr(model, "encoder", model)
    assert type(encoder) is keras_bert.BertEncoder and len(encoder.blocks) == 2 and encoder.config.vocab_size == 100
    assert encoder.embeddings.built and encoder.pooler.dense.built
    outputs = keras.tree.flatten(model(dict(np.load(f"{sys.argv[1]}/{kind}_inputs.npz"))))
    np.savez(f"{sys.argv[1]}/{kind}_outputs.npz", *outputs)
"""


def test_a_fresh_process_loads_all_with_nothing_but_the_import(tmp_path):
    config = tiny_config()
    encoder = kb.BertEncoder(config)
    models = {
        "encoder": encoder,
        "pretrainer": randomize(kb.BertPretrainer(encoder)),
        "classifier": kb.BertClassifier(encoder, 3),
    }
    expected = {}
    for kind, model in models.items():
        inputs = random_inputs(config, positions=3 if kind == "pretrainer" else 0)
        model.save(tmp_path / f"{kind}.keras")
        np.savez(tmp_path / f"{kind}_inputs.npz", **inputs)
        expected[kind] = keras.tree.flatten(model(inputs))
    done = subprocess.run([sys.executable, "-c", FRESH, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for kind, values in expected.items():
        outputs = np.load(tmp_path / f"{kind}_outputs.npz")
        for i, value in enumerate(values):
            np.testing.assert_allclose(outputs[f"arr_{i}"], value, atol=1e-6)


def test_a_compiled_and_half_frozen_classifier_goes_on_where_it_stopped(tmp_path):
    config = tiny_config()
    inputs, labels = random_inputs(config, batch=8), np.arange(8) % 2
    keras.utils.set_random_seed(0)
    encoder = kb.BertEncoder(config)
    encoder.embeddings.trainable = encoder.blocks[0].trainable = False
    model = compiled(kb.BertClassifier(encoder, dropout=0.0), jit_compile=False)
    model.train_on_batch(inputs, labels)
    model.save(tmp_path / "c.keras")
    loaded = keras.saving.load_model(tmp_path / "c.keras")
    assert isinstance(loaded, kb.BertClassifier) and loaded.num_classes == 2
    assert [loaded.train_on_batch(inputs, labels) for _ in range(3)] == pytest.approx(
        [model.train_on_batch(inputs, labels) for _ in range(3)], abs=1e-5
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 1}, "num_classes .* Received: 1"),
        ({"num_classes": 2.0}, "num_classes .* Received: 2.0"),
        ({"num_classes": True}, "num_classes .* Received: True"),
        ({"dropout": 1.0}, "dropout .* Received: 1.0"),
    ],
)
def test_impossible_classifiers_are_refused(arguments, message):
    with pytest.raises(kb.InputError, match=message):
        kb.BertClassifier(kb.BertEncoder(tiny_config()), **arguments)


@pytest.mark.parametrize("model", [kb.BertPretrainer, kb.BertClassifier])
def test_heads_stand_on_a_bert_encoder_alone(model):
    with pytest.raises(kb.InputError, match="BertEncoder. Received: BertConfig"):
        model(tiny_config())


def test_a_span_labeler_points_with_two_vectors():
    config = tiny_config()
    spans = randomize(kb.BertSpanLabeler(kb.BertEncoder(config)))
    inputs = random_inputs(config)
    rows = spans.encoder(inputs)["sequence_output"].numpy()
    kernel, bias = spans.head.get_weights()
    for i, name in enumerate(("start_logits", "end_logits")):
        np.testing.assert_allclose(spans(inputs)[name], rows @ kernel[:, i] + bias[i], atol=1e-5)


def test_a_token_classifier_looks_at_every_row_alike():
    config = tiny_config()
    tokens = randomize(kb.BertTokenClassifier(kb.BertEncoder(config), num_classes=5))
    inputs = random_inputs(config)
    rows = tokens.encoder(inputs)["sequence_output"].numpy()
    kernel, bias = tokens.head.get_weights()
    np.testing.assert_allclose(tokens(inputs), rows @ kernel + bias, atol=1e-5)
    assert tokens(inputs).dtype == "float32"
    with pytest.raises(kb.InputError, match="at least 2"):
        kb.BertTokenClassifier(tokens.encoder, 1)
    with pytest.raises(kb.InputError, match="built on a BertEncoder"):
        kb.BertSpanLabeler(tokens)
