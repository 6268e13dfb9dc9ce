"""The pretraining step of keras_bert with all kernels of `keras_bert.ops`, without each, and without any."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.contestant import Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner
from keras_bert.ops import KERNELS

GROUPS = (  # kernels that are disabled together
    ("attention",),
    ("dense", "feed_forward"),
    ("dropout_add_norm", "layer_norm"),
    ("embedding_lookup",),
    ("tied_logits",),
    ("cross_entropy", "is_correct"),
    ("adamw",),
    ("cpu_data_parallel",),
    ("xla",),
    KERNELS,
)
BATCH, LENGTH, POSITIONS = 32, 128, 20


def measure(bench):
    """Yield a row per precision. Its peers are keras_bert with some kernels disabled."""
    config = bench.size(inputs.MINI)
    rows = inputs.full_rows(config, BATCH, LENGTH, POSITIONS)
    task = {
        "workload": "pretraining",
        "config": config,
        "weights": bench.weights(config),
        "batch": bench.save("ablation", rows),
        "learning_rate": 1e-4,
        "dropout": 0.1,
        "check_steps": 0,
    }
    for precision in PRECISIONS:
        entries = [Entry(KERAS_BERT, "keras_bert_partitioned", precision)]
        for kernels in GROUPS:
            name = "any kernel" if kernels is KERNELS else " and ".join(kernels)
            # Without cpu_data_parallel, each operation uses all CPU threads.
            module = "keras_bert" if "cpu_data_parallel" in kernels else "keras_bert_partitioned"
            entries.append(Entry(f"without {name}", module, precision, f"without {' and '.join(kernels)}"))
        bench.log(f"ablation, {precision}")
        with Runner(entries) as runner:
            results, _ = runner.run(task, {"step": bench.rounds}, bench.seconds)
        bench.record(results)
        yield make_row(
            f"pretraining step, mini, {BATCH} x {LENGTH}, with some kernels disabled",
            results,
            case="step",
            unit="tokens/s",
            amount=BATCH * LENGTH,
            precision=precision,
            flops=flops.training(flops.masked_lm(config, [LENGTH] * BATCH, POSITIONS)),
            peak=bench.peaks.get(precision),
        )
