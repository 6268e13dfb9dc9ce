"""Batches: pure functions of (seed, epoch, number) that lose and mix nothing."""

import numpy as np
import pytest

from keras_bert import InputError
from keras_bert.data.id_arrays import WIDTH_STEP
from keras_bert.training import LengthGroupedBatches, MaskedBatches
from tests.training import toys


def rows_of(batches, epoch):
    return [batches.batch(epoch, i) for i in range(len(batches))]


def same(one, two):
    flat = [np.concatenate([np.ravel(v) for part in b for v in (part.values() if isinstance(part, dict) else [part])])
            for b in (one, two)]  # fmt: skip
    return np.array_equal(*flat)


def masked(seed=0, shuffle=True, **kwargs):
    return MaskedBatches(toys.examples(**kwargs), toys.masking(), batch_size=8, seed=seed, shuffle=shuffle)


def grouped(seed=0, count=300):
    return LengthGroupedBatches(*toys.labelled(count, length=32), batch_size=8, seed=seed)


@pytest.mark.parametrize("make", [masked, grouped])
def test_a_batch_depends_on_seed_epoch_and_number_alone(make):
    one, two = make(), make()
    two.batch(5, 0)  # what was asked before does not matter
    assert same(one.batch(1, 2), two.batch(1, 2))
    assert not same(one.batch(1, 2), one.batch(2, 2))
    assert not same(one.batch(1, 2), one.batch(1, 1))
    assert not same(one.batch(1, 2), make(seed=1).batch(1, 2))


@pytest.mark.parametrize("make", [masked, grouped])
def test_as_a_keras_dataset(make):
    one, two = make(), make()
    assert same(one[1], two.batch(0, 1))
    one.on_epoch_end()
    assert same(one[1], two.batch(1, 1))


def test_grouped_batches_hold_each_row_once():
    ids, labels = toys.labelled(301, length=32)
    batches = LengthGroupedBatches(ids, labels, batch_size=8)
    assert len(batches) == 38
    seen = []
    for inputs, answer in rows_of(batches, 3):
        width = inputs["input_mask"].shape[1]
        longest = inputs["input_mask"].sum(1).max()
        assert width % WIDTH_STEP == 0 and width - longest < WIDTH_STEP
        seen += [(*np.trim_zeros(row, "b"), label) for row, label in zip(inputs["input_word_ids"], answer, strict=True)]
    words = ids["input_word_ids"]
    assert sorted(seen) == sorted((*np.trim_zeros(row, "b"), y) for row, y in zip(words, labels, strict=True))


def test_grouping_saves_padding():
    ids, labels = toys.labelled(2000, length=32)
    batches = LengthGroupedBatches(ids, labels, batch_size=16)
    cells = sum(inputs["input_mask"].size for inputs, _ in rows_of(batches, 0))
    tokens = ids["input_mask"].sum()
    in_order = sum(ids["input_mask"][i : i + 16].sum(1).max() * 16 for i in range(0, 2000, 16))
    assert cells < 1.3 * tokens < 0.9 * in_order


def test_masked_batches_are_inputs_targets_and_weights():
    examples = toys.examples()
    inputs, targets, weights = MaskedBatches(examples, toys.masking(), 8, shuffle=False).batch(0, 0)
    assert set(inputs) == {"input_word_ids", "input_mask", "input_type_ids", "masked_lm_positions"}
    assert all(value.dtype == np.int32 for value in [*inputs.values(), *targets.values()])
    np.testing.assert_array_equal(inputs["input_mask"].sum(1), examples.lengths[:8])
    np.testing.assert_array_equal(inputs["input_type_ids"], examples.input_type_ids[:8])
    np.testing.assert_array_equal(targets["nsp_logits"], examples.next_sentence_labels[:8])
    positions, weight = inputs["masked_lm_positions"], weights["mlm_logits"]
    original = np.take_along_axis(examples.input_word_ids[:8].astype(int), positions, 1)
    np.testing.assert_array_equal(targets["mlm_logits"], np.where(weight == 1, original, 0))
    alone = MaskedBatches(toys.examples(sentence_task=None), toys.masking(), 8).batch(0, 0)
    assert set(alone[1]) == set(alone[2]) == {"mlm_logits"}
    rows = toys.examples(sentence_task="order")
    _, targets, weights = MaskedBatches(rows, toys.masking(), 8, shuffle=False).batch(0, 0)
    np.testing.assert_array_equal(targets["sop_logits"], rows.sentence_order_labels[:8])
    assert weights["sop_logits"].tolist() == [1.0] * 8 and "nsp_logits" not in targets


def test_epochs_and_validation_cover_the_rows():
    assert len(masked()) == len(toys.examples()) // 8
    ordered = masked(shuffle=False)
    assert sum(len(targets["nsp_logits"]) for _, targets, _ in rows_of(ordered, 0)) == len(toys.examples())
    few = MaskedBatches(toys.examples()[:3], toys.masking(), batch_size=8)
    assert len(few) == 1 and few[0][0]["input_mask"].shape[0] == 3


def test_bad_input():
    ids, labels = toys.labelled(4)
    with pytest.raises(InputError, match="Received: no input_mask"):
        LengthGroupedBatches({k: v for k, v in ids.items() if k != "input_mask"}, labels)
    with pytest.raises(InputError, match="one shape"):
        LengthGroupedBatches({**ids, "input_mask": ids["input_mask"][:2]}, labels)
    with pytest.raises(InputError, match="a label a row"):
        LengthGroupedBatches(ids, labels[:3])
    with pytest.raises(InputError, match="batch size"):
        LengthGroupedBatches(ids, labels, batch_size=0)
    with pytest.raises(InputError, match="Received: none"):
        LengthGroupedBatches({key: value[:0] for key, value in ids.items()}, labels[:0])
    with pytest.raises(InputError, match="seed"):
        MaskedBatches(toys.examples(), toys.masking(), seed=-1)


def test_masks_are_drawn_afresh_every_epoch():
    # Unshuffled, so that the rows are the same and only the masks can differ.
    batches = MaskedBatches(toys.examples(), toys.masking(), 8, shuffle=False)
    first, again, later = (batches.batch(epoch, 0)[0] for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first["input_word_ids"], again["input_word_ids"])
    np.testing.assert_array_equal(first["input_mask"], later["input_mask"])
    assert (first["masked_lm_positions"] != later["masked_lm_positions"]).any()
