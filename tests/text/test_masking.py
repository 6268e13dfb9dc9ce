"""Masking has the rates of the paper and never masks special tokens."""

import numpy as np
import pytest

from keras_bert import InputError
from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.text.masking import Masking, mask_tokens

VOCABULARY = [*SPECIAL_TOKENS, *(f"w{i}" for i in range(600)), *(f"##p{i}" for i in range(395))]


def rows(count=400, length=64, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(5, 1000, (count, length))
    lengths = rng.integers(40, length + 1, count)
    ids[:, 0] = 2
    ids[np.arange(count), lengths - 1] = 3
    ids[np.arange(count), lengths // 2] = 3
    ids[np.arange(length) >= lengths[:, None]] = 0
    return ids


def mask(ids, seed=0, **settings):
    masking = Masking.from_vocabulary(VOCABULARY, **settings)
    return mask_tokens(ids, masking, np.random.default_rng(seed))


@pytest.mark.parametrize("whole_words", [False, True])
def test_outputs_match_masked_tokens(whole_words):
    ids = rows()
    out = mask(ids, whole_words=whole_words)
    kept = np.ones_like(ids, bool)
    for b in range(len(ids)):
        used = out["masked_lm_weights"][b] == 1
        positions = out["masked_lm_positions"][b][used]
        assert (np.diff(positions) > 0).all()
        np.testing.assert_array_equal(out["masked_lm_ids"][b][used], ids[b, positions])
        assert (ids[b, positions] >= 5).all()  # never a special token
        assert (out["masked_lm_positions"][b][~used] == 0).all() and (out["masked_lm_ids"][b][~used] == 0).all()
        kept[b, positions] = False
    np.testing.assert_array_equal(out["input_word_ids"][kept], ids[kept])
    assert out["input_word_ids"].dtype == out["masked_lm_positions"].dtype == out["masked_lm_ids"].dtype == np.int32
    assert out["masked_lm_positions"].shape == (len(ids), 20)


def test_masking_rates():
    ids = rows(4000)
    out = mask(ids)
    weights = out["masked_lm_weights"] == 1
    assert weights.sum() / (ids >= 5).sum() == pytest.approx(0.15, abs=0.002)
    before = out["masked_lm_ids"][weights]
    after = np.take_along_axis(out["input_word_ids"], out["masked_lm_positions"], 1)[weights]
    n = len(before)  # about 29,000: a standard deviation is 0.0024
    assert (after == 4).mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / n))
    assert (after == before).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / n) + 0.001)
    random = after[(after != 4) & (after != before)]
    assert len(random) / n == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / n) + 0.001)
    assert random.min() >= 5 and len(np.unique(random)) > 900  # any token that is not special


def test_positions_are_uniform():
    ids = np.tile(np.r_[2, np.arange(5, 65), 3], (5000, 1))
    out = mask(ids)
    counts = np.bincount(out["masked_lm_positions"][out["masked_lm_weights"] == 1], minlength=62)[1:61]
    expected = counts.sum() / 60
    assert ((counts - expected) ** 2 / expected).sum() < 110  # chi squared, 59 degrees: p about 1e-4


def test_whole_word_masking():
    ids = rows(2000)
    out = mask(ids, whole_words=True)
    chosen = np.zeros_like(ids, bool)
    used = out["masked_lm_weights"] == 1
    chosen[np.nonzero(used)[0], out["masked_lm_positions"][used]] = True
    continues = (ids[:, 1:] >= 605) & (ids[:, :-1] >= 5)  # a ## token continues the word before it
    assert (chosen[:, 1:][continues] == chosen[:, :-1][continues]).all()
    assert chosen.sum() / (ids >= 5).sum() == pytest.approx(0.15, abs=0.005)
    single = mask(ids)
    one = np.zeros_like(ids, bool)
    used = single["masked_lm_weights"] == 1
    one[np.nonzero(used)[0], single["masked_lm_positions"][used]] = True
    assert (one[:, 1:][continues] != one[:, :-1][continues]).any()


def test_number_of_predictions():
    ids = rows()
    assert (mask(ids, max_predictions=3)["masked_lm_weights"].sum(1) == 3).all()
    assert mask(np.array([[2, 7, 3, 0]]))["masked_lm_weights"].sum() == 1
    assert mask(np.array([[2, 3, 0, 0], [2, 1, 4, 3]]))["masked_lm_weights"].sum() == 0  # nothing to mask
    assert mask(np.zeros((0, 4), int))["masked_lm_positions"].shape == (0, 20)


def test_depends_only_on_arguments():
    ids = rows(50)
    before = ids.copy()
    one, two, other = mask(ids, 5), mask(ids, 5), mask(ids, 6)
    for key in one:
        np.testing.assert_array_equal(one[key], two[key])
    assert (one["input_word_ids"] != other["input_word_ids"]).any()
    np.testing.assert_array_equal(ids, before)


def test_rejects_invalid_arguments():
    with pytest.raises(InputError, match=r"^`vocabulary`.*\[MASK\].*Received: 2\b"):
        Masking.from_vocabulary(["[PAD]", "a"])
    with pytest.raises(InputError, match=r"^`vocabulary`.*Received: 5\b"):
        Masking.from_vocabulary(list(SPECIAL_TOKENS))
    with pytest.raises(InputError, match="`rate`"):
        Masking.from_vocabulary(VOCABULARY, rate=0.0)
    with pytest.raises(InputError, match="`max_predictions`"):
        Masking.from_vocabulary(VOCABULARY, max_predictions=0)
    with pytest.raises(InputError, match="`input_word_ids`.*0 … 999. Received: 2 … 1000"):
        mask(np.array([[2, 1000, 3]]))
