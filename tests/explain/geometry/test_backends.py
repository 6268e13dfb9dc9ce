"""JAX and PyTorch compute the same geometry from the same folder, and need no TensorFlow for it."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import keras_bert as kb
from tests.explain.small_models import TEXTS, small_encoder, small_pretrainer
from tests.helpers import randomize

PROGRAM = """
import sys, numpy as np, keras, keras_bert as kb
folder, texts = sys.argv[1], sys.argv[2:]
pretrained = kb.load_pretrained(f"{folder}/pretrainer")
lens = kb.explain.logit_lens(pretrained, "she sat on the [MASK]")
logits = np.asarray(lens.logits)
found = {
    "sum": kb.explain.embeddings(pretrained, texts[0], texts[1]).sum,
    "degrees": kb.explain.layer_distances(pretrained, texts).degrees,
    "context": kb.explain.word_in_context(pretrained, texts[:2], "bank").vectors,
    "self": kb.explain.self_similarity(pretrained, texts, 2).adjusted,
    "cka": kb.explain.cka(pretrained, texts).matrix,
    "logits": logits,
    "similar": kb.explain.similarity_map(pretrained, texts).cosine,
}
assert (lens.kl[-1] == 0).all()
if keras.config.backend() != "tensorflow":
    assert "tensorflow" not in sys.modules
classifier = kb.load_pretrained(f"{folder}/classifier")
before = [keras.ops.convert_to_numpy(weight) for weight in classifier.model.weights]
ablation = kb.explain.head_ablation(classifier, texts, [0, 1, 1, 0, 1, 0])
for weight, value in zip(classifier.model.weights, before):
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), value)
np.savez(f"{folder}/{keras.config.backend()}.npz", **found, change=ablation.change, alone=ablation.alone)
"""


@pytest.mark.peers
@pytest.mark.slow
def test_geometry_is_equal_on_every_backend(tmp_path):
    pretrainer = small_pretrainer(num_layers=3)
    kb.save_pretrained(pretrainer, tmp_path / "pretrainer", pretrainer.vectorizer)
    classifier = randomize(kb.BertClassifier(small_encoder(num_heads=4), num_classes=2), seed=3)
    kb.save_pretrained(classifier, tmp_path / "classifier", classifier.vectorizer)
    backends = ["tensorflow", *(name for name in ("jax", "torch") if importlib.util.find_spec(name))]
    results = {}
    for backend in backends:
        environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
        command = [sys.executable, "-c", PROGRAM, str(tmp_path), *TEXTS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        results[backend] = dict(np.load(tmp_path / f"{backend}.npz"))
    for backend in backends[1:]:
        for name, values in results["tensorflow"].items():
            np.testing.assert_allclose(results[backend][name], values, atol=1e-4, err_msg=f"{backend}, {name}")
    if len(backends) == 1:
        pytest.skip("neither JAX nor PyTorch is installed")
