"""The settings of `pretrain`, `finetune` and `distill`."""

import dataclasses
import math
import numbers
from collections.abc import Sequence
from pathlib import Path

from keras_bert.errors import InputError

# The values of each trainer for fields that are None by default.
TRAINER_DEFAULTS = {
    "pretrain": {"learning_rate": 1e-4, "warmup": 0.1},
    "finetune": {"epochs": 3, "learning_rate": 5e-5, "warmup": 0.1},
    "distill": {"learning_rate": 5e-4, "warmup": 0.05},
}
# These fields do not change the trained weights, so a resumed run may change them.
OUTPUT_FIELDS = ("checkpoint_dir", "checkpoint_every", "log_dir", "callbacks", "verbose")


def _field(default, *trainers: str):
    """Declare a field with the trainers that use it, by default all."""
    return dataclasses.field(default=default, metadata={"trainers": trainers or tuple(TRAINER_DEFAULTS)})


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Settings of a training run, for `pretrain`, `finetune` and `distill`.

    Each trainer also accepts the fields as keyword arguments, which override those of `config`. A trainer rejects a
    field that it does not use and that differs from the default below.

    Args:
        epochs: passes over the training examples (`pretrain`, `finetune`). None means 3 in `finetune`. `pretrain`
            needs either `epochs` or `steps`.
        steps: optimizer steps (`pretrain`, `distill`).
        batch_size: examples per batch.
        accumulate: batches per optimizer step. Their gradients are averaged, which gives the step of one large batch
            in the memory of a small one. An epoch then has `batches // accumulate` steps, at least one. The remaining
            batches start the next epoch.
        learning_rate: peak of the schedule. None means 1e-4 in `pretrain`, 5e-5 in `finetune` and 5e-4 in `distill`.
        schedule: `"linear"` is `WarmupLinearDecay`. `"constant"` is the learning rate without warmup and decay;
            callbacks can set it. None means `"constant"` with a `LearningRateScheduler` or a `ReduceLROnPlateau` in
            `callbacks`, and otherwise `"linear"`.
        warmup: fraction of the steps in which the learning rate rises, in [0, 1). None means 0.1, and 0.05 in
            `distill`; with the constant schedule there is none.
        weight_decay: decoupled weight decay, see `bert_adamw`.
        freeze: which encoder layers are not trained (`finetune`). `"none"`; `"all"`; or an integer k for the embeddings
            and the first k blocks. `"gradual"` trains only the head in the first epoch, adds one block per epoch from
            the last to the first, and trains all layers in the last epoch. None uses each layer's own `trainable`, for
            LoRA and adapters.
        layer_decay: factor between the learning rates of a layer and the layer above it, in (0, 1] (`finetune`). See
            `layer_rates`.
        temperature: divides the logits of teacher and student before the softmax, above 0 (`distill`, and `finetune`
            with `teacher_logits`).
        alpha: weight of the teacher's term in `DistillationLoss`, in [0, 1] (`finetune` with `teacher_logits`).
        loss_weights: weights of the soft, masked and cosine losses (`distill`).
        embedding_init: `"ppmi"` initializes the word embeddings from the co-occurrences in the examples, see
            `initialize_embeddings` (`pretrain`). None keeps the random initial values.
        seed: seed of the order of the examples, the masks and dropout, 0 or more.
        validate_every: steps between evaluations (`pretrain`, `distill`). None means one epoch.
        checkpoint_dir: folder of `checkpoint.npz`. If the file exists, the run resumes from it.
        checkpoint_every: steps between checkpoints. Each evaluation also writes one.
        log_dir: folder for TensorBoard event files.
        callbacks: Keras callbacks, called as in `Model.fit`. An epoch is the interval between two evaluations. A
            resumed run calls `on_epoch_begin` again for an epoch that it resumes within; a checkpoint has no state of
            the callbacks. In `distill`, callbacks see the student as their model.
        verbose: 0 is silent, 1 shows progress on standard error.

    Raises:
        InputError: a value is outside its range.

    Example:

    >>> config = TrainingConfig(epochs=2, batch_size=16)
    >>> config.batch_size, config.to_dict()["epochs"]
    (16, 2)

    Source: Devlin et al. 2018 (arXiv:1810.04805), appendix A.2 and A.3, for the defaults of pretraining and
    fine-tuning; Sanh et al. 2019 (arXiv:1910.01108) for distillation.
    """

    epochs: int | None = _field(None, "pretrain", "finetune")
    steps: int | None = _field(None, "pretrain", "distill")
    batch_size: int = _field(32)
    accumulate: int = _field(1)
    learning_rate: float | None = _field(None)
    schedule: str | None = _field(None)
    warmup: float | None = _field(None)
    weight_decay: float = _field(0.01)
    freeze: str | int | None = _field("none", "finetune")
    layer_decay: float = _field(1.0, "finetune")
    temperature: float = _field(2.0, "finetune", "distill")
    alpha: float = _field(0.5, "finetune")
    loss_weights: tuple[float, float, float] = _field((5.0, 2.0, 1.0), "distill")
    embedding_init: str | None = _field(None, "pretrain")
    seed: int = _field(0)
    validate_every: int | None = _field(None, "pretrain", "distill")
    checkpoint_dir: str | Path | None = _field(None)
    checkpoint_every: int = _field(1000)
    log_dir: str | Path | None = _field(None)
    callbacks: Sequence = _field(())
    verbose: int = _field(1)

    def __post_init__(self):
        callbacks = self.callbacks if isinstance(self.callbacks, Sequence) else (self.callbacks,)
        object.__setattr__(self, "callbacks", tuple(callbacks))
        self._check("callbacks", "a Keras callback or a sequence of them", are_callbacks)
        object.__setattr__(self, "loss_weights", tuple(self.loss_weights))
        for name in ("epochs", "steps", "validate_every"):
            if getattr(self, name) is not None:
                self._check_integer(name, 1)
        for name in ("batch_size", "accumulate", "checkpoint_every"):
            self._check_integer(name, 1)
        self._check_integer("seed", 0)
        self._check("learning_rate", "a finite number above 0", lambda x: x is None or 0 < x < math.inf)
        self._check("schedule", '"linear", "constant" or None', lambda x: x in ("linear", "constant", None))
        self._check("warmup", "a fraction of the steps in [0, 1)", lambda x: x is None or 0 <= x < 1)
        self._check("weight_decay", "a finite number, 0 or more", lambda x: 0 <= x < math.inf)
        self._check("layer_decay", "a number in (0, 1]", lambda x: 0 < x <= 1)
        self._check("temperature", "a finite number above 0", lambda x: 0 < x < math.inf)
        self._check("alpha", "a number in [0, 1]", lambda x: 0 <= x <= 1)
        self._check(
            "loss_weights", "three numbers, each 0 or more", lambda x: len(x) == 3 and all(0 <= w < math.inf for w in x)
        )
        self._check("embedding_init", '"ppmi" or None', lambda x: x in (None, "ppmi"))

    def _check(self, name: str, expected: str, is_valid) -> None:
        value = getattr(self, name)
        try:
            valid = is_valid(value)
        except TypeError:  # not a number
            valid = False
        if not valid:
            raise InputError(f"`{name}` must be {expected}. Received: {name}={value!r}")

    def _check_integer(self, name: str, low: int) -> None:
        self._check(name, f"an integer, {low} or more", lambda x: is_integer(x) and x >= low)

    def to_dict(self) -> dict:
        """Return the fields that determine the trained weights, ready for JSON.

        A checkpoint stores them, and a resumed run must have the same values. The fields that
        only control checkpoints, logs and progress are left out.

        Returns:
            A dict of field name to value.
        """
        fields = (field.name for field in dataclasses.fields(self) if field.name not in OUTPUT_FIELDS)
        return {name: _plain(getattr(self, name)) for name in fields}


def is_integer(value) -> bool:
    """Return whether a value is an integer; a bool is not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_positive(value) -> bool:
    """Return whether a value is a finite number above 0; a bool is not."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and 0 < value < math.inf


def are_callbacks(values: Sequence) -> bool:
    """Return whether all values are instances of `keras.callbacks.Callback`."""
    if not values:
        return True  # without importing Keras
    import keras

    return all(isinstance(value, keras.callbacks.Callback) for value in values)


def _plain(value):
    """Return a value as JSON stores it: Python numbers and lists."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value
