"""Shared exports, and a function that runs a script in a new process."""

import os
import string
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import randomize, tiny_config
from tests.processes import LIMIT

collect_ignore_glob = ["scripts/*"]  # programs that the tests run

TEXTS = ["A fine film!", "unbelievable", "", "Ça va? 電影 [MASK] ##film", "films " * 60]
TOKENS = ["a", "fine", "film", "un", "##believ", "##able", "##s", "電", "va", "[", "]", "mask", "#", "!", "?"]
LABELS = ["negative", "positive"]


def _vocabulary() -> list:
    letters = string.ascii_lowercase[1:]
    continuations = [f"##{letter}" for letter in string.ascii_lowercase if letter != "s"]
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *TOKENS, *letters, *continuations]


@pytest.fixture(scope="session")
def models():
    """A vectorizer, a pretrainer and a classifier, and texts for them."""
    vectorizer = kb.BertTextVectorization(_vocabulary(), sequence_length=32)
    config = tiny_config(vocab_size=vectorizer.vocabulary_size(), hidden_dropout=0.1, attention_dropout=0.1)
    return SimpleNamespace(
        vectorizer=vectorizer,
        pretrainer=randomize(kb.BertPretrainer(kb.BertEncoder(config)), seed=1),
        classifier=randomize(kb.BertClassifier(kb.BertEncoder(config)), seed=2),
        texts=TEXTS,
        labels=LABELS,
    )


@pytest.fixture(scope="session")
def exports(models, tmp_path_factory):
    """The models, and the folders that they were exported to."""
    folder, vectorizer = tmp_path_factory.mktemp("exports"), models.vectorizer
    return SimpleNamespace(
        **vars(models),
        text=kb.export_saved_model(models.classifier, folder / "text", vectorizer, labels=LABELS),
        features=kb.export_saved_model(models.pretrainer.encoder, folder / "features", vectorizer),
        encoder=kb.export_saved_model(models.pretrainer, folder / "encoder", vectorizer, interface="tfhub"),
        preprocess=kb.export_saved_model(vectorizer, folder / "preprocess"),
    )


@pytest.fixture(scope="session")
def run_script(tmp_path_factory):
    """Run a script of `scripts/` in a new process outside the repository; return the arrays that it saves."""

    def run(name, *arguments, **environment):
        out = tmp_path_factory.mktemp("script") / "out.npz"
        script = Path(__file__).parent / "scripts" / name
        done = subprocess.run(
            [sys.executable, "-I", str(script), str(out), *map(str, arguments)],
            cwd=out.parent,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(np.load(out, allow_pickle=False))

    return run
