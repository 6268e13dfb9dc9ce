"""The peak of this machine: the fastest product of two square matrices, in float32 and bfloat16."""

from benchmarks.contestant import Entry
from benchmarks.rows import make_row
from benchmarks.runner import Runner


def measure(bench):
    """Store the peaks, in FLOP/s, and yield a row per precision."""
    size = 256 if bench.quick else 2048
    for precision in ("float32", "bfloat16"):
        entries = [Entry(form, "gemm", precision, form) for form in ("TensorFlow", "PyTorch")]
        with Runner(entries) as runner:
            results, _ = runner.run({"workload": "gemm", "size": size}, {"product": max(bench.rounds, 5)}, 0.3)
        bench.record(results)
        operations = 2 * size**3
        best = [min(result.seconds["product"]) for result in results if result.error is None]
        if best:
            bench.peaks[precision] = operations / min(best)
        yield make_row(
            f"peak: a product of {size} x {size} matrices",
            results,
            case="product",
            unit="GFLOP/s",
            amount=operations / 1e9,
            precision=precision,
            notes=["shares are computed from its fastest round"],
        )
