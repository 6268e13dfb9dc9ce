"""Checks of an optimizer that the user gives to `finetune`."""

import dataclasses
import math
import numbers

import keras

from keras_bert.errors import InputError
from keras_bert.training.config import TrainingConfig

OWN_SETTINGS = ("learning_rate", "schedule", "warmup", "weight_decay", "layer_decay")  # of `bert_adamw` alone


def check_optimizer(
    optimizer, model: keras.Model, config: TrainingConfig | None, fields: dict
) -> keras.optimizers.Optimizer:
    """Return a Keras optimizer that can train a model in place of `bert_adamw`.

    Args:
        optimizer: a `keras.optimizers.Optimizer`, or a name such as `"adam"`.
        model: the model to train.
        config: the settings as they were given, or None.
        fields: fields of `TrainingConfig` that override those of `config`.

    Raises:
        InputError: it is no optimizer, its settings are not finite, it has the state of another model, or a setting has
            no effect on it.
    """
    try:
        optimizer = keras.optimizers.get(optimizer)
    except ValueError:
        raise InputError(
            f"`optimizer` must be a Keras optimizer or its name. Received: optimizer={optimizer!r:.60}"
        ) from None
    config = dataclasses.replace(config or TrainingConfig(), **fields)
    for name in OWN_SETTINGS:
        value = getattr(config, name)
        if value != getattr(TrainingConfig, name):
            raise InputError(
                f"`{name}` must not be given with `optimizer`, which has its own. Received: {name}={value!r}"
            )
    for name in ("learning_rate", "weight_decay"):
        value = optimizer.get_config().get(name)
        if isinstance(value, numbers.Real) and not math.isfinite(value):
            raise InputError(f"`optimizer` must have a finite {name}. Received: {name}={value!r}")
    if config.freeze == "gradual":
        raise InputError('`freeze` must not be "gradual" with `optimizer`. Received: freeze="gradual"')
    accumulate = getattr(optimizer, "gradient_accumulation_steps", None) or 1
    if accumulate != config.accumulate:
        raise InputError(
            "`accumulate` must be the gradient_accumulation_steps of `optimizer`. "
            f"Received: accumulate={config.accumulate}, gradient_accumulation_steps={accumulate}"
        )
    if optimizer.built and getattr(model, "optimizer", None) is not optimizer:
        raise InputError(
            "`optimizer` must be new, or the optimizer of `model`. Received: one that has trained another model"
        )
    return optimizer


def optimizer_identity(optimizer: keras.optimizers.Optimizer) -> str:
    """Return the class and settings of an optimizer, without its name, which Keras numbers within a process."""
    settings = {name: value for name, value in optimizer.get_config().items() if name != "name"}
    return f"{type(optimizer).__name__} {settings!r}"
