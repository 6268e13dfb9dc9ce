"""The encoder's forward pass on full rows of 128 tokens: base, 8 rows and 1 row."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row

LENGTH, BATCHES = 128, (8, 1)


def measure(bench):
    config = bench.size(inputs.BASE)
    task = {
        "work": "forward",
        "config": config,
        "weights": bench.weights(config),
        "batch": bench.save("forward", inputs.full_rows(config, max(BATCHES), LENGTH)),
        "cases": [str(size) for size in BATCHES],
    }
    reference = None
    for precision in PRECISIONS:
        bench.say(f"forward base, {precision}")
        entries = [Entry("ours", "ours", precision)]
        entries += [Entry("KerasHub", "kerashub", precision, form) for form in ("", "XLA")]
        entries += [Entry("Hugging Face", "huggingface", precision, form) for form in ("eager", "compile")]
        with Race(bench.entries("forward", entries)) as race:
            cases = dict.fromkeys(task["cases"], bench.rounds)
            results, reference = race.run(task, cases, bench.seconds, reference)
        bench.collect(results)
        for size in BATCHES:
            for unit, amount in (("tokens/s", size * LENGTH), ("ms", None))[: 2 if size == 1 else 1]:
                yield row(
                    f"forward, base, {size} x {LENGTH}",
                    results,
                    case=str(size),
                    unit=unit,
                    amount=amount,
                    precision=precision,
                    flops=flops.encoder(config, [LENGTH] * size),
                    peak=bench.peaks.get(precision),
                )
