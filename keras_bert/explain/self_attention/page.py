"""One HTML file with the attention of all layers and heads, which a browser opens without a server or a network."""

import base64
import hashlib
import importlib.resources
import json
import re

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.self_attention.plots import largest_of_blocks

VIEWS = ("matrix", "lines", "heads", "model")


def attention_page(attention, view: str = "matrix", layer: int = 1, head: int = 1) -> str:
    """Return an HTML page that shows one head as a matrix or as lines, and all heads as small matrices.

    View, layer, head and query are chosen in the page. The page needs no network: it contains its style, its script and
    the maps, and its content security policy allows nothing else. Probabilities are stored in 8 bits, relative to the
    largest one of their head.

    Args:
        attention: what `kb.explain.attention` returns for one text.
        view: what the page shows first: `"matrix"` or `"lines"` of one head, `"heads"` of one layer, or `"model"`, all
            heads of all layers.
        layer: number of the layer that it shows first, from 1.
        head: number of the head that it shows first, from 1.

    Returns:
        The text of the HTML file.

    Raises:
        InputError: `view` is unknown, or there is no such layer or head.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> page = attention_page(kb.explain.attention((kb.BertEncoder(config), vectorizer), "film"), "model")
    >>> page[:15], "src=" in page
    ('<!doctype html>', False)

    Source: the head view and the model view of Vig 2019 (arXiv:1906.05714).
    """
    if view not in VIEWS:
        raise InputError(f"`view` must be one of {', '.join(VIEWS)}. Received: view={view!r:.40}")
    attention.head(layer, head)  # raises InputError if there is none
    maps = attention.maps  # [L, A, T, T]
    largest = np.maximum(maps.max((2, 3)), 1e-12)  # [L, A]
    cells = np.round(255 * maps / largest[..., None, None]).astype(np.uint8)  # [L, A, T, T]
    small = largest_of_blocks(cells)  # [L, A, S, S]
    data = {
        "text": attention.text if isinstance(attention.text, str) else " · ".join(attention.text),
        "tokens": attention.tokens,
        "largest": largest.tolist(),
        "side": small.shape[-1],
        **{"view": view, "layer": int(layer), "head": int(head)},
    }
    blocks = [_block(f"map-{i}-{j}", cells[i, j]) for i, j in np.ndindex(*largest.shape)]
    template = importlib.resources.files("keras_bert.explain.pages").joinpath("attention.html").read_text("utf-8")
    parts = {
        "policy": content_security_policy(template),
        "data": json.dumps(data).replace("<", "\\u003c"),  # so that no text ends the element
        "maps": "\n".join([_block("small", small), *blocks]),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def content_security_policy(page: str) -> str:
    """Return the policy that allows only the style and the script of a page, by their SHA-256."""
    sources = {"style-src": r"<style>(.*?)</style>", "script-src": r"<script>(.*?)</script>"}
    rules = ["default-src 'none'"]
    for rule, pattern in sources.items():
        digest = hashlib.sha256(re.search(pattern, page, re.DOTALL)[1].encode()).digest()
        rules.append(f"{rule} 'sha256-{base64.b64encode(digest).decode()}'")
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _block(name: str, values: np.ndarray) -> str:
    """Return bytes as an element that a browser does not run."""
    return f'<script type="text/plain" id="{name}">{base64.b64encode(values.tobytes()).decode()}</script>'
