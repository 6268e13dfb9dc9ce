"""The page of parity has the header that its generator writes."""

from experiments import parity


def test_page_has_generated_header():
    lines = parity.PAGE.read_text(encoding="utf-8").splitlines()
    rows = lines[len(parity.HEADER) :]
    assert lines[: len(parity.HEADER)] == parity.HEADER
    assert len(rows) == 12 and {row.count("|") for row in rows} == {8}
    models, formats = ({row.split("|")[column].strip() for row in rows} for column in (1, 2))
    assert models == set(parity.MODELS) and formats == set(parity.FORMATS.values())
