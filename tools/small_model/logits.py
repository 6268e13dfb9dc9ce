"""A file of teachers' logits without the texts: each text is found by a checksum.

So the logits can be shared where the texts cannot, and the order of the texts does not matter.
"""

import zlib
from pathlib import Path

import numpy as np

from keras_bert.files import atomic_write
from tools.small_model.texts import read_texts


def keys_of(texts: list[str]) -> np.ndarray:
    """Return a checksum per text, uint32 `[N]`; of 500,000 texts about 30 pairs have the same one."""
    return np.array([zlib.crc32(text.strip().encode("utf-8")) for text in texts], np.uint32)


def collect(arguments) -> dict:
    """Write the mean logits of teachers for all texts, one row per text in the order of the files."""
    keys = keys_of([text for path in arguments.texts for text in read_texts(path)])
    logits = np.mean([np.load(path)["logits"].astype(np.float32) for path in arguments.logits], 0)  # [N, C]
    if len(keys) != len(logits):
        raise SystemExit(f"`logits` must have one row per text ({len(keys)}). Received: {len(logits)}")
    keys, rows = np.unique(keys, return_index=True)
    with atomic_write(arguments.out) as draft, draft.open("wb") as file:
        np.savez_compressed(file, keys=keys, logits=logits[rows].astype(np.float16))
    return {"rows": len(keys)}


def find_logits(path: Path, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Look up the logits of texts.

    Returns:
        Float32 `[N, C]`, and bool `[N]`, False for texts that the file does not contain.
    """
    with np.load(path) as stored:
        keys, logits = stored["keys"], stored["logits"].astype(np.float32)
    wanted = keys_of(texts)
    rows = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return logits[rows], keys[rows] == wanted
