"""Tables of speed in docs/results.md and docs/performance.md, from benchmarks/results/latest.json."""

import textwrap
from pathlib import Path

PERFORMANCE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
COLUMNS = (
    "workload",
    "precision",
    "keras_bert",
    "peers, fastest first",
    "ratio",
    "share of the peak",
    "peak memory, keras_bert / fastest peer",
)


def speed_section(found: dict) -> list[str]:
    """Return the lines of the section on speed in docs/results.md.

    Args:
        found: the contents of benchmarks/results/latest.json.
    """
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    workloads = {name: rows for name, rows in found["workloads"].items() if name != "ablation"}  # in performance.md
    measured = " ".join(name for name in workloads if name != "peak")
    days = sorted({row["date"][:10] for rows in workloads.values() for row in rows})
    period = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    lines = [
        "",
        "## Speed",
        "",
        f"Written by `make bench`, or a part of it: `python -m benchmarks.run --only {measured}`",
        f"({period}, {machine['cpus']} cores of {machine['cpu']}; {versions}).",
        "The contestants of a row run alternately, after a comparison of their outputs. Values are medians. The ratio",
        "is the speed of keras_bert divided by the speed of the fastest peer at the same precision. The best value of",
        "a row is bold. The peak is the fastest matrix product of that run, in GFLOP/s.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    lines += [speed_row(row) for rows in workloads.values() for row in rows if row["keras_bert"]]
    notes = dict.fromkeys((name, note) for name, rows in workloads.items() for row in rows for note in row["notes"])
    return [*lines, "", *(f"- {name.replace('_', ' ')}: {note}" for name, note in notes)]


def speed_row(row: dict) -> str:
    """Format one row of the speed table; the fastest contestant is bold."""
    own = row["keras_bert"]
    ran = {name: each for name, each in row["peers"].items() if "value" in each}
    peers = [
        f"{name}{' ' + each['form'] if each['form'] else ''} {short(each['value'])}"
        for name, each in sorted(ran.items(), key=lambda item: item[1]["seconds"])
    ]
    value = f"{short(own.get('value'))} {row['unit']}"
    if row["ratio"] and row["ratio"] >= 1:
        value = f"**{value}**"
    elif peers:
        peers[0] = f"**{peers[0]}**"
    memory = [each.get("memory_mib") for each in (own, ran.get(row["best_peer"], {}))]
    cells = [
        row["workload"],
        row["precision"],
        value,
        ", ".join(peers) or "none",
        f"{row['ratio']:.2f}" if row["ratio"] else "-",
        f"{100 * row['share_of_peak']:.0f} % of {row['peak'] / 1e9:,.0f}" if row["share_of_peak"] else "-",
        " / ".join(f"{each:,.0f} MiB" if each else "-" for each in memory),
    ]
    return f"| {' | '.join(cells)} |"


def write_ablation(found: dict) -> None:
    """Write the table of kernels in docs/performance.md from the ablation."""
    begin, end = "<!-- ablation: written by experiments/results_page.py -->\n", "<!-- end of ablation -->"
    head, rest = PERFORMANCE.read_text(encoding="utf-8").split(begin)
    rows = found["workloads"].get("ablation", [])
    speeds = {row["precision"]: {"all kernels": row["keras_bert"], **row["peers"]} for row in rows}
    if not all("value" in each for forms in speeds.values() for each in forms.values()):
        return
    lines = [
        f"| | {' | '.join(f'{precision}, tokens/s | share' for precision in speeds)} |",
        "|---" * (1 + 2 * len(speeds)) + "|",
    ]
    for name in next(iter(speeds.values()), {}):
        cells = (
            f"{short(forms[name]['value'])} | {100 * forms[name]['value'] / forms['all kernels']['value']:.0f} %"
            for forms in speeds.values()
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    notes = dict.fromkeys(note for row in rows for note in row["notes"])
    if rows:
        text = " ".join([f"Measured on {rows[0]['date'][:10]}.", *notes])
        lines += ["", *textwrap.wrap(text, 140)]
    table = "\n".join(lines) + "\n" if speeds else ""
    PERFORMANCE.write_text(head + begin + table + end + rest.split(end)[1], encoding="utf-8")


def short(value: float | None) -> str:
    """Format with three significant digits; 'out' for a contestant that was excluded."""
    if value is None:
        return "out"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
