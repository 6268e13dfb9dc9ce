"""Labeled datasets in the formats of GLUE, and one-line errors for everything else."""

import io
import urllib.error

import numpy as np
import pytest

from keras_bert import InputError, load_labeled
from keras_bert.data import read_table, select


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_sample():
    sample = load_labeled("sample")
    assert len(set(sample.train_texts + sample.dev_texts)) >= 4500
    assert not set(sample.train_texts) & set(sample.dev_texts)
    for texts, labels in ((sample.train_texts, sample.train_labels), (sample.dev_texts, sample.dev_labels)):
        assert len(texts) == len(labels) and labels.dtype == np.int32
        assert 0.4 < labels.mean() < 0.6
    renamed = load_labeled("sample", ["bad", "good"])
    assert renamed.label_names == ("bad", "good") and (renamed.dev_labels == sample.dev_labels).all()
    with pytest.raises(InputError, match="^`label_names`.*'neutral'"):
        load_labeled("sample", ["bad", "neutral", "good"])


def test_folder(tmp_path):
    write(tmp_path / "train.tsv", "sentence\tlabel\none\t0\ntwo\t2\nthree\t1\n")
    write(tmp_path / "dev.tsv", "sentence\tlabel\nfour\t2\n")
    data = load_labeled(tmp_path)
    assert (data.label_names, data.dev_texts, data.dev_labels.tolist()) == (("0", "1", "2"), ["four"], [2])
    assert load_labeled(str(tmp_path), ["a", "b", "c"]).label_names == ("a", "b", "c")


def test_single_file(tmp_path):
    rows = [f"text {i}\t{'good' if i % 3 else 'bad'}" for i in range(40)]
    path = write(tmp_path / "all.tsv", "\n".join(["sentence\tlabel", *rows]))
    data = load_labeled(path)
    assert (len(data.train_texts), len(data.dev_texts)) == (36, 4) and data.label_names == ("bad", "good")
    assert sorted(data.train_texts + data.dev_texts) == sorted(f"text {i}" for i in range(40))
    for texts, labels in ((data.train_texts, data.train_labels), (data.dev_texts, data.dev_labels)):
        assert labels.tolist() == [int(int(text.split()[1]) % 3 > 0) for text in texts]
    assert load_labeled(str(path)).dev_texts == data.dev_texts  # always the same split
    pairs = write(tmp_path / "pairs.tsv", "sentence1\tsentence2\tscore\na\tb\t2.5\nc\td\t-1\n")
    data = load_labeled(pairs, problem_type="regression")
    assert sorted(data.train_texts[0] + data.dev_texts[0]) == ["a", "c"] and data.dev_labels.shape == (1,)
    with pytest.raises(InputError, match=r"^`source`.*Received: .*one.tsv .*\b1\b"):
        load_labeled(write(tmp_path / "one.tsv", "sentence\tlabel\na\t0\n"))


def test_lines_end_at_newline_only(tmp_path):
    text = '\ufeffid\tsentence\tlabel\n1\tone\x85two\u2028three\rfour\x0bfive\t1\r\n2\t"open quote\t0'
    table = read_table(write(tmp_path / "x.tsv", text))
    assert table.texts == ["one\x85two\u2028three\rfour\x0bfive", '"open quote']
    assert table.class_labels()[0].tolist() == [1, 0]


