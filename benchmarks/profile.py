"""Time by TensorFlow operation in a step of keras_bert.

    python -m benchmarks.profile pretraining --dtype mixed_bfloat16
    python -m benchmarks.profile finetuning
    python -m benchmarks.profile forward --dtype mixed_bfloat16

The model is a mini BERT (L4 H256) on random rows without padding: 32 x 128 in pretraining, 32 x 12 in fine-tuning and
in the forward pass. Operations of one kind are added up. Some run at the same time, so the sum exceeds the time of a
step.
"""

import argparse
import collections
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import keras_bert as kb  # noqa: E402
from benchmarks import inputs  # noqa: E402
from benchmarks.trace import executed  # noqa: E402
from keras_bert import ops  # noqa: E402
from keras_bert.constants import INPUT_KEYS  # noqa: E402
from keras_bert.tasks import task_for  # noqa: E402
from keras_bert.tasks.losses import PER_EXAMPLE_FNS  # noqa: E402
from keras_bert.training import bert_adamw  # noqa: E402
from keras_bert.training.pretraining_metrics import compile_pretrainer  # noqa: E402

STEPS = 10
XLA = "XLA programs"


def make_step(workload: str, dtype: str):
    """Return a function without arguments that runs one step, after a few steps of warm-up."""
    encoder = kb.BertEncoder(kb.BertConfig.from_dict(inputs.MINI | {"hidden_dropout": 0.1}), dtype=dtype)
    if workload == "pretraining":
        model = kb.BertPretrainer(encoder, sentence_task=None)
        compile_pretrainer(model, bert_adamw(1e-4))
        rows = inputs.full_rows(inputs.MINI, 32, 128, 20)
        targets = {"mlm_logits": rows.pop("masked_lm_ids")}  # [B, P]
        arguments = (rows, targets, {"mlm_logits": np.ones((32, 20), np.float32)})
        run = ops.train_on_batch(model, PER_EXAMPLE_FNS)
    else:
        model = kb.BertClassifier(encoder, num_classes=2)
        rows = inputs.full_rows(inputs.MINI, 32, 12)
        rows = {name: rows[name] for name in INPUT_KEYS}
        task = task_for(model)
        task.compile(model, bert_adamw(1e-4), jit_compile=False)
        if workload == "finetuning":
            run = ops.train_on_batch(model, task.per_example_fns, varying_lengths=True)
            arguments = (rows, np.arange(32, dtype=np.int32) % 2)
        else:
            run, arguments = model.predict_on_batch, (rows,)
    for _ in range(3):
        run(*arguments)
    return lambda: run(*arguments)


def profile(step) -> tuple[float, dict, dict]:
    """Profile some steps.

    Args:
        step: a function without arguments.

    Returns:
        Seconds per step; milliseconds per step and number of operations per step, both by kind of operation.
    """
    seconds = []

    def timed_step():
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)

    milliseconds, counts = collections.Counter(), collections.Counter()
    for event in executed(timed_step, STEPS):
        milliseconds[event.kind or XLA] += event.milliseconds / STEPS
        counts[event.kind or XLA] += 1 / STEPS
    return sum(seconds) / STEPS, milliseconds, counts


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", choices=("pretraining", "finetuning", "forward"))
    parser.add_argument("--dtype", choices=("float32", "mixed_bfloat16"), default="float32")
    arguments = parser.parse_args()
    seconds, milliseconds, counts = profile(make_step(arguments.workload, arguments.dtype))
    title = f"{arguments.workload}, {arguments.dtype}: {1e3 * seconds:.1f} ms per step"
    table = Table("operation", "ms per step", "operations per step", title=title)
    for kind, each in milliseconds.most_common(16):
        table.add_row(kind, f"{each:.2f}", f"{counts[kind]:.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
