"""The operations that a call of an exported classifier executes, by the part of the model that they belong to.

    python -m benchmarks.serving_operations
    python -m benchmarks.serving_operations --dtype bfloat16 --text "Ça va?" --text "A film"

The model is a mini BERT (L4 H256) with random weights and a vocabulary of the letters and a few words. The default text
has only words of the vocabulary. Other operations are those of packing, of the buckets and of the outputs; for texts
that are not plain, also those of the tokenizer. `benchmarks/trace.py` says which operations are counted.
"""

import argparse
import collections
import os
import tempfile
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


def export(folder: Path, config: dict, dtype: str = "float32"):
    """Export a classifier to a folder and load it; return a function of a list of texts."""
    vocabulary = inputs.make_vocabulary([PLAIN], config["vocab_size"])
    vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=128)
    classifier = kb.BertClassifier(kb.BertEncoder(kb.BertConfig.from_dict(config)))
    path = kb.export_saved_model(classifier, folder / "model", vectorizer, dtype=dtype)
    loaded = tf.saved_model.load(str(path))
    return lambda texts, serve=loaded.signatures["serving_default"], owner=loaded: serve(text=tf.constant(texts))


def serving_events(serve, texts: list[str]) -> list[Event]:
    """Return the operations of one call, after two calls of warm-up."""
    for _ in range(2):
        serve(texts)
    return executed(lambda: serve(texts))


def part_of(event: Event) -> str:
    """Return the part of the model that an operation belongs to."""
    return next((part for part, names in PARTS.items() if any(name in event.node for name in names)), REST)


def main() -> None:
    """Count and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--text", action="append", help="a text of the batch; may be given more than once")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        events = serving_events(export(Path(folder), inputs.MINI, arguments.dtype), arguments.text or [PLAIN])
    counts = collections.Counter((part_of(event), event.kind == "ReadVariableOp") for event in events)
    table = Table("part", "operations", "reads of variables", title=f"{len(events)} operations per call")
    for part in (*PARTS, REST):
        table.add_row(part, str(counts[part, False]), str(counts[part, True]))
    Console(width=100).print(table)
    kinds = collections.Counter(event.kind for event in events)
    Console(width=100).print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))


if __name__ == "__main__":
    main()
