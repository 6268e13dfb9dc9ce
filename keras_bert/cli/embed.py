"""`keras-bert embed`: vectors of texts, and the texts that are nearest to each other."""

import click

from keras_bert.catalog.bundled import ENCODER
from keras_bert.cli.options import file_option, model_option, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table
from keras_bert.cli.value_types import positive
from keras_bert.constants import POOLS
from keras_bert.errors import InputError

CHUNK_SIZE = 4096  # number of texts whose ids are in memory at a time
MAX_COLUMNS = 12  # columns of similarities on a terminal


@click.command()
@model_option("Folder of a trained model.", ENCODER)
@click.option(
    "--pool",
    type=click.Choice(POOLS),
    show_default="that of a sentence model, otherwise mean",
    help="How the vectors of the tokens become one vector: mean or max over the last block; the vector of [CLS]; the "
    "output of the pooler; the mean over the second-to-last block, or over the last four, summed or concatenated.",
)
@file_option("--nearest", "File of sentences, one per line. Show the sentences that are nearest to each text.")
@click.option("--top-k", type=positive, default=5, show_default=True, help="Number of sentences of --nearest to show.")
@texts_argument()
@json_output
def embed(console, folder: str, pool: str | None, nearest: str | None, top_k: int, texts: list[str]) -> dict:
    """Compute a vector for each text, and show the cosine similarities of the texts, or with --nearest the lines of a
    file that are nearest to each text.

    With --json the vectors are printed too.

    Example:  keras-bert embed --model tour/encoder "a fine film" "a good movie" "the bus is late"

    Example:  keras-bert embed --nearest sentences.txt --top-k 3 "a fine film"
    """
    from keras_bert.weights import load_pretrained

    lines = _read_sentences(nearest) if nearest else {}
    trained = load_pretrained(folder)
    pool = pool or trained.pool or "mean"
    vectors = _compute_vectors(trained, texts, pool)  # [N, D]
    unit = _normalize(vectors)
    cosine = (unit @ unit.T).tolist()  # [N, N]
    facts = {"size": vectors.shape[1], "pool": pool, "texts": texts, "embeddings": vectors, "cosine": cosine}
    title = f"cosine similarity of vectors of size {vectors.shape[1]} ({pool})"
    if nearest:
        others = _normalize(_compute_vectors(trained, list(lines.values()), pool))  # [M, D]
        console.print(f"{nearest}: {title}", markup=False)
        shown = zip(texts, unit @ others.T, strict=True)
        return {**facts, "nearest": [_show_nearest(console, text, row, lines, top_k) for text, row in shown]}
    shown = MAX_COLUMNS if console.is_terminal else len(texts)
    headings = [f"to {i}" for i in range(1, len(texts) + 1)][:shown]
    rows = (
        (i, shorten(console, text), *(f"{x:.2f}" for x in cosine[i - 1][:shown])) for i, text in enumerate(texts, 1)
    )
    show_table(console, title, ("", "text", *headings), rows, right=headings)
    return facts


def _read_sentences(path: str) -> dict[int, str]:
    """Return the lines of a file that are not blank, by line number, from 1."""
    from keras_bert.data.files import read_lines

    lines = {number: line for number, line in read_lines(path) if line.strip()}
    if not lines:
        raise InputError(f"`--nearest` must be a file with one sentence per line. Received: {path} (blank lines only)")
    return lines


def _compute_vectors(trained, texts: list[str], pool: str):
    """Return the vectors of texts, float32 `[N, D]`."""
    import numpy as np

    from keras_bert.inference.embed import embed
    from keras_bert.inference.progress import show_progress
    from keras_bert.tasks import Preprocessor

    preprocessor, parts = Preprocessor.from_pretrained(trained), []
    with show_progress("embedding", "texts", len(texts), show=len(texts) > CHUNK_SIZE) as advance:
        for start in range(0, len(texts), CHUNK_SIZE):
            chunk = texts[start : start + CHUNK_SIZE]
            parts.append(embed(trained.encoder, preprocessor(chunk), pool))
            advance(len(chunk))
    preprocessor.long_texts.warn()
    return np.concatenate(parts)


def _normalize(vectors):
    """Return the vectors scaled to length 1."""
    import numpy as np

    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _show_nearest(console, text: str, cosines, lines: dict[int, str], top_k: int) -> dict:
    """Show the lines with the highest cosines `[M]`, and return them."""
    import numpy as np

    numbers = list(lines)
    best = np.argsort(-cosines, kind="stable")[:top_k]
    nearest = [{"line": numbers[i], "text": lines[numbers[i]], "cosine": float(cosines[i])} for i in best]
    rows = ((f"{row['cosine']:.3f}", row["line"], shorten(console, row["text"])) for row in nearest)
    show_table(console, shorten(console, text), ("cosine", "line", "text"), rows, right=("cosine", "line"))
    return {"text": text, "lines": nearest}
