"""The table a run ends with."""

from rich.console import Console
from rich.table import Table


def show(console: Console, rows: list[dict]) -> None:
    """One line a row: ours, every peer with its form, the ratio, the share of the limit; notes underneath."""
    table = Table(title="ours and the peers (ratio above 1: ours is faster than the best peer)")
    for column in ("work", "precision", "unit", "ours", "peers", "ratio", "of the limit", "peak memory, ours / best"):
        table.add_column(column, overflow="fold")
    notes: dict[str, list[str]] = {}
    for row in rows:
        ours, peers = row["ours"], row["peers"]
        best = peers.get(row["best_peer"], {})
        memory = [number(each.get("memory_mib")) if each else "-" for each in (ours, best)]
        shown = [f"{peer}{form(each)} {number(each.get('value'))}" for peer, each in peers.items()] or ["-"]
        table.add_row(
            row["work"],
            row["precision"],
            row["unit"],
            number(ours.get("value")) if ours else "-",
            "\n".join(shown),
            f"{row['ratio']:.2f}" if row["ratio"] else "-",
            f"{100 * row['share_of_limit']:.0f} %" if row["share_of_limit"] else "-",
            " / ".join(memory) + " MiB",
        )
        for note in row["notes"]:
            notes.setdefault(note, []).append(f"{row['work']}, {row['precision']}")
    console.print(table)
    for note, works in notes.items():  # each once, with the first row it belongs to
        more = f" (and {len(works) - 1} more)" if len(works) > 1 else ""
        console.print(f"- {works[0]}{more}: {note}", markup=False, highlight=False)


def line(row: dict) -> str:
    """A row in one line, for while the run goes on."""
    everyone = {"ours": row["ours"], **row["peers"]} if row["ours"] else row["peers"]
    values = ", ".join(f"{peer}{form(each)} {number(each.get('value'))}" for peer, each in everyone.items())
    ratio = f", ratio {row['ratio']:.2f}" if row["ratio"] else ""
    return f"{row['work']}, {row['precision']}: {values} {row['unit']}{ratio}"


def form(standing: dict) -> str:
    return f" ({standing['form']})" if standing.get("form") else ""


def number(value: float | None) -> str:
    """Three significant digits; thousands with commas."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
