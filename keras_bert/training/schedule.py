"""The learning rate over time: up from 0, then straight down to 0."""

import keras
from keras import ops

from keras_bert.errors import InputError


@keras.saving.register_keras_serializable(package="keras_bert")
class WarmupLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up from 0 to the peak, then linear decay to 0.

    Args:
        peak: the highest learning rate, reached after `warmup_steps`.
        total_steps: where the rate is 0 again, and stays.
        warmup_steps: how many steps it rises, fewer than `total_steps`.

    Raises:
        InputError: a peak not above 0, no step at all, or a warm-up that takes all steps.

    Example:

    >>> schedule = WarmupLinearDecay(peak=1.0, total_steps=10, warmup_steps=2)
    >>> [float(schedule(step)) for step in (0, 1, 2, 6, 10)]
    [0.0, 0.5, 1.0, 0.5, 0.0]

    Source: Devlin et al. 2018, appendix A.2.
    """

    def __init__(self, peak: float, total_steps: int, warmup_steps: int = 0):
        if not 0 < peak < float("inf"):
            raise InputError(f"the peak learning rate must be above 0 and finite. Received: {peak!r}")
        if total_steps < 1:
            raise InputError(f"a schedule needs at least one step. Received: total_steps={total_steps!r}")
        if not 0 <= warmup_steps < total_steps:
            raise InputError(
                "the warm-up must be at least 0 steps and shorter than the training. "
                f"Received: warmup_steps={warmup_steps!r}, total_steps={total_steps!r}"
            )
        self.peak = peak
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        rising = step / max(self.warmup_steps, 1)
        falling = (self.total_steps - step) / (self.total_steps - self.warmup_steps)
        return self.peak * ops.maximum(0.0, ops.where(step < self.warmup_steps, rising, falling))

    def get_config(self):
        return {"peak": self.peak, "total_steps": self.total_steps, "warmup_steps": self.warmup_steps}
