"""`keras-bert embed`: texts to vectors."""

import click

from keras_bert.cli.options import model_option, texts_argument
from keras_bert.cli.screen import reporting, shorten, show_table
from keras_bert.errors import InputError
from keras_bert.shipped import ENCODER


@click.command()
@model_option("A trained model's folder.", ENCODER)
@click.option(
    "--pool",
    type=click.Choice(["mean", "cls", "pooled"]),
    default="mean",
    show_default=True,
    help="The mean over a text's tokens, the vector at [CLS], or the pooler's output.",
)
@texts_argument()
@reporting
def embed(console, folder: str, pool: str, texts: list[str]) -> dict:
    """Give each text a vector, and show which texts are near each other.

    With --json the vectors are printed.

    Example:  keras-bert embed --model tour/encoder "a fine film" "a good movie" "the bus is late"
    """
    import numpy as np
    from keras import ops

    from keras_bert.weights import load_pretrained

    trained = load_pretrained(folder)
    if pool == "pooled" and trained.encoder.pooler is None:
        raise InputError(f"--pool mean or cls is for an encoder without a pooler. Received: pooled, with {folder}")
    vectors = []
    for start in range(0, len(texts), 64):
        inputs = {name: ops.convert_to_numpy(x) for name, x in trained.vectorizer(texts[start : start + 64]).items()}
        outputs = trained.encoder(inputs, training=False)
        mask = inputs["input_mask"][..., None].astype("float32")  # [B, T, 1]
        if pool == "pooled":
            vector = outputs["pooled_output"]
        elif pool == "cls":
            vector = outputs["sequence_output"][:, 0]
        else:
            vector = ops.sum(outputs["sequence_output"] * mask, 1) / ops.sum(mask, 1)
        vectors.append(ops.convert_to_numpy(vector))  # [B, H]
    vectors = np.concatenate(vectors).astype("float32")  # [N, H]
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    near = (unit @ unit.T).tolist()
    heads = [f"to {i}" for i in range(1, len(texts) + 1)][:12]
    rows = ((i, shorten(text), *(f"{x:.2f}" for x in near[i - 1][:12])) for i, text in enumerate(texts, 1))
    title = f"cosine similarity of vectors of {vectors.shape[1]} numbers ({pool})"
    show_table(console, title, ("", "text", *heads), rows, right=heads)
    return {"size": vectors.shape[1], "pool": pool, "texts": texts, "embeddings": vectors, "cosine": near}
