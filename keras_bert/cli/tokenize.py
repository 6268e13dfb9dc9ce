"""`keras-bert tokenize`: tokens and ids of texts."""

import re

import click

from keras_bert.catalog.bundled import ENCODER, find_bundled
from keras_bert.cli.options import file_option, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table
from keras_bert.constants import SPECIAL_TOKENS


@click.command()
@file_option("--vocab", f"Vocabulary, one token per line.  [default: that of the bundled {ENCODER}]")
@click.option("--cased", is_flag=True, help="Keep capital letters and accents, for a cased vocabulary in --vocab.")
@texts_argument()
@json_output(model=False)
def tokenize(console, vocab: str | None, cased: bool, texts: list[str]) -> dict:
    """Split texts into WordPiece tokens and show their ids.

    An id is the line number of the token in the vocabulary file, from 0. Special tokens such as [MASK] in a text are
    one token each. Without --vocab, the vocabulary of the bundled encoder is used, which is uncased.

    Example:  keras-bert tokenize "an unforgettable film"

    Example:  keras-bert tokenize --vocab tour/encoder/vocab.txt "an unforgettable film"
    """
    from keras_bert.text.offsets import OffsetTokenizer  # the ids of BertTextVectorization, without TensorFlow
    from keras_bert.text.vocabulary import load_vocabulary

    if cased and vocab is None:
        raise click.UsageError(
            "`--cased` must be given with `--vocab`. Received: the bundled vocabulary, which is uncased"
        )
    # Only the vocabulary is read: loading the whole model takes seconds.
    vocabulary = load_vocabulary(vocab or find_bundled(ENCODER) / "assets" / "vocab.txt")
    tokenizer = OffsetTokenizer(vocabulary, lowercase=not cased)
    special_tokens = re.compile(f"({'|'.join(map(re.escape, SPECIAL_TOKENS))})")
    rows = []
    for text in texts:
        ids = []
        for part in special_tokens.split(text):
            ids += [vocabulary.index(part)] if part in SPECIAL_TOKENS else tokenizer(part)[0]
        rows.append({"text": text, "tokens": [vocabulary[i] for i in ids], "ids": ids})
    for row in rows:
        pairs = zip(row["tokens"], row["ids"], strict=True)
        show_table(console, shorten(console, row["text"]), ("token", "id"), pairs, right=("id",))
    return {"texts": rows}
