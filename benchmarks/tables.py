"""The table that is printed at the end of a run."""

from rich.console import Console
from rich.table import Table

from benchmarks.rows import KERAS_BERT

COLUMNS = (
    "workload",
    "precision",
    "unit",
    "keras_bert",
    "peers",
    "ratio",
    "share of peak",
    "peak memory, keras_bert / best peer",
)


def print_table(console: Console, rows: list[dict]) -> None:
    """Print one line per row, and all notes below the table."""
    table = Table(title="keras_bert and peers (ratio above 1: keras_bert is faster than the fastest peer)")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    notes: dict[str, list[str]] = {}
    for row in rows:
        own, peers = row[KERAS_BERT], row["peers"]
        best = peers.get(row["best_peer"], {})
        memory = [format_number(each.get("memory_mib")) if each else "-" for each in (own, best)]
        values = [format_contestant(peer, each) for peer, each in peers.items()]
        table.add_row(
            row["workload"],
            row["precision"],
            row["unit"],
            format_number(own.get("value")) if own else "-",
            "\n".join(values or ["-"]),
            f"{row['ratio']:.2f}" if row["ratio"] else "-",
            f"{100 * row['share_of_peak']:.0f} %" if row["share_of_peak"] else "-",
            " / ".join(memory) + " MiB",
        )
        for note in row["notes"]:
            notes.setdefault(note, []).append(f"{row['workload']}, {row['precision']}")
    console.print(table)
    for note, workloads in notes.items():  # each note once, with the first of its rows
        more = f" (and {len(workloads) - 1} more)" if len(workloads) > 1 else ""
        console.print(f"- {workloads[0]}{more}: {note}", markup=False, highlight=False)


def format_row(row: dict) -> str:
    """Format a row as one line, to be printed during the run."""
    contestants = {KERAS_BERT: row[KERAS_BERT], **row["peers"]} if row[KERAS_BERT] else row["peers"]
    values = ", ".join(format_contestant(peer, each) for peer, each in contestants.items())
    ratio = f", ratio {row['ratio']:.2f}" if row["ratio"] else ""
    return f"{row['workload']}, {row['precision']}: {values} {row['unit']}{ratio}"


def format_contestant(peer: str, measured: dict) -> str:
    """Format a contestant with its form, unless that is its name, and its value."""
    form = measured.get("form")
    form = f" ({form})" if form and form != peer else ""
    return f"{peer}{form} {format_number(measured.get('value'))}"


def format_number(value: float | None) -> str:
    """Format with three significant digits, or with commas from 100 on."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
