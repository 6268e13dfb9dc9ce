"""Checks for every model and every layer: config, saving, precision, padding, freezing; on every backend."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.layers import BertEmbeddings, MaskedLMHead, Pooler, TransformerBlock
from keras_bert.models.task_model import TaskModel, check_encoder, logits_layer
from tests.helpers import check_layer, check_model, random_inputs, tiny_config

ROOT = Path(__file__).resolve().parents[2]


@keras.saving.register_keras_serializable(package="tests")
class FirstTokenScorer(TaskModel):
    """A task model with its own kind, as a user would write it."""

    kind = "first_token_scorer"

    def __init__(self, encoder, units=1, name=None, trainable=True):
        check_encoder(encoder)
        head = logits_layer(encoder, units)
        scores = head(encoder(encoder.input)["sequence_output"][:, 0])  # [B, units]
        super().__init__(encoder, scores, name=name, trainable=trainable)
        self.head = head
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def with_two_norms(**settings):
    """Return a block with a layer in both slots."""
    after_attention, after_feed_forward = (
        keras.layers.LayerNormalization(name=name, dtype=settings["dtype"]) for name in ("first", "second")
    )
    return TransformerBlock(**settings, after_attention=after_attention, after_feed_forward=after_feed_forward)


B, T, P, H, V = 3, 12, 4, 32, 100
HIDDEN = ("encoder_outputs_0", "encoder_outputs_1", "sequence_output")
SEQUENCES, POOLED = dict.fromkeys(HIDDEN, (B, T, H)), {"pooled_output": (B, H)}
LOW = dict.fromkeys((*HIDDEN, "pooled_output"), "bfloat16")
LOGITS = dict.fromkeys(("start_logits", "end_logits"), (B, T))
SIZES = {  # the variants of the encoder
    "BERT": {},
    "DistilBERT": {"type_vocab_size": 0, "pooler": False},
    "ALBERT": {"embedding_size": 16, "share_blocks": True},
}


def encoder(variant="BERT", **changes):
    return kb.BertEncoder(tiny_config(**SIZES[variant], **changes))


MODELS = {  # name: (class, function that makes its arguments, output shapes, output dtypes under mixed_bfloat16)
    "encoder": (kb.BertEncoder, lambda: {"config": tiny_config()}, {**SEQUENCES, **POOLED}, LOW),
    "encoder_distilbert": (
        kb.BertEncoder,
        lambda: {"config": tiny_config(**SIZES["DistilBERT"])},
        SEQUENCES,
        dict.fromkeys(HIDDEN, "bfloat16"),
    ),
    "encoder_albert": (
        kb.BertEncoder,
        lambda: {"config": tiny_config(**SIZES["ALBERT"])},
        {**SEQUENCES, **POOLED},
        LOW,
    ),
    "encoder_custom_blocks": (
        kb.BertEncoder,
        lambda: {"config": tiny_config(), "block": with_two_norms},
        {**SEQUENCES, **POOLED},
        LOW,
    ),
    "pretrainer": (
        kb.BertPretrainer,
        lambda: {"encoder": encoder()},
        {"mlm_logits": (B, P, V), "nsp_logits": (B, 2)},
        {"mlm_logits": "bfloat16", "nsp_logits": "float32"},
    ),
    "pretrainer_sentence_order": (
        kb.BertPretrainer,
        lambda: {"encoder": encoder("ALBERT"), "sentence_task": "order"},
        {"mlm_logits": (B, P, V), "sop_logits": (B, 2)},
        {"mlm_logits": "bfloat16", "sop_logits": "float32"},
    ),
    "pretrainer_masked_lm": (
        kb.BertPretrainer,
        lambda: {"encoder": encoder("DistilBERT"), "sentence_task": None},
        {"mlm_logits": (B, P, V)},
        {"mlm_logits": "bfloat16"},
    ),
    "classifier": (kb.BertClassifier, lambda: {"encoder": encoder(), "num_classes": 3}, (B, 3), "float32"),
    "classifier_distilbert": (
        kb.BertClassifier,
        lambda: {"encoder": encoder("DistilBERT"), "num_classes": 5, "problem_type": "multi_label", "dropout": 0.2},
        (B, 5),
        "float32",
    ),
    "classifier_regression": (
        kb.BertClassifier,
        lambda: {"encoder": encoder("ALBERT"), "num_classes": 1, "problem_type": "regression"},
        (B, 1),
        "float32",
    ),
    "feature_classifier": (
        kb.BertFeatureClassifier,
        lambda: {"encoder": encoder(), "num_classes": 3, "pool": "second-to-last"},
        (B, 3),
        "float32",
    ),
    "span_labeler": (
        kb.BertSpanLabeler,
        lambda: {"encoder": encoder()},
        LOGITS,
        dict.fromkeys(LOGITS, "float32"),
    ),
    "token_classifier": (
        kb.BertTokenClassifier,
        lambda: {"encoder": encoder(), "num_classes": 5, "dropout": 0.3},
        (B, T, 5),
        "float32",
    ),
    "custom_task_model": (FirstTokenScorer, lambda: {"encoder": encoder(), "units": 4}, (B, 4), "float32"),
}

X = np.random.default_rng(0).standard_normal((2, 5, 8)).astype("float32")  # [B, T, H]
IDS = np.array([[1, 2, 3, 4, 0], [5, 6, 0, 0, 0]], "int32")  # [B, T]
BLOCK = {"hidden_size": 8, "num_heads": 2, "intermediate_size": 12, "activation": "relu", "initializer_range": 0.1}
LAYERS = {  # name: (class, arguments, inputs, output shape)
    "embeddings": (
        BertEmbeddings,
        lambda: dict(vocab_size=20, hidden_size=8, max_position_embeddings=6, type_vocab_size=3, dropout=0.3, name="e"),
        (IDS, 0 * IDS),
        (2, 5, 8),
    ),
    "embeddings_albert": (
        BertEmbeddings,
        lambda: dict(vocab_size=20, hidden_size=8, max_position_embeddings=6, type_vocab_size=0, embedding_size=4),
        (IDS, 0 * IDS),
        (2, 5, 8),
    ),
    "transformer_block": (
        TransformerBlock,
        lambda: {**BLOCK, "dropout": 0.3, "attention_dropout": 0.2, "layer_norm_epsilon": 1e-6, "name": "b"},
        (X, np.int32(IDS > 0)),
        (2, 5, 8),
    ),
    "transformer_block_slots": (
        TransformerBlock,
        lambda: {**BLOCK, "after_attention": keras.layers.Dense(8), "after_feed_forward": keras.layers.Dense(8)},
        (X, np.int32(IDS > 0)),
        (2, 5, 8),
    ),
    "pooler": (Pooler, lambda: {"hidden_size": 8, "initializer_range": 0.1, "name": "p"}, (X,), (2, 8)),
    "masked_lm_head": (
        MaskedLMHead,
        lambda: {"word_embeddings": keras.layers.Embedding(20, 8), "activation": "relu", "layer_norm_epsilon": 1e-6},
        (X, IDS[:, :2] % 5),
        (2, 2, 20),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_model(name):
    cls, make_kwargs, shapes, mixed_dtypes = MODELS[name]
    inputs = random_inputs(tiny_config(), positions=P if cls is kb.BertPretrainer else 0)
    check_model(cls, make_kwargs(), inputs, shapes, mixed_dtypes)


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name):
    cls, make_kwargs, inputs, shape = LAYERS[name]
    shared = (lambda head: (head.word_embeddings,)) if cls is MaskedLMHead else (lambda layer: ())
    check_layer(cls, make_kwargs(), inputs, shape, shared)


def test_every_model_class_is_checked():
    public = {cls for cls in kb.models.MODEL_CLASSES.values() if cls.__module__.startswith("keras_bert.")}
    assert public < {cls for cls, *_ in MODELS.values()}


@pytest.mark.peers
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends(backend):
    pytest.importorskip(backend)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not peers", "-p", "no:cacheprovider", __file__]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]
    assert f"{len(MODELS) + len(LAYERS) + 1} passed" in run.stdout
