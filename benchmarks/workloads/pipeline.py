"""The input pipeline alone: masked batches of 32 x 128 from packed rows, nothing trained on them."""

import numpy as np

from benchmarks import inputs
from benchmarks.race import Entry, Race
from benchmarks.rows import row

BATCH_SIZE, LENGTH, POSITIONS, BATCHES = 32, 128, 20, 20
ENTRIES = [Entry("ours", "ours"), Entry("KerasHub", "kerashub"), Entry("Hugging Face", "huggingface")]


def measure(bench):
    rows = inputs.full_rows(inputs.MINI, BATCH_SIZE * BATCHES * 2, LENGTH)
    lines = [line.rstrip("\n") for line in open(bench.texts.vocabulary, encoding="utf-8")]
    rng = np.random.default_rng(0)
    first = max(lines.index(token) for token in inputs.SPECIAL) + 1
    rows["input_word_ids"] = rng.integers(first, len(lines), rows["input_word_ids"].shape, np.int32)
    rows["input_word_ids"][:, 0], rows["input_word_ids"][:, -1] = lines.index("[CLS]"), lines.index("[SEP]")
    rows["lengths"] = np.full(len(rows["input_word_ids"]), LENGTH, np.int32)
    task = {
        "work": "pipeline",
        "rows": bench.save("pipeline", rows),
        "vocabulary": str(bench.texts.vocabulary),
        "batch_size": BATCH_SIZE,
        "positions": POSITIONS,
    }
    with Race(ENTRIES) as race:
        # Masks are drawn at random, so what must agree is how many predictions a row has.
        reference = {"predictions a row": np.array(0.15 * (LENGTH - 2))}
        results, _ = race.run(task, {"batches": bench.rounds}, bench.seconds, reference, tolerance=0.05)
    bench.collect(results)
    yield row(
        f"input pipeline, masked batches of {BATCH_SIZE} x {LENGTH}",
        results,
        case="batches",
        unit="batches/s",
        amount=BATCHES,
        precision="-",
        notes=["predictions a row checked: 15 % within a twentieth"],
    )
