"""`keras-bert finetune`: a classifier from labelled sentences."""

from pathlib import Path

import click

from keras_bert.cli.options import (
    FiniteRange,
    check_length,
    config_from_size,
    encoder_option,
    positive,
    size_option,
    training_options,
    vocabulary_options,
)
from keras_bert.cli.output import json_output, show_table
from keras_bert.constants import POOLS

LEARNING_ENCODER = ("freeze", "layer_decay", "accumulate", "log_dir", "resume")  # options of what the encoder learns in


MANY = 20  # epochs; of more a table shows some


class Freeze(click.ParamType):
    """`none`, `all`, `gradual`, or how many of the first layers."""

    name = "freeze"

    def convert(self, value, param, context):
        """The value as the training takes it."""
        if value in ("none", "all", "gradual") or isinstance(value, int):
            return value
        if not value.isdecimal():
            self.fail(f"none, all, gradual or a number of layers is expected. Received: {value!r}", param, context)
        return int(value)


@click.command()
@encoder_option()
@size_option(None)
@click.option(
    "--dataset",
    required=True,
    metavar="sample|sst2|FOLDER",
    help="Labelled texts; a folder holds train.tsv and dev.tsv (header line, sentence<TAB>label or two texts and a "
    "label).",
)
@click.option(
    "--labels", metavar="NAME,NAME,...", help="The names of a folder's classes, labels or tags; by default those in it."
)
@click.option(
    "--task",
    type=click.Choice(["classification", "multi-label", "regression", "spans", "tokens", "features"]),
    default="classification",
    show_default=True,
    help="What is learned: a class a text or a pair; labels parted by commas; a number; answers that stand in a text "
    "(train.json, dev.json as SQuAD has them); a tag a word (train.txt, dev.txt in columns); features: a class a text "
    "or a pair, by a head alone, on vectors that the encoder works out once.",
)
@click.option(
    "--pool",
    type=click.Choice(POOLS),
    default="max",
    show_default=True,
    help="Of --task features: how a text's tokens become its vector; see embed.",
)
@click.option("--epochs", type=positive, help="[default: 3; of features 100]")
@click.option(
    "--held-out",
    type=FiniteRange(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    help="Share of train.tsv to choose the best epoch by.",
)
@click.option(
    "--sequence-length", type=click.IntRange(min=3), help="Longest row, in tokens.  [default: 128; of spans 384]"
)
@click.option(
    "--freeze",
    type=Freeze(),
    default="none",
    show_default=True,
    metavar="none|all|gradual|K",
    help="What stays as it is: all of the encoder, or the embeddings and the first K layers; gradual: a layer more "
    "learns each epoch, from the last one down.",
)
@click.option(
    "--layer-decay",
    type=FiniteRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Each layer's learning rate is this times that of the layer above it.",
)
@click.option(
    "--dropout",
    type=FiniteRange(0, 1, max_open=True),
    help="Rate everywhere in the model.  [default: 0.1 with --size, the encoder's own with --encoder]",
)
@vocabulary_options
@training_options(
    learning_rate=None, learning_rate_help="[default: 5e-5 with --encoder, 3e-4 with --size; of features 1e-3]"
)
@json_output
def finetune(console, encoder, size, dataset, labels, out: Path, dropout, dtype, seed, pool, **options) -> dict:
    """Train a model for a task on labelled texts, from a pretrained encoder or from random weights.

    Part of the training data chooses the best epoch; the dev file only measures. Ctrl-C leaves a checkpoint beside
    --out, and the same command with --resume goes on from it.

    Example:  keras-bert finetune --encoder bert --dataset sample --out sentiment
    """
    import keras

    from keras_bert import ops as fused
    from keras_bert.files import working_directory
    from keras_bert.models import BertEncoder
    from keras_bert.models.cast import in_float32
    from keras_bert.tasks.preprocessor import Preprocessor
    from keras_bert.tasks.registry import TASKS
    from keras_bert.text.vocabulary import load_or_learn_vocabulary
    from keras_bert.weights import load_pretrained, save_pretrained

    if (encoder is None) == (size is None):
        raise click.UsageError("give --encoder DIR, or --size NAME for random weights, one of them")
    if encoder and options["vocab"]:
        raise click.UsageError("--vocab belongs to --size; an encoder's folder brings its own vocabulary")
    features = options["task"] == "features"
    if features:
        _refuse("the encoder of --task features is pretrained and rests", "size", *LEARNING_ENCODER)
    else:
        _refuse("only --task features pools", "pool")
    fused.partition_cpu_threads()
    names = [name.strip() for name in labels.split(",")] if labels else None
    task = TASKS[options["task"]](dataset, names, *([pool] if features else []))
    with working_directory(out, options["resume"]) as work:
        keras.utils.set_random_seed(seed)
        if encoder:
            start = load_pretrained(encoder)
            vocabulary, lowercase = start.vocabulary, start.lowercase
            body = start.encoder.copy(dropout, dtype)
        else:
            lowercase = not options["cased"]
            vocabulary = load_or_learn_vocabulary(options["vocab"], task.texts, options["vocab_size"], lowercase, work)
            config = config_from_size(size, len(vocabulary), hidden_dropout=dropout, attention_dropout=dropout)
            body = BertEncoder(config, dtype=dtype)
        usual = 384 if options["task"] == "spans" else 128
        length = options["sequence_length"] or min(usual, body.config.max_position_embeddings)
        check_length(length, body.config)
        reader = Preprocessor(tuple(vocabulary), lowercase, length)
        model = task.model(body)
        rows, held_out = task.rows(reader, seed, options["held_out"])
        console.print(
            f"{dataset}: {task.sizes[0]:,} examples to train on and to choose the best epoch by, {task.sizes[1]:,} to "
            f"measure on; {model.count_params():,} parameters"
        )
        settings = {
            "epochs": options["epochs"] or (100 if features else 3),
            "batch_size": options["batch_size"],
            "learning_rate": options["learning_rate"] or (1e-3 if features else 5e-5 if encoder else 3e-4),
        }
        if not features:
            settings |= {name: options[name] for name in ("accumulate", "freeze", "layer_decay", "log_dir")}
            settings["score"] = task.score(model, reader, seed, options["held_out"])
            settings |= {"seed": seed, "checkpoint_dir": work / "training"}
        history = task.fit(model, rows, held_out, **settings).history
        model = in_float32(model)
        measured = task.measure(model, reader)
        kept = {"pairs": task.pairs, "no_answer": task.no_answer}
        save_pretrained(model, out, reader.vectorizer, labels=list(task.label_names) or None, **kept)
    measure = "error" if "error" in history else "accuracy"
    best, count = task.best(history), len(history["loss"])
    epochs = sorted({*range(0, count, -(-count // MANY)), best, count - 1})
    names = ("loss", measure, "val_loss", f"val_{measure}", *(["val_score"] if "val_score" in history else []))
    rows = ((i + 1, *(f"{history[name][i]:.4f}" for name in names)) for i in epochs)
    show_table(console, f"{out}: epoch {best + 1} is kept", ("epoch", *names), rows, right=("epoch", *names))
    shown = ", ".join(
        f"{name} [bold]{value:.4f}[/bold]" for name, value in measured.items() if isinstance(value, float)
    )
    console.print(f"on dev, {measured['examples']:,} texts: {shown}")
    shown = {"spans": r"$'who knew?\tthe man who knew'", "tokens": '"John lives in London"'}
    usual = r"$'a man sleeps\ta person rests'" if task.pairs else '"a fine film"'
    example = shown.get(options["task"], usual)
    console.print(f"try:  keras-bert predict --model {out} {example}", markup=False, soft_wrap=True)
    return {
        "out": str(out),
        **measured,
        f"held_out_{measure}": history[f"val_{measure}"][best],
        "epoch": best + 1,
        "parameters": model.count_params(),
        "history": history,
    }


def _refuse(why: str, *names: str) -> None:
    """A usage error if an option is given that this task has not."""
    for name in names:
        if click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{why}. Received: --{name.replace('_', '-')}")