def test_megabyte_line(tmp_path):
    table = read_table(write(tmp_path / "x.tsv", "sentence\tlabel\n" + "word " * 200_000 + "\t1\nb\t0\n"))
    assert len(table.texts[0]) == 999_999


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "^`path`.*Received: path=.*train.tsv"),
        (b"sentence\tlabel\n", "^`path`.*Received: path=.*train.tsv"),
        (b"a fine film\t1\n", "^`path`.*Received: .*sentence.*a fine film"),
        (b"sentence\ttarget\na\t1\n", "^`path`.*Received: .*label.*target"),
        (b"sentence\tlabel\na\n", r"^`path`.*\b2\b.*Received: .*columns=1 in line 2\b.*skip_malformed"),
        (b"sentence\tlabel\na\t0\n\t1\n", r"^`path`.*Received: .*line 3\b"),
        (b"sentence\tlabel\nna\xefve\t1\n", r"^`path`.*Received: .*0xef .*line 2\b.*\b17\b"),
        ("sentence\tlabel\na\t1\n".encode("utf-16"), r"^`path`.*Received: .*0xff .*line 1\b"),
        (b"sentence\tlabel\na\0b\t1\n", r"^`path`.*Received: .*line 2\b.*\b16\b"),
    ],
)
def test_rejects_invalid_files(tmp_path, content, message):
    path = write(tmp_path / "train.tsv", content)
    with pytest.raises(InputError, match=message) as error:
        read_table(path).class_labels()
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_rejects_invalid_sources(tmp_path):
    with pytest.raises(InputError, match=f"^`path`.*Received: path=.*{tmp_path.name}"):
        read_table(tmp_path)
    with pytest.raises(InputError, match="^`path`.*Received: path=.*none.tsv"):
        read_table(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="`source`.*nowhere"):
        load_labeled("nowhere")
    write(tmp_path / "train.tsv", "sentence\tlabel\na\t1\nb\t0\n")
    with pytest.raises(InputError, match="^`source`.*Received: source=.*dev.tsv"):
        load_labeled(tmp_path)
    write(tmp_path / "dev.tsv", "sentence\tlabel\na\t2\n")
    with pytest.raises(InputError, match="^`label`.*0 … 1.*Received: label='2' .*dev.tsv, line 2"):
        load_labeled(tmp_path)
    write(tmp_path / "train.tsv", "sentence\tlabel\na\tgood\nb\tbad\n")
    with pytest.raises(InputError, match="^`label`.*bad, good.*Received: label='2' .*dev.tsv, line 2"):
        load_labeled(tmp_path)
    write(tmp_path / "train.tsv", "sentence\tlabel\na\t0\nb\t0\n")
    with pytest.raises(InputError, match=r"^`source`.*Received: 1\b.*train.tsv"):
        load_labeled(tmp_path)


def test_no_network(monkeypatch, tmp_path):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match="^`name`.*Received: name='glue/sst2' .*train.tsv") as error:
        load_labeled("sst2")
    assert "\n" not in str(error.value)


def test_sst2_from_tfds(monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **kwargs: io.BytesIO())
    tfds = pytest.importorskip("tensorflow_datasets")
    with tfds.testing.mock_data(num_examples=7):
        data = load_labeled("sst2")
    assert data.label_names == ("negative", "positive")
    assert len(data.train_texts) == len(data.dev_texts) == 7 and isinstance(data.train_texts[0], str)


def test_real_sst2_folder(shared_data):
    data = load_labeled(shared_data / "SST-2")
    assert (len(data.train_texts), len(data.dev_texts)) == (67_349, 872)


def folder(path, train, dev):
    write(path / "train.tsv", train)
    write(path / "dev.tsv", dev)
    return path


def test_class_names(tmp_path):
    train = "sentence\tlabel\nwin money\tspam\nhello mum\tsocial\nbuy now\tpromotion\nsee you\tnot spam\n"
    data = load_labeled(folder(tmp_path, train, "sentence\tlabel\ncheap\tspam\n"))
    assert data.label_names == ("not spam", "promotion", "social", "spam") and data.dev_labels.tolist() == [3]
    data = load_labeled(tmp_path, ["spam", "not spam", "social", "promotion"])
    assert data.train_labels.tolist() == [0, 2, 3, 1]
    write(tmp_path / "dev.tsv", "sentence\tlabel\na\tspam\nb\tfamily\n")
    with pytest.raises(InputError, match="^`label`.*not spam, .*Received: label='family' .*dev.tsv, line 3"):
        load_labeled(tmp_path)
    for names in (["spam", "spam"], ["spam", ""]):
        with pytest.raises(InputError, match="`label_names`.*Received: label_names='spam', '"):
            load_labeled(tmp_path, names)


def test_integers_for_given_names_only(tmp_path):
    words, numbers = "sentence\tlabel\na\tgood\nb\tbad\n", "sentence\tlabel\nc\t1\nd\t0\n"
    with pytest.raises(InputError, match="^`label`.*bad, good.*Received: label='1' .*dev.tsv, line 2") as error:
        load_labeled(folder(tmp_path, words, numbers))
    assert "\n" not in str(error.value)
    data = load_labeled(tmp_path, ["good", "bad"])
    assert (data.train_labels.tolist(), data.dev_labels.tolist()) == ([0, 1], [1, 0])
    with pytest.raises(InputError, match="^`label`.*0, 1.*Received: label='good' .*dev.tsv, line 2"):
        load_labeled(folder(tmp_path, numbers, words))
    assert load_labeled(folder(tmp_path, numbers, numbers)).dev_labels.tolist() == [1, 0]
    assert read_table(tmp_path / "dev.tsv").class_labels(["bad", "good"])[0].tolist() == [1, 0]  # as for `evaluate`


