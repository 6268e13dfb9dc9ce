"""Clones, deep copies, pickles, saved files and copies: the same outputs, weights and shared parts."""

import copy
import pickle

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import assert_close, random_inputs, randomize, tiny_config, to_numpy

SMALL = {"vocab_size": 30, "hidden_size": 8, "num_layers": 1, "intermediate_size": 16, "max_position_embeddings": 16}
ALBERT = {"embedding_size": 4, "share_blocks": True, "num_layers": 2}


def encoder(**changes):
    return kb.BertEncoder(tiny_config(**{**SMALL, **changes}))


MODELS = {
    "encoder": encoder,
    "albert": lambda: encoder(**ALBERT),
    "pretrainer": lambda: kb.BertPretrainer(encoder()),
    "albert_pretrainer": lambda: kb.BertPretrainer(encoder(**ALBERT), "order"),
    "masked_lm": lambda: kb.BertPretrainer(encoder(pooler=False, type_vocab_size=0), None),
    "classifier": lambda: kb.BertClassifier(encoder(), 3),
    "distilbert_classifier": lambda: kb.BertClassifier(encoder(pooler=False, type_vocab_size=0), 3),
    "feature_classifier": lambda: kb.BertFeatureClassifier(encoder(), 3),
    "span_labeler": lambda: kb.BertSpanLabeler(encoder()),
    "token_classifier": lambda: kb.BertTokenClassifier(encoder(), 3),
}


def enable_lora(model):
    model_encoder = getattr(model, "encoder", model)
    model_encoder.enable_lora(2, alpha=3)
    for layer in model_encoder._flatten_layers():
        if getattr(layer, "lora_enabled", False):
            layer.lora_kernel_b.assign(np.random.default_rng(1).standard_normal(layer.lora_kernel_b.shape))


CHANGES = {
    "plain": lambda model: None,
    "lora": enable_lora,
    "int8": lambda model: model.quantize("int8"),
    "int4": lambda model: model.quantize("int4"),
    "float8": lambda model: model.quantize("float8"),
    "int8 and lora": lambda model: (model.quantize("int8"), enable_lora(model)),
    "lora and int8": lambda model: (enable_lora(model), model.quantize("int8")),
}


def save_and_load(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def clone(model, folder):
    """`clone_model` makes new weights, in the same order."""
    cloned = keras.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    return cloned


def copied(model, folder):
    return model.copy() if isinstance(model, kb.BertEncoder) else model.with_encoder(model.encoder.copy())


WAYS = {
    "clone_model": clone,
    "deepcopy": lambda model, folder: copy.deepcopy(model),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "save": save_and_load,
    "copy": copied,
}
# All models plain; every change on the models with the most shared parts.
CASES = [(name, "plain") for name in MODELS]
CASES += [("albert", "lora"), ("classifier", "lora")]


def check(name, change, way, folder):
    model = randomize(MODELS[name]())
    CHANGES[change](model)
    inputs = random_inputs(tiny_config(**SMALL), positions=2 if "mlm_logits" in model.output_names else 0)
    outputs = to_numpy(model(inputs))
    found = WAYS[way](model, folder)
    assert_close(found(inputs), outputs, 1e-6)
    for attribute in ("weights", "trainable_variables", "non_trainable_variables"):
        shapes = [[tuple(each.shape) for each in getattr(one, attribute)] for one in (model, found)]
        assert shapes[0] == shapes[1], attribute
    assert not {id(weight) for weight in found.weights} & {id(weight) for weight in model.weights}
    if way != "clone_model":  # which returns a plain functional model
        assert type(found) is type(model)
        for weight, other in zip(model.weights, found.weights, strict=True):
            assert weight.dtype == other.dtype
            np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(each) for each in (weight, other)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "change"), CASES)
def test_copies_are_exact(name, change, way, tmp_path):
    check(name, change, way, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("change", [change for change in CHANGES if change != "plain"])
def test_all_copies_of_changed_models_are_exact(change, tmp_path):
    """Every pair of a model and a change, of a change and a way, and of a model and a way; not every triple."""
    for number, name in enumerate(MODELS, start=list(CHANGES).index(change)):
        way = list(WAYS)[number % len(WAYS)]
        # `clone_model` makes heads by Keras's `Dense.from_config`, which adds the variables of float8 first.
        check(name, change, "copy" if (change, way) == ("float8", "clone_model") else way, tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_shared_parts_stay_shared(way, tmp_path):
    """A change of the token embedding changes the masked-LM logits; ALBERT's block and the pooler are there once."""
    model = WAYS[way](randomize(MODELS["albert_pretrainer"]()), tmp_path)
    inputs = random_inputs(tiny_config(**SMALL), positions=2)
    before = to_numpy(model(inputs))["mlm_logits"]
    (table,) = [weight for weight in model.weights if tuple(weight.shape) == (30, 4)]
    unused = next(i for i in range(30) if i not in inputs["input_word_ids"])
    table.assign(keras.ops.convert_to_numpy(table) + np.eye(30, dtype="float32")[unused][:, None])
    after = to_numpy(model(inputs))["mlm_logits"]
    changed = np.abs(after - before).max(axis=(0, 1)) > 1e-4  # [V]
    assert changed[unused] and changed.sum() == 1
    layers = [layer.__class__.__name__ for layer in model._flatten_layers()]
    assert layers.count("TransformerBlock") == layers.count("Pooler") == 1


def test_training_continues_after_loading_lora(tmp_path):
    """Keras itself would load zeros in both LoRA matrices, whose gradients are zero."""
    model = randomize(MODELS["classifier"]())
    model.encoder.enable_lora(2)
    model = save_and_load(model, tmp_path)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    inputs = random_inputs(tiny_config(**SMALL))
    before = [np.array(weight) for weight in model.encoder.weights]
    model.train_on_batch(inputs, np.array([0, 1, 2]))
    changed = {
        weight.name
        for weight, old in zip(model.encoder.weights, before, strict=True)
        if np.abs(np.array(weight) - old).max() > 0
    }
    assert changed == {"lora_kernel_b"}  # which began with zeros, so that the gradient of the other is zero once


def test_frozen_heads_stay_frozen(tmp_path):
    model = MODELS["pretrainer"]()
    model.mlm_head.trainable = model.nsp_head.trainable = False
    loaded = save_and_load(model, tmp_path)
    assert not loaded.mlm_head.trainable and not loaded.nsp_head.trainable
    assert len(loaded.trainable_variables) == len(model.trainable_variables)
