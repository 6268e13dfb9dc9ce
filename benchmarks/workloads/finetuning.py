"""An epoch of fine-tuning on SST-2's train sentences, real lengths; each turn takes batches from all over it."""

import numpy as np

from benchmarks import flops, inputs
from benchmarks.batching import grouped
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row

BATCH_SIZE, LENGTH = 32, 128
HUGGING_FACE = ("eager", "compile")
# Batches of a turn; those of the long turn before are not counted: most lengths come up in it for the first time.
COUNT, BEFORE = 12, 30


def measure(bench):
    config = bench.size(inputs.MINI)
    texts, labels = bench.texts.train, bench.texts.train_labels
    if bench.quick:
        texts, labels = texts[:640], labels[:640]
    rows = {**bench.texts.rows(texts, LENGTH), "labels": labels}
    count, before = (2, 4) if bench.quick else (COUNT, BEFORE)
    task = {
        "work": "finetuning",
        "config": config,
        "weights": bench.weights(config),
        "rows": bench.save("finetuning", rows),
        "batch_size": BATCH_SIZE,
        "count": {"turn": count, "before": before},
        "learning_rate": 1e-4,
        "dropout": 0.1,
    }
    lengths = rows["input_mask"].sum(axis=1)
    # Every contestant takes the same batches in the same order, one unit a turn.
    order = grouped(lengths, BATCH_SIZE)
    first = before + count  # the warming turns of both cases
    seen = np.concatenate([order[i % len(order)] for i in range(first, first + count * bench.rounds)])
    needed = flops.training(flops.classify(config, lengths[seen], 2)) / bench.rounds
    reference = None
    for precision in PRECISIONS:
        bench.say(f"fine-tuning mini, {precision}")
        entries = [Entry("ours", "ours_training", precision), Entry("KerasHub", "kerashub", precision)]
        entries += [Entry("Hugging Face", "huggingface", precision, form) for form in HUGGING_FACE]
        with Race(bench.entries("finetuning", entries)) as race:
            cases = {"before": 0, "turn": bench.rounds}
            results, reference = race.run(task, cases, 0.0, reference)
        bench.collect(results)
        found = row(
            f"fine-tuning, mini, batch {BATCH_SIZE}, dropout 0.1",
            results,
            case="turn",
            unit="sentences/s",
            amount=count * BATCH_SIZE,
            precision=precision,
            flops=needed,
            peak=bench.peaks.get(precision),
            notes=[
                f"{len(texts):,} sentences of {bench.texts.name}, {lengths.mean():.1f} tokens on average; batches of "
                f"like length for all, by the same rule; the first {first} are not counted"
            ],
        )
        for peer, each in {"ours": found["ours"], **found["peers"]}.items():
            if each and "value" in each:
                warm = next(
                    r.warm_up["before"] for r in results if (r.entry.peer, r.entry.form) == (peer, each["form"])
                )
                each["epoch_minutes"] = len(texts) / each["value"] / 60
                each["warm_up_seconds"] = warm
        yield found
