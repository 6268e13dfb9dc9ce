"""The text of `keras-bert pretrain`: files that are packed by the command, or the folder of `keras-bert pack`."""

import zlib
from pathlib import Path

import click

from keras_bert.errors import InputError

# Options that the rows of a packed folder have as settings.
PACKED = (
    *("sequence_length", "no_next_sentence", "sentence_order", "dupe_factor", "held_out"),
    *("vocab", "vocab_size", "cased"),
)


def packed_folder(sources: tuple[str, ...]) -> Path | None:
    """Return the folder of `keras-bert pack` that `--data` names, or None for text.

    Raises:
        click.UsageError: there are further sources, or options that decide how texts are packed.
        InputError: the folder is not complete.
    """
    from keras_bert.data.manifest import read_manifest

    found = [source for source in sources if Path(source).is_dir()]
    if not found:
        return None
    if len(sources) > 1:
        raise click.UsageError(f"`--data` must be one packed folder, or texts. Received: {found[0]} and other sources")
    read_manifest(found[0])
    context = click.get_current_context()
    for name in PACKED:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"`--{name.replace('_', '-')}` must be left out if `--data` is a packed folder, whose rows have this "
                f"setting. Received: {found[0]}. Pack the text again to change it."
            )
    return Path(found[0])


def tokenizer_of(packed: Path | None, pretrained, corpus, options: dict, work: Path) -> dict:
    """Return the arguments of the `BertTextVectorization`: those of the packed folder, of the model, or of new ones."""
    from keras_bert.data.manifest import packed_tokenizer
    from keras_bert.text.vocabulary import load_or_learn_vocabulary

    tokenizer = None
    if pretrained is not None:
        tokenizer = {
            "vocabulary": list(pretrained.vocabulary),
            "lowercase": pretrained.lowercase,
            "added_tokens": list(pretrained.added_tokens),
            **pretrained.splitting.changes(),
        }
    if packed is not None:
        found = packed_tokenizer(packed)
        if tokenizer not in (None, found):
            raise InputError(
                "`--encoder` must have the tokenizer with which `--data` was packed. "
                f"Received: {packed}, packed with another one. Run `keras-bert pack` with the same --encoder."
            )
        return found
    if tokenizer is None:
        lowercase, sentences = not options["cased"], (sentence for document in corpus for sentence in document)
        vocabulary = load_or_learn_vocabulary(options["vocab"], sentences, options["vocab_size"], lowercase, work)
        tokenizer = {"vocabulary": vocabulary, "lowercase": lowercase, "added_tokens": []}
    return tokenizer


def pack_text(corpus, vectorizer, tokenizer: dict, sentence_task: str | None, options: dict, seed: int, work: Path):
    """Pack the text to disk, and return the rows for training and for validation."""
    from keras_bert.data import tokenize_documents
    from keras_bert.text.shards import pack_to_disk

    files = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in corpus.files]
    return pack_to_disk(
        work / "training" / "rows",
        corpus,
        lambda shard: tokenize_documents(shard, vectorizer),
        options["sequence_length"],
        vectorizer.cls_id,
        vectorizer.sep_id,
        vocab_size=len(tokenizer["vocabulary"]),
        sentence_task=sentence_task,
        dupe_factor=options["dupe_factor"],
        held_out=options["held_out"],
        seed=seed,
        sources={
            "data": corpus.name,
            "names, sizes and dates of files": _checksum(files),
            **tokenizer,
            "vocabulary": _checksum(tokenizer["vocabulary"]),
        },
    )


def _checksum(value) -> str:
    """Return a short checksum of a value that is too long to show."""
    return f"{zlib.crc32(repr(value).encode()):08x}"
