"""`keras-bert tokenize`: texts to tokens and ids."""

import click

from keras_bert.cli.options import file_option, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table


@click.command()
@file_option("--vocab", "Vocabulary, one token a line.", required=True)
@click.option("--cased", is_flag=True, help="Keep capitals and accents, as the cased models do.")
@texts_argument()
@json_output
def tokenize(console, vocab: str, cased: bool, texts: list[str]) -> dict:
    """Cut texts into WordPiece tokens and show their ids.

    Ids are the line numbers of the vocabulary file, from 0. Special tokens such as [MASK] in a text are one token each.

    Example:  keras-bert tokenize --vocab tour/encoder/vocab.txt "an unforgettable film"
    """
    from keras_bert.text import BertTextVectorization

    vectorizer = BertTextVectorization(vocabulary=vocab, lowercase=not cased, special_tokens=True)
    vocabulary = vectorizer.get_vocabulary()
    rows = []
    for text, ids in zip(texts, vectorizer.tokenize(texts).to_list(), strict=True):
        rows.append({"text": text, "tokens": [vocabulary[i] for i in ids], "ids": ids})
    for row in rows:
        pairs = zip(row["tokens"], row["ids"], strict=True)
        show_table(console, shorten(row["text"]), ("token", "id"), pairs, right=("id",))
    return {"texts": rows}
