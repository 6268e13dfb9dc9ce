"""Reader and writer of the JSON files in a folder with weights."""

import json
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.weights.messages import first_line


def read_json(path: Path) -> dict:
    """Read a JSON file that contains an object.

    Raises:
        InputError: the file is missing or unreadable, is not JSON, or does not contain an object.
    """
    return _read(path, dict, "an object")


def read_json_list(path: Path) -> list:
    """Read a JSON file that contains an array; see `read_json`."""
    return _read(path, list, "an array")


def _read(path: Path, kind: type, name: str):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # the last for thousands of nested brackets
        raise InputError(f"`path` must be a readable JSON file. Received: path={path} ({first_line(error)})") from None
    if not isinstance(found, kind):
        raise InputError(f"`path` must be a JSON file that contains {name}. Received: path={path} ({found!r:.40})")
    return found


def write_json(path: Path, values: dict) -> None:
    """Write an object as an indented JSON file."""
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
