"""The views of attention of `keras-bert explain`.

A view is a function of the loaded model, the texts and its options; it returns the values, a text, a page and a figure.
"""

from keras_bert.cli.view_result import ViewResult

MOST_FLOW_TOKENS = 128  # the time of flow grows with the fourth power of the number of tokens


def attention(pretrained, texts: list, options: dict) -> ViewResult:
    """Show one head: from each token the three largest probabilities, a matrix, and a page with all heads.

    Options: `layer` and `head`, numbers from 1; 1 by default.
    """
    from keras_bert import explain

    chosen = {"layer": 1, "head": 1, **options}
    layer, head = chosen["layer"], chosen["head"]
    found = explain.attention(pretrained, list(texts))
    data, lines = [], []
    for each in found:
        weights = each.head(layer, head)  # [T, T]
        lines.append(f"layer {layer}, head {head}")
        for token, row in zip(each.tokens, weights, strict=True):
            best = (-row).argsort(kind="stable")[:3]
            lines.append(f"  {token:<16} " + "  ".join(f"{each.tokens[key]} {row[key]:.2f}" for key in best))
        data.append({"text": each.text, "tokens": each.tokens, "words": each.words, "spans": each.spans})
        data[-1] |= {"layer": layer, "head": head, "weights": weights.tolist()}
    html, figure = None, None
    if len(found) == 1:
        html, figure = found[0].html("matrix", layer, head), found[0].matrix(layer, head)
    return ViewResult({"attention": data}, "\n".join(lines), html, figure)


def heads(pretrained, texts: list, options: dict) -> ViewResult:
    """Show all layers and heads: the token with the most attention of each, small matrices, and a page."""
    from keras_bert import explain

    found = explain.attention(pretrained, list(texts))
    data, lines = [], []
    for each in found:
        most = each.maps.sum(2)  # [L, A, T]
        keys = most.argmax(-1)  # [L, A]
        tokens = [[each.tokens[key] for key in row] for row in keys]
        width = max(len(token) for row in tokens for token in row)
        lines.append("token with the most attention: a row per layer, a column per head")
        lines += [f"  {layer:>2}  " + "  ".join(f"{t:<{width}}" for t in row) for layer, row in enumerate(tokens, 1)]
        shares = (most.max(-1) / len(each.tokens)).tolist()
        data.append({"text": each.text, "tokens": each.tokens, "most": keys.tolist(), "shares": shares})
    html, figure = (found[0].html("model"), found[0].all_heads()) if len(found) == 1 else (None, None)
    return ViewResult({"heads": data}, "\n".join(lines), html, figure)


def statistics(pretrained, texts: list, options: dict) -> ViewResult:
    """Show what the heads attend to on average over the texts, layer by layer."""
    from keras_bert import explain
    from keras_bert.explain.self_attention.head_plots import PANELS

    found = explain.attention_statistics(pretrained, list(texts))
    values = {**found.averages, "entropy": found.entropy, "cls_entropy": found.cls_entropy}
    lines = [f"{found.texts} texts, {found.tokens} tokens, {found.truncated} cut; mean of the heads of each layer"]
    layers = range(len(found.entropy))
    lines.append(f"  {'layer':<24}" + "".join(f"{layer + 1:>7}" for layer in layers))
    for name, title in PANELS.items():
        form = "{:>7.2f}" if "entropy" in name else "{:>7.1%}"
        lines.append(f"  {title:<24}" + "".join(form.format(values[name][layer].mean()) for layer in layers))
    classes = found.classes().ravel().tolist()
    lines.append("heads: " + ", ".join(f"{name} {classes.count(name)}" for name in dict.fromkeys(classes)))
    return ViewResult({"statistics": found.to_dict()}, "\n".join(lines), figure=found.figure())


def rollout(pretrained, texts: list, options: dict) -> ViewResult:
    """Show attention of [CLS], rollout and flow of the last layer beside leave-one-out, for each token."""
    from keras_bert.explain.attribution.attention_correlations import attention_measures
    from keras_bert.explain.self_attention.plots import token_bars

    data, lines, figure = [], [], None
    for text in texts:
        tokens, measures = attention_measures(pretrained, text, MOST_FLOW_TOKENS)
        lines.append(f"  {'token':<16}" + "".join(f"{name:>15}" for name in measures))
        for token, *numbers in zip(tokens, *measures.values(), strict=True):
            lines.append(f"  {token:<16}" + "".join(f"{number:>15.3f}" for number in numbers))
        if "flow" not in measures:
            lines.append(f"  flow is left out for texts of more than {MOST_FLOW_TOKENS} tokens")
        data.append({"text": text, "tokens": tokens, **{name: list(values) for name, values in measures.items()}})
        figure = token_bars(tokens, measures, "from [CLS] in the last layer to each token")
    return ViewResult({"rollout": data}, "\n".join(lines), figure=figure if len(data) == 1 else None)
