"""The share of padding in batches: an upper limit for the gain of packing several rows into one.

    python -m experiments.padding

Fine-tuning: SST-2's training sentences with batch size 32: in random order, padded to the longest row or to 128, and
grouped by length. Pretraining: packed rows, some of which are short on purpose.
"""

import itertools
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import keras_bert as kb  # noqa: E402
from benchmarks.inputs import Texts  # noqa: E402
from benchmarks.run import find_data  # noqa: E402
from keras_bert.data import load_corpus, tokenize_documents  # noqa: E402
from keras_bert.text.packing import pack_examples  # noqa: E402
from keras_bert.training.batches import LengthGroupedBatches  # noqa: E402

BATCH, LENGTH, DOCUMENTS = 32, 128, 2000


def main() -> None:
    """Count the padding and print a table."""
    table = Table("workload", "rows", "padding", "largest gain of packing")
    with tempfile.TemporaryDirectory() as folder:
        data = find_data(None)
        texts = Texts(data, Path(folder))
        vectorizer = kb.BertTextVectorization(str(texts.vocabulary), sequence_length=LENGTH)
    ids = {name: value.numpy() for name, value in vectorizer(texts.train).items()}
    lengths = ids["input_mask"].sum(axis=1)
    grouped = LengthGroupedBatches(ids, texts.train_labels, BATCH)
    widths = [grouped.batch(0, i)[0]["input_mask"].shape for i in range(len(grouped))]
    drawn = np.random.default_rng(0).permutation(lengths)
    chunks = [drawn[i : i + BATCH] for i in range(0, len(drawn), BATCH)]
    work = f"fine-tuning, {texts.name}"
    add(
        table, work, "grouped by length, as `finetune` does", lengths.sum(), sum(rows * width for rows, width in widths)
    )
    add(table, work, "random order, to the longest", lengths.sum(), sum(len(each) * each.max() for each in chunks))
    add(table, work, f"to {LENGTH}", lengths.sum(), len(lengths) * LENGTH)
    wikipedia = data / "data" / "corpus" / "wikipedia.txt.xz" if data else Path()
    name, source = ("Wikipedia", wikipedia) if wikipedia.is_file() else ("the embedded sample", "sample")
    documents = tokenize_documents(itertools.islice(load_corpus(source), DOCUMENTS), vectorizer)
    rows = pack_examples(documents, LENGTH, vectorizer.cls_id, vectorizer.sep_id)
    add(table, f"pretraining, {name}", f"packed to {LENGTH}", rows.lengths.sum(), len(rows) * LENGTH)
    Console(width=120).print(table)


def add(table: Table, work: str, rows: str, tokens: int, computed: int) -> None:
    """Add a row: the share of the computed positions without a token."""
    table.add_row(work, rows, f"{1 - tokens / computed:.1%}", f"{computed / tokens:.2f} x")


if __name__ == "__main__":
    main()
