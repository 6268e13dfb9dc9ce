"""Packing keeps all tokens in order and has the proportions of the paper."""

import numpy as np
import pytest

from keras_bert import InputError
from keras_bert.text.documents import TokenizedDocuments
from keras_bert.text.packing import pack_examples

CLS, SEP = 1, 2


def corpus(documents=200, seed=0, max_length=15):
    """Documents whose token ids encode their document and position: id = 10 + 200 * document + position."""
    rng = np.random.default_rng(seed)
    lists = []
    for d in range(documents):
        sentences, position = [], 0
        for length in rng.integers(1, max_length, rng.integers(4, 14)):
            sentences.append(list(range(10 + 200 * d + position, 10 + 200 * d + position + length)))
            position += length
        lists.append(sentences)
    return lists


def segments(row, types, length):
    a_end = int(np.flatnonzero(row == SEP)[0])
    return row[1:a_end].astype(int), row[a_end + 1 : length - 1].astype(int)


def labeled_rows(examples, labels):
    return zip(examples.input_word_ids, examples.input_type_ids, examples.lengths, labels, strict=True)


@pytest.fixture(scope="module")
def pairs():
    return pack_examples(corpus(), 32, CLS, SEP, seed=3)


@pytest.fixture(scope="module")
def ordered():
    return pack_examples(corpus(), 32, CLS, SEP, sentence_task="order", seed=3)


@pytest.mark.parametrize("made", ["pairs", "ordered"])
def test_row_format(made, request):
    pairs = request.getfixturevalue(made)
    for row, types, length in zip(pairs.input_word_ids, pairs.input_type_ids, pairs.lengths, strict=True):
        a, b = segments(row, types, length)
        assert row[0] == CLS and row[length - 1] == SEP and (row[length:] == 0).all()
        assert len(a) >= 1 and len(b) >= 1 and len(a) + len(b) + 3 == length <= 32
        assert types.tolist() == [0] * (len(a) + 2) + [1] * (len(b) + 1) + [0] * (32 - length)
        assert (np.diff(a) == 1).all() and (np.diff(b) == 1).all()  # a contiguous part of one document


def test_next_sentence_labels(pairs):
    gaps = []
    assert pairs.sentence_task == "next" and pairs.sentence_order_labels is None
    for row, types, length, label in labeled_rows(pairs, pairs.next_sentence_labels):
        a, b = segments(row, types, length)
        if label:
            assert (a[0] - 10) // 200 != (b[0] - 10) // 200
        else:
            assert (a[0] - 10) // 200 == (b[0] - 10) // 200 and b[0] > a[-1]
            gaps.append(b[0] - a[-1] - 1)
    assert np.mean(np.array(gaps) == 0) > 0.3  # tokens between A and B are lost by truncation only


def test_sentence_order_labels(ordered):
    assert ordered.sentence_task == "order" and ordered.next_sentence_labels is None
    gaps = []
    for row, types, length, label in labeled_rows(ordered, ordered.sentence_order_labels):
        first, then = segments(row, types, length)[:: -1 if label else 1]
        assert (first[0] - 10) // 200 == (then[0] - 10) // 200 and then[0] > first[-1]
        gaps.append(then[0] - first[-1] - 1)
    assert np.mean(np.array(gaps) == 0) > 0.3  # tokens between A and B are lost by truncation only


def test_half_are_swapped_and_truncation_is_symmetric():
    rows = pack_examples(corpus(800), 32, CLS, SEP, sentence_task="order")
    assert 0.47 < rows.sentence_order_labels.mean() < 0.53 and rows.sentence_order_labels.dtype == np.int8
    # Two sentences of 30 tokens in 39: A gets the odd token, in order or swapped, and both ends are truncated.
    lists = [[list(range(10 + 100 * d, 40 + 100 * d)), list(range(40 + 100 * d, 70 + 100 * d))] for d in range(300)]
    rows = pack_examples(lists, 42, CLS, SEP, sentence_task="order")
    fronts = {0: [], 1: []}
    for row, types, length, label in labeled_rows(rows, rows.sentence_order_labels):
        a, b = segments(row, types, length)
        assert (len(a), len(b)) == (20, 19)
        fronts[label].append((a[0] - 10) % 100 - (30 if label else 0))
    for label in (0, 1):
        assert 4.5 < np.mean(fronts[label]) < 5.5  # binomial(10, 1/2)


def test_last_sentence_and_single_sentence_document():
    three, one = [list(range(10, 22)), list(range(22, 34)), list(range(34, 46))], [list(range(100, 110))]
    rows = pack_examples([three, one], 27, CLS, SEP, sentence_task="order", short_seq_prob=0.0)
    found = [
        (sorted({int(a[0]), int(b[0])}), len(a), len(b))
        for a, b in (
            segments(*each) for each in zip(rows.input_word_ids, rows.input_type_ids, rows.lengths, strict=True)
        )
    ]
    assert sorted(found) == [([10, 22], 12, 12), ([22, 34], 12, 12)]


