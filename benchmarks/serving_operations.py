"""The operations that a call of an exported classifier executes, and their time, by part of the model.

    python -m benchmarks.serving_operations
    python -m benchmarks.serving_operations --dtype bfloat16 --text "Ça va?" --text "A film"

The model is a mini BERT (L4 H256) with random weights and a vocabulary of the letters and a few words. The default text
has only words of the vocabulary. Other operations are those of packing, of the buckets and of the outputs; for texts
that are not plain, also those of the tokenizer. `benchmarks/trace.py` says which operations are counted. The times are
means of 50 recorded calls; TF_NUM_INTRAOP_THREADS=1 gives those of one thread per operation. The time of a call without
recording is below the table; what the operations do not explain of it is spent between them.
"""

import argparse
import collections
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import keras_bert as kb  # noqa: E402
from benchmarks import inputs  # noqa: E402
from benchmarks.trace import Event, executed  # noqa: E402

PLAIN = "a gripping and often funny film about two brothers ."
# Part of the model: strings in the names of its nodes. The first part with one of them is that of the node.
PARTS = {
    "tokenizer": ("text_vectorization",),
    "embeddings": ("/embeddings",),
    "blocks": ("/block_",),
    "head": ("/pooler", "/logits"),
}
REST = "other"
CALLS = 50  # that are recorded


def export(folder: Path, config: dict, dtype: str = "float32"):
    """Export a classifier to a folder and load it; return a function of a list of texts."""
    vocabulary = inputs.make_vocabulary([PLAIN], config["vocab_size"])
    vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=128)
    classifier = kb.BertClassifier(kb.BertEncoder(kb.BertConfig.from_dict(config)))
    path = kb.export_saved_model(classifier, folder / "model", vectorizer, dtype=dtype)
    loaded = tf.saved_model.load(str(path))
    return lambda texts, serve=loaded.signatures["serving_default"], owner=loaded: serve(text=tf.constant(texts))


def serving_events(serve, texts: list[str], calls: int = 1) -> list[Event]:
    """Return the operations of some calls, after two calls of warm-up."""
    for _ in range(2):
        serve(texts)
    return executed(lambda: serve(texts), calls)


def milliseconds_per_call(serve, texts: list[str]) -> float:
    """Return the median time of a call."""
    seconds = []
    for _ in range(200):
        start = time.perf_counter()
        serve(texts)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)


def part_of(event: Event) -> str:
    """Return the part of the model that an operation belongs to."""
    return next((part for part, names in PARTS.items() if any(name in event.node for name in names)), REST)


def main() -> None:
    """Count and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--text", action="append", help="a text of the batch; may be given more than once")
    arguments = parser.parse_args()
    texts = arguments.text or [PLAIN]
    with tempfile.TemporaryDirectory() as folder:
        serve = export(Path(folder), inputs.MINI, arguments.dtype)
        events = serving_events(serve, texts, CALLS)
        call = milliseconds_per_call(serve, texts)
    counts, milliseconds, kinds = collections.Counter(), collections.Counter(), collections.Counter()
    for event in events:
        counts[part_of(event), event.kind == "ReadVariableOp"] += 1
        kinds[event.kind] += 1
        milliseconds[part_of(event)] += event.milliseconds
    table = Table("part", "operations", "reads of variables", "ms", title=f"{len(events) // CALLS} operations per call")
    for part in (*PARTS, REST):
        numbers = (counts[part, False] // CALLS, counts[part, True] // CALLS)
        table.add_row(part, *map(str, numbers), f"{milliseconds[part] / CALLS:.3f}")
    table.add_row("all", "", "", f"{sum(milliseconds.values()) / CALLS:.3f}")
    console = Console(width=100)
    console.print(table)
    console.print(", ".join(f"{kind} {count // CALLS}" for kind, count in kinds.most_common()))
    console.print(f"one call without recording: {call:.3f} ms")


if __name__ == "__main__":
    main()
