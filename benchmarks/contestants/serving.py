"""What contestants share that take texts in batches."""

import numpy as np


class TextServer:
    """Texts to probabilities, a list of batches a case; a contestant adds `probabilities(texts)`, float `[B, C]`.

    The case `all` is long, and its batches independent of each other: a contestant is timed on every `EVERY`-th.
    """

    EVERY = 4

    def __init__(self, task: dict):
        self.texts, self.length = task["texts"], task["length"]

    def answers(self) -> dict:
        return {"probabilities": np.concatenate([self.probabilities(texts) for texts in self.texts["check"]])}

    def run(self, case: str, number: int) -> float:
        batches = self.texts[case]
        some = batches[self.EVERY // 2 :: self.EVERY] or batches if case == "all" else batches
        for texts in some:
            self.probabilities(texts)
        return sum(map(len, some)) / sum(map(len, batches))


class Tokeniser:
    """Texts to rows of ids, in batches; `call` of a batch gives something that `ids` makes an array `[B, T]` of."""

    def __init__(self, task: dict, call, ids):
        texts, size = task["texts"], task["batch_size"]
        self.batches = [texts[i : i + size] for i in range(0, len(texts), size)]
        self.call, self.ids = call, ids

    def answers(self) -> dict:
        return {"ids": np.concatenate([np.asarray(self.ids(self.call(batch)), np.int32) for batch in self.batches])}

    def run(self, case: str, number: int) -> None:
        for batch in self.batches:
            self.call(batch)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
