"""Saved models load without TensorFlow; what needs TensorFlow gives an error of one line."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import random_inputs, randomize, tiny_config
from tests.processes import LIMIT

SCRIPT = """
import sys
sys.modules["tensorflow"] = None
import json, numpy as np, keras, keras_bert as kb
folder = sys.argv[1]
back = kb.load_pretrained(folder + "/model")
inputs = dict(np.load(folder + "/inputs.npz"))
logits = keras.ops.convert_to_numpy(back.model(inputs))
same = kb.compare(back.encoder, kb.load_pretrained(folder + "/model").encoder, inputs).passed
kb.save_pretrained(back.encoder, folder + "/again", type("V", (), {
    "get_vocabulary": lambda self: back.vocabulary, "lowercase": True, "sequence_length": 8, "added_tokens": (),
    "splitting": back.splitting})())
try:
    kb.export_saved_model(back.encoder, folder + "/out")
except kb.InputError as error:
    print(json.dumps({"logits": logits.tolist(), "same": same, "labels": back.labels, "error": str(error)}))
"""


@pytest.mark.peers
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_load_pretrained_without_tensorflow(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed: make test-all")
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{i}" for i in range(95))]
    classifier = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config())))
    vectorizer = kb.BertTextVectorization(tokens, sequence_length=8)
    kb.save_pretrained(classifier, tmp_path / "model", vectorizer, ["no", "yes"])
    inputs = random_inputs(classifier.encoder.config)
    np.savez(tmp_path / "inputs.npz", **inputs)
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(Path(kb.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    printed = json.loads(ran.stdout.splitlines()[-1])
    np.testing.assert_allclose(printed["logits"], keras.ops.convert_to_numpy(classifier(inputs)), atol=1e-4)
    assert printed["same"] and printed["labels"] == ["no", "yes"]
    assert f"Received: KERAS_BACKEND={backend}" in printed["error"] and "\n" not in printed["error"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "inputs.npz", "model"]
