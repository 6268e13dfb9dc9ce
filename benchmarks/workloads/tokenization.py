"""Text to the three inputs: the train sentences of SST-2 in batches. Every id is compared first."""

import importlib.util

import numpy as np

from benchmarks.contestant import ROOT, Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner
from keras_bert.constants import SPECIAL_TOKENS

LENGTH = 64
ENTRIES = [
    Entry(KERAS_BERT, "keras_bert"),
    Entry("tokenizers", "tokenizers"),
    Entry("Hugging Face", "huggingface"),
    Entry("tensorflow_text", "tensorflow_text", form="fast"),
    Entry("tensorflow_text", "tensorflow_text"),
    Entry("KerasHub", "kerashub"),
]
PLAIN = [Entry(KERAS_BERT, "plain_tokenizer"), Entry("tokenizers", "tokenizers")]
ROWS = [("tokenization", ENTRIES, 1000), *(("tokenization without TensorFlow", PLAIN, size) for size in (1000, 32))]


def measure(bench):
    """Yield a row with all contestants, and rows of those that need no TensorFlow."""
    # Every fifth sentence of a large set keeps a round short.
    texts = bench.texts.train[: 2000 if bench.quick else None : 1 if len(bench.texts.train) < 20_000 else 5]
    vocabulary = str(bench.texts.vocabulary)
    task = {"workload": "tokenization", "vocabulary": vocabulary, "texts": texts, "length": LENGTH}
    reference = {"ids": reference_ids(texts, vocabulary)}
    for name, entries, size in ROWS:
        with Runner(entries) as runner:
            results, _ = runner.run({**task, "batch_size": size}, {"pass": bench.rounds}, bench.seconds, reference)
        bench.record(results)
        yield make_row(
            f"{name}, batches of {size:,}, rows of {LENGTH}",
            results,
            case="pass",
            unit="sentences/s",
            amount=len(texts),
            precision="-",
            notes=[
                f"{len(texts):,} sentences of {bench.texts.name}; all ids equal those of tests/text/plain_tokenizer.py"
            ],
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
