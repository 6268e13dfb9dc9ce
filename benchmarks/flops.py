"""Floating-point operations that the work needs, however it is done: what the share of the limit is counted from.

A matrix product [m, k] x [k, n] takes 2 m k n operations; products alone are counted. Of a block (Devlin et al. 2018,
section 3; Vaswani et al. 2017, sections 3.2 and 3.3) a row of n tokens needs, with width H and inner width F:

    key and value                 2 products n x H x H           4 n H^2
    query and attention output    2 products n x H x H           4 n H^2
    scores and their use          2 products n x H x n           4 n^2 H     (all heads together)
    feed-forward                  n x H x F and n x F x H        4 n H F

Padding needs nothing, so n is the row's own length. What nobody reads is not needed either: if r of the n positions of
the last block are read (the masked ones, or [CLS] alone), then it needs keys and values of all n, the rest for r.
A masked-word head needs a dense layer and the vocabulary at its positions: 2 H^2 + 2 H V each. A training step needs
three times the forward pass: the gradient of a product is two products of the same size. Embedding look-ups, norms,
softmax, dropout and the optimizer are no products; they take time, and so nothing reaches the limit.
"""

from collections.abc import Sequence


def block(config: dict, tokens: int, read: int) -> int:
    """One block on a row of `tokens`, of which `read` positions are needed afterwards."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    return 4 * tokens * hidden**2 + read * (4 * hidden**2 + 4 * tokens * hidden + 4 * hidden * inner)


def encoder(config: dict, lengths: Sequence[int], read: int | None = None) -> int:
    """All blocks on rows of these lengths; `read` positions a row are needed at the end, by default all."""
    earlier = config["num_layers"] - 1
    return sum(earlier * block(config, n, n) + block(config, n, n if read is None else min(read, n)) for n in lengths)


def masked_words(config: dict, lengths: Sequence[int], positions: int) -> int:
    """The forward pass of masked-word prediction with `positions` predictions a row."""
    hidden = config["hidden_size"]
    head = 2 * hidden**2 + 2 * hidden * config["vocab_size"]
    return encoder(config, lengths, positions) + len(lengths) * positions * head


def classify(config: dict, lengths: Sequence[int], classes: int) -> int:
    """The forward pass to logits: encoder, pooler, one dense layer."""
    hidden = config["hidden_size"]
    return encoder(config, lengths, 1) + len(lengths) * (2 * hidden**2 + 2 * hidden * classes)


def training(forward: int) -> int:
    """A training step, given its forward pass."""
    return 3 * forward
