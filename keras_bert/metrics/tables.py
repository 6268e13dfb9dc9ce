"""Metrics as tables: what `keras-bert evaluate` prints, and `format_metrics` returns as text."""

import dataclasses
from collections.abc import Iterable, Sequence

MAX_CONFUSIONS = 20  # rows of the list that replaces a confusion matrix that is too wide
MAX_NAMED_WIDTH = 80  # characters; a wider confusion matrix has numbers as headings, not class names
GAP = "  "


@dataclasses.dataclass(frozen=True)
class MetricTable:
    """One table of a report.

    Attributes:
        title: line above it; may be empty.
        columns: headings.
        rows: cells of each row.
        right: headings of the columns of numbers, aligned to the right.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    right: tuple[str, ...]


def format_metrics(metrics: dict) -> str:
    """Format the metrics of `kb.evaluate` or `Predictor.evaluate` as tables, as `keras-bert evaluate` prints them.

    Args:
        metrics: what `kb.evaluate` returned.

    Returns:
        Several lines of text: a line for each metric, with its interval if there is one; the metrics of each class or
        entity type; the confusion matrix with class names.

    Example:

    >>> from keras_bert.metrics import classification_report
    >>> report = classification_report([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0, 1, 1], ["bad", "good"])
    >>> print(format_metrics(report).split("\\n\\n")[2])
    confusion matrix (rows: expected, columns: predicted)
          bad  good
    bad     1     0
    good    1     1

    Source: `classification_report` of scikit-learn, for the arrangement.
    """
    parts = []
    for table in metric_tables(metrics):
        lines = format_table(table.columns, table.rows, table.right)
        parts.append("\n".join([table.title, *lines] if table.title else lines))
    return "\n\n".join(parts)


def metric_tables(metrics: dict, width: int | None = None) -> list[MetricTable]:
    """Return the tables of a report.

    Args:
        metrics: what `kb.evaluate` returned.
        width: characters of a line of the terminal; None if lines may have any length. A confusion matrix that is wider
            is replaced by the most frequent confusions.
    """
    tables = [_scalars(metrics)]
    for key, heading in (("classes", "class"), ("types", "entity type"), ("tags", "tag")):
        if metrics.get(key):
            tables.append(_by_class(heading, metrics[key]))
    if "confusion" in metrics:
        names = metrics.get("class_names") or [str(i) for i in range(len(metrics["confusion"]))]
        matrix = _confusion(names, metrics["confusion"])
        too_wide = width is not None and max(map(_width, format_table(matrix.columns, matrix.rows))) > width
        tables.append(_most_frequent(names, metrics["confusion"]) if too_wide else matrix)
    return tables


def format_table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> list[str]:
    """Return the lines of a table, however long they are. No cell is cut, and each row is one line.

    Example:

    >>> format_table(("token", "id"), [("film", "7"), ("[MASK]", "103")], right=("id",))
    ['token    id', 'film      7', '[MASK]  103']
    """
    rows = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(columns, *rows, strict=True)]
    lines = []
    for row in (columns, *rows):
        cells = []
        for heading, cell, width in zip(columns, row, widths, strict=True):
            space = " " * (width - _width(cell))
            cells.append(space + cell if heading in right else cell + space)
        lines.append(GAP.join(cells).rstrip())
    return lines


def _scalars(metrics: dict) -> MetricTable:
    """Return the table of single values. The columns for intervals and notes are there only if they are used."""
    intervals, notes = metrics.get("intervals", {}), metrics.get("notes", {})
    rows = []
    for name, value in metrics.items():
        if name == "examples":
            continue
        low_high = "{:.4f} … {:.4f}".format(*intervals[name]) if name in intervals else ""
        if name in notes or isinstance(value, (int, float)):
            rows.append((name, _number(value), low_high, notes.get(name, "")))
    if "examples" in metrics:
        rows.append(("examples", _number(metrics["examples"]), "", ""))
    level = f"{100 * metrics['bootstrap']['level']:.0f} % interval" if "bootstrap" in metrics else ""
    used = [True, True, bool(intervals), bool(notes)]
    columns = ("metric", "value", level, "note")
    rows = [tuple(cell for cell, keep in zip(row, used, strict=True) if keep) for row in rows]
    kept = tuple(column for column, keep in zip(columns, used, strict=True) if keep)
    return MetricTable("", kept, rows, ("value", level) if level else ("value",))


def _by_class(heading: str, classes: dict[str, dict]) -> MetricTable:
    names = tuple(next(iter(classes.values())))
    rows = [(label, *(_number(row[name]) for name in names)) for label, row in classes.items()]
    return MetricTable("", (heading, *names), rows, names)


def _confusion(names: Sequence[str], counts: Sequence[Sequence[int]]) -> MetricTable:
    """Return the confusion matrix, with the numbers of the classes as headings if the names are too long."""
    title = "confusion matrix (rows: expected, columns: predicted)"
    rows = [(name, *map(_number, row)) for name, row in zip(names, counts, strict=True)]
    headings = tuple(names)
    if max(map(_width, format_table(("", *names), rows))) > MAX_NAMED_WIDTH:
        headings = tuple(f"[{i}]" for i in range(1, len(names) + 1))
        rows = [(f"{heading} {row[0]}", *row[1:]) for heading, row in zip(headings, rows, strict=True)]
    return MetricTable(title, ("", *headings), rows, headings)


def _most_frequent(names: Sequence[str], counts: Sequence[Sequence[int]]) -> MetricTable:
    """Return the pairs of classes that are confused most often."""
    pairs = [
        (count, expected, predicted)
        for expected, row in zip(names, counts, strict=True)
        for predicted, count in zip(names, row, strict=True)
        if count and expected != predicted
    ]
    pairs = sorted(pairs, key=lambda pair: -pair[0])
    rows = [(expected, predicted, _number(count)) for count, expected, predicted in pairs[:MAX_CONFUSIONS]]
    title = f"most frequent confusions ({len(rows)} of {len(pairs)}; --json has the whole matrix)"
    return MetricTable(title, ("expected", "predicted", "examples"), rows, ("examples",))


def _number(value) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"


def _width(text: str) -> int:
    """Return the number of columns of a terminal that a text takes: two for each Chinese or Japanese character."""
    from rich.cells import cell_len

    return cell_len(text)
