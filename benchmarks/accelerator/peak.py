"""The limit: the fastest bfloat16 product of two large square matrices, by JAX and by torch; form `JAX` or `PyTorch`.

The numbers are random: a product of zeros draws less power and runs faster than any real one.
"""

import numpy as np

from benchmarks.contestants.protocol import serve

PRODUCTS = 20  # a unit; the host waits after them, not after each


class Product:
    """[n, n] x [n, n] in bfloat16, several in a row."""

    def __init__(self, task: dict):
        value = np.random.default_rng(0).standard_normal((task["size"], task["size"]), np.float32)
        if task["form"] == "JAX":
            import jax
            import jax.numpy as jnp

            matrix = jnp.asarray(value, jnp.bfloat16)
            product = jax.jit(jnp.matmul)
            self.product = lambda: product(matrix, matrix)
            self.wait = lambda found: found.block_until_ready()
            self.small = lambda found: np.asarray(found[:4].astype(jnp.float32))
        else:
            import torch

            matrix = torch.from_numpy(value).bfloat16().to("cuda" if torch.cuda.is_available() else "cpu")
            self.product = lambda: torch.mm(matrix, matrix)
            self.wait = lambda found: found[0, 0].item()
            self.small = lambda found: found[:4].float().cpu().numpy()

    def answers(self) -> dict:
        return {"product": self.small(self.product())}

    def run(self, case: str, number: int) -> None:
        for _ in range(PRODUCTS):
            found = self.product()
        self.wait(found)


if __name__ == "__main__":
    serve({"product": Product})
