"""Head ablation: a zeroed head has the output zero, the numbers are those of a model without it, weights come back."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain.self_attention.head_ablation import zeroed_heads
from keras_bert.ops import attention
from tests.explain.small_models import TEXTS, small_encoder
from tests.helpers import randomize

LABELS = [0, 1, 1, 0, 1, 0]


@pytest.fixture(scope="module")
def classifier():
    return randomize(kb.BertClassifier(small_encoder(num_heads=4), num_classes=2), seed=3)


def test_zeroed_head_by_hand(classifier):
    """The attention of a block, from its probabilities and values, without the output of two heads."""
    block, rng = classifier.encoder.blocks[1], np.random.default_rng(0)
    x = keras.ops.convert_to_tensor(rng.normal(size=(2, 7, 32)).astype("float32"))
    mask = keras.ops.convert_to_tensor([[1] * 7, [1] * 5 + [0] * 2])
    _, scores = block(x, mask, return_attention_scores=True)  # [B, A, T, T]
    layer = block.attention
    values = layer.value_dense(x).numpy()  # [B, T, A, H / A]
    heads = np.einsum("bats,bsad->btad", scores, values)
    heads[:, :, [0, 2]] = 0
    expected = layer.output_dense(heads).numpy()  # [B, T, H], with the bias
    with zeroed_heads(block, [0, 2], 4):
        found = attention(layer, x, x, mask)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(attention(layer, x, x, mask) - expected).max() > 0.1


def test_equals_models_without_the_head(classifier):
    found = kb.explain.head_ablation(classifier, TEXTS, LABELS)
    inputs = classifier.vectorizer(TEXTS)
    labels = np.array(LABELS)

    def correct(layer=None, zeroed=()):
        model = kb.BertClassifier(classifier.encoder.copy(), num_classes=2)
        model.set_weights(classifier.get_weights())
        if layer is not None:
            kernel = model.encoder.blocks[layer].attention.output_dense.kernel
            kernel.assign(np.where(np.isin(np.arange(4), zeroed)[:, None, None], 0, kernel))
        return np.argmax(model(inputs), -1) == labels

    base = correct()
    assert found.accuracy == base.mean() and found.examples == 6 and not found.shared
    for layer in range(2):
        for head in range(4):
            without = correct(layer, [head])
            assert found.change[layer, head] == pytest.approx(without.mean() - base.mean())
            difference = without.astype(int) - base
            assert found.standard_error[layer, head] == pytest.approx(np.std(difference) / np.sqrt(6))
            assert found.alone[layer, head] == correct(layer, [each for each in range(4) if each != head]).mean()
    np.testing.assert_array_equal(found.best_alone, found.alone.max(1))
    assert np.ptp([*found.change.ravel(), *found.alone.ravel()]) > 0  # some head matters


def test_weights_are_restored_after_an_error(classifier, monkeypatch):
    before = classifier.get_weights()
    kb.explain.head_ablation(classifier, TEXTS, LABELS)
    calls = []

    def fail(model):
        def predict(inputs):
            calls.append(np.abs(classifier.encoder.blocks[0].attention.output_dense.kernel).max(axis=(1, 2)))
            if len(calls) == 3:
                raise KeyboardInterrupt
            return np.zeros((len(inputs["input_mask"]), 2))

        return predict

    monkeypatch.setattr("keras_bert.explain.self_attention.head_ablation.ops.predict_on_batch", fail)
    with pytest.raises(KeyboardInterrupt):
        kb.explain.head_ablation(classifier, TEXTS, LABELS)
    assert (calls[2] == 0).sum() == 3  # all heads but one were zero at that time
    for one, other in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_names_pairs_binary_and_shared_blocks():
    encoder = small_encoder(share_blocks=True, num_layers=3)
    model = randomize(kb.BertClassifier(encoder, num_classes=1), seed=4)
    model.labels = ["bad", "good"]
    found = kb.explain.head_ablation(model, list(zip(TEXTS, TEXTS[::-1], strict=True)), ["good", "bad"] * 3)
    assert found.shared and found.change.shape == (1, 2)
    probabilities = kb.Predictor(model)(list(zip(TEXTS, TEXTS[::-1], strict=True)))
    expected = np.mean([each["label"] == label for each, label in zip(probabilities, ["good", "bad"] * 3, strict=True)])
    assert found.accuracy == expected


def test_rejects(classifier):
    for model, texts, labels, match in (
        (small_encoder(), TEXTS, LABELS, "`pretrained`.*classifier.*BertEncoder"),
        (kb.BertClassifier(small_encoder(), 2, problem_type="regression"), TEXTS, LABELS, "`pretrained`.*regression"),
        (classifier, TEXTS, None, "`labels`"),
        (classifier, TEXTS, [0, 1, 2, 0, 1, 0], "`labels`.*0 … 1.*2"),
        (classifier, TEXTS, LABELS[:5], "`labels`"),
    ):
        with pytest.raises(kb.InputError, match=f"^{match}"):
            kb.explain.head_ablation(model, texts, labels)

    lora = small_encoder()
    lora.enable_lora(2, targets=("attention_output",))
    with pytest.raises(kb.InputError, match="^`pretrained`.*LoRA"):
        kb.explain.head_ablation(kb.BertClassifier(lora), TEXTS, LABELS)

    class MyAttention(keras.layers.MultiHeadAttention):
        pass

    replaced = small_encoder()
    replaced.blocks[1].attention = MyAttention(num_heads=2, key_dim=16)
    with pytest.raises(kb.InputError, match="^`pretrained`.*MyAttention"):
        kb.explain.head_ablation(kb.BertClassifier(replaced), TEXTS, LABELS)
