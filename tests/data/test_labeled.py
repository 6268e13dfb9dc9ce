"""Labelled sets: the layout of GLUE, and one clear line for everything else."""

import io
import urllib.error

import numpy as np
import pytest

from keras_bert import InputError, load_labeled
from keras_bert.data import read_table, select


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_the_sample_is_varied_and_split():
    sample = load_labeled("sample")
    assert len(set(sample.train_texts + sample.dev_texts)) >= 1500
    assert not set(sample.train_texts) & set(sample.dev_texts)
    for texts, labels in ((sample.train_texts, sample.train_labels), (sample.dev_texts, sample.dev_labels)):
        assert len(texts) == len(labels) and labels.dtype == np.int32
        assert 0.4 < labels.mean() < 0.6


def test_a_folder(tmp_path):
    write(tmp_path / "train.tsv", "sentence\tlabel\none\t0\ntwo\t2\nthree\t1\n")
    write(tmp_path / "dev.tsv", "sentence\tlabel\nfour\t2\n")
    data = load_labeled(tmp_path)
    assert (data.label_names, data.dev_texts, data.dev_labels.tolist()) == (("0", "1", "2"), ["four"], [2])
    assert load_labeled(str(tmp_path), ["a", "b", "c"]).label_names == ("a", "b", "c")


def test_lines_end_at_newline_alone(tmp_path):
    text = '\ufeffid\tsentence\tlabel\n1\tone\x85two\u2028three\rfour\x0bfive\t1\r\n2\t"open quote\t0'
    table = read_table(write(tmp_path / "x.tsv", text))
    assert table.texts == ["one\x85two\u2028three\rfour\x0bfive", '"open quote']
    assert table.classes()[0].tolist() == [1, 0]


def test_a_line_of_a_megabyte(tmp_path):
    table = read_table(write(tmp_path / "x.tsv", "sentence\tlabel\n" + "word " * 200_000 + "\t1\nb\t0\n"))
    assert len(table.texts[0]) == 999_999


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Received: an empty one"),
        (b"sentence\tlabel\n", "a header line alone"),
        (b"a fine film\t1\n", "must name the columns sentence and label"),
        (b"sentence\ttarget\na\t1\n", "no label"),
        (b"sentence\tlabel\na\n", "line 2: 2 columns are expected. Received: 1"),
        (b"sentence\tlabel\na\t0\n\t1\n", "line 3: a sentence is expected"),
        (b"sentence\tlabel\na\t0\nb\t-1\n", r"line 3: labels must lie in 0 … 1 \(2 different ones\). Received: -1"),
        (b"sentence\tlabel\na\t0\nb\t2\n", "line 3: labels must lie in 0 … 1"),
        (b"sentence\tlabel\nna\xefve\t1\n", r"UTF-8. Received: byte 0xef in line 2 \(byte 17 of the file\)"),
        ("sentence\tlabel\na\t1\n".encode("utf-16"), "UTF-8. Received: byte 0xff in line 1"),
        (b"sentence\tlabel\na\0b\t1\n", r"NUL. Received: one in line 2 \(byte 16\)"),
    ],
)
def test_one_line_says_what_is_wrong(tmp_path, content, message):
    path = write(tmp_path / "train.tsv", content)
    with pytest.raises(InputError, match=message) as error:
        read_table(path).classes()
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_what_is_no_file(tmp_path):
    with pytest.raises(InputError, match="a directory"):
        read_table(tmp_path)
    with pytest.raises(InputError, match="where nothing is"):
        read_table(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="sample, sst2 or a folder"):
        load_labeled("nowhere")
    write(tmp_path / "train.tsv", "sentence\tlabel\na\t1\nb\t0\n")
    with pytest.raises(InputError, match="no dev.tsv"):
        load_labeled(tmp_path)
    write(tmp_path / "dev.tsv", "sentence\tlabel\na\t2\n")
    with pytest.raises(InputError, match=r"dev.tsv, line 2: labels must lie in 0 … 1"):
        load_labeled(tmp_path)
    write(tmp_path / "train.tsv", "sentence\tlabel\na\tgood\nb\tbad\n")
    with pytest.raises(InputError, match="dev.tsv, line 2: a class is one of bad, good. Received: '2'"):
        load_labeled(tmp_path)
    write(tmp_path / "train.tsv", "sentence\tlabel\na\t0\nb\t0\n")
    with pytest.raises(InputError, match="at least two classes"):
        load_labeled(tmp_path)


def test_no_network_says_what_to_do_instead(monkeypatch, tmp_path):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match="no network for the data set 'glue/sst2'.*train.tsv") as error:
        load_labeled("sst2")
    assert "\n" not in str(error.value)


def test_sst2_by_name(monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **kwargs: io.BytesIO())
    tfds = pytest.importorskip("tensorflow_datasets")
    with tfds.testing.mock_data(num_examples=7):
        data = load_labeled("sst2")
    assert data.label_names == ("negative", "positive")
    assert len(data.train_texts) == len(data.dev_texts) == 7 and isinstance(data.train_texts[0], str)


