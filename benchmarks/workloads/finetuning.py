"""Fine-tuning on the train sentences of SST-2, with their real lengths."""

import numpy as np

from benchmarks import flops, inputs
from benchmarks.batching import group_by_length
from benchmarks.bench import PRECISIONS
from benchmarks.contestant import Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner

BATCH_SIZE, LENGTH = 32, 128
HUGGING_FACE = ("eager", "compile")
# Steps per round, and steps of the warm-up before: most lengths occur in it for the first time.
STEPS, WARM_UP_STEPS = 12, 30


def measure(bench):
    """Yield a row per precision."""
    config = bench.size(inputs.MINI)
    texts, labels = bench.texts.train, bench.texts.train_labels
    if bench.quick:
        texts, labels = texts[:640], labels[:640]
    rows = {**bench.texts.rows(texts, LENGTH), "labels": labels}
    steps, warm_up = (2, 4) if bench.quick else (STEPS, WARM_UP_STEPS)
    task = {
        "workload": "finetuning",
        "config": config,
        "weights": bench.weights(config),
        "rows": bench.save("finetuning", rows),
        "batch_size": BATCH_SIZE,
        "steps": {"round": steps, "warm-up": warm_up},
        "learning_rate": 1e-4,
        "dropout": 0.1,
    }
    lengths = rows["input_mask"].sum(axis=1)  # [N]
    # Every contestant trains on the same batches in the same order, one repetition per round.
    batches = group_by_length(lengths, BATCH_SIZE)
    first = warm_up + steps  # both cases have a warm-up round
    timed = np.concatenate([batches[i % len(batches)] for i in range(first, first + steps * bench.rounds)])
    needed = flops.training(flops.classifier(config, lengths[timed], 2)) / bench.rounds
    reference = None
    for precision in PRECISIONS:
        bench.log(f"fine-tuning mini, {precision}")
        entries = [Entry(KERAS_BERT, "keras_bert_partitioned", precision), Entry("KerasHub", "kerashub", precision)]
        entries += [Entry("Hugging Face", "huggingface", precision, form) for form in HUGGING_FACE]
        with Runner(bench.entries("finetuning", entries)) as runner:
            cases = {"warm-up": 0, "round": bench.rounds}
            results, reference = runner.run(task, cases, 0.0, reference)
        bench.record(results)
        row = make_row(
            f"fine-tuning, mini, batch {BATCH_SIZE}, dropout 0.1",
            results,
            case="round",
            unit="sentences/s",
            amount=steps * BATCH_SIZE,
            precision=precision,
            flops=needed,
            peak=bench.peaks.get(precision),
            notes=[
                f"{len(texts):,} sentences of {bench.texts.name}, {lengths.mean():.1f} tokens on average; all "
                f"contestants use the same batches of similar length; the first {first} are not counted"
            ],
        )
        for peer, each in {KERAS_BERT: row[KERAS_BERT], **row["peers"]}.items():
            if each and "value" in each:
                each["epoch_minutes"] = len(texts) / each["value"] / 60
                each["warm_up_seconds"] = next(
                    r.warm_up["warm-up"] for r in results if (r.entry.peer, r.entry.form) == (peer, each["form"])
                )
        yield row
