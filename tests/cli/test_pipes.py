"""Where standard output is no terminal, no command wraps or cuts its lines, also with `COLUMNS` and `FORCE_COLOR`."""

import pytest

TEXT = "a good film " * 30
SHOWN = TEXT.strip()


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")


def lines_of(result) -> list[str]:
    assert result.status == 0, result.err
    assert "\x1b" not in result.out and not any(line != line.rstrip() for line in result.out.splitlines())
    return result.out.splitlines()


def test_tokenize(call, models):
    lines = lines_of(call("tokenize", "--vocab", models.vocab, TEXT))
    assert lines[0] == SHOWN and lines[1].split() == ["token", "id"]


def test_predict(call, models):
    header, row = lines_of(call("predict", "--model", models.classifier, TEXT))
    assert header.split("\t") == ["label", "probability", "probability_negative", "probability_positive", "text"]
    assert row.split("\t")[4] == SHOWN


def test_embed(call, models):
    lines = lines_of(call("embed", "--model", models.encoder, *([TEXT] * 15)))
    assert len(lines) == 17 and [line.split()[-15:] for line in lines[2:]] == [["1.00"] * 15] * 15
    assert all(SHOWN in line for line in lines[2:])


def test_embed_nearest(call, models, tmp_path):
    (tmp_path / "lines.txt").write_text(TEXT + "\nshort\n")
    lines = lines_of(call("embed", "--model", models.encoder, "--nearest", tmp_path / "lines.txt", TEXT))
    assert lines[0].startswith(f"{tmp_path / 'lines.txt'}: cosine similarity of vectors of size")
    assert lines[1] == SHOWN and lines[3].split(maxsplit=2) == ["1.000", "1", SHOWN]


def test_fill_mask(call, models):
    lines = lines_of(call("fill-mask", "--model", models.encoder, f"a [MASK] film {TEXT}"))
    assert lines[0] == f"a [MASK] film {SHOWN}" and len(lines) == 7


def test_inspect(call):
    lines = lines_of(call("inspect", "bert_en_uncased_L-2_H-128_A-2"))
    row = next(line for line in lines if "128 x 512" in line)
    assert len(row.split()) == 5  # name, three words of the shape, count


def test_evaluate(call, models):
    lines = lines_of(call("evaluate", "--model", models.classifier, "--data", models.data))
    assert "class     precision  recall      f1  roc_auc  examples" in lines
    assert lines[-3].split() == ["negative", "positive"]
