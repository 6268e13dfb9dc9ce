"""An encoder with more token embeddings: equal outputs for the old ids, and one clear error for sizes that differ."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import InputError
from keras_bert.models import check_vocabulary_size

CONFIG = {"vocab_size": 12, "hidden_size": 8, "num_layers": 1, "num_heads": 2, "intermediate_size": 16}
IDS = np.array([[2, 7, 9, 3, 0]], "int32")
INPUTS = {"input_word_ids": IDS, "input_mask": np.int32(IDS > 0), "input_type_ids": 0 * IDS}


@pytest.mark.parametrize("change", [{}, {"embedding_size": 4, "share_blocks": True}, {"pooler": False}])
def test_old_rows_are_kept(change):
    encoder = kb.BertEncoder(kb.BertConfig(**CONFIG, **change))
    before = [np.array(weight) for weight in encoder.get_weights()]
    resized = encoder.resize_token_embeddings(15)
    assert resized.config.vocab_size == 15 and encoder.config.vocab_size == 12
    table = resized.embeddings.word_embeddings.get_weights()[0]
    np.testing.assert_array_equal(table[:12], before[0])
    assert table.shape[0] == 15 and np.all(table[12:].std(axis=1) > 0)
    for name, value in encoder(INPUTS).items():
        np.testing.assert_array_equal(resized(INPUTS)[name], value)
    resized.set_weights([0 * weight for weight in resized.get_weights()])
    for old, weight in zip(before, encoder.get_weights(), strict=True):  # no shared weights
        np.testing.assert_array_equal(old, weight)
    assert np.all(np.isfinite(resized({**INPUTS, "input_word_ids": IDS + 5})["sequence_output"]))


def test_saving_and_training(tmp_path):
    encoder = kb.BertEncoder(kb.BertConfig(**CONFIG)).resize_token_embeddings(15)
    classifier = kb.BertClassifier(encoder, num_classes=2)
    kb.finetune(classifier, INPUTS, np.array([1]), INPUTS, np.array([1]), epochs=1, batch_size=1)
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(loaded(INPUTS), classifier(INPUTS), atol=1e-6)


@pytest.mark.parametrize("size", [11, 0, True, 15.0, "many"])
def test_rejects_other_sizes(size):
    encoder = kb.BertEncoder(kb.BertConfig(**CONFIG))
    with pytest.raises(InputError, match=f"^`vocab_size` must be .*at least 12.*Received: vocab_size={size!r}"):
        encoder.resize_token_embeddings(size)


def test_rejects_lora():
    encoder = kb.BertEncoder(kb.BertConfig(**CONFIG))
    encoder.embeddings.word_embeddings.enable_lora(2)
    with pytest.raises(InputError, match="^`encoder` must be neither quantized nor have LoRA.*Received: "):
        encoder.resize_token_embeddings(15)


def test_mismatch_names_the_next_step():
    encoder = kb.BertEncoder(kb.BertConfig(**CONFIG))
    with pytest.raises(InputError, match=r"Received: 15 tokens\. .*resize_token_embeddings\(15\).*\[unused0\]"):
        check_vocabulary_size(encoder, 15)
    with pytest.raises(InputError, match="Received: 11 tokens$"):
        check_vocabulary_size(encoder, 11)
