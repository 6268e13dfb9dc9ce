"""The same pretraining step with each lever of `fused` off, one at a time, and with all of them off."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row
from keras_bert.ops import LEVERS

OFF = {
    "halves of the batch": "halves",
    "compiled blocks": "block",
    "compiled blocks and flat rows": "block and flat",
    "compiled embeddings": "embeddings",
    "a compiled masked-word head": "head",
    "a compiled loss": "loss",
    "AdamW in one program": "optimizer",
    "any of them": " and ".join(LEVERS),
}
BATCH, LENGTH, POSITIONS = 32, 128, 20


def measure(bench):
    config = bench.size(inputs.MINI)
    rows = inputs.full_rows(config, BATCH, LENGTH, POSITIONS)
    task = {
        "work": "pretraining",
        "config": config,
        "weights": bench.weights(config),
        "batch": bench.save("ablation", rows),
        "learning_rate": 1e-4,
        "dropout": 0.1,
        "check_steps": 0,
    }
    for precision in PRECISIONS:
        entries = [Entry("ours", "ours_training", precision)]
        for name, levers in OFF.items():
            worker = "ours" if "halves" in levers else "ours_training"  # where whole batches have all cores
            entries.append(Entry(f"without {name}", worker, precision, f"without {levers}"))
        bench.say(f"ablation, {precision}")
        with Race(entries) as race:
            results, _ = race.run(task, {"step": bench.rounds}, bench.seconds)
        bench.collect(results)
        yield row(
            f"pretraining step, mini, {BATCH} x {LENGTH}, each lever off",
            results,
            case="step",
            unit="tokens/s",
            amount=BATCH * LENGTH,
            precision=precision,
            flops=flops.training(flops.masked_words(config, [LENGTH] * BATCH, POSITIONS)),
            peak=bench.peaks.get(precision),
        )
