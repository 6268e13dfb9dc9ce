"""The settings of one run: a config and keyword arguments together, with the defaults of the trainer."""

import dataclasses

from keras_bert.errors import InputError
from keras_bert.extras import require
from keras_bert.training.config import TRAINER_DEFAULTS, TrainingConfig

PACKAGES = {"embedding_init": "scipy", "log_dir": "tensorboardX"}  # a field: the package that it needs


def fields_of(trainer: str) -> list[str]:
    """Return the names of the fields that a trainer uses: `"pretrain"`, `"finetune"` or `"distill"`."""
    return [field.name for field in dataclasses.fields(TrainingConfig) if trainer in field.metadata["trainers"]]


def default_of(trainer: str, name: str):
    """Return the value that a trainer uses for a field that is not given.

    >>> default_of("finetune", "learning_rate")
    5e-05
    """
    return TRAINER_DEFAULTS[trainer].get(name, getattr(TrainingConfig, name))


def check_packages(fields: dict) -> None:
    """Raise InputError if a field needs a package that is not installed.

    Args:
        fields: field names and values; other fields are not checked.
    """
    for name, module in PACKAGES.items():
        if fields.get(name) is not None:
            require(module, f"`{name}`")


def resolve_config(trainer: str, config: TrainingConfig | None, fields: dict) -> TrainingConfig:
    """Combine a config and keyword arguments, and fill in the trainer's defaults.

    Args:
        trainer: `"pretrain"`, `"finetune"` or `"distill"`.
        config: settings, or None for the defaults.
        fields: fields given as keyword arguments; they override those of `config`.

    Returns:
        A `TrainingConfig` in which every field that the trainer needs has a value.

    Raises:
        InputError: a field does not exist, the trainer does not use it, a value is outside its range, or a package
            that a field needs is not installed.

    Example:

    >>> resolve_config("finetune", TrainingConfig(batch_size=16), {"epochs": 4}).learning_rate
    5e-05
    """
    if config is not None and not isinstance(config, TrainingConfig):
        raise InputError(f"`config` must be a TrainingConfig or None. Received: config={config!r}")
    used = fields_of(trainer)
    known = [field.name for field in dataclasses.fields(TrainingConfig)]
    for name, value in fields.items():
        if name not in known:
            raise InputError(
                f"`{name}` must be a setting of {trainer}. Received: {name}={value!r}. "
                f"The settings are {', '.join(used)}."
            )
    config = dataclasses.replace(config or TrainingConfig(), **fields)
    for name in known:
        value = getattr(config, name)
        if name not in used and value != getattr(TrainingConfig, name):
            raise InputError(
                f"`{name}` must have its default value, because {trainer} does not use it. Received: {name}={value!r}. "
                f"The settings are {', '.join(used)}."
            )
    check_packages(vars(config))
    config = dataclasses.replace(config, schedule=_schedule(config))
    defaults = {**TRAINER_DEFAULTS[trainer], **({"warmup": 0.0} if config.schedule == "constant" else {})}
    missing = {name: value for name, value in defaults.items() if getattr(config, name) is None}
    return dataclasses.replace(config, **missing)


def _schedule(config: TrainingConfig) -> str:
    """Return `config.schedule`, or the value for None, and check that callbacks and warmup fit it."""
    setters = []
    if config.callbacks:
        import keras

        types = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
        setters = [type(callback).__name__ for callback in config.callbacks if isinstance(callback, types)]
    schedule = config.schedule or ("constant" if setters else "linear")
    if setters and schedule == "linear":
        raise InputError(
            f'`schedule` must be "constant" or None with a callback that sets the learning rate. '
            f'Received: schedule="linear" and {setters[0]}'
        )
    if config.warmup and schedule == "constant":
        raise InputError(
            f'`warmup` must be None or 0 with schedule="constant". Received: warmup={config.warmup!r}'
            + (f" and {setters[0]}" if setters else "")
        )
    return schedule
