"""A row of the table: medians, the ratio to the best peer, the share of the limit."""

import statistics

OURS = "ours"


def row(
    work: str,
    results: list,
    *,
    case: str,
    unit: str,
    amount: float | None = None,
    precision: str = "float32",
    flops: float | None = None,
    peak: float | None = None,
    notes: list[str] | None = None,
) -> dict:
    """One line from the results of a race.

    Args:
        work: what was done, in words.
        results: `race.Result`s, all of one precision; the first of several forms of a peer that is fastest counts.
        case: which case of the race.
        unit: of the value: `.../s` where more is better, `s` or `ms` where less is.
        amount: how many units a unit of work holds, for rates; None where the value is the time itself.
        precision: in which all were computed.
        flops: what a unit of work needs.
        peak: the measured limit, operations a second.
        notes: said with the row.

    Returns:
        A dict: `ours` and each of `peers` with `value`, `seconds`, `memory_mib`, `form` (or `error`); `best_peer`;
        `ratio`, above 1 where ours is faster; `share_of_limit`, and the `limit` it is counted from.
    """
    forms: dict[str, list[dict]] = {}
    said = list(notes or [])
    for result in results:
        said += [f"{result.entry.peer}: {note}" for note in result.notes]
        forms.setdefault(result.entry.peer, []).append(standing(result, case, unit, amount))
    best = {peer: min(found, key=lambda each: each.get("seconds", float("inf"))) for peer, found in forms.items()}
    ours = best.pop(OURS, None)
    running = {peer: each for peer, each in best.items() if "seconds" in each}
    best_peer = min(running, key=lambda peer: running[peer]["seconds"], default=None)
    ratio = share = None
    if ours is not None and "seconds" in ours:
        ratio = running[best_peer]["seconds"] / ours["seconds"] if best_peer else None
        share = flops / ours["seconds"] / peak if flops and peak else None
    said += [f"{peer} is out: {each['error']}" for peer, found in forms.items() for each in found if "error" in each]
    others = [
        {"peer": peer, **each} for peer, found in forms.items() for each in found if each is not best.get(peer, ours)
    ]
    return {
        "work": work,
        "precision": precision,
        "unit": unit,
        "ours": ours,
        "peers": best,
        "other_forms": others,
        "best_peer": best_peer,
        "ratio": ratio,
        "share_of_limit": share,
        "limit": peak,
        "notes": list(dict.fromkeys(said)),
    }


def standing(result, case: str, unit: str, amount: float | None) -> dict:
    """How one contestant stands in one case."""
    times = result.seconds.get(case)
    if result.error is not None or not times:
        return {"form": result.entry.form, "error": result.error or "not measured"}
    seconds = statistics.median(times)
    scale = 1000 if unit == "ms" else 1
    return {
        "form": result.entry.form,
        "value": amount / seconds if amount is not None else scale * seconds,
        "seconds": seconds,
        "slowest": max(times),
        "fastest": min(times),
        "memory_mib": result.memory_mib,
    }
