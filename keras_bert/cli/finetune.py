"""`keras-bert finetune`: train a model for a task on labeled examples."""

import re
from pathlib import Path

import click

from keras_bert.cli.options import (
    FiniteRange,
    check_length,
    config_from_size,
    encoder_option,
    positive,
    size_option,
    vocabulary_options,
)
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.training_options import training_options
from keras_bert.constants import POOLS

ENCODER_OPTIONS = ("freeze", "layer_decay", "accumulate", "log_dir", "resume")  # options that need a trainable encoder
MODEL_OPTIONS = ("pool",)  # arguments of `Task.build_model`; `Task.model_options` has those of a task
MAX_ROWS = 20  # number of epochs in the table, about


def task_names() -> list[str]:
    """Return the names of the bundled tasks, without importing Keras: the modules that call `register_task`."""
    folder = Path(__file__).resolve().parents[1] / "tasks"
    calls = re.compile(r"^(\w+ = )?register_task\(", re.MULTILINE)
    modules = sorted(path for path in folder.glob("*.py") if calls.search(path.read_text(encoding="utf-8")))
    return [path.stem.replace("_", "-") for path in modules]


class Freeze(click.ParamType):
    """`none`, `all`, `gradual`, or the number of frozen blocks."""

    name = "freeze"

    def convert(self, value, param, context):
        """Return the value as `kb.finetune` takes it."""
        if value in ("none", "all", "gradual") or isinstance(value, int):
            return value
        if not value.isdecimal():
            self.fail(f"must be none, all, gradual or a number of blocks. Received: {value!r}", param, context)
        return int(value)


