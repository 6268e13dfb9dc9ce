"""Labeled data as they are published: the layouts of GLUE's files, their labels, blank and malformed lines."""

import json
import warnings

import numpy as np
import pytest

from keras_bert.cli.main import main
from keras_bert.data import load_labeled, read_table
from keras_bert.errors import InputError, InputWarning
from keras_bert.inference.text_files import read_texts
from keras_bert.tasks import TASKS

COLA = "gj04\t1\t\tOur friends won't buy this.\ngj04\t0\t*\tOne more \"quote.\ncj99\t1\t\tThe cat, sat.\n"
PARSES = "sentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse"
SNLI = f"index\tcaptionID\tpairID\t{PARSES}\tsentence1\tsentence2\tlabel1"
SNLI_TXT = f"gold_label\t{PARSES}\tsentence1\tsentence2\tcaptionID\tpairID\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5"
QQP = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"


def write(path, content, encoding="utf-8"):
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def test_cola_has_no_header_line(tmp_path):
    for content in (COLA, "\ufeff" + COLA.replace("\n", "\r\n") + "\r\n"):
        path = write(tmp_path / "train.tsv", content)
        table = read_table(path)
        assert table.texts == ["Our friends won't buy this.", 'One more "quote.', "The cat, sat."]
        assert table.labels == ["1", "0", "1"] and table.lines == [1, 2, 3]
        assert list(read_texts(path)) == table.texts
    write(tmp_path / "dev.tsv", COLA)
    assert load_labeled(tmp_path).label_names == ("0", "1")
    with pytest.raises(InputError, match="^`path` must have a header line.*a fine film"):
        read_table(write(tmp_path / "x.tsv", "a fine film\t1\n"))


@pytest.mark.parametrize("header", [f"{SNLI}\tgold_label", f"{SNLI}\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label"])
@pytest.mark.parametrize("annotators", [1, 4, 5])
def test_snli_rows_have_the_labels_of_one_to_five_annotators(tmp_path, header, annotators):
    parts = ["0", "c", "p", *["( a )"] * 4, "a man", "a person", *["neutral"] * annotators]
    rows = "".join("\t".join([*parts, gold]) + "\n" for gold in ("entailment", "-", "contradiction"))
    table = read_table(write(tmp_path / "x.tsv", f"{header}\n{rows}"))
    assert table.labels == ["entailment", "contradiction"] and table.texts[1] == ["a person"] * 2
    if annotators == 5:  # a tab in a text is not the label of an annotator
        with pytest.raises(InputError, match="columns=16 in line 2"):
            read_table(write(tmp_path / "x.tsv", f"{header}\n" + rows.replace("a person", "a person\tsleeps")))


@pytest.mark.parametrize("annotators", [1, 5, 6])
def test_original_snli_rows(tmp_path, annotators):
    row = ["neutral", *["( a )"] * 4, "a man", "a person", "c", "p", *["entailment"] * annotators]
    table = read_table(write(tmp_path / "x.txt", f"{SNLI_TXT}\n" + "\t".join(row) + "\n"))
    assert table.labels == ["neutral"] and table.texts == (["a man"], ["a person"])


def test_qqp_rows_with_three_columns_or_an_empty_question(tmp_path):
    rows = ["1\t1\t2\twho?\twhat?\t0", "2\t3\t4", "3\t5\t6\t\twhy?\t1", "4\t7\t8\thow?\tso?\t1", "5\t9\t10\ta?\tb?\t"]
    path = write(tmp_path / "train.tsv", QQP + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match=r"columns=3 in line 3\b.*--skip-malformed"):
        read_table(path)
    with pytest.warns(InputWarning, match=r"train.tsv: 3 malformed lines were skipped. The first.*in line 3\b"):
        table = read_table(path, "single_label", skip_malformed=True)
    assert table.texts == (["who?", "how?"], ["what?", "so?"]) and table.lines == [2, 5]
    for name, content, error in (
        ("empty.tsv", QQP + rows[2], r"text in every line.*line 2 with an empty one"),
        ("label.tsv", QQP + rows[4], r"^`label` must not be empty.*label='' .*line 2\)"),
    ):
        with pytest.raises(InputError, match=error):
            read_table(write(tmp_path / name, content), "single_label")


