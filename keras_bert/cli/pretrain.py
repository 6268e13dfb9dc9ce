"""`keras-bert pretrain`: a BERT from raw text."""

import math
import zlib
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


def mark(facts) -> str:
    """A short mark of what cannot be shown whole."""
    return f"{zlib.crc32(repr(facts).encode()):08x}"


@click.command()
@click.option(
    "--data",
    "sources",
    multiple=True,
    required=True,
    metavar="sample|FILE|GLOB|tfds:NAME",
    help="Text to learn from; may be given several times. A paragraph a line, a blank line between documents.",
)
@encoder_option()
@size_option("tiny")
@click.option("--layers", type=positive, help="L, instead of the size's.")
@click.option("--hidden", type=positive, help="H, instead of the size's; heads are 64 wide.")
@click.option("--heads", type=positive, help="A, instead of the size's.")
@click.option("--sequence-length", type=click.IntRange(min=8), default=128, show_default=True)
@click.option("--steps", type=positive, help="How many steps of the optimizer; or give --epochs.")
@click.option("--epochs", type=positive, help="How many times through the text.")
@click.option(
    "--masking-rate",
    type=FiniteRange(0, 1, min_open=True),
    default=0.15,
    show_default=True,
    help="Share of the tokens to hide; small models learn faster with 0.25.",
)
@click.option("--whole-words", is_flag=True, help="Mask whole words, not single pieces.")
@click.option(
    "--embedding-init",
    type=click.Choice(["ppmi"]),
    help="Begin with word vectors counted from the text itself, not with random ones.",
)
@click.option("--dropout", type=FiniteRange(0, 1, max_open=True), help="Rate everywhere in the model.  [default: 0.1]")
@click.option("--no-next-sentence", is_flag=True, help="Masked words only.")
@click.option(
    "--sentence-order",
    is_flag=True,
    help="Whether two neighbours are in order or swapped, as ALBERT, instead of whether the second is the next.",
)
@click.option(
    "--dupe-factor",
    type=positive,
    default=1,
    show_default=True,
    help="How often the text is cut into pairs, each time others; 5 to 10 keeps a small corpus from being memorised.",
)
@click.option(
    "--held-out",
    type=FiniteRange(0, 0.5),
    default=0.05,
    show_default=True,
    help="Share of the text to validate on.",
)
@vocabulary_options
@training_options(learning_rate=1e-4)
@json_output
def pretrain(console, sources, encoder, steps, epochs, out: Path, seed, **options) -> dict:
    """Pretrain a BERT with masked words and next sentences, or sentence order, from random weights or, with --encoder,
    further.

    Ctrl-C leaves a checkpoint beside --out, and the same command with --resume goes on from it. The text is read once:
    its rows wait on disk beside --out until the end, and need not fit in memory.

    Example:  keras-bert pretrain --data sample --vocab-size 4000 --size tiny --steps 500 --out bert
    """
    import keras

    from keras_bert import ops as fused
    from keras_bert.data import load_corpus, tokenize_documents
    from keras_bert.files import working_directory
    from keras_bert.models import BertEncoder, BertPretrainer
    from keras_bert.models.cast import in_float32
    from keras_bert.text import BertTextVectorization
    from keras_bert.text.masking import Masking
    from keras_bert.text.shards import pack_to_disk
    from keras_bert.text.vocabulary import load_or_learn_vocabulary
    from keras_bert.training import pretrain as train
    from keras_bert.weights import load_pretrained, save_pretrained

    if (steps is None) == (epochs is None):
        raise click.UsageError("give --steps or --epochs, one of them")
    if options["sentence_order"] and options["no_next_sentence"]:
        raise click.UsageError(
            "--sentence-order or --no-next-sentence, one of them: the second means masked words only"
        )
    task = "order" if options["sentence_order"] else None if options["no_next_sentence"] else "next"
    own = [name for name in ("size", "layers", "hidden", "heads", "vocab", "embedding_init") if options[name]]
    if encoder and own:
        option = own[0].replace("_", "-")
        raise click.UsageError(f"--{option} belongs to random weights; an encoder's folder brings its own")
    fused.partition_cpu_threads()
    length, lowercase, rate = options["sequence_length"], not options["cased"], options["masking_rate"]
    corpus = load_corpus(list(sources))
    with working_directory(out, options["resume"]) as work:
        sentences = (sentence for document in corpus for sentence in document)
        if encoder:
            start = load_pretrained(encoder)
            vocabulary, lowercase, config = start.vocabulary, start.lowercase, start.encoder.config
        else:
            vocabulary = load_or_learn_vocabulary(options["vocab"], sentences, options["vocab_size"], lowercase, work)
            changes = {"num_layers": options["layers"], "hidden_size": options["hidden"], "num_heads": options["heads"]}
            changes |= {"hidden_dropout": options["dropout"], "attention_dropout": options["dropout"]}
            config = config_from_size(options["size"] or "tiny", len(vocabulary), **changes)
        check_length(length, config)
        vectorizer = BertTextVectorization(vocabulary, lowercase=lowercase, sequence_length=length)
        files = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in corpus.files]
        examples, validation = pack_to_disk(
            work / "training" / "rows",
            corpus,
            lambda shard: tokenize_documents(shard, vectorizer),
            length,
            vectorizer.cls_id,
            vectorizer.sep_id,
            vocab_size=len(vocabulary),
            sentence_task=task,
            dupe_factor=options["dupe_factor"],
            held_out=options["held_out"],
            seed=seed,
            sources={
                "data": corpus.name,
                "names, sizes and dates of files": mark(files),
                "vocabulary": mark(vocabulary),
                "lowercase": lowercase,
            },
        )
        keras.utils.set_random_seed(seed)
        if encoder:
            model = start.new_pretrainer(task, options["dropout"], options["dtype"])
        else:
            model = BertPretrainer(BertEncoder(config, dtype=options["dtype"]), task)
        console.print(
            f"{len(examples):,} sequences of up to {length} tokens, {len(validation or ()):,} held out; "
            f"{config.num_layers} layers of {config.hidden_size}, {model.count_params():,} parameters"
        )
        history = train(
            model,
            examples,
            Masking.from_vocabulary(
                vocabulary, options["whole_words"], rate=rate, max_predictions=math.ceil(rate * length)
            ),
            validation=validation,
            steps=steps,
            epochs=epochs,
            batch_size=options["batch_size"],
            accumulate=options["accumulate"],
            learning_rate=options["learning_rate"],
            embedding_init=options["embedding_init"],
            seed=seed,
            checkpoint_dir=work / "training",
            log_dir=options["log_dir"],
        ).history
        save_pretrained(in_float32(model), out, vectorizer)
    last = {name: values[-1] for name, values in history.items()}
    rows = ((name, f"{value:.4g}") for name, value in last.items())
    show_table(console, str(out), ("measure", "value"), rows, right=("value",))
    console.print(f'try:  keras-bert fill-mask --model {out} "a [MASK] film"', markup=False)
    sizes = {"parameters": model.count_params(), "vocab_size": len(vocabulary)}
    return {"out": str(out), **sizes, **last, "history": history}
