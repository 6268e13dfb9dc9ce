"""Rows packed to disk are those packed in memory; half-written ones are never read."""

import dataclasses

import numpy as np
import pytest

from keras_bert import InputError
from keras_bert.text.documents import TokenizedDocuments
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples, pack_examples
from keras_bert.text.shards import pack_to_disk
from keras_bert.training import MaskedBatches
from keras_bert.training.common import checksum

CLS, SEP, VOCAB = 2, 3, 30000
FIELDS = [field.name for field in dataclasses.fields(PretrainingExamples)]


def corpus(documents, seed=0) -> list[list[str]]:
    """Sentences of numbers; an id tells its document: id = 10 + 100 * document + place."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(documents):
        ids = 10 + 100 * number + np.arange(rng.integers(12, 90))
        made.append([" ".join(map(str, part)) for part in np.array_split(ids, rng.integers(3, 8))])
    return made


def tokenize(documents) -> TokenizedDocuments:
    return TokenizedDocuments.from_lists(
        [[[int(word) for word in sentence.split()] for sentence in d] for d in documents]
    )


def stored(path, documents, **settings):
    return pack_to_disk(path, documents, tokenize, 32, CLS, SEP, **{"vocab_size": VOCAB, "seed": 7, **settings})


def in_memory(documents, seed=7, dupe_factor=1, **settings):
    train, held_out = tokenize(documents).split(0.05, seed=seed)
    rows = pack_examples(train, 32, CLS, SEP, seed=seed, dupe_factor=dupe_factor, **settings)
    return rows, pack_examples(held_out, 32, CLS, SEP, seed=seed, **settings)


def assert_same_rows(found, expected):
    for name in FIELDS:
        ours, theirs = getattr(found, name), getattr(expected, name)
        if theirs is None:
            assert ours is None, name
            continue
        assert isinstance(ours, np.memmap) and ours.dtype == theirs.dtype, name
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    assert found.fingerprint == checksum(expected.input_word_ids)


@pytest.mark.parametrize("task", ["next", "order"])
def test_one_shard_is_what_is_packed_in_memory(task, tmp_path):
    documents, settings = corpus(80), {"sentence_task": task, "dupe_factor": 3}
    for found, expected in zip(
        stored(tmp_path / "rows", documents, **settings), in_memory(documents, **settings), strict=True
    ):
        assert found.sentence_task == found[:2].sentence_task == task
        assert_same_rows(found, expected)
        masking = Masking(4, np.arange(VOCAB) > 4, max_predictions=3)
        ours, theirs = (MaskedBatches(rows, masking, 8, seed=1).batch(2, 0) for rows in (found, expected))
        for part, other in zip(ours, theirs, strict=True):
            assert part.keys() == other.keys()
            for key in part:
                np.testing.assert_array_equal(part[key], other[key])


@pytest.mark.parametrize("task", ["next", "order"])
def test_several_shards_are_packed_one_by_one(task, tmp_path):
    documents, read, sizes, waiting = corpus(200), [], [], []

    def reading():
        for document in documents:
            read.append(document)
            yield document

    def watched(shard):
        waiting.append(len(read) - sum(sizes))
        sizes.append(len(shard))
        return tokenize(shard)

    settings = {"vocab_size": VOCAB, "seed": 7, "shard_size": 1, "sentence_task": task}
    found = pack_to_disk(tmp_path / "rows", reading(), watched, 32, CLS, SEP, **settings)
    assert sizes == [64, 64, 72]  # the 8 left over do not stand alone
    assert max(waiting) <= 128  # two shards, however long the corpus
    shards = [documents[:64], documents[64:128], documents[128:]]
    packed = [in_memory(shard, seed=7 + number, sentence_task=task) for number, shard in enumerate(shards)]
    for rows, parts in zip(found, zip(*packed, strict=True), strict=True):
        fields = {name: [getattr(part, name) for part in parts] for name in FIELDS}
        there = {name: None if values[0] is None else np.concatenate(values) for name, values in fields.items()}
        assert_same_rows(rows, PretrainingExamples(**there))
    inside = [set(((rows.input_word_ids[rows.input_word_ids > 3].astype(int) - 10) // 100).tolist()) for rows in found]
    assert not inside[0] & inside[1] and len(inside[0] | inside[1]) == 200


def test_single_segments_wide_ids_and_nothing_held_out(tmp_path):
    rows, held_out = stored(tmp_path / "rows", corpus(9), sentence_task=None, held_out=0, vocab_size=70000)
    assert held_out is None and rows.next_sentence_labels is None and rows.input_word_ids.dtype == np.int32
    expected = pack_examples(tokenize(corpus(9)), 32, CLS, SEP, sentence_task=None, seed=7)
    np.testing.assert_array_equal(rows.input_word_ids, expected.input_word_ids)
    assert rows[np.array([2, 0])].next_sentence_labels is None


def test_what_was_interrupted_is_not_there(tmp_path):
    def until(count, error):
        yield from corpus(count)
        raise error

    for error in (KeyboardInterrupt(), OSError(28, "No space left on device")):
        with pytest.raises(type(error)):
            stored(tmp_path / "rows", until(150, error), shard_size=1)
        assert not list(tmp_path.iterdir())
    assert_same_rows(stored(tmp_path / "rows", corpus(70))[0], in_memory(corpus(70))[0])


def test_rows_that_are_there_are_opened_for_the_same_settings_only(tmp_path):
    path = tmp_path / "rows"
    first = stored(path, corpus(70), sources={"data": "a.txt"})

    def unread():
        raise AssertionError("read again")
        yield

    for again, before in zip(stored(path, unread(), sources={"data": "a.txt"}), first, strict=True):
        assert_same_rows(again, before)
        assert again.fingerprint == before.fingerprint
    for settings, message in (
        ({"sources": {"data": "b.txt"}}, "data='a.txt'.*Received: data='b.txt'"),
        ({"sources": {"data": "a.txt"}, "seed": 8}, "seed=7.*Received: seed=8"),
        ({}, "data='a.txt'.*Received: data=None"),
        ({"sources": {"data": "a.txt"}, "sentence_task": "order"}, "sentence_task="next".*Received: sentence_task=None"),
    ):
        with pytest.raises(InputError, match=message):
            stored(path, unread(), **settings)
    stored(tmp_path / "order", corpus(70), sentence_task="order")
    with pytest.raises(InputError, match="sentence_order=True.*Received: sentence_order=None"):
        stored(tmp_path / "order", unread(), sentence_task=None)
    words = path / "train" / "input_word_ids.npy"
    words.write_bytes(words.read_bytes()[:-100])
    with pytest.raises(InputError, match="rows that keras_bert packed are expected"):
        stored(path, unread(), sources={"data": "a.txt"})
    words.unlink()
    with pytest.raises(InputError, match="rows that keras_bert packed are expected"):
        stored(path, unread(), sources={"data": "a.txt"})
