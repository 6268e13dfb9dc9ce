"""Examples packed to disk equal those packed in memory, and partial files are never read."""

import dataclasses
import json
import shutil

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
    """Sentences of numbers that encode their document: id = 10 + 100 * document + position."""
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


def pack(path, documents, **settings):
    return pack_to_disk(path, documents, tokenize, 32, CLS, SEP, **{"vocab_size": VOCAB, "seed": 7, **settings})


def in_memory(documents, seed=7, dupe_factor=1, **settings):
    train, held_out = tokenize(documents).split(0.05, seed=seed)
    rows = pack_examples(train, 32, CLS, SEP, seed=seed, dupe_factor=dupe_factor, **settings)
    return rows, pack_examples(held_out, 32, CLS, SEP, seed=seed, **settings)


def assert_same_rows(found, expected):
    for name in FIELDS:
        stored, packed = getattr(found, name), getattr(expected, name)
        if packed is None:
            assert stored is None, name
            continue
        assert isinstance(stored, np.memmap) and stored.dtype == packed.dtype, name
        np.testing.assert_array_equal(stored, packed, err_msg=name)
    assert found.fingerprint == checksum(expected.input_word_ids)


@pytest.mark.parametrize("task", ["next", "order"])
def test_one_shard_equals_memory(task, tmp_path):
    documents, settings = corpus(80), {"sentence_task": task, "dupe_factor": 3}
    for found, expected in zip(
        pack(tmp_path / "rows", documents, **settings), in_memory(documents, **settings), strict=True
    ):
        assert found.sentence_task == found[:2].sentence_task == task
        assert_same_rows(found, expected)
        masking = Masking(4, np.arange(VOCAB) > 4, max_predictions=3)
        first, second = (MaskedBatches(rows, masking, 8, seed=1).batch(2, 0) for rows in (found, expected))
        for part, other in zip(first, second, strict=True):
            assert part.keys() == other.keys()
            for key in part:
                np.testing.assert_array_equal(part[key], other[key])