# The header lines of GLUE's training files, and their classes.
PARSES = "sentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse"
MNLI = f"index\tpromptID\tpairID\tgenre\t{PARSES}\tsentence1\tsentence2"
HEADERS = {
    "RTE": ("index\tsentence1\tsentence2\tlabel", ("entailment", "not_entailment")),
    "WNLI": ("index\tsentence1\tsentence2\tlabel", ("0", "1")),
    "QNLI": ("index\tquestion\tsentence\tlabel", ("entailment", "not_entailment")),
    "QQP": ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", ("0", "1")),
    "MRPC": ("\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String", ("0", "1")),
    "MNLI": (f"{MNLI}\tlabel1\tgold_label", ("contradiction", "entailment", "neutral")),
    "SNLI": (f"gold_label\t{PARSES}\tsentence1\tsentence2\tcaptionID\tpairID\tlabel1", ("contradiction", "neutral")),
    "premises": ("premise\thypothesis\tgold_label\tgenre", ("no", "yes")),
}
FIRSTS = ("sentence1", "#1 String", "question1", "question", "premise")
SECONDS = ("sentence2", "#2 String", "question2", "hypothesis")
LABELS = ("label", "Quality", "is_duplicate", "gold_label", "score")


def glue(header, labels):
    """A file with a header and one row per label: `a cat 0`, `a dog 0`; other cells have other values."""
    names = header.removeprefix("\ufeff").split("\t")
    seconds = SECONDS if any(name in SECONDS for name in names) else ("sentence",)

    def cell(name, i, label):
        first, second = (f"a {kind} {i}" for kind in ("cat", "dog"))
        return first if name in FIRSTS else second if name in seconds else label if name in LABELS else f"other {i}"

    lines = ["\t".join(cell(name, i, label) for name in names) for i, label in enumerate(labels)]
    return "\n".join([header, *lines]) + "\n"


@pytest.mark.parametrize("name", HEADERS)
def test_glue_pairs(tmp_path, name):
    header, classes = HEADERS[name]
    content = glue(header, classes[::-1])
    data = load_labeled(folder(tmp_path, content, content))
    count = len(classes)
    assert data.train_texts == ([f"a cat {i}" for i in range(count)], [f"a dog {i}" for i in range(count)])
    assert data.dev_texts == data.train_texts and data.label_names == classes
    assert data.train_labels.tolist() == data.dev_labels.tolist() == list(range(count))[::-1]
    assert len(data.train_validation_split(fraction=0.5)[0]) == count - round(0.5 * count)
    assert select(data.train_texts, [1]) == (["a cat 1"], ["a dog 1"])
    write(tmp_path / "dev.tsv", f"sentence\tlabel\na\t{classes[0]}\n")
    with pytest.raises(InputError, match="^`source`.*Received: .*dev.tsv"):
        load_labeled(tmp_path)


def test_sts_b(tmp_path):
    content = glue(
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore", ["5.000", "3.8"]
    )
    data = load_labeled(folder(tmp_path, content, content), problem_type="regression")
    assert data.train_labels.tolist() == [5.0, np.float32(3.8)] and data.dev_texts[1] == ["a dog 0", "a dog 1"]


def test_mnli_uses_matched_dev_file(tmp_path):
    dev = MNLI + "".join(f"\tlabel{i}" for i in range(1, 6)) + "\tgold_label"
    write(tmp_path / "train.tsv", glue(f"{MNLI}\tlabel1\tgold_label", ["neutral", "-", "entailment", "contradiction"]))
    write(tmp_path / "dev_mismatched.tsv", glue(dev, ["neutral"]))
    with pytest.raises(InputError, match="^`source`.*Received: source=.*dev.tsv"):
        load_labeled(tmp_path)
    write(tmp_path / "dev_matched.tsv", glue(dev, ["-", "entailment", "contradiction"]))
    data = load_labeled(tmp_path)
    assert data.label_names == ("contradiction", "entailment", "neutral")
    assert data.train_texts[0] == ["a cat 0", "a cat 2", "a cat 3"] and data.train_labels.tolist() == [2, 1, 0]
    assert data.dev_texts == (["a cat 1", "a cat 2"], ["a dog 1", "a dog 2"]) and data.dev_labels.tolist() == [1, 0]
    assert read_table(tmp_path / "dev_mismatched.tsv").class_labels(data.label_names)[0].tolist() == [2]
    write(tmp_path / "dev.tsv", glue(dev, ["neutral"]))
    assert load_labeled(tmp_path).dev_labels.tolist() == [2]  # dev.tsv has priority
    with pytest.raises(InputError, match="^`path`.*Received: .*x.tsv .*2 .*gold_label '-'"):
        read_table(write(tmp_path / "x.tsv", glue(dev, ["-", "-"])))
    assert read_table(write(tmp_path / "x.tsv", "sentence\tlabel\na\t-\nb\t+\n")).class_labels()[1] == ("+", "-")


