"""The tables of features are numbered, and every test that they name exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TABLE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| .+? \| .+? \| (.*?) \|$", TABLE, re.MULTILINE)


def test_numbers():
    assert len(ROWS) >= 60
    assert [int(number) for number, *_ in ROWS] == list(range(1, len(ROWS) + 1))


@pytest.mark.parametrize("feature, ours, test", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_named_test_exists(feature, ours, test):
    if ours.startswith("no"):
        assert not test
        return
    file, _, name = test.strip("`").partition("::")
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert not name or re.search(rf"^def {name}\(", text, re.MULTILINE), test
