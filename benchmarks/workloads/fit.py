"""`fit` of a classifier: the layers of keras_bert beside the plain Keras layers of which KerasHub's BERT consists."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.contestant import Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner

BATCH_SIZE, LENGTH, STEPS, DROPOUT = 32, 64, 8, 0.1
FORMS = ("", "XLA")  # a row each, because a user chooses the form


def measure(bench):
    """Yield a row per precision and form."""
    config = bench.size(inputs.MINI)
    steps = 2 if bench.quick else STEPS
    count = steps * BATCH_SIZE
    rows = inputs.full_rows(config, count, LENGTH, 1)
    rows = {name: rows[name] for name in ("input_word_ids", "input_mask", "input_type_ids")}
    task = {
        "workload": "fit",
        "config": config,
        "weights": bench.weights(config),
        "rows": bench.save("fit", {**rows, "labels": rows["input_word_ids"][:, 1] % 2}),
        "batch_size": BATCH_SIZE,
        "learning_rate": 1e-4,
        "dropout": DROPOUT,
    }
    reference = None
    for precision in PRECISIONS:
        for form in FORMS[:1] if bench.quick else FORMS:
            bench.log(f"fit {form or 'without XLA'}, {precision}")
            entries = [
                Entry(peer, module, precision, form)
                for peer, module in ((KERAS_BERT, "keras_bert"), ("KerasHub", "kerashub"))
            ]
            with Runner(entries) as runner:
                results, reference = runner.run(task, {"epoch": bench.rounds}, bench.seconds, reference)
            bench.record(results)
            yield make_row(
                f"fit, mini, {BATCH_SIZE} x {LENGTH}, dropout {DROPOUT}, jit_compile={form == 'XLA'}",
                results,
                case="epoch",
                unit="tokens/s",
                amount=count * LENGTH,
                precision=precision,
                flops=flops.training(flops.classifier(config, [LENGTH] * count, 2)),
                peak=bench.peaks.get(precision),
                notes=["both train with keras.optimizers.AdamW"],
            )
