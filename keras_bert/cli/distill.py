"""`keras-bert distill`: a small model learns from a large one, from text or from labelled sentences."""

import math
from pathlib import Path

import click

from keras_bert.cli.options import FiniteRange, ModelFolder, positive, training_options
from keras_bert.cli.output import json_output, show_table


@click.command()
@click.option("--teacher", type=ModelFolder(), required=True, metavar="DIR", help="The model to learn from.")
@click.option(
    "--data",
    "sources",
    multiple=True,
    metavar="sample|FILE|GLOB|tfds:NAME",
    help="Text to learn from: the student is a smaller encoder of the same width, with its masked-word head.",
)
@click.option(
    "--dataset",
    metavar="sample|sst2|FOLDER",
    help="Labelled sentences to learn from: teacher is a classifier, and --student an encoder.",
)
@click.option("--layers", type=positive, help="Of the student, with --data.  [default: half the teacher's]")
@click.option("--student", type=ModelFolder(), metavar="DIR", help="The encoder to train, with --dataset.")
@click.option("--steps", type=positive, help="How many steps of the optimizer, with --data.")
@click.option("--epochs", type=positive, default=3, show_default=True, help="Times through --dataset.")
@click.option("--sequence-length", type=click.IntRange(min=8), default=128, show_default=True)
@click.option(
    "--temperature",
    type=FiniteRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="Of both softmaxes.",
)
@click.option(
    "--alpha",
    type=FiniteRange(0, 1),
    default=0.5,
    show_default=True,
    help="Of the loss, with --dataset; the rest is the labels'.",
)
@click.option(
    "--held-out", type=FiniteRange(0, 0.5), default=0.05, show_default=True, help="Share to choose weights by."
)
@training_options(learning_rate=5e-4)
@json_output
def distill(console, teacher: str, sources, dataset: str | None, out: Path, seed: int, **options) -> dict:
    """Train a small model to say what a large one says.

    Of text, as DistilBERT was made: every second layer of the teacher to begin with, and three losses. Of labelled
    sentences: the teacher's logits beside the labels. Ctrl-C leaves a checkpoint beside --out, and the same command
    with --resume goes on from it.

    Example:  keras-bert distill --teacher bert --data sample --steps 500 --out small
    """
    import keras

    from keras_bert import ops as fused
    from keras_bert.files import working_directory
    from keras_bert.weights import load_pretrained

    if bool(sources) == bool(dataset):
        raise click.UsageError("give --data or --dataset, one of them")
    wanted, other = ("steps", "student") if sources else ("student", "steps")
    if options[wanted] is None or options[other] is not None:
        raise click.UsageError(f"--{'data' if sources else 'dataset'} goes with --{wanted}, and not with --{other}")
    fused.partition_cpu_threads()
    learned_from = load_pretrained(teacher)
    kind = "pretrainer" if sources else "classifier"
    if learned_from.kind != kind:
        what = "masked-word head" if sources else "classifier"
        raise click.UsageError(f"a teacher with a {what} is expected. Received: {teacher}, a {learned_from.kind}")
    with working_directory(out, options["resume"]) as work:
        keras.utils.set_random_seed(seed)
        common = {
            "batch_size": options["batch_size"],
            "accumulate": options["accumulate"],
            "learning_rate": options["learning_rate"],
            "temperature": options["temperature"],
            "seed": seed,
            "checkpoint_dir": work / "training",
            "log_dir": options["log_dir"],
        }
        train = _from_text if sources else _from_labels
        facts = train(console, learned_from, sources or dataset, out, options, common)
    rows = [(name, f"{value:.4g}") for name, value in facts.items() if isinstance(value, float)]
    show_table(console, str(out), ("measure", "value"), rows, right=("value",))
    return {"out": str(out), **facts}


