"""Attributions as colored text for a terminal."""

from rich.text import Text

from keras_bert.explain.attribution.colors import on_white, opacity
from keras_bert.explain.figures.style import INK

INVISIBLE = 0.01  # an opacity below which a token keeps the colors of the terminal


def colored_text(attribution) -> Text:
    """Return the text with each token on the color of its score, [CLS] and [SEP] included."""
    return _colored(attribution, float(abs(attribution.scores).max()))


def colored_layers(layers) -> Text:
    """Return one line for each layer, the last layer first; the colors of all lines have the same scale."""
    largest, lines = float(abs(layers.scores).max()), []
    for number, layer in reversed(list(enumerate(layers.layers))):
        lines.append(Text.assemble(f"{number:>2} ", _colored(layer, largest)))
    return Text("\n").join(lines)


def summary_line(attribution) -> str:
    """Return one line: the method, the target, its value, and the completeness error."""
    settings = attribution.settings
    named = ", ".join(f"{name} {settings[name]}" for name in ("steps", "layer", "mode") if name in settings)
    line = f"{attribution.method}{f' ({named})' if named else ''}, target {attribution.target.name}"
    line += f": logit {attribution.value:.3f}"
    if attribution.baseline_value is None:
        return line
    return f"{line}, at the baseline {attribution.baseline_value:.3f}, completeness error {percent(attribution)}"


def percent(attribution) -> str:
    """Return the completeness error in percent, with two significant digits."""
    return "-" if attribution.completeness_error is None else f"{100 * attribution.completeness_error:.2g} %"


def _colored(attribution, largest: float) -> Text:
    found, tokenized = Text(), attribution.tokenized
    for part in text_parts(attribution):
        if part.token is None:
            found.append(part.text)
        else:
            score = attribution.scores[part.token]
            color = f"{INK} on {on_white(score, largest)}" if opacity(score, largest) > INVISIBLE else ""
            found.append(part.text, f"{'bold ' if tokenized.text_numbers[part.token] is None else ''}{color}")
    return found


class Part:
    """A part of the original text.

    Attributes:
        text: the characters, on one line.
        token: the number of the token that they belong to; None between tokens.
    """

    def __init__(self, text: str, token: int | None):
        self.text, self.token = " ".join(text.split()) if token is not None else text, token


def text_parts(attribution) -> list[Part]:
    """Split the original text at its tokens; [CLS] and [SEP] are parts of their own."""
    tokenized, parts, position = attribution.tokenized, [], 0
    for number, (token, (start, end)) in enumerate(zip(tokenized.tokens, tokenized.spans, strict=True)):
        text_number = tokenized.text_numbers[number]
        if text_number is None:
            parts += [Part(" ", None)] * bool(number) + [Part(token, number), Part(" ", None)]
            position = 0
            continue
        text = tokenized.texts[text_number]
        if start > position and parts[-1].token is not None:
            parts.append(Part(" ", None))
        parts.append(Part(text[max(start, position) : end] or token, number))
        position = max(position, end)
    while parts and parts[-1].token is None:
        parts.pop()
    return _without_double_spaces(parts)


def _without_double_spaces(parts: list[Part]) -> list[Part]:
    return [part for i, part in enumerate(parts) if part.token is not None or (i and parts[i - 1].token is not None)]
