"""One export of each kind for all tests, and a process that has TensorFlow and nothing of ours."""

import os
import string
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import randomize, tiny_config

import keras_bert as kb

collect_ignore_glob = ["scripts/*"]  # programs of their own, no modules

TEXTS = ["A fine film!", "unbelievable", "", "Ça va? 電影 [MASK] ##film", "films " * 60]
WORDS = ["a", "fine", "film", "un", "##believ", "##able", "##s", "電", "va", "[", "]", "mask", "#", "!", "?"]
LABELS = ["negative", "positive"]


def vocabulary() -> list:
    letters = string.ascii_lowercase[1:]
    pieces = [f"##{letter}" for letter in string.ascii_lowercase if letter != "s"]
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *pieces]


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """The models in this process, and the folders they were exported to."""
    folder = tmp_path_factory.mktemp("exports")
    vectorizer = kb.BertTextVectorization(vocabulary(), sequence_length=32)
    config = tiny_config(vocab_size=vectorizer.vocabulary_size(), hidden_dropout=0.1, attention_dropout=0.1)
    pretrainer = randomize(kb.BertPretrainer(kb.BertEncoder(config)), seed=1)
    classifier = randomize(kb.BertClassifier(kb.BertEncoder(config)), seed=2)
    made = SimpleNamespace(vectorizer=vectorizer, pretrainer=pretrainer, classifier=classifier)
    made.texts, made.labels = TEXTS, LABELS
    made.text = kb.export_saved_model(classifier, folder / "text", vectorizer, labels=LABELS)
    made.features = kb.export_saved_model(pretrainer.encoder, folder / "features", vectorizer)
    made.encoder = kb.export_saved_model(pretrainer, folder / "encoder", vectorizer, interface="tfhub")
    made.preprocess = kb.export_saved_model(vectorizer, folder / "preprocess")
    return made


@pytest.fixture(scope="session")
def run_script(tmp_path_factory):
    """Run a script beside the tests in a fresh process, elsewhere; it saves arrays as .npz, which come back."""

    def run(name, *arguments, **environment):
        out = tmp_path_factory.mktemp("script") / "out.npz"
        script = Path(__file__).parent / "scripts" / name
        done = subprocess.run(
            [sys.executable, "-I", str(script), str(out), *map(str, arguments)],
            cwd=out.parent,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(np.load(out, allow_pickle=False))

    return run
