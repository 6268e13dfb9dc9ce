"""Values that the shell completes for options and arguments. Nothing here imports Keras or TensorFlow."""

import re
from collections.abc import Callable
from pathlib import Path

from click.shell_completion import CompletionItem

from keras_bert.catalog.bundled import BUNDLED
from keras_bert.catalog.listing import KERAS_HUB_ADDRESSES
from keras_bert.catalog.published_models import hub_names, list_published

DATASETS = ("sample", "sst2")
PUBLISHED = [name for model in list_published() for name in (model.name, *hub_names(model)[:1])]
# The names that `kb.load_pretrained` takes.
SOURCES = tuple(dict.fromkeys([*BUNDLED, *PUBLISHED, *KERAS_HUB_ADDRESSES]))


def complete(incomplete: str, names=(), paths: str | None = None) -> list[CompletionItem]:
    """List the completions of a value.

    Args:
        incomplete: the part of the value that is typed already.
        names: the names that the value can be.
        paths: `"dir"` if the value can also be a folder, `"file"` if it can also be a file; None if neither.

    Returns:
        The matching names, after an item that makes the shell list paths.

    Example:

    >>> [item.value for item in complete("s", ["sample", "sst2", "other"])]
    ['sample', 'sst2']
    """
    # The item for paths comes first, because click's script for bash drops the items before it.
    items = [CompletionItem(incomplete, type=paths)] if paths else []
    return items + [CompletionItem(name) for name in names if name.startswith(incomplete)]


def completer(*names: str, paths: str | None = None) -> Callable:
    """Return the argument `shell_complete` of an option or an argument; see `complete`."""
    return lambda context, parameter, incomplete: complete(incomplete, names, paths)


def task_names() -> list[str]:
    """Return the names of the bundled tasks, without importing Keras: the modules that call `register_task`."""
    folder = Path(__file__).resolve().parents[1] / "tasks"
    calls = re.compile(r"^(\w+ = )?register_task\(", re.MULTILINE)
    modules = sorted(path for path in folder.glob("*.py") if calls.search(path.read_text(encoding="utf-8")))
    return [path.stem.replace("_", "-") for path in modules]