def _from_text(console, teacher, sources, out: Path, options: dict, common: dict) -> dict:
    from keras_bert.data import load_corpus, tokenize_documents
    from keras_bert.models.cast import in_float32
    from keras_bert.text import BertTextVectorization
    from keras_bert.text.masking import Masking
    from keras_bert.text.packing import pack_examples
    from keras_bert.training import distill, evaluate_pretrainer, init_student
    from keras_bert.training.distill import without_sentence_task
    from keras_bert.weights import save_pretrained

    length = min(options["sequence_length"], teacher.encoder.config.max_position_embeddings)
    vectorizer = BertTextVectorization(teacher.vocabulary, lowercase=teacher.lowercase, sequence_length=length)
    documents = tokenize_documents(load_corpus(list(sources)), vectorizer)
    parts = documents.split(options["held_out"], seed=common["seed"]) if options["held_out"] else (documents,)
    ends = vectorizer.cls_id, vectorizer.sep_id
    rows = [pack_examples(part, length, *ends, sentence_task=None, seed=common["seed"]) for part in parts]
    masking = Masking.from_vocabulary(teacher.vocabulary, max_predictions=math.ceil(0.15 * length))
    student = init_student(teacher.model, options["layers"], options["dtype"])
    held_out = rows[1] if len(rows) > 1 else None
    sizes = [model.count_params() for model in (teacher.model, student)]
    console.print(f"{len(rows[0]):,} sequences; a teacher of {sizes[0]:,} parameters, a student of {sizes[1]:,}")
    history = distill(
        teacher.model, student, rows[0], masking, validation=held_out, steps=options["steps"], **common
    ).history
    student = in_float32(student)
    save_pretrained(student, out, vectorizer)
    measured = {"parameters": sizes[1], "teacher_parameters": sizes[0]}
    if held_out is not None:
        for name, model in (("", student), ("teacher_", without_sentence_task(teacher.model))):
            found = evaluate_pretrainer(model, held_out, masking)
            measured |= {f"{name}{key}": found[key] for key in ("mlm_loss", "mlm_accuracy")}
    return {**measured, "history": history}


def _from_labels(console, teacher, dataset: str, out: Path, options: dict, common: dict) -> dict:
    from keras_bert.data import load_labeled, select
    from keras_bert.inference import evaluate, predict_logits
    from keras_bert.models import BertClassifier
    from keras_bert.models.cast import in_float32
    from keras_bert.text import BertTextVectorization
    from keras_bert.training import finetune
    from keras_bert.weights import load_pretrained, save_pretrained

    data = load_labeled(dataset, teacher.labels)
    start = load_pretrained(options["student"])
    model = BertClassifier(start.encoder.copy(dtype=options["dtype"]), teacher.model.num_classes)
    readers = [
        BertTextVectorization(
            each.vocabulary,
            lowercase=each.lowercase,
            sequence_length=min(options["sequence_length"], each.encoder.config.max_position_embeddings),
        )
        for each in (teacher, start)
    ]
    rows, held_out = data.train_validation_split(common["seed"], options["held_out"])
    texts, chosen_by = (select(data.train_texts, part) for part in (rows, held_out))
    console.print(f"{data.name}: {len(rows):,} sentences to train on, {len(held_out):,} to choose the best epoch by")
    history = finetune(
        model,
        readers[1](texts),
        data.train_labels[rows],
        readers[1](chosen_by),
        data.train_labels[held_out],
        teacher_logits=predict_logits(teacher.model, readers[0](texts)),
        alpha=options["alpha"],
        epochs=options["epochs"],
        **common,
    ).history
    model = in_float32(model)
    save_pretrained(model, out, readers[1], labels=list(data.label_names))
    found = {}
    for name, each, reader in (("", model, readers[1]), ("teacher_", teacher.model, readers[0])):
        found[f"{name}accuracy"] = evaluate(each, reader(data.dev_texts), data.dev_labels)["accuracy"]
        found[f"{name}parameters"] = each.count_params()
    return {**found, "examples": len(data.dev_texts), "history": history}
