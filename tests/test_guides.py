"""The guides in docs/guides: their Python blocks run in order, in an empty folder; their links exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDES = {path.stem: path for path in sorted((ROOT / "docs" / "guides").glob("*.md"))}
# Packages that a guide needs and that are not installed always.
PACKAGES = {"hyperparameter-search": "keras_tuner", "packing-with-datatrove": "datatrove"}
OUTPUTS = {"hyperparameter-search": "Trial 3 Complete", "packing-with-datatrove": "{'train': "}
FEWER = {"hyperparameter-search": ("train[:1000]", "train[:100]")}  # rows to train on


def blocks(name):
    return re.findall(r"```python\n(.*?)```", GUIDES[name].read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in GUIDES if blocks(name)])
def test_python_blocks_run(name, tmp_path, monkeypatch, capfd):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    monkeypatch.chdir(tmp_path)
    program = "\n".join(blocks(name))
    if name in FEWER:
        assert FEWER[name][0] in program
        program = program.replace(*FEWER[name])
    exec(compile(program, GUIDES[name], "exec"), {"__name__": "__main__"})
    assert OUTPUTS.get(name, "") in capfd.readouterr().out


@pytest.mark.parametrize("name", GUIDES)
def test_links_exist(name):
    links = re.findall(r"\]\(([^)#]+?)(?:#[\w-]+)?\)", GUIDES[name].read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (GUIDES[name].parent / link).exists()]
