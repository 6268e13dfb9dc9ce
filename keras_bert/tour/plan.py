"""Model sizes and training lengths of the tour."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class TourPlan:
    """Model sizes and training lengths of a tour. The defaults take about three minutes on two cores, and under 4 GiB.

    Args:
        vocab_size: number of tokens to learn.
        num_layers, hidden_size, num_heads: L, H and A; the intermediate size is 4 H.
        dropout: all dropout rates of the encoder.
        initializer_range: standard deviation of the initial weights. A model this small learns later with the paper's
            0.02.
        dupe_factor: how many times the prose is packed, each time into different pairs, so that the model does not
            memorize them.
        sequence_length: T, for pretraining and afterwards.
        sentences_per_example: labeled training sentences to pretrain on, at most, per example of prose.
        pretrain_steps, pretrain_batch, pretrain_learning_rate: for pretraining.
        evaluations: number of points of the pretraining curves.
        finetune_epochs, finetune_batch, finetune_learning_rate: for fine-tuning.
        bundled_epochs, bundled_learning_rate: for fine-tuning the bundled encoder on the same sentences.
        max_finetune: labeled sentences to fine-tune on, at most; the first ones after a shuffle with the seed.
    """

    vocab_size: int = 2000
    num_layers: int = 2
    hidden_size: int = 128
    num_heads: int = 2
    dropout: float = 0.1
    initializer_range: float = 0.05
    dupe_factor: int = 5
    sequence_length: int = 64
    sentences_per_example: float = 0.5
    pretrain_steps: int = 600
    pretrain_batch: int = 32
    pretrain_learning_rate: float = 2e-3
    evaluations: int = 12
    finetune_epochs: int = 4
    finetune_batch: int = 16
    finetune_learning_rate: float = 5e-4
    bundled_epochs: int = 3
    bundled_learning_rate: float = 5e-4
    max_finetune: int = 16000


QUICK = TourPlan(
    vocab_size=400,
    num_layers=1,
    hidden_size=32,
    sequence_length=24,
    sentences_per_example=0.1,
    pretrain_steps=8,
    pretrain_batch=8,
    evaluations=2,
    finetune_epochs=2,
    bundled_epochs=1,
    max_finetune=64,
)
