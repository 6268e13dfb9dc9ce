"""Speed and memory of a pretraining step as one size grows: length, batch, layers, or vocabulary."""

from benchmarks import flops, inputs
from benchmarks.contestant import Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner
from benchmarks.workloads.pretraining import POSITIONS

# The sizes of an axis ascend: the peak memory of a process is then that of its latest size.
AXES = {
    "length": [{"length": 64}, {"length": 128}, {"length": 256}, {"length": 512}],
    "batch": [{"batch": 32}],  # the default sizes are the second row of "length"
    "layers": [{"layers": 8}],
    "vocabulary": [{"vocabulary": 119_547}],
}
DEFAULTS = {"length": 128, "batch": 8, "layers": 4, "vocabulary": 30_522}
ENTRIES = [
    Entry(KERAS_BERT, "keras_bert"),
    Entry("KerasHub", "kerashub"),
    Entry("Hugging Face", "huggingface", form="eager"),
]


def measure(bench):
    """Yield a row per size."""
    for axis, changes in AXES.items():
        bench.log(f"scaling with {axis}")
        with Runner(ENTRIES) as runner:
            for change in changes[:2] if bench.quick else changes:
                yield measure_size(bench, runner, axis, {**DEFAULTS, **change})


def measure_size(bench, runner, axis: str, sizes: dict) -> dict:
    """Measure one size of an axis."""
    layers, hidden = sizes["layers"], 32 if bench.quick else 256
    config = inputs.size(layers, hidden, sizes["vocabulary"], heads=4)
    rows = inputs.full_rows(config, sizes["batch"], sizes["length"], POSITIONS)
    task = {
        "workload": "pretraining",
        "config": config,
        "weights": bench.weights(config),
        "batch": bench.save("scaling", rows),
        "learning_rate": 1e-4,
        "dropout": 0.1,
        "check_steps": 0,
    }
    results, _ = runner.run(task, {"step": min(bench.rounds, 3)}, bench.seconds / 2)
    bench.record(results)
    needed = flops.training(flops.masked_lm(config, [sizes["length"]] * sizes["batch"], POSITIONS))
    return make_row(
        f"scaling with {axis}: {sizes[axis]:,}",
        results,
        case="step",
        unit="tokens/s",
        amount=sizes["batch"] * sizes["length"],
        flops=needed,
        peak=bench.peaks.get("float32"),
        notes=[
            "pretraining steps of L4 H256, 8 x 128, vocabulary 30,522, except for the size in the row; no XLA "
            "for whole models, no torch.compile"
        ],
    )
