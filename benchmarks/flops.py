"""Floating-point operations that a workload needs, however it is implemented, for the share of the measured peak.

A matrix product [m, k] x [k, n] takes 2 m k n operations. Only products are counted. For a row of n tokens, one block
(Devlin et al. 2018, section 3; Vaswani et al. 2017, sections 3.2 and 3.3) with hidden size H and intermediate size F
needs:

    key and value                 2 products n x H x H           4 n H^2
    query and attention output    2 products n x H x H           4 n H^2
    scores and weighted sum       2 products n x H x n           4 n^2 H     (all heads together)
    feed-forward                  n x H x F and n x F x H        4 n H F

Padding is not counted: n is the number of tokens of the row. If only P of the n positions of the last block are used
(the masked ones, or [CLS]), that block needs keys and values at n positions and everything else at P. The masked-LM
head needs a dense layer and the vocabulary logits at its positions: 2 H^2 + 2 H V each. A training step needs three
times the forward pass, because the gradient of a product is two products of the same size. Embedding lookups, layer
normalization, softmax, dropout and the optimizer are not products. They take time, so no implementation reaches the
peak.
"""

from collections.abc import Sequence


def block(config: dict, tokens: int, positions: int) -> int:
    """Count the operations of one block on a row of `tokens`, of which `positions` are used afterwards."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    return 4 * tokens * hidden**2 + positions * (4 * hidden**2 + 4 * tokens * hidden + 4 * hidden * inner)


def encoder(config: dict, lengths: Sequence[int], positions: int | None = None) -> int:
    """Count the operations of all blocks.

    Args:
        config: the fields of a `BertConfig`.
        lengths: number of tokens of each row.
        positions: number of positions per row that are used at the end; by default all.
    """
    earlier = config["num_layers"] - 1
    return sum(
        earlier * block(config, n, n) + block(config, n, n if positions is None else min(positions, n)) for n in lengths
    )


def masked_lm(config: dict, lengths: Sequence[int], positions: int) -> int:
    """Count the operations of the forward pass of masked LM with `positions` predictions per row."""
    hidden = config["hidden_size"]
    head = 2 * hidden**2 + 2 * hidden * config["vocab_size"]
    return encoder(config, lengths, positions) + len(lengths) * positions * head


def classifier(config: dict, lengths: Sequence[int], classes: int) -> int:
    """Count the operations of the forward pass of a classifier: encoder, pooler, one dense layer."""
    hidden = config["hidden_size"]
    return encoder(config, lengths, 1) + len(lengths) * (2 * hidden**2 + 2 * hidden * classes)


def training(forward: int) -> int:
    """Count the operations of a training step from those of its forward pass."""
    return 3 * forward
