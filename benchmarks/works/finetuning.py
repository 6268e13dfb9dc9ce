"""An epoch of fine-tuning on SST-2's train sentences, real lengths; each turn takes batches from all over it."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row

BATCH_SIZE, LENGTH = 32, 128
HUGGING_FACE = ("eager", "compile")


def measure(bench):
    config = bench.size(inputs.MINI)
    texts, labels = bench.texts.train, bench.texts.train_labels
    if bench.quick:
        texts, labels = texts[:320], labels[:320]
    rows = {**bench.texts.rows(texts, LENGTH), "labels": labels}
    count = min(4 if bench.quick else 10, len(texts) // BATCH_SIZE)
    task = {
        "work": "finetuning",
        "config": config,
        "weights": bench.weights(config),
        "rows": bench.save("finetuning", rows),
        "batch_size": BATCH_SIZE,
        "count": count,
        "learning_rate": 1e-4,
        "dropout": 0.1,
    }
    lengths = rows["input_mask"].sum(axis=1)
    needed = flops.training(flops.classify(config, lengths, 2)) * count * BATCH_SIZE / len(texts)
    reference = None
    for precision in PRECISIONS:
        bench.say(f"fine-tuning mini, {precision}")
        entries = [Entry("ours", "ours", precision), Entry("KerasHub", "kerashub", precision)]
        entries += [Entry("Hugging Face", "huggingface", precision, form) for form in HUGGING_FACE]
        with Race(bench.entries("finetuning", entries)) as race:
            results, reference = race.run(task, {"batches": bench.rounds}, bench.seconds, reference)
        bench.collect(results)
        found = row(
            f"fine-tuning, mini, batch {BATCH_SIZE}, dropout 0.1",
            results,
            case="batches",
            unit="sentences/s",
            amount=count * BATCH_SIZE,
            precision=precision,
            flops=needed,
            peak=bench.peaks.get(precision),
            notes=[
                f"{len(texts):,} sentences of {bench.texts.name}, {lengths.mean():.1f} tokens on average; batches of "
                "like length for all, by the same rule"
            ],
        )
        if found["ours"] and "value" in found["ours"]:
            minutes = len(texts) / found["ours"]["value"] / 60
            found["notes"].append(f"ours takes {minutes:.1f} minutes for an epoch")
        yield found
