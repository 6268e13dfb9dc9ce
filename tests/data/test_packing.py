"""Packed files: rows, manifest, shares of ranks, and errors."""

import dataclasses
import json
import shutil
import subprocess

import numpy as np
import pytest

from keras_bert import InputError
from keras_bert.data import load_corpus, load_packed, pack_file, pack_files, tokenize_documents
from keras_bert.data.manifest import packed_tokenizer, read_manifest
from keras_bert.data.packed_rows import JoinedArray
from keras_bert.text.packing import PretrainingExamples
from keras_bert.text.splitting import Splitting
from keras_bert.text.stored_rows import FileRows
from tests.data.packing_corpus import FIELDS, SETTINGS, VOCABULARY, WORDS, content, rows_of, stamps


def test_rows_equal_those_of_the_vectorizer(files, tmp_path):
    """The other implementation: BERT's tokenizer as a TensorFlow graph, and the packing of `keras-bert pretrain`."""
    import keras_bert as kb
    from keras_bert.text.shards import pack_to_disk

    vectorizer = kb.BertTextVectorization(VOCABULARY)
    settings = {"sequence_length": 16, "held_out": 0.1, "shard_size": 2**16}

    def tokenize(documents):
        return tokenize_documents(documents, vectorizer)

    pack_files(files, VOCABULARY, tmp_path / "out", **settings)
    ids = {"cls_id": vectorizer.cls_id, "sep_id": vectorizer.sep_id, "vocab_size": len(VOCABULARY)}
    parts = [pack_to_disk(tmp_path / file.name, load_corpus(file), tokenize, **ids, **settings) for file in files]
    for found, expected in zip(load_packed(tmp_path / "out"), zip(*parts, strict=True), strict=True):
        assert rows_of(found) == [row for part in expected for row in rows_of(part)]
        assert found.sentence_task == "next" and found.vocab_size == len(VOCABULARY)


def test_manifest_counts_and_checksums(files, packed):
    manifest = read_manifest(packed)
    train, held_out = load_packed(packed)
    assert manifest["rows"] == {"train": len(train), "held_out": len(held_out)}
    assert manifest["tokens"]["train"] == int((train.input_word_ids[:] != 0).sum())
    assert manifest["settings"]["sequence_length"] == 16 and "file" not in manifest["settings"]
    checked = 0
    for file, entry in zip(files, manifest["files"], strict=True):
        sums = {packed / entry["folder"] / name: digest for name, digest in entry["arrays"].items()} | {
            file: entry["sha256"]
        }
        lines = "".join(f"{digest}  {path}\n" for path, digest in sums.items())
        if shutil.which("sha256sum"):  # the program of coreutils
            done = subprocess.run(["sha256sum", "--check", "--quiet"], input=lines, text=True, capture_output=True)
            assert done.returncode == 0, done.stdout
        assert entry["bytes"] == file.stat().st_size
        checked += len(sums)
    assert checked == 4 * (8 + 1)
    arguments = packed_tokenizer(packed)
    assert arguments == {"vocabulary": VOCABULARY, "lowercase": True, "added_tokens": []}


@pytest.mark.parametrize("world_size", [1, 2, 3, 4, 5, 11])
def test_ranks_read_each_row_once(packed, world_size):
    whole = load_packed(packed)
    shares = [load_packed(packed, rank, world_size) for rank in range(world_size)]
    for part, parts in zip(whole, zip(*shares, strict=True), strict=True):
        assert [row for share in parts for row in rows_of(share)] == rows_of(part)
        lengths = [len(share) for share in parts]
        assert sum(lengths) == len(part) and max(lengths) - min(lengths) <= 1
        assert len({share.fingerprint for share in parts}) == world_size


def test_more_ranks_than_rows(files, tmp_path):
    pack_files(files[2], VOCABULARY, tmp_path / "out", held_out=0.1, sequence_length=128)
    whole = load_packed(tmp_path / "out")
    shares = [load_packed(tmp_path / "out", rank, 100) for rank in range(100)]
    for part, parts in zip(whole, zip(*shares, strict=True), strict=True):
        assert len(part) < 100 and {len(share) for share in parts} == {0, 1}
        assert [row for share in parts for row in rows_of(share)] == rows_of(part)
        empty = next(share for share in parts if not len(share))
        assert empty.input_word_ids[:].shape == (0, 128) and empty.input_word_ids.dtype == part.input_word_ids.dtype


def test_training_batches_equal_those_of_arrays_in_memory(packed):
    from keras_bert.text.masking import Masking
    from keras_bert.training import MaskedBatches

    train, _ = load_packed(packed)
    memory = PretrainingExamples(*(getattr(train, name) is None or np.asarray(getattr(train, name)) for name in FIELDS))
    memory = dataclasses.replace(memory, sentence_order_labels=None)
    masking = Masking(4, np.arange(len(VOCABULARY)) > 4, max_predictions=3)
    one, other = (MaskedBatches(rows, masking, 8, seed=1).batch(2, 0) for rows in (train, memory))
    for part, expected in zip(one, other, strict=True):
        assert part.keys() == expected.keys()
        for key in part:
            np.testing.assert_array_equal(part[key], expected[key])


