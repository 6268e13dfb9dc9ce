"""The completeness error of integrated gradients with 50 steps, on real sentences and the bundled classifier."""

import os
from pathlib import Path

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.catalog.bundled import SENTIMENT
from keras_bert.explain.attribution.explained_model import open_explained

LIMIT = 0.01


def errors(texts):
    explained = open_explained(kb.load_pretrained(SENTIMENT), compiled=True)
    return np.array([kb.explain.integrated_gradients(explained, text).completeness_error for text in texts])


def test_sample():
    found = errors(kb.load_labeled("sample").dev_texts[:10])
    assert found.max() < LIMIT, found


@pytest.mark.slow
def test_sst2():
    folder = os.environ.get("KERAS_BERT_DATA")
    if not folder:
        pytest.skip("KERAS_BERT_DATA must name the folder of the data")
    texts = [line.split("\t")[0] for line in (Path(folder) / "data/SST-2/dev.tsv").read_text("utf-8").splitlines()[1:]]
    found = errors(texts[:200])
    assert found.max() < LIMIT, (found.max(), texts[int(found.argmax())])
