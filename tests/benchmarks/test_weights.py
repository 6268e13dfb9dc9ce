"""The weights reach every peer under its own names, none lost; the batches are the ones that we train on."""

import numpy as np

import keras_bert as kb
from benchmarks import inputs, weights
from benchmarks.batching import grouped
from keras_bert.training import LengthGroupedBatches
from keras_bert.weights.canonical_names import encoder_weights, masked_lm_weights


def test_names_and_shapes_are_googles():
    config = {**inputs.TINY, "vocab_size": 100}
    tensors = weights.make(config)
    model = kb.BertPretrainer(kb.BertEncoder(kb.BertConfig(**config)), sentence_task=None)
    expected = {**encoder_weights(model.encoder), **masked_lm_weights(model)}
    found = {name: value.shape for name, value in tensors.items() if not name.startswith("classifier/")}
    assert found == {name: tuple(weight.shape) for name, weight in expected.items()}


def test_each_naming_keeps_every_tensor_and_number():
    tensors = weights.make({**inputs.TINY, "vocab_size": 100})
    for renamed in (weights.for_keras_hub(tensors), weights.for_hugging_face(tensors)):
        assert len(renamed) == len(tensors)
        assert sum(value.size for value in renamed.values()) == sum(value.size for value in tensors.values())


def test_peers_get_the_batches_that_we_train_on():
    lengths = np.random.default_rng(0).integers(3, 20, 500)
    ids = (np.arange(20) < lengths[:, None]).astype(np.int32)
    ours = LengthGroupedBatches(
        {"input_word_ids": ids, "input_mask": ids, "input_type_ids": 0 * ids}, np.arange(500), batch_size=8
    )
    theirs = grouped(lengths, 8)
    assert len(theirs) == len(ours)
    for i in range(len(ours)):
        np.testing.assert_array_equal(theirs[i], ours.batch(0, i)[1])
