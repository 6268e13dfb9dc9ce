"""Where the time of our own work goes, by TensorFlow operation: what is worth making faster next.

    python -m benchmarks.profile pretraining --dtype mixed_bfloat16
    python -m benchmarks.profile finetuning
    python -m benchmarks.profile forward --dtype mixed_bfloat16

A mini BERT (L4 H256) on random full rows: 32 x 128 in pretraining, 32 x 12 in fine-tuning and forward. Operations of
one kind are summed; as two may run side by side, they sum up to more than the time of a step.
"""

import argparse
import collections
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from tensorflow.tsl.profiler.protobuf import xplane_pb2  # noqa: E402

import keras_bert as kb  # noqa: E402
from benchmarks import inputs  # noqa: E402
from keras_bert import ops  # noqa: E402
from keras_bert.tasks.losses import MeanCrossEntropy, TopOneAccuracy  # noqa: E402
from keras_bert.training import bert_adamw  # noqa: E402
from keras_bert.training.pretraining_metrics import compile_pretrainer  # noqa: E402

STEPS = 10
XLA = "XLA programs"


def step_of(work: str, dtype: str):
    """A function of nothing that does a step, already warm."""
    encoder = kb.BertEncoder(kb.BertConfig.from_dict(inputs.MINI | {"hidden_dropout": 0.1}), dtype=dtype)
    if work == "pretraining":
        model = kb.BertPretrainer(encoder, sentence_task=None)
        compile_pretrainer(model, bert_adamw(1e-4))
        rows = inputs.full_rows(inputs.MINI, 32, 128, 20)
        targets = {"mlm_logits": rows.pop("masked_lm_ids")}
        arguments = (rows, targets, {"mlm_logits": np.ones((32, 20), np.float32)})
    else:
        model = kb.BertClassifier(encoder, num_classes=2)
        rows = {name: value for name, value in inputs.full_rows(inputs.MINI, 32, 12).items() if "masked" not in name}
        model.compile(bert_adamw(1e-4), loss=MeanCrossEntropy(), metrics=[TopOneAccuracy()], jit_compile=False)
        arguments = (rows, np.arange(32, dtype=np.int32) % 2) if work == "finetuning" else (rows,)
    run = model.predict_on_batch if work == "forward" else model.train_on_batch
    if work == "finetuning":  # without compiled kernels, as in `finetune`, whose batches vary in length
        with ops.disable_kernels("xla"):
            run(*arguments)
    for _ in range(3):
        run(*arguments)
    return lambda: run(*arguments)


def profile(step) -> tuple[float, dict, dict]:
    """Seconds a step; milliseconds a step and how many by kind of operation."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        begun = time.perf_counter()
        for _ in range(STEPS):
            step()
        seconds = (time.perf_counter() - begun) / STEPS
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace.FromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    taken, counts = collections.Counter(), collections.Counter()
    for plane in space.planes:
        names = {key: value.name for key, value in plane.event_metadata.items()}
        for event in (event for line in plane.lines for event in line.events):
            name = names[event.metadata_id]
            kind = XLA if name.startswith("CpuExecutable::Execute") else name.partition(":")[2]
            if kind and kind[0] not in " :":  # "place in the graph:operation"
                taken[kind] += event.duration_ps / 1e9 / STEPS
                counts[kind] += 1 / STEPS
    return seconds, taken, counts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=("pretraining", "finetuning", "forward"))
    parser.add_argument("--dtype", choices=("float32", "mixed_bfloat16"), default="float32")
    arguments = parser.parse_args()
    seconds, taken, counts = profile(step_of(arguments.work, arguments.dtype))
    table = Table(
        "operation", "ms a step", "of them", title=f"{arguments.work}, {arguments.dtype}: {1e3 * seconds:.1f} ms a step"
    )
    for kind, milliseconds in taken.most_common(16):
        table.add_row(kind, f"{milliseconds:.2f}", f"{counts[kind]:.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
