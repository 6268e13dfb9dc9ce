"""The colors of scores: blue raises the logit, orange lowers it, and stronger colors are larger scores."""

from keras_bert.explain.figures.style import SERIES

POSITIVE, NEGATIVE = SERIES[:2]
STRONGEST = 0.6  # opacity of the largest score, so that dark text stays readable on it


def opacity(score: float, largest: float) -> float:
    """Return the opacity of a score's color.

    >>> opacity(-0.5, 1.0), opacity(0.0, 0.0)
    (0.3, 0.0)
    """
    return STRONGEST * min(abs(score) / largest, 1.0) if largest else 0.0


def on_white(score: float, largest: float) -> str:
    """Return the color of a score on white as `#rrggbb`, for terminals, which have no opacity.

    >>> on_white(0.0, 1.0), on_white(1.0, 1.0)
    ('#ffffff', '#66aad1')
    """
    color, alpha = POSITIVE if score > 0 else NEGATIVE, opacity(score, largest)
    channels = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 + alpha * (channel - 255)):02x}" for channel in channels)
