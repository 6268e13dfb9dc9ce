"""Attributions as a page of HTML: no scripts, no external resources, every text escaped."""

import html

import numpy as np

from keras_bert.explain.attribution.colored_text import percent, summary_line
from keras_bert.explain.attribution.colors import NEGATIVE, POSITIVE, opacity

STYLE = f"""
:root {{ color-scheme: light dark; --positive: {POSITIVE}; --negative: {NEGATIVE} }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
h2 {{ font-size: 1.1rem; margin: 2.5rem 0 0.25rem }}
p {{ margin: 0.25rem 0 0.75rem }}
.text {{ line-height: 3; overflow-wrap: anywhere }}
ruby {{ ruby-position: under; margin-right: 0.3em }}
rt {{ font-size: 0.65rem; opacity: 0.85 }}
.token {{ padding: 0.15em 0; border-radius: 0.15em }}
.special {{ font-size: 0.8em; opacity: 0.9 }}
.scroll {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-size: 0.85rem }}
th, td {{ padding: 0.2rem 0.45rem; text-align: center; font-weight: normal; white-space: nowrap }}
thead th {{ writing-mode: vertical-rl; text-align: left; padding: 0.3rem 0.2rem }}
.key span {{ padding: 0.1em 0.5em; border-radius: 0.15em; margin-right: 0.5em }}
"""
MARK = '<span style="background: {}">{}</span>'
WORDS = (
    "The number of a word is the sum of the scores of its tokens. [CLS] and [SEP] are the tokens that the model adds."
)
LAYERS = "A row is a layer; a column is a position, whose vector above the embeddings also contains other tokens."


def attribution_page(attributions: list) -> str:
    """Return a page with one colored text for each attribution.

    Args:
        attributions: results of one or several methods, for one or several texts.

    Example:

    >>> attribution_page([])[:15]
    '<!doctype html>'
    """
    return _page("Attribution", [_legend(WORDS), *map(_section, attributions)])


def layers_page(texts: list) -> str:
    """Return a page with one table for each text: a row for each layer, the last one first."""
    return _page("Attribution by layer", [_legend(LAYERS), *map(_table, texts)])


def _section(attribution) -> str:
    largest, words = float(np.abs(attribution.scores).max()), []
    tokenized, word_scores = attribution.tokenized, attribution.word_scores
    for number, word in enumerate(attribution.words):
        tokens = [i for i, each in enumerate(tokenized.word_numbers) if each == number]
        pieces, kind = _pieces(attribution, word, tokens, largest), ""
        if tokenized.text_numbers[tokens[0]] is None:
            kind = ' class="special"'
        words.append(f"<ruby{kind}>{pieces}<rt>{_signed(word_scores[number])}</rt></ruby>")
    return (
        f"<section><h2>{html.escape(_title(attribution.text))}</h2><p>{html.escape(summary_line(attribution))}</p>"
        f'<p class="text">{" ".join(words)}</p></section>'
    )


def _pieces(attribution, word: str, tokens: list[int], largest: float) -> str:
    """Return the tokens of a word as `<span>` elements, which show their scores when the pointer is on them."""
    found, begin, position = [], attribution.spans[tokens[0]][0], 0
    for number in tokens:
        end = attribution.spans[number][1] - begin if len(tokens) > 1 else len(word)
        token, score = attribution.tokens[number], attribution.scores[number]
        title = html.escape(f"{token} {score:+.4f}", quote=True)
        text = html.escape(word[position:end] or token)
        found.append(f'<span class="token" style="background: {_color(score, largest)}" title="{title}">{text}</span>')
        position = max(position, end)
    return "".join(found)


def _table(layers) -> str:
    largest, rows = float(np.abs(layers.scores).max()), []
    for number, layer in reversed(list(enumerate(layers.layers))):
        cells = "".join(f'<td style="background: {_color(x, largest)}">{_signed(x)}</td>' for x in layer.scores)
        rows.append(f"<tr><th scope=row>{number or 'embeddings'}</th>{cells}<td>{percent(layer)}</td></tr>")
    heads = "".join(f"<th scope=col>{html.escape(token)}</th>" for token in layers.tokens)
    first = layers.layers[0]
    line = f"{first.method}, target {first.target.name}: logit {first.value:.3f}, at the baseline "
    line += f"{first.baseline_value:.3f}; the last column is the completeness error"
    return (
        f"<section><h2>{html.escape(_title(first.text))}</h2><p>{html.escape(line)}</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="scores by layer and token"><table><thead><tr>'
        f"<th scope=col>layer</th>{heads}<th scope=col>error</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _legend(note: str) -> str:
    marks = MARK.format(_color(1, 1), "raises the logit") + MARK.format(_color(-1, 1), "lowers it")
    return f'<p class="key">{marks}{note}</p>'


def _signed(score: float) -> str:
    """Return a score with its sign and two decimals; one that is rounded to zero has no minus sign."""
    return f"{round(score, 2) + 0.0:+.2f}"


def _color(score: float, largest: float) -> str:
    name, share = "positive" if score > 0 else "negative", 100 * opacity(score, largest)
    return f"color-mix(in srgb, var(--{name}) {share:.1f}%, transparent)"


def _title(text) -> str:
    return text if isinstance(text, str) else " | ".join(text)


def _page(title: str, parts: list[str]) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body><main><h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )
