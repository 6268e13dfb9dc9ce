"""Every chapter and its solutions follow the rules of the book; a broken chapter is noticed."""

from pathlib import Path

import pytest

pytest.importorskip("jupytext", reason="the tutorials extra installs jupytext")

from tests.tutorials import rules  # noqa: E402
from tools.chapter_index import read_record  # noqa: E402
from tools.chapters import LINK, NOTEBOOKS, TUTORIALS, chapters, read_chapter, solutions  # noqa: E402

SAMPLE = Path(__file__).parent / "book" / "00_is_a_bar_longer.py"
SOLUTION = SAMPLE.parent / "solutions" / SAMPLE.name
CHAPTERS = [pytest.param(path, id=path.stem) for path in [SAMPLE, *chapters()]]
SOLUTIONS = [pytest.param(path, id=path.stem) for path in [SOLUTION, *solutions()]]
CHECKS = (rules.section_errors, rules.cell_errors, rules.import_errors, rules.figure_errors)


@pytest.mark.parametrize("path", CHAPTERS)
def test_title_and_sections(path):
    assert rules.section_errors(path) == []


@pytest.mark.parametrize("path", CHAPTERS)
def test_code_cells(path):
    assert rules.cell_errors(path) + rules.import_errors(path) == []


@pytest.mark.parametrize("path", CHAPTERS)
def test_figures(path):
    assert rules.figure_errors(path) == []


@pytest.mark.parametrize("path", CHAPTERS[1:])
def test_time_of_the_first_text(path):
    """The promised time is not below the one that was measured when the notebook was written."""
    assert rules.time_errors(path, read_record(NOTEBOOKS / "chapters.json")[path.name]["seconds"]) == []


def test_too_little_time_is_noticed(tmp_path):
    assert rules.time_errors(SAMPLE, 59) == []
    assert "promises 60 seconds" in rules.time_errors(SAMPLE, 60)[0]
    path = tmp_path / SAMPLE.name
    text = SAMPLE.read_text(encoding="utf-8")
    path.write_text(text.replace("under one minute", "about one minute"), encoding="utf-8")
    assert "has no line" in rules.time_errors(path, 1)[0]


@pytest.mark.parametrize("path", SOLUTIONS)
def test_solutions(path):
    assert rules.solution_errors(path) + rules.import_errors(path) == []


def test_every_chapter_has_solutions():
    assert [path.name for path in solutions()] == [path.name for path in chapters()]


def test_chapters_are_numbered():
    numbers = [int(path.stem[:2]) for path in chapters()]
    assert numbers == list(range(len(numbers))) and len(numbers) == 16


@pytest.mark.parametrize("path", [*CHAPTERS[1:], *SOLUTIONS[1:]])
def test_links_exist(path):
    prose = "\n".join(cell.source for cell in read_chapter(path).cells if cell.cell_type == "markdown")
    links = [target for _, target, _ in LINK.findall(prose)]
    assert not [target for target in links if not (path.parent / target).exists()]
    assert path.is_relative_to(TUTORIALS)


BREAKS = {
    "title": ("a larger number?", "a larger number", "the title"),
    "number": ("# # 00 ·", "# # 01 ·", "the title"),
    "section": ("# ## What could mislead you", "# ## Pitfalls", "the last sections"),
    "order": ("# ## Summary", "# ## Next", "the last sections"),
    "exercise": ("# 3. Draw a bar of a negative number.", "#", "the exercises"),
    "solutions": ("](solutions/", "](", "no link to solutions/00"),
    "first_cell": ("chapter = Chapter(0)", "chapter = Chapter(1)", "the first code cell"),
    "long_cell": ("print(", "\n".join(f"x{i} = {i}" for i in range(12)) + "\nprint(", "lines of code in one cell"),
    "import": ("import keras_bert as kb", "import keras_bert as kb\nfrom tools import chapters", "read alone"),
    "look": ("# *Look at* the lower bar", "# See the lower bar", "does not begin with *Look at*"),
    "figures": ('chapter.show(plot, "line")', "", "2 figures"),
}


def write_broken(source: Path, old: str, new: str, folder: Path) -> Path:
    """Write a copy of a file in which the first `old` is `new`."""
    text = source.read_text(encoding="utf-8")
    assert old in text
    path = folder / source.name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", BREAKS)
def test_broken_chapter_is_noticed(name, tmp_path):
    old, new, message = BREAKS[name]
    path = write_broken(SAMPLE, old, new, tmp_path)
    assert any(message in error for check in CHECKS for error in check(path))


SOLUTION_BREAKS = {
    "section": ("## Exercise 3: a", "## A", "no section for exercise 3"),
    "heading": ("## Exercise 3: ", "## 3 · ", "no section for exercise 3"),
    "title": ("# # Solutions of chapter 00", "# # Solutions of chapter 01", "the title"),
    "assertion": ("assert len", "print", "no assertion"),
}


@pytest.mark.parametrize("name", SOLUTION_BREAKS)
def test_broken_solutions_are_noticed(name, tmp_path):
    old, new, message = SOLUTION_BREAKS[name]
    path = write_broken(SOLUTION, old, new, tmp_path)
    assert any(message in error for error in rules.solution_errors(path))
