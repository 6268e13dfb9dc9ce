"""What XLA made of a step, and where its time goes: as text, read off the compiled program and a recorded trace."""

import contextlib
import gzip
import json
import re
import tempfile
from collections import Counter
from pathlib import Path

FREE = ("parameter", "constant", "tuple", "get-tuple-element", "bitcast")  # they move and compute nothing
OPERATION = re.compile(r"\s+(?:ROOT )?%?[\w.-]+ = \(?(\w+)\[.*?\s([a-z][\w-]*)\(")
TARGET = re.compile(r'custom_call_target="([^"]+)"')


def operations(text: str) -> tuple[Counter, Counter]:
    """Of a compiled module: its launches (the operations of the entry) and its products by dtype, wherever they are."""
    launches, products, entry = Counter(), Counter(), False
    for line in text.splitlines():
        if line.endswith("{") and not line.startswith(" "):  # a computation begins
            entry = line.startswith("ENTRY")
        match = OPERATION.match(line)
        if not match:
            continue
        dtype, name = match.groups()
        target = TARGET.search(line)
        name = target.group(1) if target else name
        if entry and name not in FREE:
            launches[name] += 1
        if name in ("dot", "convolution") or "gemm" in name or "matmul" in name.lower():
            products[f"{name} {dtype}"] += 1
    return launches, products


def summary(compiled) -> str:
    """Launches, products, FLOPs and bytes by XLA's own account, and memory, of a `jax.stages.Compiled`."""
    launches, products = operations(compiled.as_text())
    costs, memory = compiled.cost_analysis() or {}, compiled.memory_analysis()
    lines = [
        f"launches: {launches.total()}: " + ", ".join(f"{name} {n}" for name, n in launches.most_common()),
        "products: " + ", ".join(f"{name} {n}" for name, n in products.most_common()),
        f"operations, GFLOP: {costs.get('flops', 0) / 1e9:,.1f}",
        f"bytes accessed, GB: {costs.get('bytes accessed', 0) / 1e9:,.2f}",
        f"arguments, MiB: {memory.argument_size_in_bytes / 2**20:,.1f}",
        f"of them reused for results (donated), MiB: {memory.alias_size_in_bytes / 2**20:,.1f}",
        f"temporaries, MiB: {memory.temp_size_in_bytes / 2**20:,.1f}",
    ]
    return "\n".join(lines)


class Timeline:
    """Filled when the recording ends; printed, the longest operations first."""

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
        return "\n".join([f"{time.total():10.3f} ms in all", *rows])


@contextlib.contextmanager
def timeline():
    """Record what runs inside; gives a `Timeline`."""
    import jax

    found = Timeline()
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            yield found
        for path in Path(folder).rglob("*.trace.json.gz"):
            found.events += json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