def test_the_real_sst2_folder(shared_data):
    data = load_labeled(shared_data / "SST-2")
    assert (len(data.train_texts), len(data.dev_texts)) == (67_349, 872)


def folder(path, train, dev):
    write(path / "train.tsv", train)
    write(path / "dev.tsv", dev)
    return path


def test_classes_by_their_names(tmp_path):
    train = "sentence\tlabel\nwin money\tspam\nhello mum\tsocial\nbuy now\tpromotion\nsee you\tnot spam\n"
    data = load_labeled(folder(tmp_path, train, "sentence\tlabel\ncheap\tspam\n"))
    assert data.label_names == ("not spam", "promotion", "social", "spam") and data.dev_labels.tolist() == [3]
    data = load_labeled(tmp_path, ["spam", "not spam", "social", "promotion"])
    assert data.train_labels.tolist() == [0, 2, 3, 1]
    write(tmp_path / "dev.tsv", "sentence\tlabel\na\tspam\nb\tfamily\n")
    with pytest.raises(InputError, match="dev.tsv, line 3: a class is one of not spam, .* Received: 'family'"):
        load_labeled(tmp_path)
    for names in (["spam", "spam"], ["spam", ""]):
        with pytest.raises(InputError, match="names are different, and none is empty. Received: 'spam', '"):
            load_labeled(tmp_path, names)


def test_numbers_stand_for_names_that_were_given_alone(tmp_path):
    words, numbers = "sentence\tlabel\na\tgood\nb\tbad\n", "sentence\tlabel\nc\t1\nd\t0\n"
    with pytest.raises(InputError, match="dev.tsv, line 2: a class is one of bad, good. Received: '1'") as error:
        load_labeled(folder(tmp_path, words, numbers))
    assert "\n" not in str(error.value)
    data = load_labeled(tmp_path, ["good", "bad"])
    assert (data.train_labels.tolist(), data.dev_labels.tolist()) == ([0, 1], [1, 0])
    with pytest.raises(InputError, match="dev.tsv, line 2: a class is one of 0, 1. Received: 'good'"):
        load_labeled(folder(tmp_path, numbers, words))
    assert load_labeled(folder(tmp_path, numbers, numbers)).dev_labels.tolist() == [1, 0]
    assert read_table(tmp_path / "dev.tsv").classes(["bad", "good"])[0].tolist() == [1, 0]  # as `evaluate` reads it


