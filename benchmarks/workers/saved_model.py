"""Ours as it is served: `tf.saved_model.load`, and nothing of this package."""

import numpy as np
import tensorflow as tf

from benchmarks.workers.protocol import serve
from benchmarks.workers.serving import TextServer


class Served(TextServer):
    """The text signature of an exported classifier."""

    def __init__(self, task: dict):
        super().__init__(task)
        self.loaded = tf.saved_model.load(task["files"][task["precision"]])
        self.serve = self.loaded.signatures["serving_default"]

    def run(self, case: str, number: int) -> None:
        batches = self.texts[case]
        if case == "all":  # in one call: the graph itself sorts them and takes them in parts
            batches = [[text for batch in batches for text in batch]]
        for texts in batches:
            self.probabilities(texts)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return self.serve(text=tf.constant(texts))["probabilities"].numpy()


if __name__ == "__main__":
    serve({"text_to_probabilities": Served})
