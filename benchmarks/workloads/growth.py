"""Tokens a second and memory of a pretraining step as one size grows: length, batch, layers, vocabulary."""

from benchmarks import flops, inputs
from benchmarks.race import Entry, Race
from benchmarks.rows import row
from benchmarks.workloads.pretraining import POSITIONS

# Each axis ascends, so that a process's peak is that of the point it has reached.
AXES = {
    "length": [{"length": 64}, {"length": 128}, {"length": 256}, {"length": 512}],
    "batch": [{"batch": 32}],  # 8 x 128, four layers and 30,522 tokens are length's second point
    "layers": [{"layers": 8}],
    "vocabulary": [{"vocabulary": 119_547}],
}
POINT = {"length": 128, "batch": 8, "layers": 4, "vocabulary": 30_522}
ENTRIES = [
    Entry("ours", "ours"),
    Entry("KerasHub", "kerashub"),
    Entry("Hugging Face", "huggingface", form="eager"),
]


def measure(bench):
    for axis, points in AXES.items():
        bench.say(f"growth with {axis}")
        with Race(ENTRIES) as race:
            for change in points[:2] if bench.quick else points:
                yield measure_point(bench, race, axis, {**POINT, **change})


def measure_point(bench, race, axis: str, point: dict) -> dict:
    layers, width = point["layers"], 32 if bench.quick else 256
    config = inputs.size(layers, width, point["vocabulary"], heads=4)
    rows = inputs.full_rows(config, point["batch"], point["length"], POSITIONS)
    task = {
        "work": "pretraining",
        "config": config,
        "weights": bench.weights(config),
        "batch": bench.save("growth", rows),
        "learning_rate": 1e-4,
        "dropout": 0.1,
        "check_steps": 0,
    }
    results, _ = race.run(task, {"step": min(bench.rounds, 3)}, bench.seconds / 2)
    bench.collect(results)
    needed = flops.training(flops.masked_words(config, [point["length"]] * point["batch"], POSITIONS))
    return row(
        f"growth with {axis}: {point[axis]:,}",
        results,
        case="step",
        unit="tokens/s",
        amount=point["batch"] * point["length"],
        flops=needed,
        peak=bench.peaks.get("float32"),
        notes=[
            "pretraining steps of L4 H256, 8 x 128, vocabulary 30,522, but for what grows; no XLA, no torch.compile"
        ],
    )
