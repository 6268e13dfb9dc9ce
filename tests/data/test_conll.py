"""CoNLL files are read, and invalid files are rejected."""

import pytest

import keras_bert as kb
from keras_bert.data.conll import find_conll_files, load_conll


def test_reads_columns(tmp_path):
    text = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\nPeter NNP B-NP B-PER\n"
    text += "Blackburn\tNNP I-NP I-PER"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    found = load_conll(tmp_path / "a.txt")
    assert [sentence.words for sentence in found] == [("EU", "rejects"), ("Peter", "Blackburn")]
    assert [sentence.tags for sentence in found] == [("B-ORG", "O"), ("B-PER", "I-PER")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EU B-ORG\nrejects\n", r"^`path`.*\b2\b.*Received: .*columns=1 in line 2\b"),
        ("EU B-ORG\nrejects V O\n", r"^`path`.*\b2\b.*Received: .*columns=3 in line 2\b"),
        ("EU\n", r"^`path`.*Received: .*columns=1 in line 1$"),
        ("\n\n", r"^`path`.*Received: .*a.txt .*\b0\b"),
        ("", "^`path`.*Received: path=.*a.txt"),
    ],
)
def test_rejects_invalid_files(text, message, tmp_path):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with pytest.raises(kb.InputError, match=message):
        load_conll(tmp_path / "a.txt")


def test_splits_at_spaces_and_tabs_only(tmp_path):
    """Other white space belongs to the word."""
    words = ("10\xa0000", "Zürich", "日本", "a\u3000b", "x\u2028y", "\u200b")
    text = "\ufeff" + "".join(f"{word} \t O \r\n" for word in words)
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert load_conll(tmp_path / "a.txt")[0].words == words


CONLL_U = """\
# newdoc id = x
# sent_id = 1
# text = Vámonos al mar.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\tVB\tMood=Imp\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tPP\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\tIN\t_\t5\tcase\t_\t_
4\tel\tel\tDET\tDT\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\tNN\t_\t1\tobl:arg\t_\tSpaceAfter=No
5.1\tempty\t_\t_\t_\t_\t_\t_\t_\t_
6\t.\t.\tPUNCT\t.\t_\t1\tpunct\t_\t_

# sent_id = 2
1\t#\t#\tSYM\tNN\t_\t0\troot\t_\t_
2\t10 000\t10 000\tNUM\tCD\t_\t1\tnummod\t_\t_

"""


@pytest.fixture
def read(tmp_path):
    def run(text, *arguments, name="a.txt", **settings):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return [(sentence.words, sentence.tags) for sentence in load_conll(tmp_path / name, *arguments, **settings)]

    return run


def test_conll_u(read):
    first = ("Vamos", "nos", "a", "el", "mar", ".")
    assert read(CONLL_U) == [
        (first, ("VERB", "PRON", "ADP", "DET", "NOUN", "PUNCT")),
        (("#", "10 000"), ("SYM", "NUM")),
    ]
    for column, tags in (("deprel", ("root", "nummod")), ("XPOS", ("NN", "CD")), (5, ("NN", "CD")), ("8", None)):
        found = read(CONLL_U, column, name="a.conllu")
        assert found[0][0] == first and (tags is None or found[1][1] == tags)
    assert read(CONLL_U.replace("\n", "\r\n")) == read(CONLL_U)


def test_conll_u_plus_names_its_columns(read):
    text = (
        "# global.columns = ID FORM UPOS BIO:NER\n# text = a\n1\tRome\tPROPN\tB-LOC\n1-2\tx\t_\t_\n2\tfell\tVERB\tO\n"
    )
    assert read(text) == [(("Rome", "fell"), ("PROPN", "VERB"))]
    assert read(text, "ner") == [(("Rome", "fell"), ("B-LOC", "O"))]
    with pytest.raises(kb.InputError, match="^`path` must have the columns ID and FORM"):
        read("# global.columns = WORD TAG\na\tb\n")


def test_columns_by_name_and_number(read):
    text = "-DOCSTART- -X- -X- O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n"
    for column, tags in (
        ("pos", ("NNP", "VBZ")),
        ("chunk", ("I-NP", "I-VP")),
        ("ner", ("I-ORG", "O")),
        (2, ("NNP", "VBZ")),
    ):
        assert read(text, column) == [(("EU", "rejects"), tags)]
    for column in ("upos", 5, 0, "lemma"):
        with pytest.raises(kb.InputError, match="^`tag_column` must be one of word, pos, chunk, ner.*Received: "):
            read(text, column)
    assert read("EU NNP x y I-ORG\n") == [(("EU",), ("I-ORG",))]  # five columns, as in German


def test_comments(read):
    """A line `# …` before a sentence is a comment, unless it has the columns of a word."""
    assert read("# a comment\nEU B-ORG\n# O\n\n# other words here\n# O\n#tag O\n") == [
        (("EU", "#"), ("B-ORG", "O")),
        (("#", "#tag"), ("O", "O")),
    ]
    assert read("# id 52 domain=en\nRome _ _ B-LOC\n") == [(("Rome",), ("B-LOC",))]  # MultiCoNER


def test_malformed_lines_are_skipped(read):
    text = "EU NNP B-ORG\nrejects\nGerman JJ B-MISC\n\ncall NN x O\nBrussels NNP B-LOC\n"
    with pytest.raises(kb.InputError, match=r"columns=1 in line 2\b.*skip_malformed=True"):
        read(text)
    with pytest.warns(kb.errors.InputWarning, match="2 malformed lines were skipped"):
        assert read(text, skip_malformed=True) == [
            (("EU", "German"), ("B-ORG", "B-MISC")),
            (("Brussels",), ("B-LOC",)),
        ]
    with pytest.warns(kb.errors.InputWarning, match="1 malformed line was"):
        assert len(read(CONLL_U.replace("5\tmar\tmar", "5\tmar"), skip_malformed=True)[0][0]) == 5


def test_files_of_published_datasets(tmp_path):
    for names in (
        ("train.txt", "valid.txt"),
        ("eng.train", "eng.testa"),
        ("es_ancora-ud-train.conllu", "es_ancora-ud-dev.conllu"),
    ):
        folder = tmp_path / names[0]
        folder.mkdir()
        for name in (*names, "README.md"):
            (folder / name).touch()
        assert [path.name for path in find_conll_files(folder)] == list(names)
    (folder / "es_gsd-ud-train.conllu").touch()
    with pytest.raises(kb.InputError, match="^`dataset`.*es_ancora-ud-train.conllu and es_gsd"):
        find_conll_files(folder)
