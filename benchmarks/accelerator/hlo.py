"""Text about a step that XLA compiled: its operations, its memory, and the time of each operation."""

import contextlib
import gzip
import json
import re
import tempfile
from collections import Counter
from pathlib import Path

FREE = ("parameter", "constant", "tuple", "get-tuple-element", "bitcast")  # these compute and copy nothing
OPERATION = re.compile(r"\s+(?:ROOT )?%?[\w.-]+ = \(?(\w+)\[.*?\s([a-z][\w-]*)\(")
TARGET = re.compile(r'custom_call_target="([^"]+)"')


def count_operations(text: str) -> tuple[Counter, Counter]:
    """Count the operations of a compiled module.

    Args:
        text: the module as HLO text.

    Returns:
        Launches (the operations of the entry computation) by name, and matrix products of all computations by name and
        dtype.
    """
    launches, products, in_entry = Counter(), Counter(), False
    for line in text.splitlines():
        if line.endswith("{") and not line.startswith(" "):  # a computation begins
            in_entry = line.startswith("ENTRY")
        match = OPERATION.match(line)
        if not match:
            continue
        dtype, name = match.groups()
        target = TARGET.search(line)
        name = target.group(1) if target else name
        if in_entry and name not in FREE:
            launches[name] += 1
        if name in ("dot", "convolution") or "gemm" in name or "matmul" in name.lower():
            products[f"{name} {dtype}"] += 1
    return launches, products


def summary(compiled) -> str:
    """Describe a `jax.stages.Compiled`: launches, products, XLA's estimates of FLOPs and bytes, and memory."""
    launches, products = count_operations(compiled.as_text())
    costs, memory = compiled.cost_analysis() or {}, compiled.memory_analysis()
    lines = [
        f"launches: {launches.total()}: " + ", ".join(f"{name} {n}" for name, n in launches.most_common()),
        "products: " + ", ".join(f"{name} {n}" for name, n in products.most_common()),
        f"operations, GFLOP: {costs.get('flops', 0) / 1e9:,.1f}",
        f"bytes accessed, GB: {costs.get('bytes accessed', 0) / 1e9:,.2f}",
        f"arguments, MiB: {memory.argument_size_in_bytes / 2**20:,.1f}",
        f"donated arguments, MiB: {memory.alias_size_in_bytes / 2**20:,.1f}",
        f"temporaries, MiB: {memory.temp_size_in_bytes / 2**20:,.1f}",
    ]
    return "\n".join(lines)


class Timeline:
    """Events of a recorded trace. As text: the time of each operation on the device, the longest first."""

    def __init__(self):
        self.events: list[dict] = []

    def __str__(self) -> str:
        names = {e["pid"]: e["args"]["name"] for e in self.events if e.get("name") == "process_name"}
        devices = {pid for pid, name in names.items() if "/device:GPU" in name} or set(names)
        time, count = Counter(), Counter()
        for event in self.events:
            if event.get("ph") == "X" and event["pid"] in devices and "hlo_op" in event.get("args", {}):
                name = re.sub(r"[._]\d+", "", event["args"]["hlo_op"])
                time[name] += event["dur"] / 1000
                count[name] += 1
        rows = [f"{time[name]:10.3f} ms {count[name]:6} x  {name}" for name, _ in time.most_common(60)]
        return "\n".join([f"{time.total():10.3f} ms in total", *rows])


@contextlib.contextmanager
def timeline():
    """Record what JAX runs in the context; yield a `Timeline`, which is filled at the end."""
    import jax

    recorded = Timeline()
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            yield recorded
        for path in Path(folder).rglob("*.trace.json.gz"):
            recorded.events += json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
