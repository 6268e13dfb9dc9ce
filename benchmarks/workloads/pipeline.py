"""The input pipeline without training: masked batches of 32 x 128 from packed rows."""

import numpy as np

from benchmarks import inputs
from benchmarks.contestant import Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner
from keras_bert.constants import SPECIAL_TOKENS

BATCH_SIZE, LENGTH, POSITIONS, BATCHES = 32, 128, 20, 20
ENTRIES = [Entry(KERAS_BERT, "keras_bert"), Entry("KerasHub", "kerashub"), Entry("Hugging Face", "huggingface")]


def measure(bench):
    """Yield one row."""
    rows = inputs.full_rows(inputs.MINI, BATCH_SIZE * BATCHES * 2, LENGTH)
    lines = [line.rstrip("\n") for line in open(bench.texts.vocabulary, encoding="utf-8")]
    rng = np.random.default_rng(0)
    first = max(lines.index(token) for token in SPECIAL_TOKENS) + 1
    rows["input_word_ids"] = rng.integers(first, len(lines), rows["input_word_ids"].shape, np.int32)
    rows["input_word_ids"][:, 0], rows["input_word_ids"][:, -1] = lines.index("[CLS]"), lines.index("[SEP]")
    rows["lengths"] = np.full(len(rows["input_word_ids"]), LENGTH, np.int32)
    task = {
        "workload": "pipeline",
        "rows": bench.save("pipeline", rows),
        "vocabulary": str(bench.texts.vocabulary),
        "batch_size": BATCH_SIZE,
        "batches": BATCHES,
        "positions": POSITIONS,
    }
    with Runner(ENTRIES) as runner:
        # Masks are drawn at random, so only the number of predictions per row can be compared.
        reference = {"predictions per row": np.array(0.15 * (LENGTH - 2))}
        results, _ = runner.run(task, {"batches": bench.rounds}, bench.seconds, reference, tolerance=0.05)
    bench.record(results)
    yield make_row(
        f"input pipeline, masked batches of {BATCH_SIZE} x {LENGTH}",
        results,
        case="batches",
        unit="batches/s",
        amount=BATCHES,
        precision="-",
        notes=["every contestant predicts 15 % of the tokens, within 5 % of that number"],
    )
