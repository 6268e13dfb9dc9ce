"""Counts of operations, checked by hand: H = 2, F = 8, two blocks, a vocabulary of 10."""

from benchmarks import flops

CONFIG = {"hidden_size": 2, "intermediate_size": 8, "num_layers": 2, "vocab_size": 10}


def test_block():
    # three tokens: four products 3x2x2 of 24, scores and sum 2 x (2 x 3 x 3 x 2 = 36), two products 3x2x8 of 96
    assert flops.block(CONFIG, 3, 3) == 4 * 24 + 2 * 36 + 2 * 96


def test_unused_positions_of_last_block():
    # keys and values of three, 2 x 24; of one row: query and output 2 x 8, scores 2 x 12, feed-forward 2 x 32
    assert flops.block(CONFIG, 3, 1) == 2 * 24 + 2 * 8 + 2 * 12 + 2 * 32
    assert flops.encoder(CONFIG, [3], 1) == flops.block(CONFIG, 3, 3) + flops.block(CONFIG, 3, 1)


def test_rows_without_padding():
    assert flops.encoder(CONFIG, [3, 5]) == 2 * flops.block(CONFIG, 3, 3) + 2 * flops.block(CONFIG, 5, 5)
    assert flops.encoder(CONFIG, [3], 20) == flops.encoder(CONFIG, [3])


def test_heads_and_training():
    # a masked position: dense 2 x 2 x 2 = 8, vocabulary 2 x 2 x 10 = 40
    assert flops.masked_lm(CONFIG, [3], 2) == flops.encoder(CONFIG, [3], 2) + 2 * (8 + 40)
    assert flops.classifier(CONFIG, [3], 3) == flops.encoder(CONFIG, [3], 1) + 8 + 12
    assert flops.training(7) == 21


def test_published_size():
    # 85 million weights in the blocks, two operations each per token, plus the products of attention
    base = {"hidden_size": 768, "intermediate_size": 3072, "num_layers": 12, "vocab_size": 30522}
    products = 12 * 2 * (4 * 768**2 + 2 * 768 * 3072)
    assert flops.encoder(base, [128]) == 128 * products + 12 * 4 * 128**2 * 768
