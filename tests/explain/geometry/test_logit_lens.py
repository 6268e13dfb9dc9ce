"""The logit lens: the model's own head on every layer."""

import keras
import numpy as np
import pytest
from scipy.special import log_softmax, rel_entr, softmax

import keras_bert as kb
from tests.explain.small_models import small_encoder, small_pretrainer

TEXT = "she sat on the [MASK] of the river , unknowns"


def model_logits(model, text) -> np.ndarray:
    """Return the model's own logits at all positions, float32 `[T, V]`."""
    vectorizer = kb.BertTextVectorization(model.vectorizer.get_vocabulary(), sequence_length=None, special_tokens=True)
    inputs = {key: np.asarray(value) for key, value in vectorizer([text]).items()}
    positions = np.arange(inputs["input_mask"].shape[1], dtype="int32")[None]
    return np.asarray(model({**inputs, "masked_lm_positions": positions})["mlm_logits"])[0]


@pytest.mark.parametrize(
    "task, changes", [("next", {}), (None, {"embedding_size": 8}), ("order", {"activation": "gelu"})]
)
def test_last_layer_is_the_model_bit_for_bit(task, changes):
    model = small_pretrainer(task, num_layers=3, **changes)
    for text in (TEXT, "a film"):
        found = kb.explain.logit_lens(model, text)
        np.testing.assert_array_equal(found.logits[-1], model_logits(model, text))
        np.testing.assert_array_equal(found.kl[-1], 0)
        assert found.agreement[-1] == 1 and found.layers == [0, 1, 2, 3]


def test_each_layer_has_the_whole_head():
    """The encoder is cut after a block; its model must have the logits of that layer."""
    model = small_pretrainer(num_layers=3)
    found = kb.explain.logit_lens(model, TEXT)
    for layer in (1, 2):
        config = kb.BertConfig(**{**model.encoder.config.to_dict(), "num_layers": layer})
        cut = kb.BertPretrainer(kb.BertEncoder(config))
        cut.encoder.embeddings.set_weights(model.encoder.embeddings.get_weights())
        for new, old in zip(cut.encoder.blocks, model.encoder.blocks, strict=False):
            new.set_weights(old.get_weights())
        cut.mlm_head.set_weights(model.mlm_head.get_weights())
        cut.encoder.vectorizer = model.vectorizer
        np.testing.assert_allclose(found.logits[layer], model_logits(cut, TEXT), atol=1e-5)


def test_numbers_equal_scipy_and_fill_mask(tmp_path):
    model = small_pretrainer(num_layers=2)
    pretrained = kb.load_pretrained(kb.save_pretrained(model, tmp_path / "model", model.vectorizer))
    found = kb.explain.logit_lens(pretrained, TEXT, top_k=4)
    probabilities = softmax(found.logits.astype("float64"), -1)
    np.testing.assert_allclose(found.kl, rel_entr(probabilities[-1], probabilities).sum(-1), atol=1e-9)
    np.testing.assert_allclose(
        np.log(found.top_probabilities[..., 0]), log_softmax(found.logits, -1).max(-1), atol=1e-5
    )
    assert found.agreement[0] == np.mean(
        np.argmax(found.logits[0], -1) == np.argmax(found.logits[-1], -1),
        where=[token not in ("[CLS]", "[SEP]") for token in found.tokens],
    )
    position = found.tokens.index("[MASK]")
    expected = kb.fill_mask(pretrained, [TEXT], top_k=4)[0]["masks"][0]
    assert expected["position"] == position
    assert found.top_tokens[-1][position] == [each["token"] for each in expected["predictions"]]
    np.testing.assert_allclose(
        found.top_probabilities[-1, position], [each["probability"] for each in expected["predictions"]], rtol=1e-5
    )
    np.testing.assert_array_equal(found.probabilities[-1], found.top_probabilities[-1, :, 0])


def test_chosen_layers_end_with_the_last():
    model = small_pretrainer(num_layers=3)
    full, some = kb.explain.logit_lens(model, TEXT), kb.explain.logit_lens(model, TEXT, layers=[2, 0])
    assert some.layers == [0, 2, 3]
    np.testing.assert_array_equal(some.logits, full.logits[[0, 2, 3]])


def test_rejects():
    model = small_pretrainer()
    for call, match in (
        (lambda: kb.explain.logit_lens(small_encoder(), TEXT), "`pretrained`.*masked-LM head.*encoder"),
        (lambda: kb.explain.logit_lens(keras.Sequential(), TEXT), "`model`.*BertEncoder"),
        (lambda: kb.explain.logit_lens(model, TEXT, top_k=0), "`top_k`.*0"),
        (lambda: kb.explain.logit_lens(model, TEXT, layers=[3]), "`layers`.*0 … 2.*3"),
        (lambda: kb.explain.logit_lens(model, ""), "`text`"),
        (lambda: kb.explain.logit_lens(model, "film " * 39), "`text`.*41 tokens"),
    ):
        with pytest.raises(kb.InputError, match=f"^{match}"):
            call()