@pytest.mark.parametrize("name", ["train.tsv", "train.csv", "train.jsonl"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_blank_lines_byte_order_mark_and_line_ends(tmp_path, name, end, mark):
    lines = {
        "train.tsv": ["", "sentence\tlabel", "", "a\t1", "  ", "b\t0", "", ""],
        "train.csv": ["", "sentence,label", "", "a,1", "  ", "b,0", "", ""],
        "train.jsonl": ['{"sentence": "a", "label": 1}', "", '{"sentence": "b", "label": 0}', " ", ""],
    }[name]
    if name == "train.jsonl":
        lines = ["", *lines]
    table = read_table(write(tmp_path / name, mark + end.join(lines)))
    assert (table.texts, table.labels) == (["a", "b"], ["1", "0"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.tsv", "Text\tLabel\na, b\t1\n"),
        ("x.tsv", "TEXT\tLABEL\na, b\t1\n"),
        ("x.tsv", '"text"\t"label"\n"a, b"\t"1"\n'),
        ("x.tsv", '"Text"\tlabel\na, b\t1\n'),
        ("x.csv", 'Sentence,LABEL\n"a, b",1\n'),
        ("x.csv", '"text","label"\n"a, b","1"\n'),
        ("x.csv", "text ; label\na, b;1\n"),
        ("x.csv", "text\tlabel\na, b\t1\n"),
        ("x.jsonl", '{"Text": "a, b", "LABEL": 1}\n'),
        ("x.ndjson", '{"text": "a, b", "label": "1"}\n'),
        ("x.json", '{"id": 3, "Sentence": "a, b", "label": true}\n'),
    ],
)
def test_headers_in_any_case_or_quoted(tmp_path, name, content):
    path = write(tmp_path / name, content)
    table = read_table(path)
    assert (table.texts, table.labels) == (["a, b"], ["1"])
    assert list(read_texts(path)) == ["a, b"]


def test_quoted_tab_separated_cells(tmp_path):
    content = '"text"\t"label"\n"say ""no"""\t"1"\n"two\nlines"\t"0"\n'
    assert read_table(write(tmp_path / "x.tsv", content)).texts == ['say "no"', "two\nlines"]
    # Without quotation marks in the header line they are part of the text, as in MRPC.
    content = 'text\tlabel\n"say ""no"""\t1\n"open\t0\n'
    assert read_table(write(tmp_path / "x.tsv", content)).texts == ['"say ""no"""', '"open']


@pytest.mark.parametrize(
    ("labels", "names", "ids"),
    [
        (["1", "2", "1"], ("1", "2"), [0, 1, 0]),
        (["-1", "1", "-1"], ("-1", "1"), [0, 1, 0]),
        (["1", "+1", "-1", "0"], ("-1", "0", "1"), [2, 2, 0, 1]),
        (["0.0", "1.0", "0"], ("0", "1"), [0, 1, 0]),
        (["2.", "10", "9.00"], ("2", "9", "10"), [0, 2, 1]),
        (["4", "0", "4"], ("0", "4"), [1, 0, 1]),
        (["4.5", "10.5", "0.5"], ("0.5", "4.5", "10.5"), [1, 2, 0]),
        (["b", "a", "1"], ("1", "a", "b"), [2, 1, 0]),
    ],
)
def test_labels(tmp_path, labels, names, ids):
    content = "text\tlabel\n" + "".join(f"t\t{label}\n" for label in labels)
    for part in ("train", "dev"):
        write(tmp_path / f"{part}.tsv", content)
    data = load_labeled(tmp_path)
    assert data.label_names == names and data.train_labels.tolist() == data.dev_labels.tolist() == ids
    if len(names) == 2:
        named = load_labeled(tmp_path, ["bad", "good"])
        assert named.train_labels.tolist() == ids and named.label_names == ("bad", "good")
        write(tmp_path / "dev.tsv", "text\tlabel\nt\t" + labels[0])  # an integer means the same class in both files
        assert load_labeled(tmp_path, ["bad", "good"]).dev_labels.tolist() == ids[:1]
        assert read_table(tmp_path / "train.tsv").class_labels(["bad", "good"])[0].tolist() == ids


def test_class_ids_do_not_stand_for_names_that_are_other_integers(tmp_path):
    table = read_table(write(tmp_path / "x.tsv", "text\tlabel\na\t0\nb\t1\n"))
    with pytest.raises(InputError, match="^`label` must be one of 1, 2. Received: label='0' .*line 2"):
        table.class_labels(["1", "2"])
    with pytest.raises(InputError, match="^`label` must be in 0 … 2. Received: label='4' .*line 3"):
        read_table(write(tmp_path / "x.tsv", "text\tlabel\na\t0\nb\t4\n")).class_labels(["a", "b", "c"])


MALFORMED = {
    "x.tsv": (b"text\tlabel\na\t1\nb\n\xff\t1\n\t0\nc\0\t1\nd\t0\n", 4),
    "x.csv": (b'text,label\na,1\nb,1,1\n"c",1\n"open,0\nd,0\n"x"y,1\ne,0\n', 3),
    "x.jsonl": (b'{"text": "a", "label": 1}\n{"text": \n["b"]\n{"label": 1}\n{"text": "d", "label": 0}\n', 3),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_lines_are_errors_or_counted(tmp_path, name):
    content, count = MALFORMED[name]
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match=r"\bline \d.*skip_malformed=True"):
        read_table(path)
    with pytest.warns(InputWarning, match=f"{name}: {count} malformed lines were skipped"):
        table = read_table(path, skip_malformed=True)
    assert table.texts == {"x.tsv": ["a", "d"], "x.csv": ["a", "c", "d", "e"], "x.jsonl": ["a", "d"]}[name]


def test_stray_quotation_mark_hides_no_lines(tmp_path):
    """An open quotation mark runs to the next one; the lines between them are read again."""
    rows = [f"text {i},{i % 2}" for i in range(50)]
    rows[10], rows[30] = '"open,1', 'b "quoted" c,0'
    path = write(tmp_path / "x.csv", "text,label\n" + "\n".join(rows) + "\n")
    with pytest.warns(InputWarning, match="1 malformed line was skipped"):
        table = read_table(path, skip_malformed=True)
    assert len(table) == 49 and table.lines == [i for i in range(2, 52) if i != 12]


def test_no_warning_without_malformed_lines(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_table(write(tmp_path / "x.tsv", "text\tlabel\na\t1\n\n"), "single_label", skip_malformed=True)


def test_regression_labels_are_checked_line_by_line(tmp_path):
    content = "sentence1\tsentence2\tscore\na\tb\t2.5\nc\td\tnone\ne\tf\t-1\n"
    path = write(tmp_path / "x.tsv", content)
    with pytest.raises(InputError, match=r"^`label` must be a number.*'none'.*line 3\)"):
        load_labeled(path, problem_type="regression")
    with pytest.warns(InputWarning, match="1 malformed line"):
        data = load_labeled(path, problem_type="regression", skip_malformed=True)
    assert sorted([*data.train_labels.tolist(), *data.dev_labels.tolist()]) == [-1.0, 2.5]


def test_files_named_validation(tmp_path):
    for name in ("train", "validation"):
        write(tmp_path / f"{name}.jsonl", "".join(json.dumps({"text": t, "label": t}) + "\n" for t in "ab"))
    assert load_labeled(tmp_path).dev_texts == ["a", "b"]


@pytest.mark.slow
def test_command_line_skips_and_reports(tmp_path, capfd):
    path = write(tmp_path / "x.tsv", "text\tlabel\na fine film\tpositive\nb\ndull\tnegative\n")
    assert main(["evaluate", "--data", str(path)]) == 2
    error = capfd.readouterr().err
    assert "line 3" in error and "--skip-malformed" in error and error.count("\n") == 1
    assert main(["evaluate", "--data", str(path), "--skip-malformed", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out.splitlines()[-1])["examples"] == 2
    assert [
        line for line in err.splitlines() if "1 malformed line was skipped" in line and line.startswith("warning: ")
    ]
    assert main(["evaluate", "--data", str(path), "--tag-column", "2"]) == 2
    assert "`tag_column` must be None for the task classification" in capfd.readouterr().err


def test_options_of_other_tasks_are_rejected():
    for name, options in (("classification", {"tag_column": "pos"}), ("spans", {"skip_malformed": True})):
        with pytest.raises(InputError, match=f"^`{next(iter(options))}` must be (None|False) for the task {name}"):
            TASKS[name].check_options(TASKS[name].data_options, **options)
    assert TASKS["tokens"].check_options(TASKS["tokens"].data_options, tag_column=None, skip_malformed=False) == {}


def test_array_labels_are_int32(tmp_path):
    table = read_table(write(tmp_path / "x.tsv", "text\tlabel\na\t1\nb\t2\n"))
    assert table.class_labels()[0].dtype == np.int32
