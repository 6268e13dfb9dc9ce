"""Cosines, and the projection of vectors to two dimensions for maps."""

import numpy as np


def unit(vectors) -> np.ndarray:
    """Scale vectors, the last axis, to length 1, in float64. The zero vector stays zero."""
    vectors = np.asarray(vectors, "float64")
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def cosines(vectors) -> np.ndarray:
    """Compute the cosine of each pair of vectors: float `[..., N, D]` to `[..., N, N]`."""
    scaled = unit(vectors)
    return np.clip(scaled @ np.swapaxes(scaled, -1, -2), -1, 1)


def principal_components(vectors) -> tuple[np.ndarray, np.ndarray]:
    """Project vectors on their first two principal components.

    There is nothing random in it: the singular value decomposition of the centered vectors. The sign of a component,
    which the decomposition leaves open, is that with which its largest weight is positive.

    Args:
        vectors: float `[N, D]`.

    Returns:
        float64 `[N, 2]`, and the two components' shares of the variance. A component that does not exist is 0.

    Example:

    >>> points, shares = principal_components([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    >>> points[:, 0].tolist(), shares.round(6).tolist()
    ([-2.0, 0.0, 2.0], [1.0, 0.0])
    """
    centered = np.asarray(vectors, "float64")
    centered = centered - centered.mean(0)
    _, sizes, weights = np.linalg.svd(centered, full_matrices=False)
    sizes = np.where(sizes > 1e-9 * max(sizes.max(initial=0), 1e-12), sizes, 0)[:2]
    weights = weights[:2] * np.sign(weights[np.arange(len(sizes)), np.abs(weights[:2]).argmax(1)])[:, None]
    points = np.zeros((len(centered), 2))
    points[:, : len(sizes)] = np.where(sizes > 0, centered @ weights.T, 0)
    shares = np.zeros(2)
    shares[: len(sizes)] = sizes**2 / max((centered**2).sum(), 1e-300)
    return points, shares
