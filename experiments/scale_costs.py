"""Memory, communication and time of data-parallel pretraining, computed from the sizes of a BERT.

Every accelerator holds all weights and computes the gradients of its own rows of the batch. Then the gradients of all
accelerators are added (all-reduce), and every accelerator makes the same step. Floating-point operations are counted
by `benchmarks.flops`, activations by `keras_bert.models.costs`.
"""

import dataclasses
import math

from benchmarks import flops
from keras_bert.config import BertConfig
from keras_bert.models.costs import batch_memory

NUMBER = 4  # bytes of a float32 number: weights, gradients and moments


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Machines of equal accelerators, and what is assumed of them.

    Attributes:
        accelerators: per machine.
        memory: bytes per accelerator.
        peak: operations per second of an accelerator, in bfloat16 or float16.
        utilization: the share of the peak that is reached.
        link: bytes per second that an accelerator sends to another one of its machine.
        network: bytes per second that a machine sends to other machines.
        link_share: the share of both speeds that is reached.
        disk: bytes per second that a checkpoint is written with.
        price: of an hour of one accelerator, in dollars.
    """

    accelerators: int = 8
    memory: float = 80e9
    peak: float = 312e12
    utilization: float = 0.3
    link: float = 300e9
    network: float = 8 * 200e9 / 8
    link_share: float = 0.6
    disk: float = 1e9
    price: float = 2.0


@dataclasses.dataclass(frozen=True)
class Phase:
    """Steps with the same rows: `steps` of `batch` rows of `length` tokens, of which `positions` are masked."""

    length: int
    positions: int
    batch: int
    steps: int

    @property
    def tokens(self) -> int:
        """Number of tokens of all steps."""
        return self.length * self.batch * self.steps


@dataclasses.dataclass(frozen=True)
class Step:
    """Time of one step.

    Attributes:
        rows: rows of one accelerator and one batch.
        accumulate: batches per step.
        computing, communication: seconds per step.
    """

    rows: int
    accumulate: int
    computing: float
    communication: float

    @property
    def seconds(self) -> float:
        """Seconds per step, if computing and communication do not overlap."""
        return self.computing + self.communication

    @property
    def efficiency(self) -> float:
        """Share of the time in which an accelerator computes."""
        return self.computing / self.seconds


def parameters(config: BertConfig) -> dict[str, int]:
    """Count the parameters of a `BertPretrainer` with next-sentence prediction, for a BERT without ALBERT's variants.

    Returns:
        A dict of the parts: `embeddings`, `blocks`, `pooler` and `heads`.

    Example:

    >>> count = parameters(BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12"))
    >>> sum(count.values()) - count["heads"]
    109482240
    """
    h, f, v = config.hidden_size, config.intermediate_size, config.vocab_size
    norm = 2 * h
    attention = 4 * (h * h + h)  # query, key, value, output: kernel [H, H] and bias [H]
    feed_forward = (h * f + f) + (f * h + h)
    return {
        "embeddings": (v + config.max_position_embeddings + config.type_vocab_size) * h + norm,
        "blocks": config.num_layers * (attention + feed_forward + 2 * norm),
        "pooler": h * h + h,
        "heads": (h * h + h) + norm + v + (2 * h + 2),  # masked LM: dense, norm, bias [V]; next sentence: 2 classes
    }


def memory(config: BertConfig, rows: int, length: int, positions: int, size: int, accumulate: bool = False) -> dict:
    """Compute the bytes that an accelerator needs in training: a lower bound.

    Args:
        config: the sizes of the model.
        rows: rows of the batch on this accelerator.
        length: T.
        positions: masked positions per row, P.
        size: bytes of a number of the activations: 4 in float32, 2 in mixed precision.
        accumulate: whether a step has several batches, whose gradients are added up.

    Returns:
        A dict of bytes: `weights`, `gradients` (twice if they are added up), `moments` (two of AdamW), `activations`
        and `logits` (those of the masked positions, and their probabilities in float32).
    """
    weights = NUMBER * sum(parameters(config).values())
    return {
        "weights": weights,
        "gradients": weights * (2 if accumulate else 1),
        "moments": 2 * weights,
        "activations": batch_memory(config, 0, 0, rows, length, size)["training"],
        "logits": rows * positions * config.vocab_size * (size + NUMBER),
    }


def largest_batch(config: BertConfig, available: float, length: int, positions: int, size: int) -> int:
    """Return the largest number of rows whose lower bound of the memory is at most `available` bytes."""
    states, one = (sum(memory(config, rows, length, positions, size, accumulate=True).values()) for rows in (0, 1))
    return max(0, int((available - states) // (one - states)))


def row_operations(config: BertConfig, length: int, positions: int) -> int:
    """Count the floating-point operations of a training step per row."""
    return flops.training(flops.masked_lm(config.to_dict(), [length], positions))


def all_reduce_bytes(size: float, devices: int) -> float:
    """Return the bytes that each device sends in a ring all-reduce of `size` bytes.

    The data is cut into one part per device. In n - 1 rounds, each device sends a part to its neighbor, which adds its
    own; then every device holds the sum of one part. In another n - 1 rounds the sums are passed around.

    Example:

    >>> all_reduce_bytes(100, 4)
    150.0

    Source: Patarasu and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of workstations".
    """
    return 2 * (devices - 1) * size / devices


def all_reduce_seconds(size: float, devices: int, cluster: Cluster) -> float:
    """Return the seconds of a ring all-reduce of `size` bytes, without latency.

    Each device sends the bytes of `all_reduce_bytes`. A ring leaves every machine once, so a machine sends the same
    number of bytes over its network. The slower of both determines the time.
    """
    speed = cluster.link if devices <= cluster.accelerators else min(cluster.link, cluster.network)
    return all_reduce_bytes(size, devices) / (cluster.link_share * speed)


def gradient_bytes(config: BertConfig) -> int:
    """Return the bytes of all gradients, which are float32 in mixed precision too."""
    return NUMBER * sum(parameters(config).values())


def step(config: BertConfig, phase: Phase, devices: int, cluster: Cluster) -> Step:
    """Compute the time of a step in mixed precision.

    If the rows of an accelerator are too many, the step has several batches. The rows of a batch are then the largest
    power of two whose lower bound fits in half of the memory. As in this package, the gradients are added over the
    accelerators after every batch.
    """
    rows = phase.batch // devices
    fits = largest_batch(config, cluster.memory / 2, phase.length, phase.positions, 2)
    accumulate = math.ceil(rows / 2 ** int(math.log2(fits)))
    operations = rows * row_operations(config, phase.length, phase.positions)
    return Step(
        rows=rows // accumulate,
        accumulate=accumulate,
        computing=operations / (cluster.utilization * cluster.peak),
        communication=accumulate * all_reduce_seconds(gradient_bytes(config), devices, cluster),
    )


def hours(config: BertConfig, phases: tuple[Phase, ...], devices: int, cluster: Cluster) -> float:
    """Return the hours of a whole run."""
    return sum(phase.steps * step(config, phase, devices, cluster).seconds for phase in phases) / 3600


def operations(config: BertConfig, phases: tuple[Phase, ...]) -> int:
    """Count the floating-point operations of a whole run."""
    return sum(phase.steps * phase.batch * row_operations(config, phase.length, phase.positions) for phase in phases)


def checkpoint_bytes(config: BertConfig, best: bool = False, accumulate: bool = False) -> int:
    """Return the bytes of a checkpoint: weights and two moments; with `best` the best weights so far; with `accumulate`
    the gradients that are added up.
    """
    return NUMBER * sum(parameters(config).values()) * (3 + best + accumulate)