def test_joined_array_indexes_like_numpy(tmp_path):
    arrays = [np.arange(24).reshape(6, 4), np.arange(100, 112).reshape(3, 4)]
    pieces = []
    for number, array in enumerate(arrays):
        array.tofile(tmp_path / str(number))
        pieces.append(FileRows(tmp_path / str(number), array.dtype, array.shape, 0))
    joined = JoinedArray([(pieces[0], 2, 6), (pieces[1], 0, 3)])
    expected = np.concatenate([arrays[0][2:], arrays[1]])
    assert joined.shape == expected.shape and joined.ndim == 2 and len(joined) == 7
    for index in (
        0,
        -1,
        6,
        slice(None),
        slice(3, 5),
        slice(None, None, 2),
        slice(5, 2, -1),
        [0, 6, 3, 3],
        [],
        [-1, -7],
    ):
        index = np.array(index, int) if index == [] else index
        np.testing.assert_array_equal(joined[index], expected[index])
    np.testing.assert_array_equal(np.asarray(joined), expected)
    for index in (7, [0, -8]):
        with pytest.raises(IndexError, match="`rows`"):
            joined[index]


@pytest.mark.parametrize("fault", ["flipped", "shorter", "missing"])
def test_damaged_array_is_found(files, packed, tmp_path, fault):
    out = tmp_path / "out"
    shutil.copytree(packed, out)
    (array,) = out.glob("b.txt-*/train/input_word_ids.npy")
    whole = bytearray(array.read_bytes())
    whole[-3] ^= 1
    array.unlink()
    if fault != "missing":
        array.write_bytes(whole if fault == "flipped" else whole[:-1])
    for call in (load_packed, lambda out: pack_files(files, VOCABULARY, out, **SETTINGS)):
        with pytest.raises(InputError) as error:
            call(out)
        message = str(error.value)
        assert str(array) in message and f"Delete the folder {array.parents[1]}" in message and "\n" not in message
    assert len(load_packed(out, 0, 100)[0])  # a rank that does not read the file
    shutil.rmtree(array.parents[1])
    pack_files(files, VOCABULARY, out, **SETTINGS)
    assert content(out) == content(packed)


def test_consistently_damaged_file_is_found_by_its_sha256(packed, tmp_path):
    """Another array with a right CRC-32 of its own is not the one of the manifest."""
    out = tmp_path / "out"
    shutil.copytree(packed, out)
    one, other = (next(out.glob(f"{name}.txt-*")) for name in "ab")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    shutil.rmtree(one)
    shutil.copytree(other, one)
    with pytest.raises(InputError, match="SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}"):
        load_packed(out)
    manifest["files"][0]["arrays"] = manifest["files"][1]["arrays"]
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="`file` must be the same.*file='b.txt'.*Received: file='a.txt'"):
        load_packed(out)
    shutil.rmtree(out)
    shutil.copytree(packed, out)
    manifest = read_manifest(out)
    for counts in (manifest["files"][0]["rows"], manifest["rows"]):  # each number alone, and both
        counts["train"] -= 1
        (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(InputError, match="^`folder` must have the .*rows="):
            load_packed(out)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"files": [{}]}', "[" * 100_000, "\udcff"])
def test_damaged_manifest(packed, tmp_path, text):
    out = tmp_path / "out"
    shutil.copytree(packed, out)
    (out / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="^`folder` must have the manifest.json") as error:
        load_packed(out)
    assert "\n" not in str(error.value)


def test_other_vocabulary_and_other_paths_are_rejected(packed, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(packed, out)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    (out / "vocab.txt").write_text("\n".join([*VOCABULARY, "new"]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="^`folder` must have the vocabulary"):
        packed_tokenizer(out)
    manifest["files"][0]["folder"] = "../elsewhere"
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="^`folder`.*elsewhere"):
        load_packed(out)


@pytest.mark.parametrize("name", ["../../elsewhere.npy", "/elsewhere.npy"])
def test_arrays_outside_the_folder_are_rejected(packed, tmp_path, name):
    out = tmp_path / "out"
    shutil.copytree(packed, out)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"][0]["arrays"][name] = "0" * 64
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="manifest.json that `keras-bert pack` wrote.*elsewhere"):
        load_packed(out)


def test_changed_file_is_packed_anew(files, tmp_path):
    """A folder belongs to the content of a file, and files of one name may differ."""
    text, out = tmp_path / "a.txt", tmp_path / "out"
    shutil.copy(files[0], text)
    first = pack_files([text, files[1]], VOCABULARY, out, **SETTINGS)
    before = stamps(out)
    with text.open("a", encoding="utf-8") as file:
        file.write("\n\nbara doto .\n")
    second = pack_files([text, files[0], files[1]], VOCABULARY, out, **SETTINGS)
    assert second["files"][1:] == first["files"] and before.items() <= stamps(out).items()
    assert [entry["file"] for entry in second["files"]] == ["a.txt", "a.txt", "b.txt"]
    assert second["rows"]["train"] == len(load_packed(out)[0])


