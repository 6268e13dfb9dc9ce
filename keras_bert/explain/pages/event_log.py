"""Reading of the TensorBoard log that a run wrote, without TensorFlow."""

import struct
from collections.abc import Iterator
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.extras import require

HEADER, FOOTER = 12, 4  # bytes of the length and its checksum, and of the checksum of the record


def read_scalars(folder: str | Path) -> dict[str, dict[int, float]]:
    """Read the numbers in the event files of a folder.

    Where a run was interrupted and resumed, what it had written after its last checkpoint is left out, as TensorBoard
    does. A last record that is incomplete, because the run was killed, is left out too.

    Args:
        folder: a folder with files `*tfevents*`, such as `train` in the `log_dir` of a run.

    Returns:
        A dict of name to a dict of step to value, in the order of the steps; empty for a folder without such files.

    Raises:
        InputError: tensorboardX is not installed, or a file is damaged.

    Source: the format of TFRecord and `event.proto` of TensorFlow.
    """
    values: dict[str, dict[int, float]] = {}
    files = sorted(Path(folder).glob("*tfevents*"), key=lambda file: (file.stat().st_mtime_ns, file.name))
    for file in files:
        for event in _events(file):
            if event.HasField("session_log") and event.session_log.status == event.session_log.START:
                for steps in values.values():
                    for step in [step for step in steps if step >= event.step]:
                        del steps[step]
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    values.setdefault(value.tag, {})[event.step] = value.simple_value
    return {name: dict(sorted(steps.items())) for name, steps in values.items() if steps}


def _events(file: Path) -> Iterator:
    """Yield the events of one file."""
    proto = require("tensorboardX.proto.event_pb2", "reading the log of a run")
    content, position = file.read_bytes(), 0
    while position + HEADER <= len(content):
        (length,) = struct.unpack("<Q", content[position : position + 8])
        start, end = position + HEADER, position + HEADER + length
        if end + FOOTER > len(content):
            return  # the run was killed while it wrote this record
        try:
            yield proto.Event.FromString(content[start:end])
        except Exception as error:  # `DecodeError` of protobuf, which has moved between its versions
            raise InputError(f"`run_dir` must have readable event files. Received: {file} ({error})") from None
        position = end + FOOTER
