"""Text to the three inputs: SST-2's train sentences in batches of 1,000, every id compared first."""

import sys

import numpy as np

from benchmarks.inputs import ROOT, SPECIAL
from benchmarks.race import Entry, Race
from benchmarks.rows import row

LENGTH, BATCH_SIZE = 64, 1000
ENTRIES = [
    Entry("ours", "ours"),
    Entry("tokenizers", "fast_tokens"),
    Entry("Hugging Face", "huggingface"),
    Entry("tensorflow_text", "tensorflow_text", form="fast"),
    Entry("tensorflow_text", "tensorflow_text"),
    Entry("KerasHub", "kerashub"),
]


def measure(bench):
    # A fifth of the sentences, from all over the set, keeps a turn short.
    texts = bench.texts.train[: 2000 if bench.quick else None : 1 if len(bench.texts.train) < 20_000 else 5]
    vocabulary = str(bench.texts.vocabulary)
    task = {"vocabulary": vocabulary, "texts": texts, "length": LENGTH, "batch_size": BATCH_SIZE, "work": "tokenising"}
    with Race(ENTRIES) as race:
        results, _ = race.run(task, {"pass": bench.rounds}, bench.seconds, {"ids": plain_python(texts, vocabulary)})
    bench.collect(results)
    yield row(
        f"tokenising, batches of {BATCH_SIZE:,}, rows of {LENGTH}",
        results,
        case="pass",
        unit="sentences/s",
        amount=len(texts),
        precision="-",
        notes=[f"{len(texts):,} sentences of {bench.texts.name}, all ids equal to the plain-Python tokenizer's"],
    )


def plain_python(texts: list[str], vocabulary: str) -> np.ndarray:
    """The ids by the independent tokenizer that the tests hold ours against."""
    sys.path.insert(0, str(ROOT / "tests" / "text"))
    from plain_tokenizer import tokenize

    with open(vocabulary, encoding="utf-8") as lines:
        number = {line.rstrip("\n"): i for i, line in enumerate(lines)}
    pad, _, begin, end, _ = (number[token] for token in SPECIAL)
    ids = np.full((len(texts), LENGTH), pad, np.int32)
    for row_ids, text in zip(ids, texts, strict=True):
        found = [begin, *(number[token] for token in tokenize(text, number))][: LENGTH - 1] + [end]
        row_ids[: len(found)] = found
    return ids
