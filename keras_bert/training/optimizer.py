"""AdamW with the settings of BERT."""

import keras
from keras import ops

from keras_bert import ops as fused


@keras.saving.register_keras_serializable(package="keras_bert")
class BertAdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`, all variables moved in one program where `fused` runs. Made by `bert_adamw`.

    Args:
        learning_rate: a number or a schedule.
        rates: what `layer_rates` gives, or None where all variables learn alike.
        settings: of `keras.optimizers.AdamW`.
    """

    def __init__(self, learning_rate=0.001, rates=None, **settings):
        super().__init__(learning_rate, **settings)
        self.rates = rates

    def factor(self, variable):
        """By what the learning rate of a variable is multiplied at this step: a scalar."""
        known = self._trainable_variables[self._get_variable_index(variable)]  # Keras may hand over TensorFlow's own
        factor, first = self.rates[known.path]
        return ops.where(self.iterations >= first, factor, 0.0)

    def update_step(self, gradient, variable, learning_rate):
        """Move one variable; see `keras.optimizers.Optimizer.update_step`."""
        if self.rates:
            learning_rate = learning_rate * self.factor(variable)
        super().update_step(gradient, variable, learning_rate)

    def _apply_weight_decay(self, variables):
        if not self.rates:
            super()._apply_weight_decay(variables)
            return
        for variable in filter(self._use_weight_decay, variables):
            shrink = self.learning_rate * self.factor(variable) * self.weight_decay
            variable.assign(variable * ops.cast(1 - shrink, variable.dtype))

    def get_config(self):
        return {**super().get_config(), "rates": self.rates}

    def apply(self, grads, trainable_variables=None):
        """Move the variables by their gradients; see `keras.optimizers.Optimizer.apply`."""
        if not fused.runs("optimizer") or not self._is_simple():
            super().apply(grads, trainable_variables)
            return
        from keras_bert.ops.adamw import adamw_step

        variables = list(trainable_variables or self._trainable_variables)
        if not self.built:
            self.build(variables)
        pairs = [(grad, variable) for grad, variable in zip(grads, variables, strict=True) if grad is not None]
        if pairs:
            adamw_step(self, pairs)
        self.iterations.assign_add(1)

    def _get_current_learning_rate(self):
        # Keras asks a schedule by batches, also where several of them make a step.
        if isinstance(self._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return super()._get_current_learning_rate()

    def _is_simple(self) -> bool:
        """Nothing is asked for that `bert_adamw` does not ask for."""
        others = ("amsgrad", "clipnorm", "clipvalue", "use_ema", "loss_scale_factor", "gradient_accumulation_steps")
        return not any(getattr(self, name) for name in others)


def bert_adamw(learning_rate, weight_decay: float = 0.01, accumulate: int = 1, rates: dict | None = None) -> BertAdamW:
    """AdamW as BERT has it: betas 0.9 and 0.999, epsilon 1e-6, gradients clipped to a norm of 1 over all variables.

    Biases and LayerNorms (`bias`, `gamma`, `beta`) are not decayed: shrinking them regularises nothing.

    Args:
        learning_rate: a number or a schedule, such as `WarmupLinearDecay`.
        weight_decay: decoupled, multiplied by the learning rate.
        accumulate: how many batches make a step, by the mean of their gradients.
        rates: `layer_rates` of the model, where its layers learn at rates of their own.

    Returns:
        A `BertAdamW`, which is a `keras.optimizers.AdamW`.

    Example:

    >>> bert_adamw(1e-4).weight_decay
    0.01

    Source: Devlin et al. 2018, appendix A.2; optimization.py of google-research/bert (which leaves the bias correction
    of Adam out; Keras has it, as the warm-up makes the two alike); Loshchilov and Hutter 2017 (arXiv:1711.05101).
    """
    optimizer = BertAdamW(
        learning_rate,
        rates=rates,
        weight_decay=weight_decay,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        global_clipnorm=1.0,
        gradient_accumulation_steps=accumulate if accumulate > 1 else None,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
