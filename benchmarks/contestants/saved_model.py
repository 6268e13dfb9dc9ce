"""keras_bert as it is served: a SavedModel loaded by `tf.saved_model.load`, without this package."""

import numpy as np
import tensorflow as tf

from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import TextServer


class Server(TextServer):
    """The text signature of an exported classifier."""

    def __init__(self, task: dict):
        super().__init__(task)
        self.loaded = tf.saved_model.load(task["files"][task["precision"]])
        self.serve = self.loaded.signatures["serving_default"]

    def run(self, case: str, number: int) -> float:
        if case != "all":
            return super().run(case, number)
        self.probabilities([text for batch in self.texts[case] for text in batch])  # the graph divides it into parts
        return 1.0

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return self.serve(text=tf.constant(texts))["probabilities"].numpy()


if __name__ == "__main__":
    serve({"text_to_probabilities": Server})