def test_half_are_random_and_a_tenth_is_short():
    long = pack_examples(corpus(800, max_length=6), 32, CLS, SEP, seed=0)
    single = 1 / 12  # a chunk of one sentence has no next sentence, so its B must be random
    assert 0.48 < long.next_sentence_labels.mean() < 0.5 + single
    full = pack_examples(corpus(800, max_length=6), 32, CLS, SEP, seed=0, short_seq_prob=0.0)
    short = pack_examples(corpus(800, max_length=6), 32, CLS, SEP, seed=0, short_seq_prob=1.0)
    assert (full.lengths < 20).mean() < (long.lengths < 20).mean() < (short.lengths < 20).mean()
    expected = 0.9 * (full.lengths < 12).mean() * len(full) + 0.1 * (short.lengths < 12).mean() * len(short)
    assert (long.lengths < 12).sum() == pytest.approx(expected, rel=0.35)


def test_truncates_longer_segment_at_both_ends():
    lists = [[list(range(10 + 100 * d, 48 + 100 * d)), list(range(60 + 100 * d, 65 + 100 * d))] for d in range(300)]
    rows = pack_examples(lists, 43, CLS, SEP, short_seq_prob=0.0)
    fronts = []
    for row, types, length, label in labeled_rows(rows, rows.next_sentence_labels):
        a, b = segments(row, types, length)
        if not label:
            assert length == 43 and len(b) == 5 and len(a) == 35  # the short segment is not truncated
            fronts.append((a[0] - 10) % 100)
    assert 1.1 < np.mean(fronts) < 1.9 and 0.3 < np.var(fronts) < 1.3  # binomial(3, 1/2)


def test_single_segments_contain_every_token_once():
    lists = corpus(50)
    rows = pack_examples(lists, 16, CLS, SEP, sentence_task=None, seed=4)
    tokens = [int(t) for row, n in zip(rows.input_word_ids, rows.lengths, strict=True) for t in row[1 : n - 1]]
    assert sorted(tokens) == sorted(t for document in lists for sentence in document for t in sentence)
    assert rows.sentence_task is None and rows.input_type_ids.max() == 0
    again = pack_examples(lists, 16, CLS, SEP, sentence_task=None, seed=4)
    np.testing.assert_array_equal(again.input_word_ids, rows.input_word_ids)


def test_keeps_sentences_longer_than_a_row():
    lists = [[list(range(10, 1010))], [[5000, 5001], [5002]]]
    rows = pack_examples(lists, 32, CLS, SEP, short_seq_prob=0.0)
    assert len(set(rows.input_word_ids.ravel().tolist()) & set(range(10, 1010))) > 900


def test_seeds_and_dtypes(pairs, ordered):
    again, other = pack_examples(corpus(), 32, CLS, SEP, seed=3), pack_examples(corpus(), 32, CLS, SEP, seed=4)
    np.testing.assert_array_equal(pairs.input_word_ids, again.input_word_ids)
    assert pairs.input_word_ids.shape != other.input_word_ids.shape or (
        (pairs.input_word_ids != other.input_word_ids).any()
    )
    assert pairs.input_word_ids.dtype == np.uint16
    assert pack_examples([[[70000, 5]]], 8, CLS, SEP, sentence_task=None).input_word_ids.dtype == np.int32
    half = pairs[: len(pairs) // 2]
    assert len(half) == len(pairs) // 2 == len(half.next_sentence_labels) and half.sentence_task == "next"
    assert len(ordered[:5].sentence_order_labels) == 5 and ordered[:5].sentence_task == "order"


def test_split_keeps_documents_whole():
    train, held_out = TokenizedDocuments.from_lists(corpus(40)).split(0.2, seed=1)
    assert (len(train), len(held_out)) == (32, 8)
    inside = [set(((part.ids.astype(int) - 10) // 200).tolist()) for part in (train, held_out)]
    assert not inside[0] & inside[1] and len(inside[0] | inside[1]) == 40


@pytest.mark.parametrize("task", ["next", "order"])
def test_dupe_factor_gives_other_pairs(task):
    once, thrice = (pack_examples(corpus(30), 32, CLS, SEP, task, dupe_factor=k) for k in (1, 3))
    assert 2.7 < len(thrice) / len(once) < 3.3
    rows = {row.tobytes() for row in thrice.input_word_ids}
    assert len(rows) > 2 * len(once)


def test_rejects_invalid_arguments():
    with pytest.raises(InputError, match="`dupe_factor`"):
        pack_examples([[[5, 6]], [[7]]], 16, CLS, SEP, sentence_task=None, dupe_factor=2)
    with pytest.raises(InputError, match="^`documents`.*Received: 0"):
        pack_examples([[], [[]]], 16, CLS, SEP)
    with pytest.raises(InputError, match=r"^`documents`.*Received: 1\b"):
        pack_examples([[[5, 6], [7]]], 16, CLS, SEP)
    with pytest.raises(InputError, match="^`documents`.*Received: 0"):
        pack_examples([[[5, 6]], [[7]]], 16, CLS, SEP, sentence_task="order")
    for task in ("both", False):
        with pytest.raises(InputError, match=f"`sentence_task`.*Received: sentence_task={task!r}"):
            pack_examples([[[5, 6], [7]], [[8]]], 16, CLS, SEP, sentence_task=task)
    with pytest.raises(InputError, match="`sequence_length`.*sequence_length=4"):
        pack_examples([[[5]], [[6]]], 4, CLS, SEP)
    with pytest.raises(InputError, match=r"^`documents`.*Received: 2\b"):
        TokenizedDocuments.from_lists([[[5]], [[6]]]).split()
    with pytest.raises(InputError, match="`ids`"):
        pack_examples([[[-5]], [[6]]], 8, CLS, SEP)
