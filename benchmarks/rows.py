"""Rows of the results: medians, the ratio to the fastest peer, and the share of the peak."""

import statistics
from collections.abc import Iterator

KERAS_BERT = "keras_bert"  # the name of this package among the contestants


def make_row(
    workload: str,
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
    """Compute a row of the results file.

    Args:
        workload: description of the workload and its size.
        results: `Result`s of one precision. If a peer has several forms, the fastest counts.
        case: a case of the run.
        unit: unit of the values: a rate such as `"tokens/s"`, or `"s"` or `"ms"` for times.
        amount: how many tokens, sentences or batches one repetition processes, for rates; None for times.
        precision: precision of the computation.
        flops: floating-point operations that one repetition needs.
        peak: the measured peak, in FLOP/s.
        notes: remarks.

    Returns:
        A dict. `keras_bert` and each of `peers` hold `form`, and either `value`, `seconds`, `slowest`, `fastest` and
        `memory_mib`, or `error`. `other_forms` lists the slower forms. `best_peer` is the name of the fastest peer,
        `ratio` the speed of keras_bert divided by that peer's, `share_of_peak` the share of `peak` that keras_bert
        reaches.
    """
    forms: dict[str, list[dict]] = {}
    remarks = list(notes or [])
    for result in results:
        remarks += [f"{result.entry.peer}: {note}" for note in result.notes]
        forms.setdefault(result.entry.peer, []).append(measurement(result, case, unit, amount))
    best = {peer: min(found, key=lambda each: each.get("seconds", float("inf"))) for peer, found in forms.items()}
    own = best.pop(KERAS_BERT, None)
    measured = {peer: each for peer, each in best.items() if "seconds" in each}
    best_peer = min(measured, key=lambda peer: measured[peer]["seconds"], default=None)
    ratio = share = None
    if own is not None and "seconds" in own:
        ratio = measured[best_peer]["seconds"] / own["seconds"] if best_peer else None
        share = flops / own["seconds"] / peak if flops and peak else None
    remarks += [
        f"{peer} is excluded: {each['error']}" for peer, found in forms.items() for each in found if "error" in each
    ]
    other_forms = [
        {"peer": peer, **each} for peer, found in forms.items() for each in found if each is not best.get(peer, own)
    ]
    return {
        "workload": workload,
        "precision": precision,
        "unit": unit,
        "keras_bert": own,
        "peers": best,
        "other_forms": other_forms,
        "best_peer": best_peer,
        "ratio": ratio,
        "share_of_peak": share,
        "peak": peak,
        "notes": list(dict.fromkeys(remarks)),
    }


def split_by_form(results: list) -> Iterator[tuple[str, list]]:
    """Yield each form of keras_bert with what a row of its own needs: its `Result`, and those of all peers."""
    peers = [result for result in results if result.entry.peer != KERAS_BERT]
    for result in results:
        if result.entry.peer == KERAS_BERT:
            yield result.entry.form, [result, *peers]


def measurement(result, case: str, unit: str, amount: float | None) -> dict:
    """Summarize the rounds of one contestant in one case."""
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
