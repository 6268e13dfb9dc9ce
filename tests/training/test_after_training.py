"""After every kind of training, a model can be saved, loaded in a fresh process, fitted, and trained again."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training import init_student
from tests.training import toys

CONFIG = kb.BertConfig(len(toys.VOCABULARY), 8, 2, 2, 16, max_position_embeddings=32, hidden_dropout=0.1)
SETTINGS = {"batch_size": 4, "learning_rate": 1e-3, "verbose": 0}


def encoder():
    return kb.BertEncoder(CONFIG)


def finetuned(model, labels, **settings):
    ids, _ = toys.labeled(8)
    return model, lambda: kb.finetune(model, ids, labels, ids, labels, **{"epochs": 1, **SETTINGS, **settings}), labels


def classifier(**settings):
    return finetuned(kb.BertClassifier(encoder(), 2), np.arange(8) % 2, **settings)


def pretrained(sentence_task, **settings):
    model = kb.BertPretrainer(encoder(), sentence_task=sentence_task)
    examples = toys.examples(4, sentence_task=sentence_task)
    data = (examples, toys.masking())
    return model, lambda: kb.pretrain(model, *data, validation=examples, steps=2, **SETTINGS, **settings), data


def distilled(**settings):
    teacher = kb.BertPretrainer(encoder(), sentence_task=None)
    student, data = init_student(teacher, 1), (toys.examples(4, sentence_task=None), toys.masking())
    return student, lambda: kb.distill(teacher, student, *data, steps=2, **SETTINGS, **settings), data


def head_only(**settings):
    model, (ids, labels) = kb.BertFeatureClassifier(encoder(), 2), toys.labeled(8)
    features = kb.embed(model.encoder, ids, model.pool)
    return model, lambda: kb.fit_features(model, features, labels, features, labels, epochs=1), labels


# Name to a function that returns a model, a function that trains it, and labels, or examples and a masking.
CASES = {
    "classifier": classifier,
    "classifier, partly frozen": lambda **s: classifier(freeze=1, layer_decay=0.5, **s),
    "classifier, gradually unfrozen": lambda **s: classifier(freeze="gradual", **s),
    "classifier, accumulated": lambda **s: classifier(accumulate=2, schedule="constant", **s),
    "classifier with a teacher": lambda **s: classifier(teacher_logits=np.ones((8, 2)), **s),
    "classifier of labels": lambda **s: finetuned(
        kb.BertClassifier(encoder(), 3, problem_type="multi_label"), np.arange(24).reshape(8, 3) % 2, **s
    ),
    "regressor": lambda **s: finetuned(
        kb.BertClassifier(encoder(), 1, problem_type="regression"), np.linspace(0, 1, 8), **s
    ),
    "token classifier": lambda **s: finetuned(kb.BertTokenClassifier(encoder(), 3), np.arange(128).reshape(8, 16) % 3, **s),
    "span labeler": lambda **s: finetuned(
        kb.BertSpanLabeler(encoder()), {"start_logits": np.ones(8, int), "end_logits": 1 + np.arange(8) % 2}, **s
    ),
    "feature classifier": lambda **s: finetuned(kb.BertFeatureClassifier(encoder(), 2), np.arange(8) % 2, **s),
    "pretrainer": lambda **s: pretrained("next", **s),
    "pretrainer without sentence task": lambda **s: pretrained(None, **s),
    "distilled pretrainer": distilled,
}  # fmt: skip


def batch_of(model, data):
    """Return a batch for `fit`: inputs, targets and, for a pretrainer, weights."""
    if isinstance(model, kb.BertPretrainer):
        inputs, targets, weights = kb.training.MaskedBatches(*data, batch_size=4)[0]
        single = len(targets) == 1
        return (inputs, targets["mlm_logits"], weights["mlm_logits"]) if single else (inputs, targets, weights)
    ids, _ = toys.labeled(8)
    return ids, kb.tasks.task_for(model).targets(model, ids, data)[0]


def outputs_of(model, inputs):
    return [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(model(inputs))]


def distance(model, weights):
    return max(np.abs(np.array(a) - b).max() for a, b in zip(model.get_weights(), weights, strict=True))
