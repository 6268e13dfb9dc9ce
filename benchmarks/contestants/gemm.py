"""The peak: a product of two square matrices in TensorFlow or PyTorch, as the form names."""

import numpy as np

from benchmarks.contestants.protocol import serve


class Product:
    """[n, n] x [n, n] in the precision of the task."""

    def __init__(self, task: dict):
        size, precision = task["size"], task["precision"]
        value = np.random.default_rng(0).standard_normal((size, size), np.float32)
        if task["form"] == "TensorFlow":
            import tensorflow as tf

            matrix = tf.cast(tf.constant(value), precision)
            product = tf.function(lambda: tf.matmul(matrix, matrix), autograph=False)
            self.product, self.first_rows = product, lambda: tf.cast(product()[:4], tf.float32).numpy()
        else:
            import torch

            matrix = torch.from_numpy(value).to(getattr(torch, precision))
            self.product = lambda: torch.mm(matrix, matrix)
            self.first_rows = lambda: self.product()[:4].float().numpy()

    def outputs(self) -> dict:
        return {"product": self.first_rows()}

    def run(self, case: str, number: int) -> None:
        self.product()


if __name__ == "__main__":
    serve({"gemm": Product})
