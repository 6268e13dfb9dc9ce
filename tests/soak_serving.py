"""Send unusual texts to served models from several threads, and check the answers and the memory.

    python -m tests.soak_serving --strings 200000 --texts 20000 --minutes 30

1. The tokens of fuzzed strings equal those of the reference tokenizer in plain Python.
2. The SavedModel, the ONNX folder and, where Ray is installed, the service of docs/guides/ray-serve.md get the same
   texts, in batches of 1 to 256 from 8 threads. The labels' probabilities must equal those of the Keras model, and the
   memory must stay the same within 2 %: the median of the last quarter compared with that of the second. Before,
   each thread sends the longest texts once. With less than 10,000 texts, the memory is printed but not checked.

No new batch is started after `--minutes`. The exit status is 1 at the first difference.
"""

import argparse
import contextlib
import itertools
import random
import string
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil

import keras_bert as kb
from keras_bert.errors import InputWarning
from tests.text.plain_tokenizer import DIFFICULT, tokenize

THREADS = 8
LARGEST = 256  # texts of a batch
LONGEST = 10_000  # characters of a text, as in the guide: the service answers 413 to a longer one
MEMORY = 0.02  # relative change of the resident memory
ENOUGH = 10_000  # texts; with fewer, runtimes still store what they compute once per shape of a batch
TOLERANCE = 1e-3  # of probabilities; the lengths of the rows of a batch change the order of sums


def unusual_texts(seed: int, words: list[str]) -> Iterator[str]:
    """Yield texts of difficult characters, any characters, pieces of tokens and words, mostly short."""
    rng = random.Random(seed)
    makers = (
        lambda: rng.choice(DIFFICULT),
        lambda: chr(rng.choice([rng.randrange(0xD800), rng.randrange(0xE000, 0x110000)])),
        lambda: rng.choice(string.printable),
        lambda: rng.choice(words).removeprefix("##"),
        lambda: f" {rng.choice(words)} ",
    )
    while True:
        length = rng.choice([1, 4, 16, 64]) if rng.random() < 0.99 else rng.randrange(5000)
        some = rng.sample(makers, rng.randint(1, len(makers)))
        text = "".join(rng.choice(some)() for _ in range(length))[:LONGEST]
        if text.strip():  # a `Predictor` rejects empty texts
            yield text


def check_tokens(vectorizer, count: int, end: float) -> int:
    """Compare the tokens of `count` strings with the reference, until the time `end`. Return how many were equal."""
    tokens = vectorizer.get_vocabulary()
    known, texts, done = set(tokens), unusual_texts(1, tokens), 0
    while done < count and time.monotonic() < end:
        batch = list(itertools.islice(texts, min(1000, count - done)))
        for text, ids in zip(batch, vectorizer.tokenize(batch).to_list(), strict=True):
            expected = tokenize(text, known, vectorizer.lowercase)
            assert [tokens[i] for i in ids] == expected, f"the tokens differ: {ascii(text)}"
        done += len(batch)
    return done


def make_batches(count: int, seed: int = 0) -> list[range]:
    """Divide the numbers of texts into batches of 1 to 256."""
    rng, start, found = random.Random(seed), 0, []
    while start < count:
        end = min(start + rng.randint(1, LARGEST), count)
        found.append(range(start, end))
        start = end
    return found


def check_answers(name: str, predict: Callable, texts: list[str], expected: np.ndarray, memory: Callable, end: float):
    """Send all texts in batches from 8 threads, compare the answers and the memory, and print one line."""
    lock, samples, done = threading.Lock(), [], []

    def send(batch: range | list[int]) -> None:
        if time.monotonic() > end:
            return
        found = np.array([list(row["probabilities"].values()) for row in predict([texts[i] for i in batch])])  # [N, C]
        error = np.abs(found - expected[batch]).max()
        assert error < TOLERANCE, f"{name}: probabilities differ by {error:.2g}, texts {batch}"
        with lock:
            samples.append(memory())
            done.append(len(batch))

    with ThreadPoolExecutor(THREADS) as pool:
        longest = sorted(range(len(texts)), key=lambda i: len(texts[i]))[-LARGEST:]
        list(pool.map(send, [longest] * THREADS))  # the largest inputs at the same time, for the arenas of the runtimes
        samples.clear()
        done.clear()
        list(pool.map(send, make_batches(len(texts))))
    quarter = len(samples) // 4
    before, after = (np.median(samples[quarter * k : quarter * (k + 1)] or [np.nan]) / 2**20 for k in (1, 3))
    print(
        f"{name}: {sum(done)} texts in {len(done)} batches, 0 differences, {before:.0f} to {after:.0f} MiB", flush=True
    )
    settled = sum(done) >= ENOUGH
    assert not settled or abs(after / before - 1) <= MEMORY, (
        f"{name}: the memory changed from {before:.0f} to {after:.0f} MiB"
    )


@contextlib.contextmanager
def ray_service(folder: Path) -> Iterator[tuple[Callable, Callable]]:
    """Serve an ONNX folder with Ray. Return a function of a batch of texts, and one of the memory of the replicas."""
    from benchmarks.ray_serve import load_guide, local_cluster, replica_processes

    names = load_guide()
    with local_cluster() as url, ThreadPoolExecutor(64) as pool:
        names["serve"].run(names["Sentiment"].bind(folder))
        replicas = replica_processes()
        yield (
            lambda texts: list(pool.map(lambda text: names["ask"](text, url), texts)),
            lambda: sum(process.memory_info().rss for process in replicas),
        )


def main() -> int:
    """Run the soak and print one line per part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strings", type=int, default=200_000, help="strings whose tokens are compared")
    parser.add_argument("--texts", type=int, default=20_000, help="texts that each served model gets")
    parser.add_argument("--minutes", type=float, default=30, help="no new batch is started after this time")
    options = parser.parse_args()
    warnings.simplefilter("ignore", InputWarning)  # some texts are longer than the rows of the model
    end = time.monotonic() + 60 * options.minutes
    sentiment = kb.load_pretrained("sst2_sentiment")
    vectorizer = sentiment.vectorizer
    print(f"tokens: {check_tokens(vectorizer, options.strings, end)} strings, 0 differences", flush=True)

    texts = list(itertools.islice(unusual_texts(2, vectorizer.get_vocabulary()), options.texts))
    rows = kb.Predictor(sentiment.model)(texts)
    expected = np.array([list(row["probabilities"].values()) for row in rows])  # [N, C]
    with tempfile.TemporaryDirectory() as folder:
        saved = kb.export_saved_model(sentiment.model, Path(folder) / "text", vectorizer, sentiment.labels)
        onnx = kb.export_onnx(sentiment.model, Path(folder) / "onnx", vectorizer)
        own = psutil.Process()
        for name, source in (("SavedModel", saved), ("ONNX", onnx)):
            check_answers(name, kb.Predictor(source), texts, expected, lambda: own.memory_info().rss, end)
        if find_spec("ray"):
            with ray_service(onnx) as (predict, memory):
                check_answers("Ray Serve", predict, texts, expected, memory, end)
        else:
            print("Ray Serve: not installed, skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
