"""The `tokenizers` library: as a contestant, and as what the exchange formats get their ids from."""

import numpy as np
from tokenizers import BertWordPieceTokenizer

from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import Tokeniser

NAMES = ("input_ids", "attention_mask", "token_type_ids")


class FastTokens:
    """Texts to int64 ids, mask and types, padded to the longest, or to `length` where `fixed`."""

    def __init__(self, vocabulary: str, length: int, fixed: bool = False):
        # What lies below its Python wrapper: that would make a Python list of every field.
        self.tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)._tokenizer
        self.tokenizer.enable_truncation(length)
        self.tokenizer.enable_padding(length=length if fixed else None)

    def __call__(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = self.tokenizer.encode_batch_fast(texts)
        ids = np.array([each.ids for each in found], np.int64)
        mask = np.array([each.attention_mask for each in found], np.int64)
        return ids, mask, np.zeros_like(ids)


def tokenising(task: dict) -> Tokeniser:
    """`encode_batch_fast`, on all cores."""
    return Tokeniser(task, FastTokens(task["vocabulary"], task["length"], fixed=True), lambda found: found[0])


if __name__ == "__main__":
    serve({"tokenising": tokenising})
