"""How large the tour's model is and how long it trains: all of it in one place."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class TourPlan:
    """The tour's budget: two cores, under three minutes, under 4 GiB.

    Args:
        vocab_size: tokens to learn.
        num_layers, hidden_size, num_heads: L, H and A; the feed-forward part is 4 H wide.
        dropout: everywhere in the encoder.
        initializer_range: wider than the paper's 0.02, which leaves a model this small on the plateau for longer.
        dupe_factor: how many times the prose is cut into pairs, each time others, so that none is learned by heart.
        sequence_length: T, in pretraining and after.
        sentences_per_row: the labelled training sentences to pretrain on, at most, for each row of prose.
        pretrain_steps, pretrain_batch, pretrain_rate: of masked words and next sentences.
        rounds: how many points the pretraining curves have.
        finetune_epochs, finetune_batch, finetune_rate: of the classifier.
        shipped_epochs, shipped_rate: of the encoder that ships, on the same sentences.
        max_finetune: the labelled sentences to fine-tune on, at most; the first ones after a shuffle by the seed.
    """

    vocab_size: int = 2000
    num_layers: int = 2
    hidden_size: int = 128
    num_heads: int = 2
    dropout: float = 0.1
    initializer_range: float = 0.05
    dupe_factor: int = 5
    sequence_length: int = 64
    sentences_per_row: float = 0.5
    pretrain_steps: int = 600
    pretrain_batch: int = 32
    pretrain_rate: float = 2e-3
    rounds: int = 12
    finetune_epochs: int = 6
    finetune_batch: int = 16
    finetune_rate: float = 5e-4
    shipped_epochs: int = 4
    shipped_rate: float = 2e-4
    max_finetune: int = 16000


QUICK = TourPlan(
    vocab_size=400,
    num_layers=1,
    hidden_size=32,
    sequence_length=24,
    sentences_per_row=0.1,
    pretrain_steps=8,
    pretrain_batch=8,
    rounds=2,
    finetune_epochs=2,
    shipped_epochs=1,
    max_finetune=64,
)
