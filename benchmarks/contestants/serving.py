"""Base classes of contestants that take texts in batches."""

import numpy as np


class TextServer:
    """Base class for text to probabilities. A subclass implements `probabilities(texts)`, float `[B, C]`.

    The batches of the case `all` are independent of each other and take long, so only one in `STRIDE` is timed; a
    contestant with `takes_all` gets all of them in one call, which it divides itself.

    Args:
        task: `texts` holds a list of batches by case.
    """

    STRIDE = 4
    takes_all = False

    def __init__(self, task: dict):
        self.texts, self.length = task["texts"], task["length"]

    def outputs(self) -> dict:
        return {"probabilities": np.concatenate([self.probabilities(texts) for texts in self.texts["check"]])}

    def run(self, case: str, number: int) -> float:
        batches = self.texts[case]
        if case == "all" and self.takes_all:
            batches = [[text for batch in batches for text in batch]]
        timed = batches[self.STRIDE // 2 :: self.STRIDE] or batches if case == "all" else batches
        for texts in timed:
            self.probabilities(texts)
        return sum(map(len, timed)) / sum(map(len, batches))


class Tokenizer:
    """Tokenization of texts in batches.

    Args:
        task: holds `texts` and `batch_size`.
        call: function of a list of B texts.
        ids: function that gets the ids, int `[B, T]`, from what `call` returns.
    """

    def __init__(self, task: dict, call, ids):
        texts, size = task["texts"], task["batch_size"]
        self.batches = [texts[i : i + size] for i in range(0, len(texts), size)]
        self.call, self.ids = call, ids

    def outputs(self) -> dict:
        return {"ids": np.concatenate([np.asarray(self.ids(self.call(batch)), np.int32) for batch in self.batches])}

    def run(self, case: str, number: int) -> None:
        for batch in self.batches:
            self.call(batch)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Compute the softmax along the last axis."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