def test_float_labels(tmp_path):
    content = "sentence1\tsentence2\tscore\na\tb\t2.5\nc\td\t-1e1\n"
    data = load_labeled(folder(tmp_path, content, content), problem_type="regression")
    assert data.train_labels.tolist() == [2.5, -10.0] and data.train_labels.dtype == np.float32
    assert data.label_names == () and data.problem_type == "regression"
    for word in ("good", "nan", "inf", ""):
        write(tmp_path / "dev.tsv", f"sentence1\tsentence2\tscore\na\tb\t{word}\n")
        with pytest.raises(InputError, match=f"^`label`.*Received: label='{word}' .*dev.tsv, line 2"):
            load_labeled(tmp_path, problem_type="regression")


def test_multi_hot_labels(tmp_path):
    train = "sentence\tlabels\na\twar, love\nb\t\nc\tlove\n"
    data = load_labeled(folder(tmp_path, train, "sentence\tlabels\nd\twar\n"), problem_type="multi_label")
    assert data.label_names == ("love", "war")
    assert data.train_labels.tolist() == [[1, 1], [0, 0], [1, 0]] and data.dev_labels.tolist() == [[0, 1]]
    write(tmp_path / "dev.tsv", "sentence\tlabels\nd\tpeace\n")
    with pytest.raises(InputError, match="^`label`.*love, war.*Received: label='peace' .*line 2"):
        load_labeled(tmp_path, problem_type="multi_label")
    with pytest.raises(InputError, match="`problem_type`"):
        load_labeled(tmp_path, problem_type="several")


def test_real_files(shared_data, tmp_path):
    table = read_table(shared_data / "MRPC" / "msr_paraphrase_train.txt")
    assert len(table) == 4076 and table.class_labels()[1] == ("0", "1") and isinstance(table.texts, tuple)
    table = read_table(shared_data / "TREC" / "train.tsv")
    assert table.class_labels()[1] == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM") and len(table) == 5452
    assert read_table(shared_data / "SST-5" / "dev.tsv").class_labels()[1] == tuple("01234")


def test_rejects_numbers_out_of_range(tmp_path):
    whole = "sentence\tlabel\na\t0\nb\t99999999999\n"
    path = write(tmp_path / "x.tsv", whole)
    for names in (["a", "b", "c"], ["0", "1"]):
        with pytest.raises(InputError, match="^`label`.*0 … .*Received: label='99999999999' .*line 3"):
            read_table(path).class_labels(names)
    for number in ("1e39", "-1e400", "nan", "inf"):
        text = f"sentence\tscore\na\t0\nb\t{number}\n"
        with pytest.raises(InputError, match=f"^`label`.*Received: label='{number}' .*line 3"):
            load_labeled(folder(tmp_path, text, text), problem_type="regression")


def test_rejects_labels_of_another_type(tmp_path):
    for source in ("sample", "sst2"):
        for problem_type in ("regression", "multi_label"):
            with pytest.raises(InputError, match=f"`problem_type`.*{source}. Received: problem_type='{problem_type}'"):
                load_labeled(source, problem_type=problem_type)
    numbers = "sentence\tscore\na\t1\nb\t2\n"
    with pytest.raises(InputError, match=r"^`label_names`.*Received: label_names=\['a', 'b'\]"):
        load_labeled(folder(tmp_path, numbers, numbers), ["a", "b"], "regression")
    nothing = "sentence\tlabels\na\t\nb\t\n"
    with pytest.raises(InputError, match=r"^`path`.*Received: path=.*train.tsv .*\b2\b"):
        load_labeled(folder(tmp_path, nothing, nothing), problem_type="multi_label")
    with pytest.raises(InputError, match="`label_names`"):
        load_labeled(tmp_path, ["x", "x"], "multi_label")
