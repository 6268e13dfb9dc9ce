"""The operations that TensorFlow executes in some steps, as its profiler records them.

The profiler does not record operations that TensorFlow calls inexpensive, such as `Reshape`, `Shape`, `Identity` and
`Switch`, and no constants.
"""

import dataclasses
import tempfile
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2


@dataclasses.dataclass
class Event:
    """One execution of an operation.

    Args:
        node: name of the node in the graph.
        kind: type of the operation; empty for an XLA program.
        milliseconds: its time.
    """

    node: str
    kind: str
    milliseconds: float


def executed(step, steps: int = 1) -> list[Event]:
    """Run a function without arguments `steps` times and return all executed operations."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(steps):
            step()
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace.FromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    found = []
    for plane in space.planes:
        names = {key: value.name for key, value in plane.event_metadata.items()}
        for event in (event for line in plane.lines for event in line.events):
            name = names[event.metadata_id]
            node, _, kind = ("", "", "") if name.startswith("CpuExecutable::Execute") else name.partition(":")
            if not node or kind and kind[0] not in " :":  # the names of operations are "node:kind"
                found.append(Event(node, kind, event.duration_ps / 1e9))
    return found
