"""`keras-bert pretrain`: train a BERT on raw text."""

import math
from pathlib import Path

import click

from keras_bert.cli.options import (
    check_length,
    config_from_size,
    encoder_option,
    size_option,
    sources_option,
    vocabulary_options,
)
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.packing_options import packing_options, sentence_task_of
from keras_bert.cli.pretraining_text import pack_text, packed_folder, tokenizer_of
from keras_bert.cli.training_options import training_options
from keras_bert.cli.value_types import FiniteRange, positive


@click.command()
@sources_option("sample|FILE|GLOB|tfds:NAME|DIR", "Training text, or the folder of `keras-bert pack`, alone")
@encoder_option()
@size_option("tiny")
@click.option("--layers", type=positive, help="Number of layers.  [default: that of --size]")
@click.option("--hidden", type=positive, help="Hidden size; each head has 64 dimensions.  [default: that of --size]")
@click.option("--heads", type=positive, help="Number of attention heads.  [default: that of --size]")
@click.option(
    "--masking-rate",
    type=FiniteRange(0, 1, min_open=True),
    default=0.15,
    show_default=True,
    help="Fraction of the tokens that are masked; small models learn faster with 0.25.",
)
@click.option("--whole-words", is_flag=True, help="Mask whole words instead of single tokens.")
@click.option("--dropout", type=FiniteRange(0, 1, max_open=True), help="All dropout rates.  [default: 0.1]")
@packing_options
@click.option(
    "--log-fill-mask",
    multiple=True,
    metavar="TEXT",
    help="With --log-dir: a text with [MASK], whose predictions are logged at each evaluation. Can be given several "
    "times.",
)
@vocabulary_options
@training_options("pretrain", "steps", "epochs", "embedding_init")
@json_output
def pretrain(console, sources, encoder, steps, epochs, out: Path, seed, **options) -> dict:
    """Pretrain a BERT with masked tokens and a sentence task, from random weights or, with --encoder, from a model.

    Ctrl-C or SIGTERM writes a checkpoint next to --out, and the same command with --resume continues from it. The text
    is read once. The packed examples are stored on disk next to --out until the end, so they need not fit in memory.
    For much text, `keras-bert pack` packs it before, in several processes; its folder can be the --data of many runs.

    Example:  keras-bert pretrain --data sample --vocab-size 4000 --size tiny --steps 500 --out bert
    """
    import keras

    from keras_bert import ops
    from keras_bert.data import load_corpus, load_packed
    from keras_bert.models import BertEncoder, BertPretrainer
    from keras_bert.models.cast import cast_model
    from keras_bert.text import BertTextVectorization
    from keras_bert.text.masking import Masking
    from keras_bert.training import FillMaskLog
    from keras_bert.training import pretrain as train
    from keras_bert.weights import load_pretrained, save_pretrained
    from keras_bert.working_folder import working_directory

    sentence_task = _check_options(encoder, steps, epochs, options)
    packed = packed_folder(sources)
    ops.partition_cpu_threads()
    rate = options["masking_rate"]
    corpus = None if packed else load_corpus(list(sources))
    with working_directory(out, options["resume"]) as work:
        pretrained = load_pretrained(encoder) if encoder else None
        tokenizer = tokenizer_of(packed, pretrained, corpus, options, work)
        vocabulary = tokenizer["vocabulary"]
        if packed:
            examples, validation = load_packed(packed)
            sentence_task, length = examples.sentence_task, examples.input_word_ids.shape[1]
        else:
            length = options["sequence_length"]
        if encoder:
            config = pretrained.encoder.config
        else:
            changes = {"num_layers": options["layers"], "hidden_size": options["hidden"], "num_heads": options["heads"]}
            changes |= {"hidden_dropout": options["dropout"], "attention_dropout": options["dropout"]}
            config = config_from_size(options["size"] or "tiny", len(vocabulary), **changes)
        check_length(length, config)
        vectorizer = BertTextVectorization(sequence_length=length, **tokenizer)
        if not packed:
            examples, validation = pack_text(corpus, vectorizer, tokenizer, sentence_task, options, seed, work)
        keras.utils.set_random_seed(seed)
        if encoder:
            model = pretrained.new_pretrainer(sentence_task, options["dropout"], options["dtype"])
        else:
            model = BertPretrainer(BertEncoder(config, dtype=options["dtype"]), sentence_task)
        console.print(
            f"{len(examples):,} training sequences of up to {length} tokens, {len(validation or ()):,} for validation; "
            f"{config.num_layers} layers, hidden size {config.hidden_size}, {model.count_params():,} parameters"
        )
        masking = Masking.from_vocabulary(
            vocabulary, options["whole_words"], rate=rate, max_predictions=math.ceil(rate * length)
        )
        texts = options["log_fill_mask"]
        callbacks = [FillMaskLog(options["log_dir"], texts, vectorizer)] if texts else []
        fields = ("batch_size", "accumulate", "learning_rate", "embedding_init", "log_dir")
        history = train(
            model,
            examples,
            masking,
            validation=validation,
            steps=steps,
            epochs=epochs,
            seed=seed,
            checkpoint_dir=work / "training",
            callbacks=callbacks,
            **{name: options[name] for name in fields},
        ).history
        save_pretrained(cast_model(model, "float32"), out, vectorizer)
    last = {name: values[-1] for name, values in history.items()}
    rows = ((name, f"{value:.4g}") for name, value in last.items())
    show_table(console, str(out), ("metric", "value"), rows, right=("value",))
    console.print(f'try:  keras-bert fill-mask --model {out} "a [MASK] film"', markup=False)
    sizes = {"parameters": model.count_params(), "vocab_size": len(vocabulary)}
    return {"out": str(out), **sizes, **last, "history": history}


def _check_options(encoder, steps, epochs, options: dict) -> str | None:
    """Check the options that depend on each other, and return the sentence task."""
    if (steps is None) == (epochs is None):
        received = "both" if steps else "neither"
        raise click.UsageError(f"`--steps` or `--epochs` must be given, but not both. Received: {received}")
    sentence_task = sentence_task_of(options)
    texts = options["log_fill_mask"]
    if texts and (options["log_dir"] is None or not all("[MASK]" in text for text in texts)):
        expected = "texts with [MASK], and be given with `--log-dir`"
        raise click.UsageError(f"`--log-fill-mask` must be {expected}. Received: {', '.join(map(repr, texts))}")
    for name in ("size", "layers", "hidden", "heads", "vocab", "embedding_init"):
        if encoder and options[name]:
            option = name.replace("_", "-")
            raise click.UsageError(
                f"`--{option}` must be left out with `--encoder`, because it is for random weights. "
                f"Received: --{option} {options[name]}"
            )
    return sentence_task
