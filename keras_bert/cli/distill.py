"""`keras-bert distill`: train a small model to match a large one, on text or on labeled sentences."""

import math
from pathlib import Path

import click

from keras_bert.cli.completion import DATASETS, completer
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.training_options import training_options
from keras_bert.cli.value_types import FiniteRange, ModelSource, positive
from keras_bert.training.resolve_config import default_of

FIELDS = ("batch_size", "accumulate", "learning_rate", "temperature", "seed", "log_dir")


@click.command()
@click.option("--teacher", type=ModelSource(), required=True, metavar="DIR|NAME|hf://NAME", help="The large model.")
@click.option(
    "--data",
    "sources",
    multiple=True,
    metavar="sample|FILE|GLOB|tfds:NAME",
    shell_complete=completer("sample", paths="file"),
    help="Distill on text: the student is a pretrainer with the teacher's hidden size and fewer layers.",
)
@click.option(
    "--dataset",
    metavar="sample|sst2|FOLDER|hf://NAME|tfds:NAME",
    shell_complete=completer(*DATASETS, paths="dir"),
    help="Distill on labeled sentences: the teacher is a classifier and --student an encoder.",
)
@click.option("--skip-malformed", is_flag=True, help="With --dataset, skip malformed lines and report their number.")
@click.option(
    "--layers", type=positive, help="Number of layers of the student, with --data.  [default: half of the teacher's]"
)
@click.option(
    "--student", type=ModelSource(), metavar="DIR|NAME|hf://NAME", help="The encoder to train, with --dataset."
)
@click.option(
    "--sequence-length", type=click.IntRange(min=8), default=128, show_default=True, help="Longest sequence, in tokens."
)
@click.option(
    "--held-out",
    type=FiniteRange(0, 0.5),
    default=0.05,
    show_default=True,
    help="Fraction of the data used to select the best weights.",
)
@training_options(
    "distill",
    *("steps", "epochs", "temperature", "alpha"),
    steps={"help": "Number of optimizer steps, with --data."},
    epochs={"default": default_of("finetune", "epochs"), "help": "Number of passes over --dataset."},
    alpha={"help": "Weight of the teacher's term in the loss, with --dataset; 1 - alpha is that of the labels."},
)
@json_output
def distill(console, teacher: str, sources, dataset: str | None, out: Path, **options) -> dict:
    """Train a small model to match a large one.

    With --data, the student starts from every second layer of the teacher and is trained with DistilBERT's three
    losses. With --dataset, a classifier is trained on the labels and the teacher's logits. Ctrl-C or SIGTERM
    writes a checkpoint next to --out, and the same command with --resume continues from it.

    Example:  keras-bert distill --teacher bert --data sample --steps 500 --out small
    """
    import keras

    from keras_bert import ops
    from keras_bert.weights import load_pretrained
    from keras_bert.working_folder import working_directory

    _check_options(sources, dataset, options)
    ops.partition_cpu_threads()
    pretrained = load_pretrained(teacher)
    kind = "pretrainer" if sources else "classifier"
    if pretrained.kind != kind:
        raise click.UsageError(f"`--teacher` must be a {kind}. Received: {teacher}, a {pretrained.kind}")
    with working_directory(out, options["resume"]) as work:
        keras.utils.set_random_seed(options["seed"])
        settings = {**{name: options[name] for name in FIELDS}, "checkpoint_dir": work / "training"}
        train = _distill_text if sources else _distill_labels
        results = train(console, pretrained, sources or dataset, out, options, settings)
    rows = [(name, f"{value:.4g}") for name, value in results.items() if isinstance(value, float)]
    show_table(console, str(out), ("metric", "value"), rows, right=("value",))
    return {"out": str(out), **results}


def _check_options(sources, dataset, options: dict) -> None:
    """Check the options that depend on each other."""
    if bool(sources) == bool(dataset):
        raise click.UsageError(
            f"`--data` or `--dataset` must be given, but not both. Received: {'both' if sources else 'neither'}"
        )
    source, needed, unused = ("data", "steps", "student") if sources else ("dataset", "student", "steps")
    if options[needed] is None:
        raise click.UsageError(f"`--{needed}` must be given with `--{source}`. Received: no --{needed}")
    if sources and options["skip_malformed"]:
        raise click.UsageError("`--skip-malformed` must be left out with `--data`. Received: --skip-malformed")
    if options[unused] is not None:
        raise click.UsageError(
            f"`--{unused}` must be left out with `--{source}`. Received: --{unused} {options[unused]}"
        )


