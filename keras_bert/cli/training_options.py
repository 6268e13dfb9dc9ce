"""Options of the training commands, generated from the fields of `TrainingConfig`."""

import click

from keras_bert.cli.options import MODEL_FOLDER, add_options, out_option
from keras_bert.cli.value_types import FiniteRange, positive
from keras_bert.training.resolve_config import check_packages, default_of


def _check_package(context, option, value):
    """Return the value of an option, or raise InputError at once if a package that it needs is not installed."""
    check_packages({option.name: value})
    return value


# Field of TrainingConfig: arguments of click.option. The default is that of the training function.
OPTIONS = {
    "epochs": {"type": positive, "help": "Number of passes over the training data."},
    "steps": {"type": positive, "help": "Number of optimizer steps."},
    "batch_size": {"type": positive, "help": "Examples per batch."},
    "accumulate": {
        "type": positive,
        "help": "Batches per optimizer step. It has the effect of a large batch, with the memory of a small one.",
    },
    "learning_rate": {"type": FiniteRange(min=0, min_open=True), "help": "Peak learning rate, after the warmup."},
    "temperature": {
        "type": FiniteRange(min=0, min_open=True),
        "help": "Number by which the logits of teacher and student are divided before the softmax.",
    },
    "alpha": {"type": FiniteRange(0, 1), "help": "Weight of the teacher's term in the loss."},
    "embedding_init": {
        "type": click.Choice(["ppmi"]),
        "callback": _check_package,
        "help": "Initialize the token embeddings from co-occurrence counts of the text instead of random numbers.",
    },
    "seed": {"type": click.IntRange(min=0), "help": "Random seed."},
    "log_dir": {
        "type": click.Path(file_okay=False),
        "callback": _check_package,
        "metavar": "DIR",
        "help": "Folder for a TensorBoard log.",
    },
}
COMMON = ("batch_size", "accumulate", "learning_rate", "seed", "log_dir")


def training_options(trainer: str, *fields: str, **changes: dict):
    """Add the options of a training command: fields of `TrainingConfig`, `--dtype`, `--resume` and `--out`.

    Args:
        trainer: `"pretrain"`, `"finetune"` or `"distill"`: the function whose defaults the options have.
        fields: names in `OPTIONS` to add before the common ones.
        **changes: arguments of `click.option` that differ for one command, by the field's name. With `default=None`
            the command sets the value.
    """
    options = []
    for name in (*fields, *COMMON):
        settings = {"default": default_of(trainer, name), "show_default": True, **OPTIONS[name]}
        options.append(click.option(f"--{name.replace('_', '-')}", **{**settings, **changes.get(name, {})}))
    options += [
        click.option(
            "--dtype",
            type=click.Choice(["float32", "mixed_bfloat16"]),
            default="float32",
            show_default=True,
            help="Data type of the computation in training. The weights and the saved model are float32.",
        ),
        click.option("--resume", is_flag=True, help="Continue an interrupted run of the same command."),
        out_option(*MODEL_FOLDER),
    ]

    def add(command):
        return add_options(options, command)

    return add