@click.command()
@encoder_option()
@size_option(None)
@click.option(
    "--dataset",
    required=True,
    metavar="sample|sst2|FOLDER",
    help="Labeled examples. A folder holds train.tsv and dev.tsv (a header line, then sentence<TAB>label or two texts "
    "and a label), or the files of the task.",
)
@click.option(
    "--labels", metavar="NAME,NAME,...", help="Names of the classes, labels or tags.  [default: from the data]"
)
@click.option(
    "--task",
    "task_name",
    default="classification",
    show_default=True,
    metavar="|".join(task_names()),
    help="classification: one class per text or pair. binary: one of two classes, with one logit. "
    "multi-label: any number of labels, separated by commas. "
    "regression: a number. spans: answers that are part of a context (train.json, dev.json as in SQuAD). tokens: one "
    "tag per word (train.txt, dev.txt as in CoNLL). features: one class, but only the head is trained, on features "
    "that the encoder computes once.",
)
@click.option(
    "--pool",
    type=click.Choice(POOLS),
    default="max",
    show_default=True,
    help="For --task features: how the vectors of the tokens become one vector; see embed --help.",
)
@click.option("--epochs", type=positive, help="Passes over the training data.  [default: 3; 100 for --task features]")
@click.option(
    "--held-out",
    type=FiniteRange(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    help="Fraction of the training examples that is used to select the best epoch.",
)
@click.option(
    "--sequence-length",
    type=click.IntRange(min=3),
    help="Tokens per row, at most.  [default: 128; 384 for --task spans]",
)
@click.option(
    "--freeze",
    type=Freeze(),
    default="none",
    show_default=True,
    metavar="none|all|gradual|K",
    help="What is not trained: the whole encoder, or the embeddings and the first K blocks. gradual: one more block is "
    "trained each epoch, from the last one to the first.",
)
@click.option(
    "--layer-decay",
    type=FiniteRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="The learning rate of each layer is that of the layer above it, times this factor.",
)
@click.option(
    "--dropout",
    type=FiniteRange(0, 1, max_open=True),
    help="Dropout rate of the encoder and the head.  [default: 0.1 with --size, that of the model with --encoder]",
)
@vocabulary_options
@training_options(
    "finetune",
    learning_rate={
        "default": None,
        "help": "Peak learning rate.  [default: 5e-5 with --encoder, 3e-4 with --size; 1e-3 for --task features]",
    },
)
@json_output
def finetune(console, encoder, size, dataset, labels, task_name, out: Path, dropout, dtype, seed, **options) -> dict:
    """Train a model for a task on labeled examples, from a pretrained encoder or from random weights.

    A part of the training examples is used to select the best epoch; the dev file is only evaluated at the end. Ctrl-C
    writes a checkpoint next to --out, and the same command with --resume continues from it.

    Example:  keras-bert finetune --encoder bert --dataset sample --out sentiment
    """
    import keras

    from keras_bert import ops
    from keras_bert.files import working_directory
    from keras_bert.inference import predict_logits
    from keras_bert.models import BertEncoder
    from keras_bert.models.cast import cast_model
    from keras_bert.tasks import Preprocessor, TrainedModel, find_task
    from keras_bert.text.vocabulary import load_or_learn_vocabulary
    from keras_bert.weights import load_pretrained, save_pretrained

    if (encoder is None) == (size is None):
        received = "both" if size else "neither"
        raise click.UsageError(
            f"either `--encoder`, or `--size` for random weights, must be given. Received: {received}"
        )
    if encoder and options["vocab"]:
        raise click.UsageError(
            "`--vocab` must be left out with `--encoder`, because a pretrained encoder has its own vocabulary. "
            f"Received: --vocab {options['vocab']}"
        )
    task = find_task(task_name)
    if task.encoder_is_frozen:
        reason = f"with --task {task.name}, because its encoder is pretrained and frozen"
        _reject_options(reason, "size", *ENCODER_OPTIONS)
    unused = [name for name in MODEL_OPTIONS if name not in task.model_options]
    _reject_options(f"with --task {task.name}, which does not use it", *unused)
    ops.partition_cpu_threads()
    data = task.load(dataset, [name.strip() for name in labels.split(",")] if labels else None)
    with working_directory(out, options["resume"]) as work:
        keras.utils.set_random_seed(seed)
        if encoder:
            pretrained = load_pretrained(encoder)
            vocabulary, lowercase = pretrained.vocabulary, pretrained.lowercase
            encoder_model = pretrained.encoder.copy(dropout, dtype)
        else:
            lowercase = not options["cased"]
            vocabulary = load_or_learn_vocabulary(options["vocab"], data.texts, options["vocab_size"], lowercase, work)
            config = config_from_size(size, len(vocabulary), hidden_dropout=dropout, attention_dropout=dropout)
            encoder_model = BertEncoder(config, dtype=dtype)
        max_length = encoder_model.config.max_position_embeddings
        length = options["sequence_length"] or min(task.defaults.sequence_length, max_length)
        check_length(length, encoder_model.config)
        preprocessor = Preprocessor(tuple(vocabulary), lowercase, length)
        model = task.build_model(encoder_model, data, **{name: options[name] for name in task.model_options})
        rows, held_out = task.train_validation_rows(data, preprocessor, seed, options["held_out"])
        console.print(
            f"{dataset}: {len(data.train):,} training examples, a part of them to select the best epoch, "
            f"{len(data.dev):,} dev examples; {model.count_params():,} parameters"
        )

        def trained_model(model) -> TrainedModel:
            def outputs(ids: dict, batch_size: int):
                return predict_logits(model, ids, batch_size)

            return TrainedModel(outputs, preprocessor, list(data.label_names) or None, data.settings)

        rate = task.defaults.learning_rate if encoder else task.defaults.learning_rate_from_scratch
        settings = {
            "epochs": options["epochs"] or task.defaults.epochs,
            "batch_size": options["batch_size"],
            "learning_rate": options["learning_rate"] or rate,
        }
        if task.encoder_is_frozen:
            history = _train_head(model, rows, held_out, settings)
        else:
            settings |= {name: options[name] for name in ("accumulate", "freeze", "layer_decay", "log_dir")}
            selection_metric = task.selection_metric(trained_model(model), data, seed, options["held_out"])
            settings |= {"selection_metric": selection_metric, "seed": seed, "checkpoint_dir": work / "training"}
            history = _train_model(model, rows, held_out, settings)
        model = cast_model(model, "float32")
        metrics = task.evaluate(trained_model(model), data.dev)
        save_pretrained(model, out, preprocessor.vectorizer, labels=list(data.label_names) or None, **data.settings)
    best = task.best_epoch(history)
    _show_history(console, f"{out}: the weights of epoch {best + 1} are kept", history, best, task.metric[0])
    shown = ", ".join(f"{name} [bold]{value:.4f}[/bold]" for name, value in metrics.items() if isinstance(value, float))
    console.print(f"on dev, {metrics['examples']:,} examples: {shown}")
    console.print(f"try:  keras-bert predict --model {out} {task.example_text(data)}", markup=False, soft_wrap=True)
    return {
        "out": str(out),
        **metrics,
        f"held_out_{task.metric[0]}": history[f"val_{task.metric[0]}"][best],
        "epoch": best + 1,
        "parameters": model.count_params(),
        "history": history,
    }


def _train_model(model, rows: tuple, held_out: tuple, settings: dict) -> dict:
    """Train a whole model and return the history."""
    from keras_bert.training import finetune as train

    return train(model, *rows, *held_out, **settings).history


def _train_head(model, rows: tuple, held_out: tuple, settings: dict) -> dict:
    """Train the head of a model on the features that its frozen encoder computes once, and return the history."""
    from keras_bert.inference import embed
    from keras_bert.training import fit_features

    parts = [part for ids, labels in (rows, held_out) for part in (embed(model.encoder, ids, model.pool), labels)]
    return fit_features(model, *parts, **settings).history


def _show_history(console, title: str, history: dict, best: int, metric: str) -> None:
    """Show losses and metrics by epoch. Of many epochs only some are shown, with the best and the last."""
    count = len(history["loss"])
    epochs = sorted({*range(0, count, -(-count // MAX_ROWS)), best, count - 1})
    names = [name for name in ("loss", metric, "val_loss", f"val_{metric}", "val_selection_metric") if name in history]
    rows = ((i + 1, *(f"{history[name][i]:.4f}" for name in names)) for i in epochs)
    show_table(console, title, ("epoch", *names), rows, right=("epoch", *names))


def _reject_options(reason: str, *names: str) -> None:
    """Raise a usage error if one of these options is given."""
    for name in names:
        if click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"`{option}` must be left out {reason}. Received: {option}")
