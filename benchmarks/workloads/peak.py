"""The limit that all shares are counted from: the fastest product of two square matrices, float32 and bfloat16."""

from benchmarks.race import Entry, Race
from benchmarks.rows import row


def measure(bench):
    size = 256 if bench.quick else 2048
    for precision in ("float32", "bfloat16"):
        entries = [Entry(form, "gemm", precision, form) for form in ("TensorFlow", "PyTorch")]
        with Race(entries) as race:
            results, _ = race.run({"work": "gemm", "size": size}, {"product": max(bench.rounds, 5)}, 0.3)
        bench.collect(results)
        operations = 2 * size**3
        best = [min(result.seconds["product"]) for result in results if result.error is None]
        if best:
            bench.peaks[precision] = operations / min(best)
        yield row(
            f"the limit: a product of {size} x {size} matrices",
            results,
            case="product",
            unit="GFLOP/s",
            amount=operations / 1e9,
            precision=precision,
            notes=["the fastest round is what shares are counted from"],
        )
