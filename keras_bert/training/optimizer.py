"""AdamW with the settings of BERT."""

import math
import numbers

import keras

from keras_bert import keras_internals, ops
from keras_bert.errors import InputError


@keras.saving.register_keras_serializable(package="keras_bert")
class BertAdamW(keras_internals.AdamWithHooks):
    """`keras.optimizers.AdamW` with learning rates per layer, created by `bert_adamw`.

    Biases and LayerNorms (`bias`, `gamma`, `beta`) have no weight decay, also after saving and loading.
    On TensorFlow on a CPU all variables are updated by one compiled program (`ops.adamw_step`).

    Args:
        learning_rate: float, or a `keras.optimizers.schedules.LearningRateSchedule`.
        rates: the result of `layer_rates`, or None if all variables have the same learning rate.
        **settings: arguments of `keras.optimizers.AdamW`.
    """

    def __init__(self, learning_rate=0.001, rates=None, **settings):
        super().__init__(learning_rate, **settings)
        self.rates = rates
        # Here and not in `bert_adamw`, because Keras does not save the names: a loaded optimizer has them from here.
        self.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])

    def factor(self, variable):
        """Return the scalar that multiplies the learning rate of a variable at this step."""
        index = keras_internals.variable_index(self, variable)  # Keras may pass the backend's variable
        factor, first_step = self.rates[keras_internals.optimized_variables(self)[index].path]
        return keras.ops.where(self.iterations >= first_step, factor, 0.0)

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable; see `keras.optimizers.Optimizer.update_step`."""
        if self.rates:
            learning_rate = learning_rate * self.factor(variable)
        super().update_step(gradient, variable, learning_rate)

    def decay_weights(self, variables):
        """Apply the weight decay to variables, at their own learning rates."""
        if not self.rates:
            super().decay_weights(variables)
            return
        for variable in variables:
            if keras_internals.uses_weight_decay(self, variable):
                decay = self.learning_rate * self.factor(variable) * self.weight_decay
                variable.assign(variable * keras.ops.cast(1 - decay, variable.dtype))

    def get_config(self):
        return {**super().get_config(), "rates": self.rates}

    def apply(self, grads, trainable_variables=None):
        """Update the variables by their gradients; see `keras.optimizers.Optimizer.apply`."""
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            if not self.built:
                self.build(trainable_variables)
        variables = trainable_variables or keras_internals.optimized_variables(self)
        pairs = [(grad, variable) for grad, variable in zip(grads, variables, strict=True) if grad is not None]
        if pairs and self._is_standard(pairs) and ops.adamw_step(self, pairs):
            self.iterations.assign_add(1)
        elif pairs and trainable_variables is not None:
            # Keras would warn of variables without a gradient, such as the pooler's in a model of tags.
            super().apply(*zip(*pairs, strict=True))
        else:
            super().apply(grads, trainable_variables)

    def current_learning_rate(self):
        """Return the learning rate of this step."""
        # Keras counts the schedule's steps in batches, also if a step of the optimizer takes several batches.
        schedule = keras_internals.schedule_of(self)
        return super().current_learning_rate() if schedule is None else schedule(self.iterations)

    def _is_standard(self, pairs) -> bool:
        """Return whether `ops.adamw_step` computes the same update as Keras for this optimizer and these variables."""
        options = ("amsgrad", "clipnorm", "clipvalue", "use_ema", "loss_scale_factor", "gradient_accumulation_steps")
        return (
            type(self) is BertAdamW
            and not any(getattr(self, name) for name in options)
            and all(variable.constraint is None and not variable.overwrite_with_gradient for _, variable in pairs)
        )


def bert_adamw(learning_rate, weight_decay: float = 0.01, accumulate: int = 1, rates: dict | None = None) -> BertAdamW:
    """Create the AdamW of BERT: betas 0.9 and 0.999, epsilon 1e-6, gradients clipped to a global norm of 1.

    Biases and LayerNorms (`bias`, `gamma`, `beta`) have no weight decay, since it would not regularize them.

    Args:
        learning_rate: float, or a schedule such as `WarmupLinearDecay`.
        weight_decay: decoupled weight decay; each step multiplies it by the learning rate.
        accumulate: batches per step; the step uses the mean of their gradients.
        rates: the result of `layer_rates` for the model, for learning rates per layer.

    Returns:
        A `BertAdamW`, which is a `keras.optimizers.AdamW`.

    Raises:
        InputError: `learning_rate` or `weight_decay` is a number that is negative or not finite.

    Example:

    >>> bert_adamw(1e-4).weight_decay
    0.01

    Source: Devlin et al. 2018 (arXiv:1810.04805), appendix A.2; `optimization.py` of google-research/bert, which has no
    bias correction (Keras has it; the warmup makes the difference small); Loshchilov and Hutter 2017
    (arXiv:1711.05101).
    """
    for name, value in (("learning_rate", learning_rate), ("weight_decay", weight_decay)):
        if isinstance(value, numbers.Real) and not 0 <= value < math.inf:
            raise InputError(f"`{name}` must be a finite number, 0 or more. Received: {name}={value!r}")
    return BertAdamW(
        learning_rate,
        rates=rates,
        weight_decay=weight_decay,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        global_clipnorm=1.0,
        gradient_accumulation_steps=accumulate if accumulate > 1 else None,
    )
