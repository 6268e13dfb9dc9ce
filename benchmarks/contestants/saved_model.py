"""keras_bert as it is served: a SavedModel loaded by `tf.saved_model.load`, without this package.

The form `SavedModel, one thread` is the environment variable TF_NUM_INTRAOP_THREADS=1, see docs/performance.md.
"""

import numpy as np
import tensorflow as tf

from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import TextServer


class Server(TextServer):
    """The text signature of an exported classifier, whose graph divides many texts into parts."""

    takes_all = True

    def __init__(self, task: dict):
        super().__init__(task)
        if task["form"].endswith("one thread"):
            tf.config.threading.set_intra_op_parallelism_threads(1)
        self.loaded = tf.saved_model.load(task["files"][task["precision"]])
        self.serve = self.loaded.signatures["serving_default"]

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return self.serve(text=tf.constant(texts))["probabilities"].numpy()


if __name__ == "__main__":
    serve({"text_to_probabilities": Server})
