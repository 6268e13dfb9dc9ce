"""Frozen sentence vectors of each layer, beside averaged GloVe vectors and TF-IDF, on the same task.

    python -m experiments.sentence_vectors --data DIR --minilm FOLDER      # every run that is not stored yet
    python -m experiments.sentence_vectors --data DIR --only TREC          # one set, without MiniLM

DIR is the folder named by `KERAS_BERT_DATA`, FOLDER that of all-MiniLM-L6-v2, also named by `KERAS_BERT_MINILM`. The
encoders are not trained: a logistic regression reads the mean of the token vectors of one layer, [CLS] and [SEP]
included, as `kb.embed` pools them. Each seed draws other training rows; the settings were fixed before. All runs are
stored in experiments/results/sentence_vectors.json, and docs/sentence-vectors.md is written from them.
"""

import argparse
import json
import os
import re
import statistics
import sys
from pathlib import Path

import numpy as np

from experiments.tasks import bold, prepare

ROOT = Path(__file__).resolve().parent.parent
FOUND, PAGE = ROOT / "experiments" / "results" / "sentence_vectors.json", ROOT / "docs" / "sentence-vectors.md"
WORK = ROOT / "build" / "sentence_vectors"
GLOVE = Path("GloVe") / "glove.6B.50d.top10k.txt"
SETS = {"TREC": "six classes of questions", "SST-2": "sentiment of sentences"}
SEEDS = (1, 2, 3)
TRAIN, POOL = 1_000, 1_500  # rows that a seed draws, from the first POOL rows of the shuffled training part
C = 1.0  # inverse regularization of the logistic regression on standardized vectors
TFIDF, AVERAGE = "TF-IDF of words and word pairs", "GloVe 50d, mean of the words"
ENCODERS = ("bert_en_uncased_mini", "bert_en_uncased_small", "all-MiniLM-L6-v2")


def read_set(name: str, data: Path) -> tuple[list[str], np.ndarray, list[str], np.ndarray]:
    """Return POOL training texts with labels, and the dev texts with labels."""
    from keras_bert.data import load_labeled

    prepare(name, data / "data", WORK / name)
    found = load_labeled(str(WORK / name))
    rows = np.random.default_rng(0).permutation(len(found.train_texts))[:POOL]
    return [found.train_texts[i] for i in rows], found.train_labels[rows], found.dev_texts, found.dev_labels


def layer_vectors(source: str, texts: list[str], path: Path) -> np.ndarray:
    """Return the mean token vectors of each layer for texts, `[L + 1, N, H]`, stored in a file."""
    if path.is_file():
        return np.load(path)
    import keras_bert as kb
    from keras_bert.explain.texts.hidden_states import states_of
    from keras_bert.files import atomic_write

    pretrained = kb.load_pretrained(source)
    parts = []
    for start in range(0, len(texts), 256):
        parts += [state.mean(1) for state in states_of(pretrained, texts[start : start + 256])[1]]  # [L + 1, H] each
        print(f"{source}: {len(parts):,} of {len(texts):,} texts", file=sys.stderr)
    vectors = np.stack(parts, 1)
    with atomic_write(path) as draft, open(draft, "wb") as file:
        np.save(file, vectors)
    return vectors


