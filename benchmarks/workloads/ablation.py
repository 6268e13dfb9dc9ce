"""The same pretraining step with each kernel of `keras_bert.ops` disabled, one at a time, and with all disabled."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row
from keras_bert.ops import KERNELS

DISABLED = {
    "two halves of the batch": "cpu_data_parallel",
    "attention": "attention",
    "feed_forward": "feed_forward and dense",
    "dropout_add_norm": "dropout_add_norm",
    "layer_norm": "layer_norm",
    "embedding_lookup": "embedding_lookup",
    "tied_logits": "tied_logits",
    "cross_entropy": "cross_entropy and is_correct",
    "adamw": "adamw",
    "compiled kernels": "xla",
    "any kernel": " and ".join(KERNELS),
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
        for name, kernels in DISABLED.items():
            worker = "ours" if "cpu_data_parallel" in kernels else "ours_training"  # whole batches need all cores
            entries.append(Entry(f"without {name}", worker, precision, f"without {kernels}"))
        bench.say(f"ablation, {precision}")
        with Race(entries) as race:
            results, _ = race.run(task, {"step": bench.rounds}, bench.seconds)
        bench.collect(results)
        yield row(
            f"pretraining step, mini, {BATCH} x {LENGTH}, each kernel disabled",
            results,
            case="step",
            unit="tokens/s",
            amount=BATCH * LENGTH,
            precision=precision,
            flops=flops.training(flops.masked_words(config, [LENGTH] * BATCH, POSITIONS)),
            peak=bench.peaks.get(precision),
        )
