"""One panel of the playground, as the server sees it."""

import dataclasses
from collections.abc import Callable


def always(models) -> bool:
    """Return True: the models can fill the panel."""
    return True


@dataclasses.dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        run: function of the models and of the texts, by name. It returns a dict that can be written as JSON.
        example: a text for each argument, which the page shows first.
        limits: the largest number of characters of each text.
        available: function of the models that tells whether they can fill the panel.
        commands: if they cannot, the commands that make the model and start the playground with it.
    """

    run: Callable[..., dict]
    example: dict[str, str]
    limits: dict[str, int]
    available: Callable[..., bool] = always
    commands: tuple[str, ...] = ()
