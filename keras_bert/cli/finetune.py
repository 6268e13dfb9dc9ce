"""`keras-bert finetune`: train a model for a task on labeled examples."""

from pathlib import Path

import click

from keras_bert.cli.finetune_options import finetune_options
from keras_bert.cli.options import check_length, config_from_size
from keras_bert.cli.output import json_output, show_metrics, show_table

ENCODER_OPTIONS = ("freeze", "layer_decay", "accumulate", "log_dir", "resume")  # options that need a trainable encoder
MODEL_OPTIONS = ("pool",)  # arguments of `Task.build_model`; `Task.model_options` has those of a task
DATA_OPTIONS = ("skip_malformed", "tag_column")  # arguments of `Task.load`; `Task.data_options` has those of a task
MAX_ROWS = 20  # number of epochs in the table, about


@click.command()
@finetune_options
@json_output
def finetune(console, encoder, size, dataset, labels, task_name, out: Path, dropout, dtype, seed, **options) -> dict:
    """Train a model for a task on labeled examples, from a pretrained encoder or from random weights.

    A part of the training examples is used to select the best epoch; the dev file is only evaluated at the end. Ctrl-C
    or SIGTERM writes a checkpoint next to --out, and the same command with --resume continues from it.

    Example:  keras-bert finetune --encoder bert --dataset sample --out sentiment
    """
    import keras

    from keras_bert import ops
    from keras_bert.inference import predict_logits
    from keras_bert.models import BertEncoder
    from keras_bert.models.cast import cast_model
    from keras_bert.tasks import Preprocessor, TrainedModel, find_task
    from keras_bert.text.splitting import Splitting
    from keras_bert.text.vocabulary import load_or_learn_vocabulary
    from keras_bert.weights import load_pretrained, save_pretrained
    from keras_bert.working_folder import working_directory

    if not options["teacher_logits"]:
        _reject_options("without --teacher-logits", "temperature", "alpha")
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
    if task.name != "classification":
        _reject_options(f"with --task {task.name}", "teacher_logits", "temperature", "alpha")
    if task.name not in ("classification", "binary", "features"):
        _reject_options(f"with --task {task.name}", "calibrate")
    unused = [name for name in MODEL_OPTIONS if name not in task.model_options]
    _reject_options(f"with --task {task.name}, which does not use it", *unused)
    ops.partition_cpu_threads()
    data_options = task.check_options(task.data_options, **{name: options[name] for name in DATA_OPTIONS})
    data = task.load(dataset, [name.strip() for name in labels.split(",")] if labels else None, **data_options)
    with working_directory(out, options["resume"]) as work:
        keras.utils.set_random_seed(seed)
        if encoder:
            pretrained = load_pretrained(encoder)
            vocabulary, lowercase = pretrained.vocabulary, pretrained.lowercase
            added_tokens, splitting = tuple(pretrained.added_tokens), pretrained.splitting
            encoder_model = pretrained.encoder.copy(dropout, dtype)
        else:
            lowercase, added_tokens, splitting = not options["cased"], (), Splitting()
            vocabulary = load_or_learn_vocabulary(options["vocab"], data.texts, options["vocab_size"], lowercase, work)
            config = config_from_size(size, len(vocabulary), hidden_dropout=dropout, attention_dropout=dropout)
            encoder_model = BertEncoder(config, dtype=dtype)
        max_length = encoder_model.config.max_position_embeddings
        length = options["sequence_length"] or min(task.defaults.sequence_length, max_length)
        check_length(length, encoder_model.config)
        preprocessor = Preprocessor(tuple(vocabulary), lowercase, length, added_tokens, splitting)
        model = task.build_model(encoder_model, data, **{name: options[name] for name in task.model_options})
        rows, held_out = task.train_validation_rows(data, preprocessor, seed, options["held_out"])
        preprocessor.long_texts.warn()
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
            if options["teacher_logits"]:
                settings |= {name: options[name] for name in ("temperature", "alpha")}
                settings["teacher_logits"] = _teacher_logits(options["teacher_logits"], data, seed, options["held_out"])
            history = _train_model(model, rows, held_out, settings)
        model = cast_model(model, "float32")
        calibration = _calibrate(console, model, held_out) if options["calibrate"] else {}
        metrics = task.evaluate(trained_model(model), data.dev)
        save_pretrained(model, out, preprocessor.vectorizer, labels=list(data.label_names) or None, **data.settings)
        if options["log_dir"] and task.name in ("classification", "binary"):
            from keras_bert.training import log_predictions

            dev = (data.dev.texts, data.dev.labels)
            log_predictions(options["log_dir"], model, *dev, preprocessor.vectorizer, data.label_names)
    best = task.best_epoch(history)
    _show_history(console, f"{out}: the weights of epoch {best + 1} are kept", history, best, task.metric[0])
    show_metrics(console, f"on dev, {metrics['examples']:,} examples", metrics)
    console.print(f"try:  keras-bert predict --model {out} {task.example_text(data)}", markup=False, soft_wrap=True)
    return {
        "out": str(out),
        **metrics,
        **calibration,
        f"held_out_{task.metric[0]}": history[f"val_{task.metric[0]}"][best],
        "epoch": best + 1,
        "parameters": model.count_params(),
        "history": history,
    }


def _teacher_logits(sources, data, seed: int, held_out: float):
    """Return the teachers' logits for the rows that are trained on."""
    from keras_bert.inference.teacher_logits import read_teacher_logits
    from keras_bert.tasks.text_task import train_validation_indices

    logits = read_teacher_logits(sources, data.train.texts, data.label_names)  # [N, C]
    return logits[train_validation_indices(len(data.train), seed, held_out)[0]]


def _calibrate(console, model, held_out: tuple) -> dict:
    """Calibrate the model on the held-out rows; print and return what changed."""
    from keras_bert.training import calibrate

    found = calibrate(model, *held_out)
    before, after = found["calibration_error_before"], found["calibration_error"]
    console.print(
        f"temperature {found['temperature']:.2f}: calibration error on held-out rows {before:.3f} -> {after:.3f}"
    )
    return {"temperature": found["temperature"], "held_out_calibration_error": [before, after]}


def _train_model(model, rows: tuple, held_out: tuple, settings: dict) -> dict:
    """Train a whole model and return the history."""
    from keras_bert.training import finetune as train

    return train(model, *rows, *held_out, **settings).history


def _train_head(model, rows: tuple, held_out: tuple, settings: dict) -> dict:
    """Train the head of a model on the features that its frozen encoder computes once, and return the history."""
    from keras_bert.inference.embed import embed
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
