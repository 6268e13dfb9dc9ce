"""The `tokenizers` library: a contestant of tokenization, and the tokenizer of the runtimes."""

import numpy as np
from tokenizers import BertWordPieceTokenizer

from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import Tokenizer

NAMES = ("input_ids", "attention_mask", "token_type_ids")


class Tokenizers:
    """Function from texts to ids, mask and types, int64 `[B, T]`.

    Args:
        vocabulary: path of a vocab.txt.
        length: T at most.
        fixed: pad to `length`; otherwise to the longest text of the batch.
    """

    def __init__(self, vocabulary: str, length: int, fixed: bool = False):
        # The object below the Python wrapper: the wrapper would make a Python list of every field.
        self.tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)._tokenizer
        self.tokenizer.enable_truncation(length)
        self.tokenizer.enable_padding(length=length if fixed else None)

    def __call__(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        encoded = self.tokenizer.encode_batch_fast(texts)
        ids = np.array([each.ids for each in encoded], np.int64)
        mask = np.array([each.attention_mask for each in encoded], np.int64)
        return ids, mask, np.zeros_like(ids)


def tokenization(task: dict) -> Tokenizer:
    """Return the contestant: `encode_batch_fast`, which uses all cores."""
    return Tokenizer(task, Tokenizers(task["vocabulary"], task["length"], fixed=True), lambda arrays: arrays[0])


if __name__ == "__main__":
    serve({"tokenization": tokenization})