def average_vectors(texts: list[str], words: dict[str, int], vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Average the vectors of the words of each text: `[N, D]`, zeros without one; and the share of known words.

    >>> average_vectors(["A film!", "?"], {"a": 0, "film": 1}, np.array([[1.0, 0.0], [3.0, 2.0]]))
    (array([[2., 1.],
           [0., 0.]]), 0.5)
    """
    found, known, total = np.zeros((len(texts), vectors.shape[1])), 0, 0
    for i, text in enumerate(texts):
        tokens = re.findall(r"\w+|[^\w\s]", text.lower())
        rows = [words[token] for token in tokens if token in words]
        known, total = known + len(rows), total + len(tokens)
        if rows:
            found[i] = vectors[rows].mean(0)
    return found, known / total


def draw(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return the training rows of a seed."""
    return np.random.default_rng(seed).permutation(len(labels))[:TRAIN]


def accuracy(train, train_labels, dev, dev_labels) -> float:
    """Fit a logistic regression on standardized vectors, and return its accuracy on dev."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))
    return float(model.fit(train, train_labels).score(dev, dev_labels))


def measure(name: str, data: Path, minilm: str | None, entry: dict) -> None:
    """Measure what is missing for one set, and store it after each method."""
    from keras_bert.data.glove import load_word_vectors
    from keras_bert.metrics.baseline import tfidf_accuracy

    texts, labels, dev_texts, dev_labels = read_set(name, data)
    count = len(texts)
    settings = {"train": TRAIN, "pool": POOL, "C": C}
    if entry.get("settings", settings) != settings:
        raise SystemExit(f"{FOUND} has runs of {name} with other settings. Received: {entry['settings']}. Remove them.")
    entry.update({"settings": settings, "dev": len(dev_labels)})
    entry["commonest"] = float((dev_labels == np.bincount(labels).argmax()).mean())
    runs = entry.setdefault("runs", {})

    def add(method: str, score) -> None:
        scores = runs.setdefault(method, {})
        for seed in SEEDS:
            if str(seed) not in scores:
                scores[str(seed)] = score(draw(labels, seed))
        print(f"{name}, {method}: {statistics.mean(scores.values()):.3f}", file=sys.stderr)

    add(TFIDF, lambda rows: tfidf_accuracy([texts[i] for i in rows], labels[rows], dev_texts, dev_labels))
    averages, entry["known_words"] = average_vectors(texts + dev_texts, *load_word_vectors(data / "data" / GLOVE))
    sources = {ENCODERS[0]: ENCODERS[0], ENCODERS[1]: ENCODERS[1], ENCODERS[2]: minilm}

    def fit(x: np.ndarray):
        return lambda rows: accuracy(x[rows], labels[rows], x[count:], dev_labels)

    add(AVERAGE, fit(averages))
    store(name, entry)
    for encoder, source in sources.items():
        if source is None:
            continue
        layers = layer_vectors(source, texts + dev_texts, WORK / f"{name}-{encoder}-{count + len(dev_texts)}.npy")
        for layer, x in enumerate(layers):
            add(f"{encoder}, layer {layer}", fit(x))
            store(name, entry)


def load() -> dict:
    """Return all stored results."""
    return json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}


def store(name: str, entry: dict) -> None:
    """Write the results of a set, and keep those of the others."""
    FOUND.write_text(json.dumps({**load(), name: entry}, indent=1) + "\n", encoding="utf-8")


def write_page(found: dict) -> None:
    """Write docs/sentence-vectors.md."""
    sets = [name for name in SETS if name in found]
    lines = [
        "# Sentence vectors by layer",
        "",
        "Written by `python -m experiments.sentence_vectors --data $KERAS_BERT_DATA --minilm $KERAS_BERT_MINILM`.",
        "Frozen vectors: a logistic regression reads the mean of the token vectors of one layer (0: embeddings),",
        "[CLS] and [SEP] included, or the mean of the 50-dimensional GloVe vectors of the words, or TF-IDF. Accuracy",
        f"on dev in percent, mean and standard deviation over {len(SEEDS)} seeds; each seed draws {TRAIN:,} of",
        f"{POOL:,} training rows. The best value of a row is bold; GloVe and TF-IDF have no layers and are repeated.",
        "Who selects the best layer of a model from this page selects it on dev.",
    ]
    for name in sets:
        entry = found[name]
        lines += ["", f"## {name}: {SETS[name]}", ""]
        lines.append(
            f"{entry['dev']:,} dev rows; the commonest class has {100 * entry['commonest']:.1f} %. The 10,000 words of "
            f"GloVe are {100 * entry['known_words']:.1f} % of the words."
        )
        lines += ["", *_table(entry["runs"])]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(runs: dict) -> list[str]:
    """Return a table of the encoders by layer, with the two baselines in each row."""
    encoders = [name for name in ENCODERS if any(method.startswith(name) for method in runs)]
    depth = max((int(method.rsplit(" ", 1)[1]) for method in runs if ", layer " in method), default=-1)
    lines = [f"| layer | {' | '.join([*encoders, AVERAGE, TFIDF])} |", "|---" * (len(encoders) + 3) + "|"]
    for layer in range(depth + 1):
        cells = [runs.get(f"{name}, layer {layer}") for name in encoders] + [runs.get(AVERAGE), runs.get(TFIDF)]
        means = [statistics.mean(cell.values()) if cell else None for cell in cells]
        best = max(value for value in means if value is not None)
        shown = [_cell(cell, mean, best) for cell, mean in zip(cells, means, strict=True)]
        lines.append(f"| {layer} | {' | '.join(shown)} |")
    return lines


def _cell(scores: dict | None, mean: float | None, best: float) -> str:
    if not scores:
        return "–"
    deviation = f" ± {100 * statistics.stdev(scores.values()):.1f}" if len(scores) > 1 else ""
    return f"{bold(100 * mean, 100 * best)}{deviation}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    parser.add_argument("--minilm", default=os.environ.get("KERAS_BERT_MINILM"), help="by default $KERAS_BERT_MINILM")
    parser.add_argument("--only", nargs="*", choices=SETS, default=list(SETS))
    arguments = parser.parse_args()
    if arguments.only and not arguments.data:
        parser.error("`--data` must be given, or KERAS_BERT_DATA must name the folder. Received: neither")
    for name in arguments.only:
        entry = load().get(name, {})
        measure(name, Path(arguments.data), arguments.minilm, entry)
        store(name, entry)
    write_page(load())


if __name__ == "__main__":
    main()
