"""`keras-bert pack`: tokenize and pack text files of any size for pretraining."""

from pathlib import Path

import click

from keras_bert.catalog.bundled import ENCODER, find_bundled
from keras_bert.cli.options import encoder_option, file_option, out_option, sources_option
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.packing_options import packing_options, sentence_task_of
from keras_bert.cli.value_types import positive


@click.command()
@sources_option("sample|FILE|GLOB", "Text files")
@file_option("--vocab", f"Vocabulary, one token per line.  [default: that of the bundled {ENCODER}]")
@click.option("--cased", is_flag=True, help="Keep capital letters and accents, for a cased vocabulary in --vocab.")
@encoder_option("Use the vocabulary and the tokenizer of this pretrained model, to continue its pretraining.")
@packing_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed.")
@click.option("--workers", type=positive, default=1, show_default=True, help="Number of processes.")
@out_option(help="Folder to write, or to complete.")
@json_output(model=False)
def pack(console, sources, vocab, cased, encoder, workers: int, seed: int, out: Path, **options) -> dict:
    """Tokenize and pack text files of any size for `keras-bert pretrain --data DIR`.

    Each file is a task of its own, and the rows are the same for any number of workers. A file is read in parts, so the
    memory of a worker does not depend on its size. If the command is interrupted, the same command continues: files
    that are complete are verified and not packed again.

    Example:  keras-bert pack --data "books/*.txt" --workers 2 --out packed
    """
    from keras_bert.data import pack_files

    if cased and vocab is None:
        raise click.UsageError(
            "`--cased` must be given with `--vocab`. Received: the bundled vocabulary, which is uncased"
        )
    if encoder and vocab:
        raise click.UsageError("`--vocab` must be left out with `--encoder`, which has a vocabulary. Received: both")
    task = sentence_task_of(options)
    if encoder:
        tokenizer = _tokenizer_of(encoder)
    else:
        tokenizer = {"vocabulary": vocab or find_bundled(ENCODER) / "assets" / "vocab.txt", "lowercase": not cased}

    def show(entry: dict) -> None:
        console.print(f"{entry['file']}  {sum(entry['rows'].values()):,} rows", markup=False, soft_wrap=True)

    manifest = pack_files(
        list(sources),
        out=out,
        workers=workers,
        on_file=show,
        sequence_length=options["sequence_length"],
        sentence_task=task,
        dupe_factor=options["dupe_factor"],
        held_out=options["held_out"],
        seed=seed,
        **tokenizer,
    )
    rows, tokens = manifest["rows"], manifest["tokens"]
    table = ((name, f"{rows[name]:,}", f"{tokens[name]:,}") for name in rows)
    show_table(console, str(out), ("part", "rows", "tokens"), table, right=("rows", "tokens"))
    console.print(f"try:  keras-bert pretrain --data {out} --size tiny --epochs 1 --out bert", markup=False)
    return {"out": str(out), "files": len(manifest["files"]), "rows": rows, "tokens": tokens}


def _tokenizer_of(encoder: str) -> dict:
    """Return the vocabulary and the settings of the tokenizer of a pretrained model."""
    import keras_bert.weights  # noqa: F401  registers the readers of all formats
    from keras_bert.text.pretrained import pretrained_arguments
    from keras_bert.text.splitting import Splitting

    found = pretrained_arguments(encoder)
    names = ("vocabulary", "lowercase", "added_tokens")
    return {**{name: found[name] for name in names}, "splitting": Splitting.from_dict(found)}
