"""The rules of a chapter and of its solutions, as functions that list what is wrong."""

import ast
import re
from pathlib import Path

from tools.chapters import code_cells, read_chapter, title

LINES = 12  # of code in one cell
FIGURES = 3
SECTIONS = ("What could mislead you", "Summary", "Exercises", "Next")
TIME = re.compile(r"^\*\*Time\*\*: under (one minute|(?:two|three|four) minutes) on 2 cores\b", re.MULTILINE)
MINUTES = {"one": 1, "two": 2, "three": 3, "four": 4}


def lines_of_code(source: str) -> int:
    """Count the lines that are neither blank nor only a comment."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in source.splitlines())


def cell_errors(path: Path) -> list[str]:
    """Return the code cells that are too long. The first one, which has the imports, may be long."""
    cells = code_cells(read_chapter(path))[1:]
    return [
        f"{lines_of_code(source)} lines of code in one cell: {source.strip().splitlines()[0]}"
        for source in cells
        if lines_of_code(source) > LINES
    ]


def import_errors(path: Path) -> list[str]:
    """Return the imports of other files of the repository: a notebook is read alone."""
    pattern = re.compile(r"^\s*(?:from|import) (?:tutorials|tools|tests|experiments)\b.*", re.MULTILINE)
    return [
        f"a notebook is read alone, without: {found}"
        for source in code_cells(read_chapter(path))
        for found in pattern.findall(source)
    ]


def figure_errors(path: Path) -> list[str]:
    """Return what is wrong with the figures: their number, and the text that says what to see."""
    errors, shown = [], 0
    cells = read_chapter(path).cells
    for i, cell in enumerate(cells):
        if cell.cell_type != "code" or "chapter.show(" not in cell.source:
            continue
        shown += cell.source.count("chapter.show(")
        texts = [after.source for after in cells[i + 1 :] if after.cell_type == "markdown"]
        if not texts or not texts[0].startswith("*Look at*"):
            errors.append(f"the next text does not begin with *Look at* after: {cell.source.splitlines()[0]}")
    if shown < FIGURES:
        errors.append(f"{shown} figures")
    return errors


def section_errors(path: Path) -> list[str]:
    """Return what is wrong with the title, the sections, the exercises and the first code cell."""
    number, text = (
        path.stem[:2],
        "\n".join(cell.source for cell in read_chapter(path).cells if cell.cell_type == "markdown"),
    )
    errors = []
    if not re.fullmatch(rf"{number} · .+\?", title(path)):
        errors.append(f"the title is not '{number} · A question?': {title(path)}")
    headings = [re.sub(r"^\d+ · |: .*$", "", heading) for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)]
    if [heading for heading in headings if heading in SECTIONS] != list(SECTIONS):
        errors.append(f"the last sections are not {', '.join(SECTIONS)}: {headings}")
    exercises = re.split(r"^## (?:\d+ · )?Exercises$", text, flags=re.MULTILINE)[-1].split("\n## ")[0]
    numbers = re.findall(r"^(\d)\. ", exercises, re.MULTILINE)
    if numbers != ["1", "2", "3"]:
        errors.append(f"the exercises are numbered {numbers}")
    following = [each.name for each in path.parent.glob(f"{int(number) + 1:02d}_*.py")]
    for target in [f"solutions/{path.name}", *following]:
        if f"]({target})" not in text:
            errors.append(f"no link to {target}")
    return errors + first_cell_errors(path)


def first_cell_errors(path: Path) -> list[str]:
    """Return what is wrong with the first code cell: it has only imports, `chapter = Chapter(N)` and the seed."""
    statements = ast.parse(code_cells(read_chapter(path))[0]).body
    others = [ast.unparse(each) for each in statements if not isinstance(each, ast.Import | ast.ImportFrom)]
    others = [each for each in others if not each.startswith("keras.utils.set_random_seed(")]
    expected = f"chapter = Chapter({int(path.stem[:2])})"
    return [] if others == [expected] else [f"the first code cell has not only imports and {expected}: {others}"]


def time_errors(path: Path, seconds: float) -> list[str]:
    """Return whether the first text promises no time, or less than the seconds that the chapter took."""
    promised = TIME.search(read_chapter(path).cells[0].source)
    if promised is None:
        return ["the first text has no line that begins with **Time**: under … minutes on 2 cores"]
    limit = 60 * MINUTES[promised[1].split()[0]]
    return [] if seconds < limit else [f"the first text promises {limit} seconds, the chapter took {seconds}"]


def solution_errors(path: Path) -> list[str]:
    """Return what is wrong with solutions: the title, and a section for each exercise, with an assertion in it."""
    text = path.read_text(encoding="utf-8")
    sections = re.split(r"^# ## Exercise (\d): ", text, flags=re.MULTILINE)[1:]
    found = dict(zip(sections[::2], sections[1::2], strict=True))
    errors = [f"no section for exercise {number}" for number in "123" if number not in found]
    if not title(path).startswith(f"Solutions of chapter {path.stem[:2]} · "):
        errors.append(f"the title is not 'Solutions of chapter {path.stem[:2]} · A question?': {title(path)}")
    for number in sorted(found):
        if not re.search(r"^\s*(assert\b|np\.testing\.assert_)", found[number], re.MULTILINE):
            errors.append(f"no assertion in the solution of exercise {number}")
    return errors
