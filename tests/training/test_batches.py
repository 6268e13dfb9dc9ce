"""Batches: pure functions of (seed, epoch, index) that contain every example."""

import numpy as np
import pytest

from keras_bert import InputError
from keras_bert.ops import WIDTH_STEP
from keras_bert.training import LengthGroupedBatches, MaskedBatches
from tests.training import toys


def batches_of(batches, epoch):
    return [batches.batch(epoch, i) for i in range(len(batches))]


def same(one, two):
    flat = [np.concatenate([np.ravel(v) for part in b for v in (part.values() if isinstance(part, dict) else [part])])
            for b in (one, two)]  # fmt: skip
    return np.array_equal(*flat)


def masked(seed=0, shuffle=True, **kwargs):
    return MaskedBatches(toys.examples(**kwargs), toys.masking(), batch_size=8, seed=seed, shuffle=shuffle)


def grouped(seed=0, count=300):
    return LengthGroupedBatches(*toys.labeled(count, length=32), batch_size=8, seed=seed)


@pytest.mark.parametrize("make", [masked, grouped])
def test_batch_depends_only_on_seed_epoch_index(make):
    one, two = make(), make()
    two.batch(5, 0)  # earlier calls do not matter
    assert same(one.batch(1, 2), two.batch(1, 2))
    assert not same(one.batch(1, 2), one.batch(2, 2))
    assert not same(one.batch(1, 2), one.batch(1, 1))
    assert not same(one.batch(1, 2), make(seed=1).batch(1, 2))


@pytest.mark.parametrize("make", [masked, grouped])
def test_keras_dataset_interface(make):
    one, two = make(), make()
    assert same(one[1], two.batch(0, 1))
    one.on_epoch_end()
    assert same(one[1], two.batch(1, 1))


def test_grouped_batches_contain_each_example_once():
    ids, labels = toys.labeled(301, length=32)
    batches = LengthGroupedBatches(ids, labels, batch_size=8)
    assert len(batches) == 38
    seen = []
    for inputs, batch_labels in batches_of(batches, 3):
        width = inputs["input_mask"].shape[1]
        longest = inputs["input_mask"].sum(1).max()
        assert width % WIDTH_STEP == 0 and width - longest < WIDTH_STEP
        seen += [
            (*np.trim_zeros(row, "b"), label) for row, label in zip(inputs["input_word_ids"], batch_labels, strict=True)
        ]
    words = ids["input_word_ids"]
    assert sorted(seen) == sorted((*np.trim_zeros(row, "b"), y) for row, y in zip(words, labels, strict=True))


def test_few_lengths():
    ids, labels = toys.labeled(400, length=200)
    rows = {few: LengthGroupedBatches(ids, labels, batch_size=4, few_lengths=few) for few in (False, True)}
    widths = {few: [each["input_mask"].shape[1] for each, _ in batches_of(rows[few], 0)] for few in rows}
    assert len({*widths[True]}) < 30 < len({*widths[False]})
    assert sum(widths[False]) < sum(widths[True]) < 1.1 * sum(widths[False])
    for many, few in zip(*(batches_of(rows[few], 0) for few in rows), strict=True):
        assert few[0]["input_mask"].sum() == many[0]["input_mask"].sum()  # no token is cut off


def test_grouping_reduces_padding():
    ids, labels = toys.labeled(2000, length=32)
    batches = LengthGroupedBatches(ids, labels, batch_size=16)
    cells = sum(inputs["input_mask"].size for inputs, _ in batches_of(batches, 0))
    tokens = ids["input_mask"].sum()
    in_order = sum(ids["input_mask"][i : i + 16].sum(1).max() * 16 for i in range(0, 2000, 16))
    assert cells < 1.3 * tokens < 0.9 * in_order


def test_masked_batches_structure():
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
    batch = MaskedBatches(toys.examples(sentence_task=None), toys.masking(), 8).batch(0, 0)
    assert set(batch[1]) == set(batch[2]) == {"mlm_logits"}
    rows = toys.examples(sentence_task="order")
    _, targets, weights = MaskedBatches(rows, toys.masking(), 8, shuffle=False).batch(0, 0)
    np.testing.assert_array_equal(targets["sop_logits"], rows.sentence_order_labels[:8])
    assert weights["sop_logits"].tolist() == [1.0] * 8 and "nsp_logits" not in targets


def test_epoch_lengths():
    assert len(masked()) == len(toys.examples()) // 8
    ordered = masked(shuffle=False)
    assert sum(len(targets["nsp_logits"]) for _, targets, _ in batches_of(ordered, 0)) == len(toys.examples())
    few = MaskedBatches(toys.examples()[:3], toys.masking(), batch_size=8)
    assert len(few) == 1 and few[0][0]["input_mask"].shape[0] == 3


def test_rejects_invalid_input():
    ids, labels = toys.labeled(4)
    with pytest.raises(InputError, match="^`ids`.*Received: .*input_mask"):
        LengthGroupedBatches({k: v for k, v in ids.items() if k != "input_mask"}, labels)
    with pytest.raises(InputError, match=r"^`ids`.*Received: .*\(2, "):
        LengthGroupedBatches({**ids, "input_mask": ids["input_mask"][:2]}, labels)
    with pytest.raises(InputError, match="`labels`"):
        LengthGroupedBatches(ids, labels[:3])
    with pytest.raises(InputError, match="`batch_size`"):
        LengthGroupedBatches(ids, labels, batch_size=0)
    with pytest.raises(InputError, match="`examples`"):
        LengthGroupedBatches({key: value[:0] for key, value in ids.items()}, labels[:0])
    with pytest.raises(InputError, match="`seed`"):
        MaskedBatches(toys.examples(), toys.masking(), seed=-1)


def test_masks_change_every_epoch():
    # Without shuffling, the examples are the same and only the masks can differ.
    batches = MaskedBatches(toys.examples(), toys.masking(), 8, shuffle=False)
    first, again, later = (batches.batch(epoch, 0)[0] for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first["input_word_ids"], again["input_word_ids"])
    np.testing.assert_array_equal(first["input_mask"], later["input_mask"])
    assert (first["masked_lm_positions"] != later["masked_lm_positions"]).any()