@pytest.mark.parametrize("task", ["next", "order"])
def test_packs_shards_one_by_one(task, tmp_path):
    documents, read, sizes, pending = corpus(200), [], [], []

    def read_documents():
        for document in documents:
            read.append(document)
            yield document

    def watched(shard):
        pending.append(len(read) - sum(sizes))
        sizes.append(len(shard))
        return tokenize(shard)

    settings = {"vocab_size": VOCAB, "seed": 7, "shard_size": 1, "sentence_task": task}
    found = pack_to_disk(tmp_path / "rows", read_documents(), watched, 32, CLS, SEP, **settings)
    assert sizes == [64, 64, 72]  # the last 8 are too few for a shard
    assert max(pending) <= 128  # two shards, for any length of the corpus
    shards = [documents[:64], documents[64:128], documents[128:]]
    packed = [in_memory(shard, seed=7 + number, sentence_task=task) for number, shard in enumerate(shards)]
    for rows, parts in zip(found, zip(*packed, strict=True), strict=True):
        fields = {name: [getattr(part, name) for part in parts] for name in FIELDS}
        there = {name: None if values[0] is None else np.concatenate(values) for name, values in fields.items()}
        assert_same_rows(rows, PretrainingExamples(**there))
    inside = [set(((rows.input_word_ids[rows.input_word_ids > 3].astype(int) - 10) // 100).tolist()) for rows in found]
    assert not inside[0] & inside[1] and len(inside[0] | inside[1]) == 200


def test_single_segments_int32_ids_and_no_held_out(tmp_path):
    rows, held_out = pack(tmp_path / "rows", corpus(9), sentence_task=None, held_out=0, vocab_size=70000)
    assert held_out is None and rows.next_sentence_labels is None and rows.input_word_ids.dtype == np.int32
    expected = pack_examples(tokenize(corpus(9)), 32, CLS, SEP, sentence_task=None, seed=7)
    np.testing.assert_array_equal(rows.input_word_ids, expected.input_word_ids)
    assert rows[np.array([2, 0])].next_sentence_labels is None


def test_interrupted_packing_leaves_nothing(tmp_path):
    def until(count, error):
        yield from corpus(count)
        raise error

    for error in (KeyboardInterrupt(), OSError(28, "No space left on device")):
        with pytest.raises(type(error)):
            pack(tmp_path / "rows", until(150, error), shard_size=1)
        assert not list(tmp_path.iterdir())
    assert_same_rows(pack(tmp_path / "rows", corpus(70))[0], in_memory(corpus(70))[0])


def test_opens_examples_with_same_settings_only(tmp_path):
    path = tmp_path / "rows"
    first = pack(path, corpus(70), sources={"data": "a.txt"})

    def unread():
        raise AssertionError("read again")
        yield

    for again, before in zip(pack(path, unread(), sources={"data": "a.txt"}), first, strict=True):
        assert_same_rows(again, before)
        assert again.fingerprint == before.fingerprint
    for settings, message in (
        ({"sources": {"data": "b.txt"}}, "`data`.*data='a.txt'.*Received: data='b.txt'"),
        ({"sources": {"data": "a.txt"}, "seed": 8}, "`seed`.*seed=7.*Received: seed=8"),
        ({}, "`data`.*data='a.txt'.*Received: data='missing'"),
        (
            {"sources": {"data": "a.txt"}, "sentence_task": "order"},
            "`next_sentence`.*next_sentence=True.*Received: .*False",
        ),
    ):
        with pytest.raises(InputError, match=message):
            pack(path, unread(), **settings)
    pack(tmp_path / "order", corpus(70), sentence_task="order")
    with pytest.raises(InputError, match="`sentence_order`.*sentence_order=True.*Received: sentence_order=None"):
        pack(tmp_path / "order", unread(), sentence_task=None)


def test_reads_current_file_format_only(tmp_path):
    path = tmp_path / "rows"
    first = pack(path, corpus(70))
    metadata = json.loads((path / "rows.json").read_text(encoding="utf-8"))
    assert metadata["settings"] == {
        "sequence_length": 32,
        "special_ids": [CLS, SEP],
        "vocab_size": VOCAB,
        "next_sentence": True,
        "sentence_order": None,
        "dupe_factor": 1,
        "held_out": 0.05,
        "seed": 7,
        "shard_size": 2**23,
    }
    assert set(metadata["checksums"]) == {"train", "held_out"}
    assert_same_rows(pack(path, ())[0], first[0])
    del metadata["settings"]["sentence_order"]
    (path / "rows.json").write_text(json.dumps(metadata), encoding="utf-8")
    with pytest.raises(InputError, match="`sentence_order`.*sentence_order='missing'.*Received: sentence_order=None"):
        pack(path, ())


@pytest.fixture(scope="module", params=["next", "order", None])
def packed(request, tmp_path_factory):
    """Rows of each sentence task, and their settings."""
    settings = {"sentence_task": request.param}
    path = tmp_path_factory.mktemp("packed") / "rows"
    pack(path, corpus(70), **settings)
    return path, settings


def assert_rejected(path, settings, file, *words):
    with pytest.raises(InputError, match="^`path`") as error:
        pack(path, (), **settings)
    message = str(error.value)
    assert f"Received: {file} (" in message and f"Delete the folder {path}" in message and "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.filterwarnings("ignore:Reading")  # a flipped byte of a header
def test_every_flipped_byte_is_found(packed, tmp_path):
    """The first, the middle and the last byte of the numbers of every file, and 20 bytes of every header."""
    source, settings = packed
    path = tmp_path / "rows"
    shutil.copytree(source, path)
    pack(path, (), **settings)
    files = sorted(path.rglob("*.npy"))
    assert len(files) == (8 if settings["sentence_task"] else 6)
    for file in files:
        whole = file.read_bytes()
        for position in (*range(0, 80, 4), 128, (128 + len(whole)) // 2, len(whole) - 1):
            damaged = bytearray(whole)
            damaged[position] ^= 1
            file.write_bytes(damaged)
            assert_rejected(path, settings, file)
        file.write_bytes(whole)


@pytest.mark.parametrize(
    "fault", ["missing", "empty", "shorter", "longer", "folder", "pickle", "other dtype", "other rows"]
)
def test_rejects_damaged_files(packed, tmp_path, fault):
    source, settings = packed
    path = tmp_path / "rows"
    shutil.copytree(source, path)
    file = path / "held_out" / "lengths.npy"
    whole, values = file.read_bytes(), np.load(file)
    file.unlink()
    if fault == "folder":
        file.mkdir()
    elif fault == "pickle":
        np.save(file, np.array([None]), allow_pickle=True)
    elif fault == "other dtype":
        np.save(file, values.view(np.uint32))
    elif fault == "other rows":
        np.save(file, values[::-1])
    elif fault != "missing":
        file.write_bytes({"empty": b"", "shorter": whole[:-4], "longer": whole + b"\0\0\0\0"}[fault])
    assert_rejected(path, settings, file)


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("input_word_ids", VOCAB, f"{VOCAB}, outside 0 … {VOCAB - 1}"),
        ("input_type_ids", 2, "2, outside 0 … 1"),
        ("input_type_ids", -1, "-1, outside 0 … 1"),
        ("lengths", 33, "33, outside 1 … 32"),
        ("lengths", 0, "0, outside 1 … 32"),
        ("next_sentence_labels", -1, "-1, outside 0 … 1"),
    ],
)
def test_rejects_numbers_outside_their_range(tmp_path, name, value, words):
    """Also if the checksum is that of the wrong numbers."""
    path = tmp_path / "rows"
    pack(path, corpus(70))
    file = path / "train" / f"{name}.npy"
    array = np.load(file)
    array.reshape(-1)[-1] = value
    np.save(file, array)
    metadata = json.loads((path / "rows.json").read_text(encoding="utf-8"))
    metadata["checksums"]["train"][name] = f"{array.dtype.str} {checksum(array)}"
    (path / "rows.json").write_text(json.dumps(metadata), encoding="utf-8")
    assert_rejected(path, {}, file, words)


def test_rejects_damaged_metadata(tmp_path):
    path = tmp_path / "rows"
    pack(path, corpus(70))
    file = path / "rows.json"
    metadata = json.loads(file.read_text(encoding="utf-8"))
    without = {key: value for key, value in metadata.items() if key != "checksums"}
    lists = [{**metadata, key: [1]} for key in metadata]
    parts = [{**metadata, "checksums": value} for value in ({}, {"train": []}, {"train": {}, "other": {}}, None)]
    texts = ["", "[]", "null", "[" * 100_000, "\udcff", *map(json.dumps, (without, *lists, *parts))]
    for text in texts:
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert_rejected(path, {}, file)
    file.write_text(json.dumps({**metadata, "checksums": {"train": {}}}), encoding="utf-8")
    assert_rejected(path, {}, path / "train" / "input_word_ids.npy")
