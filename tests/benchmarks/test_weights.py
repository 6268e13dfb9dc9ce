"""Names and shapes of the weights in each library, and equal batches for all contestants."""

import numpy as np

import keras_bert as kb
from benchmarks import inputs, weights
from benchmarks.batching import group_by_length
from keras_bert.training import LengthGroupedBatches
from keras_bert.weights.canonical_names import encoder_weights, masked_lm_weights


def test_canonical_names_and_shapes():
    config = {**inputs.TINY, "vocab_size": 100}
    tensors = weights.random_weights(config)
    model = kb.BertPretrainer(kb.BertEncoder(kb.BertConfig(**config)), sentence_task=None)
    expected = {**encoder_weights(model.encoder), **masked_lm_weights(model)}
    found = {name: value.shape for name, value in tensors.items() if not name.startswith("classifier/")}
    assert found == {name: tuple(weight.shape) for name, weight in expected.items()}


def test_renaming_keeps_every_tensor():
    tensors = weights.random_weights({**inputs.TINY, "vocab_size": 100})
    for renamed in (weights.to_keras_hub(tensors), weights.to_hugging_face(tensors)):
        assert len(renamed) == len(tensors)
        assert sum(value.size for value in renamed.values()) == sum(value.size for value in tensors.values())


def test_equal_batches():
    lengths = np.random.default_rng(0).integers(3, 20, 500)
    ids = (np.arange(20) < lengths[:, None]).astype(np.int32)
    rows = {"input_word_ids": ids, "input_mask": ids, "input_type_ids": 0 * ids}
    expected = LengthGroupedBatches(rows, np.arange(500), batch_size=8)
    found = group_by_length(lengths, 8)
    assert len(found) == len(expected)
    for i in range(len(expected)):
        np.testing.assert_array_equal(found[i], expected.batch(0, i)[1])