def _distill_text(console, teacher, sources, out: Path, options: dict, settings: dict) -> dict:
    """Distill a pretrainer on text, save the student and return its metrics."""
    from keras_bert.data import load_corpus, tokenize_documents
    from keras_bert.models.cast import cast_model
    from keras_bert.text import BertTextVectorization
    from keras_bert.text.masking import Masking
    from keras_bert.text.packing import pack_examples
    from keras_bert.training import distill, evaluate_pretrainer, init_student
    from keras_bert.training.student import without_sentence_task
    from keras_bert.weights import save_pretrained

    seed = settings["seed"]
    length = min(options["sequence_length"], teacher.encoder.config.max_position_embeddings)
    vectorizer = BertTextVectorization(
        teacher.vocabulary,
        lowercase=teacher.lowercase,
        sequence_length=length,
        added_tokens=teacher.added_tokens,
        **teacher.splitting.changes(),
    )
    documents = tokenize_documents(load_corpus(list(sources)), vectorizer)
    parts = documents.split(options["held_out"], seed=seed) if options["held_out"] else (documents,)
    ids = vectorizer.cls_id, vectorizer.sep_id
    examples, *held_out = (pack_examples(part, length, *ids, sentence_task=None, seed=seed) for part in parts)
    validation = held_out[0] if held_out else None
    masking = Masking.from_vocabulary(teacher.vocabulary, max_predictions=math.ceil(0.15 * length))
    student = init_student(teacher.model, options["layers"], options["dtype"])
    sizes = {"parameters": student.count_params(), "teacher_parameters": teacher.model.count_params()}
    console.print(
        f"{len(examples):,} training sequences; teacher with {sizes['teacher_parameters']:,} parameters, "
        f"student with {sizes['parameters']:,}"
    )
    history = distill(
        teacher.model, student, examples, masking, validation=validation, steps=options["steps"], **settings
    ).history
    student = cast_model(student, "float32")
    save_pretrained(student, out, vectorizer)
    metrics = {}
    if validation is not None:
        for prefix, model in (("", student), ("teacher_", without_sentence_task(teacher.model))):
            found = evaluate_pretrainer(model, validation, masking)
            metrics |= {f"{prefix}{name}": found[name] for name in ("mlm_loss", "mlm_accuracy")}
    return {**sizes, **metrics, "history": history}


def _distill_labels(console, teacher, dataset: str, out: Path, options: dict, settings: dict) -> dict:
    """Distill a classifier on labeled sentences, save the student and return its metrics."""
    from keras_bert.data import load_labeled, select
    from keras_bert.inference.evaluate import evaluate
    from keras_bert.inference.predict import predict_logits
    from keras_bert.models import BertClassifier
    from keras_bert.models.cast import cast_model
    from keras_bert.text import BertTextVectorization
    from keras_bert.training import finetune
    from keras_bert.weights import load_pretrained, save_pretrained

    data = load_labeled(dataset, teacher.labels, skip_malformed=options["skip_malformed"])
    pretrained = load_pretrained(options["student"])
    model = BertClassifier(pretrained.encoder.copy(dtype=options["dtype"]), teacher.model.num_classes)
    teacher_vectorizer, vectorizer = (
        BertTextVectorization(
            each.vocabulary,
            lowercase=each.lowercase,
            sequence_length=min(options["sequence_length"], each.encoder.config.max_position_embeddings),
            added_tokens=each.added_tokens,
            **each.splitting.changes(),
        )
        for each in (teacher, pretrained)
    )
    train_rows, validation_rows = data.train_validation_split(settings["seed"], options["held_out"])
    train_texts, validation_texts = (select(data.train_texts, rows) for rows in (train_rows, validation_rows))
    console.print(f"{data.name}: {len(train_rows):,} training sentences, {len(validation_rows):,} for validation")
    history = finetune(
        model,
        vectorizer(train_texts),
        data.train_labels[train_rows],
        vectorizer(validation_texts),
        data.train_labels[validation_rows],
        teacher_logits=predict_logits(teacher.model, teacher_vectorizer(train_texts)),
        alpha=options["alpha"],
        epochs=options["epochs"],
        **settings,
    ).history
    model = cast_model(model, "float32")
    save_pretrained(model, out, vectorizer, labels=list(data.label_names))
    results = {}
    for prefix, each, vectorize in (("", model, vectorizer), ("teacher_", teacher.model, teacher_vectorizer)):
        results[f"{prefix}accuracy"] = evaluate(each, vectorize(data.dev_texts), data.dev_labels)["accuracy"]
        results[f"{prefix}parameters"] = each.count_params()
    return {**results, "examples": len(data.dev_texts), "history": history}
