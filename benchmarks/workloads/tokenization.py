"""Text to the three inputs: the train sentences of SST-2 in batches of 1,000. Every id is compared first."""

import importlib.util

import numpy as np

from benchmarks.contestant import ROOT, Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner
from keras_bert.constants import SPECIAL_TOKENS

LENGTH, BATCH_SIZE = 64, 1000
ENTRIES = [
    Entry(KERAS_BERT, "keras_bert"),
    Entry("tokenizers", "tokenizers"),
    Entry("Hugging Face", "huggingface"),
    Entry("tensorflow_text", "tensorflow_text", form="fast"),
    Entry("tensorflow_text", "tensorflow_text"),
    Entry("KerasHub", "kerashub"),
]


def measure(bench):
    """Yield one row."""
    # Every fifth sentence of a large set keeps a round short.
    texts = bench.texts.train[: 2000 if bench.quick else None : 1 if len(bench.texts.train) < 20_000 else 5]
    vocabulary = str(bench.texts.vocabulary)
    task = {
        "workload": "tokenization",
        "vocabulary": vocabulary,
        "texts": texts,
        "length": LENGTH,
        "batch_size": BATCH_SIZE,
    }
    with Runner(ENTRIES) as runner:
        results, _ = runner.run(task, {"pass": bench.rounds}, bench.seconds, {"ids": reference_ids(texts, vocabulary)})
    bench.record(results)
    yield make_row(
        f"tokenization, batches of {BATCH_SIZE:,}, rows of {LENGTH}",
        results,
        case="pass",
        unit="sentences/s",
        amount=len(texts),
        precision="-",
        notes=[f"{len(texts):,} sentences of {bench.texts.name}; all ids equal those of the plain-Python tokenizer"],
    )


def reference_ids(texts: list[str], vocabulary: str) -> np.ndarray:
    """Compute the ids with the independent tokenizer of tests/text/plain_tokenizer.py, int32 `[N, LENGTH]`."""
    path = ROOT / "tests" / "text" / "plain_tokenizer.py"
    spec = importlib.util.spec_from_file_location("plain_tokenizer", path)
    plain_tokenizer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain_tokenizer)
    with open(vocabulary, encoding="utf-8") as lines:
        ids = {line.rstrip("\n"): i for i, line in enumerate(lines)}
    pad, _, begin, end, _ = (ids[token] for token in SPECIAL_TOKENS)
    rows = np.full((len(texts), LENGTH), pad, np.int32)
    for row, text in zip(rows, texts, strict=True):
        tokens = [begin, *(ids[token] for token in plain_tokenizer.tokenize(text, ids))][: LENGTH - 1] + [end]
        row[: len(tokens)] = tokens
    return rows