# The header lines of GLUE's own training files, and their classes.
PARSES = "sentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse"
MNLI = f"index\tpromptID\tpairID\tgenre\t{PARSES}\tsentence1\tsentence2"
LAYOUTS = {
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
    """A file of a header, a line a label: `a cat 0`, `an animal 0`; every other cell holds something else."""
    names = header.removeprefix("\ufeff").split("\t")
    seconds = SECONDS if any(name in SECONDS for name in names) else ("sentence",)

    def cell(name, i, label):
        first, second = (f"a {kind} {i}" for kind in ("cat", "dog"))
        return first if name in FIRSTS else second if name in seconds else label if name in LABELS else f"other {i}"

    lines = ["\t".join(cell(name, i, label) for name in names) for i, label in enumerate(labels)]
    return "\n".join([header, *lines]) + "\n"


@pytest.mark.parametrize("name", LAYOUTS)
def test_pairs_as_glues_files_have_them(tmp_path, name):
    header, classes = LAYOUTS[name]
    content = glue(header, classes[::-1])
    data = load_labeled(folder(tmp_path, content, content))
    count = len(classes)
    assert data.train_texts == ([f"a cat {i}" for i in range(count)], [f"a dog {i}" for i in range(count)])
    assert data.dev_texts == data.train_texts and data.label_names == classes
    assert data.train_labels.tolist() == data.dev_labels.tolist() == list(range(count))[::-1]
    assert len(data.train_validation_split(fraction=0.5)[0]) == count - round(0.5 * count)
    assert select(data.train_texts, [1]) == (["a cat 1"], ["a dog 1"])
    write(tmp_path / "dev.tsv", f"sentence\tlabel\na\t{classes[0]}\n")
    with pytest.raises(InputError, match="pairs or single texts are expected"):
        load_labeled(tmp_path)


def test_sts_b_as_glue_has_it(tmp_path):
    content = glue(
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore", ["5.000", "3.8"]
    )
    data = load_labeled(folder(tmp_path, content, content), problem_type="regression")
    assert data.train_labels.tolist() == [5.0, np.float32(3.8)] and data.dev_texts[1] == ["a dog 0", "a dog 1"]


def test_mnli_is_measured_on_the_genres_it_was_trained_on(tmp_path):
    dev = MNLI + "".join(f"\tlabel{i}" for i in range(1, 6)) + "\tgold_label"
    write(tmp_path / "train.tsv", glue(f"{MNLI}\tlabel1\tgold_label", ["neutral", "-", "entailment", "contradiction"]))
    write(tmp_path / "dev_mismatched.tsv", glue(dev, ["neutral"]))
    with pytest.raises(InputError, match="no dev.tsv"):
        load_labeled(tmp_path)
    write(tmp_path / "dev_matched.tsv", glue(dev, ["-", "entailment", "contradiction"]))
    data = load_labeled(tmp_path)
    assert data.label_names == ("contradiction", "entailment", "neutral")
    assert data.train_texts[0] == ["a cat 0", "a cat 2", "a cat 3"] and data.train_labels.tolist() == [2, 1, 0]
    assert data.dev_texts == (["a cat 1", "a cat 2"], ["a dog 1", "a dog 2"]) and data.dev_labels.tolist() == [1, 0]
    assert read_table(tmp_path / "dev_mismatched.tsv").classes(data.label_names)[0].tolist() == [2]
    write(tmp_path / "dev.tsv", glue(dev, ["neutral"]))
    assert load_labeled(tmp_path).dev_labels.tolist() == [2]  # what a folder calls dev.tsv comes first
    with pytest.raises(InputError, match="Received: 2 lines whose gold_label is '-'"):
        read_table(write(tmp_path / "x.tsv", glue(dev, ["-", "-"])))
    assert read_table(write(tmp_path / "x.tsv", "sentence\tlabel\na\t-\nb\t+\n")).classes()[1] == ("+", "-")


def test_numbers(tmp_path):
    content = "sentence1\tsentence2\tscore\na\tb\t2.5\nc\td\t-1e1\n"
    data = load_labeled(folder(tmp_path, content, content), problem_type="regression")
    assert data.train_labels.tolist() == [2.5, -10.0] and data.train_labels.dtype == np.float32
    assert data.label_names == () and data.problem_type == "regression"
    for word in ("good", "nan", "inf", ""):
        write(tmp_path / "dev.tsv", f"sentence1\tsentence2\tscore\na\tb\t{word}\n")
        with pytest.raises(InputError, match="line 2: the label must be a number"):
            load_labeled(tmp_path, problem_type="regression")


def test_several_labels(tmp_path):
    train = "sentence\tlabels\na\twar, love\nb\t\nc\tlove\n"
    data = load_labeled(folder(tmp_path, train, "sentence\tlabels\nd\twar\n"), problem_type="multi_label")
    assert data.label_names == ("love", "war")
    assert data.train_labels.tolist() == [[1, 1], [0, 0], [1, 0]] and data.dev_labels.tolist() == [[0, 1]]
    write(tmp_path / "dev.tsv", "sentence\tlabels\nd\tpeace\n")
    with pytest.raises(InputError, match="line 2: a label is one of love, war. Received: 'peace'"):
        load_labeled(tmp_path, problem_type="multi_label")
    with pytest.raises(InputError, match="a problem is one of"):
        load_labeled(tmp_path, problem_type="several")


def test_the_real_pairs_and_questions(shared_data, tmp_path):
    table = read_table(shared_data / "MRPC" / "msr_paraphrase_train.txt")
    assert len(table) == 4076 and table.classes()[1] == ("0", "1") and isinstance(table.texts, tuple)
    table = read_table(shared_data / "TREC" / "train.tsv")
    assert table.classes()[1] == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM") and len(table) == 5452
    assert read_table(shared_data / "SST-5" / "dev.tsv").classes()[1] == tuple("01234")


def test_numbers_beyond_what_holds_them(tmp_path):
    whole = "sentence\tlabel\na\t0\nb\t99999999999\n"
    with pytest.raises(InputError, match="line 3: labels must lie in 0 … 1 .* Received: 99999999999"):
        load_labeled(folder(tmp_path, whole, whole))
    for number in ("1e39", "-1e400", "nan", "inf"):
        text = f"sentence\tscore\na\t0\nb\t{number}\n"
        with pytest.raises(InputError, match=f"line 3: the label must be a number .* Received: '{number}'"):
            load_labeled(folder(tmp_path, text, text), problem_type="regression")


def test_sets_that_have_no_such_labels(tmp_path):
    for source in ("sample", "sst2"):
        for problem in ("regression", "multi_label"):
            with pytest.raises(InputError, match=f"{source} has one class .* Received: problem_type='{problem}'"):
                load_labeled(source, problem_type=problem)
    numbers = "sentence\tscore\na\t1\nb\t2\n"
    with pytest.raises(InputError, match="numbers have no names. Received: the names a, b"):
        load_labeled(folder(tmp_path, numbers, numbers), ["a", "b"], "regression")
    nothing = "sentence\tlabels\na\t\nb\t\n"
    with pytest.raises(InputError, match="train.tsv: at least one label is expected. Received: none in 2 lines"):
        load_labeled(folder(tmp_path, nothing, nothing), problem_type="multi_label")
    with pytest.raises(InputError, match="names are different"):
        load_labeled(tmp_path, ["x", "x"], "multi_label")
