"""The peak: the fastest bfloat16 product of two large square matrices in JAX or PyTorch, as the form names.

The numbers are random: a product of zeros draws less power and runs faster than any real one.
"""

import numpy as np

from benchmarks.contestants.protocol import serve

PRODUCTS = 20  # per repetition; the host waits for the last one only


class Product:
    """[n, n] x [n, n] in bfloat16, several times."""

    def __init__(self, task: dict):
        value = np.random.default_rng(0).standard_normal((task["size"], task["size"]), np.float32)
        if task["form"] == "JAX":
            import jax
            import jax.numpy as jnp

            matrix = jnp.asarray(value, jnp.bfloat16)
            product = jax.jit(jnp.matmul)
            self.product = lambda: product(matrix, matrix)
            self.wait = lambda result: result.block_until_ready()
            self.first_rows = lambda result: np.asarray(result[:4].astype(jnp.float32))
        else:
            import torch

            matrix = torch.from_numpy(value).bfloat16().to("cuda" if torch.cuda.is_available() else "cpu")
            self.product = lambda: torch.mm(matrix, matrix)
            self.wait = lambda result: result[0, 0].item()
            self.first_rows = lambda result: result[:4].float().cpu().numpy()

    def outputs(self) -> dict:
        return {"product": self.first_rows(self.product())}

    def run(self, case: str, number: int) -> None:
        for _ in range(PRODUCTS):
            result = self.product()
        self.wait(result)


if __name__ == "__main__":
    serve({"product": Product})
