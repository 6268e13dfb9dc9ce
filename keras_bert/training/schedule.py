"""Learning-rate schedule: linear warmup, then linear decay to 0."""

import keras
from keras import ops

from keras_bert.errors import InputError


@keras.saving.register_keras_serializable(package="keras_bert")
class WarmupLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warmup from 0 to a peak, then linear decay to 0.

    Args:
        peak: the highest learning rate, reached after `warmup_steps`.
        total_steps: the step at which the rate is 0. It stays 0 afterwards.
        warmup_steps: steps of the warmup, fewer than `total_steps`.

    Raises:
        InputError: `peak` is not a finite number above 0, `total_steps` is below 1, or `warmup_steps` is not in
            0 … `total_steps` - 1.

    Example:

    >>> schedule = WarmupLinearDecay(peak=1.0, total_steps=10, warmup_steps=2)
    >>> [float(schedule(step)) for step in (0, 1, 2, 6, 10)]
    [0.0, 0.5, 1.0, 0.5, 0.0]

    Source: Devlin et al. 2018 (arXiv:1810.04805), appendix A.2.
    """

    def __init__(self, peak: float, total_steps: int, warmup_steps: int = 0):
        if not 0 < peak < float("inf"):
            raise InputError(f"`peak` must be a finite number above 0. Received: peak={peak!r}")
        if total_steps < 1:
            raise InputError(f"`total_steps` must be 1 or more. Received: total_steps={total_steps!r}")
        if not 0 <= warmup_steps < total_steps:
            raise InputError(
                f"`warmup_steps` must be in 0 … {total_steps - 1}, below total_steps. "
                f"Received: warmup_steps={warmup_steps!r}"
            )
        self.peak = peak
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        """Return the learning rate at a step, counted from 0."""
        step = ops.cast(step, "float32")
        rising = step / max(self.warmup_steps, 1)
        falling = (self.total_steps - step) / (self.total_steps - self.warmup_steps)
        return self.peak * ops.maximum(0.0, ops.where(step < self.warmup_steps, rising, falling))

    def get_config(self):
        """Return the arguments of the constructor."""
        return {"peak": self.peak, "total_steps": self.total_steps, "warmup_steps": self.warmup_steps}