def test_rejects_other_settings(files, packed, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(packed, out)
    for settings, word in (
        ({"sequence_length": 32}, "`sequence_length`"),
        ({"sentence_task": "order"}, "`next_sentence`"),
        ({"lowercase": False}, "`lowercase`"),
        ({"splitting": Splitting(max_word_length=100)}, "`max_word_length`"),
    ):
        with pytest.raises(InputError, match=f"^{word} must be the same") as error:
            pack_files(files, VOCABULARY, out, **{**SETTINGS, **settings})
        assert str(files[0]) in str(error.value)
    with pytest.raises(InputError, match="^`vocabulary` must be the same"):
        pack_files(files, [*VOCABULARY[:-2], *VOCABULARY[:-3:-1]], out, **SETTINGS)
    assert content(out) == content(packed)


@pytest.mark.parametrize(
    "settings, word",
    [
        ({"held_out": 1}, "held_out"),
        ({"shard_size": 1}, "shard_size"),
        ({"sequence_length": 4}, "sequence_length"),
        ({"sentence_task": "both"}, "sentence_task"),
        ({"dupe_factor": 0}, "dupe_factor"),
        ({"added_tokens": ["[E1]"]}, "added_tokens"),
    ],
)
def test_rejects_invalid_settings(files, tmp_path, settings, word):
    with pytest.raises(InputError, match=f"^`{word}`"):
        pack_files(files, VOCABULARY, tmp_path / "out", **settings)
    assert not list(tmp_path.rglob("*"))


def test_rejects_invalid_files(files, tmp_path):
    one = tmp_path / "one.txt"
    one.write_text("bara .\n", encoding="utf-8")
    (tmp_path / "blank.txt").write_text("\n \n", encoding="utf-8")
    (tmp_path / "file").write_text("a", encoding="utf-8")
    for given, out, words in (
        ([files[0], one], "out", ["`documents`", str(one), "2 documents"]),
        (tmp_path / "blank.txt", "out", ["`source`", "blank.txt"]),
        (tmp_path / "none.txt", "out", ["`path`", "none.txt"]),
        (tmp_path / "none-*.txt", "out", ["`source`", "none-*.txt"]),
        ([], "out", ["`source`"]),
        ([files[0], files[0]], "out", ["`files` must be different", str(files[0])]),
        ("tfds:lm1b", "out", ["`files`", "tfds:lm1b"]),
        (files, "file", ["`out` must be a folder", str(tmp_path / "file")]),
    ):
        with pytest.raises(InputError) as error:
            pack_files(given, VOCABULARY, tmp_path / out)
        assert all(word in str(error.value) for word in words) and "\n" not in str(error.value)
        assert not list(tmp_path.rglob("manifest.json")) and not list(tmp_path.rglob("*.tmp"))
    for rank, world_size, name in ((-1, 2, "rank"), (2, 2, "rank"), (True, 2, "rank"), (0, 0, "world_size")):
        with pytest.raises(InputError, match=f"^`{name}`"):
            load_packed(tmp_path, rank, world_size)


def test_without_sentence_task_and_held_out(tmp_path):
    """No token is lost; a document that is longer than its limit is cut at the end of a paragraph."""
    text = tmp_path / "long.txt"
    text.write_text("\n".join(" ".join(WORDS[i % 30] for i in range(j, j + 9)) for j in range(40)), encoding="utf-8")
    settings = {"sentence_task": None, "held_out": 0, "sequence_length": 16}
    manifest = pack_files(text, VOCABULARY, tmp_path / "out", shard_size=64 * 100, **settings)
    rows, held_out = load_packed(tmp_path / "out")
    assert held_out is None and rows.sentence_task is None
    ids = rows.input_word_ids[:]
    assert sorted(ids[ids > 3].tolist()) == sorted(
        VOCABULARY.index(WORDS[i % 30]) for j in range(40) for i in range(j, j + 9)
    )
    # A line has 44 characters, so a document is cut after three lines: two rows of 14 tokens at most.
    assert manifest["rows"] == {"train": 27} and manifest["tokens"]["train"] == 360 + 2 * 27


def test_one_task_equals_its_entry(files, packed, tmp_path):
    """The function for other schedulers; the call of `pack_files` after it only verifies and joins."""
    for file in reversed(files):
        pack_file(file, VOCABULARY, tmp_path / "out", **SETTINGS)
    before = stamps(tmp_path / "out")
    pack_files(files, VOCABULARY, tmp_path / "out", **SETTINGS)
    assert stamps(tmp_path / "out") == before and content(tmp_path / "out") == content(packed)
