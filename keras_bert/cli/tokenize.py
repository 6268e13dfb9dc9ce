"""`keras-bert tokenize`: tokens and ids of texts."""

import click

from keras_bert.catalog.bundled import ENCODER, find_bundled
from keras_bert.cli.options import file_option, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table


@click.command()
@file_option("--vocab", f"Vocabulary, one token per line.  [default: that of the bundled {ENCODER}]")
@click.option("--cased", is_flag=True, help="Keep capital letters and accents, for a cased vocabulary in --vocab.")
@texts_argument()
@json_output
def tokenize(console, vocab: str | None, cased: bool, texts: list[str]) -> dict:
    """Split texts into WordPiece tokens and show their ids.

    An id is the line number of the token in the vocabulary file, from 0. Special tokens such as [MASK] in a text are
    one token each. Without --vocab, the vocabulary of the bundled encoder is used, which is uncased.

    Example:  keras-bert tokenize "an unforgettable film"

    Example:  keras-bert tokenize --vocab tour/encoder/vocab.txt "an unforgettable film"
    """
    from keras_bert.text import BertTextVectorization

    if cased and vocab is None:
        raise click.UsageError(
            "`--cased` must be given with `--vocab`. Received: the bundled vocabulary, which is uncased"
        )
    # Only the vocabulary is read: loading the whole model takes seconds.
    path = vocab or find_bundled(ENCODER) / "assets" / "vocab.txt"
    vectorizer = BertTextVectorization(vocabulary=path, lowercase=not cased, special_tokens=True)
    vocabulary = vectorizer.get_vocabulary()
    rows = []
    for text, ids in zip(texts, vectorizer.tokenize(texts).to_list(), strict=True):
        rows.append({"text": text, "tokens": [vocabulary[i] for i in ids], "ids": ids})
    for row in rows:
        pairs = zip(row["tokens"], row["ids"], strict=True)
        show_table(console, shorten(console, row["text"]), ("token", "id"), pairs, right=("id",))
    return {"texts": rows}
