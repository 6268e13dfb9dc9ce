"""The views of `keras-bert explain` that show the geometry of the layers.

Each is a function of what `kb.load_pretrained` returned, the texts, and a dict of the given options.
"""

import html
from collections.abc import Sequence

from rich.text import Text

from keras_bert.cli.view_result import ViewResult
from keras_bert.errors import InputError

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e6e9f0; --grid: #4a5264 }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: {width}px; margin: 2rem auto; padding: 0 1rem }}
figure {{ margin: 0 }} svg {{ width: 100%; height: auto }} figcaption {{ margin: 1rem 0; overflow-wrap: anywhere }}
.scroll {{ overflow-x: auto }} pre {{ font-size: 0.85rem }}
</style>
<h1>{title}</h1>
<figure>{svg}<figcaption>{caption}</figcaption></figure>
<h2>Numbers</h2>
<div class="scroll" tabindex="0"><pre>{table}</pre></div>
</html>
"""


def embeddings(pretrained, texts: Sequence[str], options: dict) -> ViewResult:
    """Show the word, position and segment embedding of each token of a text or a pair, and their sum."""
    from keras_bert.explain import embeddings as look_up

    text, pair = (_one(texts), None) if isinstance(_one(texts), str) else _one(texts)
    found = look_up(pretrained, text, pair)
    parts = {name: (values.astype("float64") ** 2).sum(1) ** 0.5 for name, values in found.parts.items()}  # [T] each
    rows = [(token, *(f"{values[i]:.3f}" for values in parts.values())) for i, token in enumerate(found.tokens)]
    return _result("Embeddings", ("token", *(f"length of {name}" for name in parts)), rows, found)


def layers(pretrained, texts: Sequence[str], options: dict) -> ViewResult:
    """Show how far each layer moves its input: L2 distance and cosine."""
    from keras_bert.explain import layer_distances

    found = layer_distances(pretrained, texts, **options)
    numbers = zip(found.l2, found.cosine, found.degrees, strict=True)
    rows = [(i, f"{l2:.3f}", f"{cosine:.3f}", f"{angle:.1f}") for i, (l2, cosine, angle) in enumerate(numbers, 1)]
    return _result("Layer distances", ("layer", "L2 distance", "cosine", "degrees"), rows, found)


def context(pretrained, texts: Sequence[str], options: dict) -> ViewResult:
    """Show how the vectors of one word differ between the texts, layer by layer."""
    from keras_bert.explain import word_in_context

    if not options.get("word"):
        raise InputError("`--word` must be given with --view context. Received: no word")
    found = word_in_context(pretrained, texts, **options)
    lines = {"mean cosine": found.within}
    if found.groups:
        lines = {"mean cosine in one group": found.within, "in two groups": found.between}
    rows = [(layer, *(f"{line[k]:.3f}" for line in lines.values())) for k, layer in enumerate(found.layers)]
    return _result(f"{found.word} in context", ("layer", *lines), rows, found)


def lens(pretrained, texts: Sequence[str], options: dict) -> ViewResult:
    """Show what the masked-LM head predicts from each layer, at [MASK] or at all tokens of a text."""
    from keras_bert.explain import logit_lens

    found = logit_lens(pretrained, _one(texts), **options)
    masks = [i for i, token in enumerate(found.tokens) if token == "[MASK]"] or list(range(1, len(found.tokens) - 1))
    rows = []
    for k, layer in enumerate(found.layers):
        for i in masks:
            best = zip(found.top_tokens[k][i], found.top_probabilities[k, i], strict=True)
            shown = "  ".join(f"{token} {probability:.3f}" for token, probability in best)
            rows.append((layer, i, found.tokens[i], f"{found.kl[k, i]:.3f}", shown))
    return _result("Logit lens", ("layer", "position", "token", "KL", "most probable"), rows, found)


def similarity(pretrained, texts: Sequence[str], options: dict) -> ViewResult:
    """Show how similar the texts are to each other: cosines of their vectors, and a 2-D map."""
    from keras_bert.explain import similarity_map

    found = similarity_map(pretrained, texts, **options)
    count = len(found.sentences)
    rows = [
        (i + 1, *(f"{value:.2f}" for value in found.cosine[i]), found.nearest[i] + 1, found.sentences[i])
        for i in range(count)
    ]
    columns = ("text", *map(str, range(1, count + 1)), "nearest", "sentence")
    return _result("Similarity of texts", columns, rows, found)


def cka(pretrained, texts: Sequence[str], options: dict) -> ViewResult:
    """Show how similar the layers are, by linear CKA; with `other`, the layers of two models."""
    from keras_bert.explain import cka as compare
    from keras_bert.weights import load_pretrained

    other, name = None, options.get("other")
    if name:
        other = load_pretrained(name)
    names = (str(pretrained.path).rstrip("/").split("/")[-1], str(name).rstrip("/").split("/")[-1]) if name else None
    found = compare(pretrained, texts, other, names=names)
    rows = [(i, *(f"{value:.2f}" for value in row)) for i, row in enumerate(found.matrix)]
    columns = ("layer", *map(str, range(found.matrix.shape[1])))
    return _result("Linear CKA of layers", columns, rows, found)


def _one(texts: Sequence):
    if len(texts) != 1:
        raise InputError(f"`texts` must be one text for this view. Received: {len(texts)} texts")
    return texts[0]


def _result(title: str, columns: tuple, rows: list, found) -> ViewResult:
    """Return a result with a table, the figure of what was found, and a page with both."""
    from keras_bert.metrics.tables import format_table

    figure = found.plot()
    numbers = [name for i, name in enumerate(columns) if all(_is_number(row[i]) for row in rows)]
    table = "\n".join(format_table(columns, [tuple(map(str, row)) for row in rows], numbers))
    width = max(640, int(96 * figure.figure.get_figwidth()))
    page = PAGE.format(
        title=html.escape(title),
        width=width,
        svg=figure.svg(),
        caption=html.escape(figure.caption),
        table=html.escape(table),
    )
    return ViewResult(found.data, Text(f"{table}\n\n{figure.caption}"), page, figure)


def _is_number(cell) -> bool:
    return str(cell).lstrip("-").replace(".", "", 1).isdigit()
