"""`keras-bert embed`: texts to vectors."""

import click

from keras_bert.catalog.bundled import ENCODER
from keras_bert.cli.options import file_option, model_option, positive, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table
from keras_bert.constants import POOLS
from keras_bert.errors import InputError

PART = 4096  # texts whose ids are in memory at a time


@click.command()
@model_option("A trained model's folder.", ENCODER)
@click.option(
    "--pool",
    type=click.Choice(POOLS),
    default="mean",
    show_default=True,
    help="The mean over a text's tokens, or the largest of each number; the vector at [CLS], or the pooler's output; "
    "the mean over tokens of the block before the last, or of the last four, added up or side by side.",
)
@file_option("--nearest", "Sentences, one a line: show the nearest of them to each text.")
@click.option("--top", type=positive, default=5, show_default=True, help="How many lines of --nearest to show.")
@texts_argument()
@json_output
def embed(console, folder: str, pool: str, nearest: str | None, top: int, texts: list[str]) -> dict:
    """Give each text a vector, and show which texts are near each other, or which lines of a file are near a text.

    With --json the vectors are printed.

    Example:  keras-bert embed --model tour/encoder "a fine film" "a good movie" "the bus is late"

    Example:  keras-bert embed --nearest sentences.txt --top 3 "a fine film"
    """
    from keras_bert.weights import load_pretrained

    lines = _sentences(nearest) if nearest else {}
    trained = load_pretrained(folder)
    vectors = _vectors(console, trained, texts, pool)  # [N, D]
    unit = _of_length_one(vectors)
    near = (unit @ unit.T).tolist()
    facts = {"size": vectors.shape[1], "pool": pool, "texts": texts, "embeddings": vectors, "cosine": near}
    title = f"cosine similarity of vectors of {vectors.shape[1]} numbers ({pool})"
    if nearest:
        others = _of_length_one(_vectors(console, trained, list(lines.values()), pool))  # [M, D]
        console.print(f"{nearest}: {title}", markup=False)
        shown = zip(texts, unit @ others.T, strict=True)
        return {**facts, "nearest": [_show_nearest(console, text, row, lines, top) for text, row in shown]}
    heads = [f"to {i}" for i in range(1, len(texts) + 1)][:12]
    rows = ((i, shorten(text), *(f"{x:.2f}" for x in near[i - 1][:12])) for i, text in enumerate(texts, 1))
    show_table(console, title, ("", "text", *heads), rows, right=heads)
    return facts


def _sentences(path: str) -> dict[int, str]:
    """The lines of a file that are not blank, by their number, from 1."""
    from keras_bert.data.files import read_lines

    lines = {number: line for number, line in read_lines(path) if line.strip()}
    if not lines:
        raise InputError(f"{path}: a sentence a line is expected. Received: blank lines alone")
    return lines


def _vectors(console, trained, texts: list[str], pool: str):
    """float32 `[N, D]`, the texts cut to the encoder's positions."""
    import numpy as np
    from rich.progress import track

    from keras_bert.inference import embed
    from keras_bert.tasks.preprocessor import Preprocessor

    vectorizer = Preprocessor.of(trained).vectorizer
    starts = track(range(0, len(texts), PART), "embedding", console=console, transient=True, disable=len(texts) <= PART)
    return np.concatenate([embed(trained.encoder, vectorizer(texts[i : i + PART]), pool) for i in starts])


def _of_length_one(vectors):
    import numpy as np

    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _show_nearest(console, text: str, cosines, lines: dict[int, str], top: int) -> dict:
    """The lines with the highest cosines `[M]`, as a table and as facts."""
    import numpy as np

    numbers = list(lines)
    best = np.argsort(-cosines, kind="stable")[:top]
    found = [{"line": numbers[i], "text": lines[numbers[i]], "cosine": float(cosines[i])} for i in best]
    rows = ((f"{row['cosine']:.3f}", row["line"], shorten(row["text"])) for row in found)
    show_table(console, shorten(text), ("cosine", "line", "text"), rows, right=("cosine", "line"))
    return {"text": text, "lines": found}
