"""A small corpus in several files, and what is compared of packed folders."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_bert.text.packing import PretrainingExamples

WORDS = [a + b for a in ("ba", "do", "ki", "lu", "me") for b in ("ra", "to", "vi", "ne", "su", "po")]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *WORDS]
FIELDS = [field.name for field in dataclasses.fields(PretrainingExamples)]
SETTINGS = {"sequence_length": 16, "held_out": 0.1, "shard_size": 2**12}
COUNTS = (12, 30, 7, 55)  # documents of each file


def write_text(path: Path, documents: int, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(documents):
        made.append("\n".join(" ".join(rng.choice(WORDS, rng.integers(3, 9))) + " ." for _ in range(5)))
    path.write_text("\n\n".join(made) + "\n", encoding="utf-8")
    return path


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the file number and the time of each array: they change if it is written again."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob("*.txt-*/*/*.npy")}


def rows_of(examples) -> list[tuple]:
    """Return all rows as tuples of numbers."""
    fields = [getattr(examples, name) for name in FIELDS if getattr(examples, name) is not None]
    return [tuple(np.concatenate([np.ravel(field[i]) for field in fields]).tolist()) for i in range(len(examples))]
