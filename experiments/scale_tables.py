"""The tables and the figure of docs/scale.md."""

import json

from experiments import scale_costs as costs
from experiments import scale_published as published
from experiments.processes import RESULTS
from experiments.scale_costs import Cluster, Phase
from keras_bert.config import BertConfig
from keras_bert.explain.figures.style import MARKERS, SERIES, new_axes, style

MODELS = {
    "BERT-base": BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12"),
    "BERT-large": BertConfig.from_preset("bert_en_uncased_L-24_H-1024_A-16"),
}
CLUSTER = Cluster()
DEVICES = (1, 8, 64)
LENGTHS = {128: 20, 512: 76}  # tokens per row, masked positions
PRECISIONS = {"float32": 4, "mixed_bfloat16": 2}
BATCHES = (256, 4096)
ETHERNET = 100e9 / 8  # bytes per second
FIGURE = "scale-efficiency.png"
CAPTION = (
    "Share of the time in which the accelerators compute, 128 tokens per row, without overlap: it falls when few rows "
    "are left for each accelerator."
)
RUNS = (
    ("BERT-base", "original"),
    ("BERT-base", "MosaicBERT's budget"),
    ("BERT-large", "original"),
    ("BERT-large", "NVIDIA's with LAMB"),
)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def link(text: str, address: str) -> str:
    """Return a Markdown link."""
    return f"[{text}]({address})"


def assumptions() -> str:
    """Return the table of what is assumed of the accelerators."""
    machine = link("DGX A100 in MLPerf", published.A100_MACHINE)
    rows = [
        ["accelerators per machine", f"{CLUSTER.accelerators}", machine],
        ["memory", f"{CLUSTER.memory / 1e9:.0f} GB", machine],
        [
            "peak, bfloat16 products with float32 sums",
            f"{CLUSTER.peak / 1e12:.0f} TFLOP/s",
            link("A100", published.PEAKS["A100"][1]),
        ],
        ["utilization, the share of the peak that is reached", percent(CLUSTER.utilization), "assumed, see below"],
        ["link to the accelerators of the machine", f"{CLUSTER.link / 1e9:.0f} GB/s in each direction", machine],
        ["network of a machine, 8 x 200 Gbit/s", f"{CLUSTER.network / 1e9:.0f} GB/s", machine],
        [
            "share of the link and network speed that is reached",
            percent(CLUSTER.link_share),
            f"assumed; {link('195 of 300 GB/s', published.NVLINK_MEASURED)} were measured between A100",
        ],
        ["writing a checkpoint", f"{CLUSTER.disk / 1e9:.0f} GB/s", "assumed"],
        ["price of an accelerator hour", f"${CLUSTER.price:.2f}", "assumed; multiply by your own"],
    ]
    return table(["quantity", "value", "source"], rows)


def parameters() -> str:
    """Return the table of parameters."""
    counts = {name: costs.parameters(config) for name, config in MODELS.items()}
    rows = [[part, *(f"{count[part]:,}" for count in counts.values())] for part in next(iter(counts.values()))]
    rows.append(["**sum**", *(f"**{sum(count.values()):,}**" for count in counts.values())])
    return table(["part", *counts], rows)


def memory() -> str:
    """Return the table of the memory of one accelerator."""
    rows = []
    for name, config in MODELS.items():
        for length, positions in LENGTHS.items():
            for precision, size in PRECISIONS.items():
                found = costs.memory(config, 1, length, positions, size)
                states = found["weights"] + found["gradients"] + found["moments"]
                most = costs.largest_batch(config, CLUSTER.memory, length, positions, size)
                row = found["activations"] + found["logits"]
                rows.append([name, str(length), precision, f"{states / 1e9:.2f}", f"{row / 1e6:,.0f}", f"{most:,}"])
    header = ["model", "tokens per row", "precision", "weights, gradients, moments (GB)", "one row (MB)", "most rows"]
    return table(header, rows)


def communication() -> str:
    """Return the table of the all-reduce of the gradients."""
    ethernet = Cluster(network=ETHERNET)
    rows = []
    for name, config in MODELS.items():
        size = costs.gradient_bytes(config)
        for devices in (2, 8, 64):
            sent = costs.all_reduce_bytes(size, devices)
            seconds = [costs.all_reduce_seconds(size, devices, cluster) for cluster in (CLUSTER, ethernet)]
            slow = f"{1000 * seconds[1]:.0f}" if devices > CLUSTER.accelerators else "-"
            rows.append([name, str(devices), f"{sent / 1e9:.2f}", f"{1000 * seconds[0]:.1f}", slow])
    header = ["model", "accelerators", "GB sent by each", "ms", "ms with one 100 Gbit/s network card per machine"]
    return table(header, rows)


def steps() -> str:
    """Return the table of the time of a step."""
    rows = []
    for name, config in MODELS.items():
        for batch in BATCHES:
            for devices in DEVICES:
                found = costs.step(config, Phase(128, 20, batch, 1), devices, CLUSTER)
                rows.append(
                    [
                        name,
                        f"{batch:,}",
                        str(devices),
                        f"{found.rows:,} x {found.accumulate}",
                        f"{1000 * found.computing:,.1f}",
                        f"{1000 * found.communication:,.1f}",
                        percent(found.efficiency),
                    ]
                )
    header = ["model", "global batch", "accelerators", "rows of each x batches", "computing (ms)", "communication (ms)"]
    return table([*header, "efficiency"], rows)


def runs() -> str:
    """Return the table of whole runs."""
    rows = []
    for model, recipe in RUNS:
        config, phases = MODELS[model], published.RECIPES[recipe]
        for devices in DEVICES:
            hours = costs.hours(config, phases, devices, CLUSTER)
            name = link(recipe, published.RECIPE_SOURCES[recipe]) if devices == DEVICES[0] else recipe
            rows.append(
                [
                    f"{model}, {name}",
                    f"{sum(phase.tokens for phase in phases) / 1e9:.1f}",
                    f"{costs.operations(config, phases) / 1e18:.0f}",
                    str(devices),
                    duration(hours),
                    f"{hours * devices:,.0f}",
                    f"{hours * devices * CLUSTER.price:,.0f}",
                ]
            )
    header = ["run", "tokens (billions)", "10^18 operations", "accelerators", "time", "accelerator hours", "dollars"]
    return table(header, rows)


def checkpoints() -> str:
    """Return the table of checkpoints."""
    rows = []
    for name, config in MODELS.items():
        sizes = [costs.checkpoint_bytes(config, *flags) for flags in ((), (True,), (True, True))]
        rows.append([name, *(f"{size / 1e9:.2f}" for size in sizes), f"{sizes[-1] / CLUSTER.disk:.1f}"])
    header = ["model", "GB", "with validation", "and with `accumulate`", "seconds for the last"]
    return table(header, rows)


def processes() -> str:
    """Return the table of the losses on several devices and in several processes, measured by this project."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    columns = {
        "8 loss": "`pretrain`, batches of 8",
        "7 loss": "of 7",
        "7 val_loss": "of 7, validation",
        "finetune loss": "`finetune`",
    }
    header = ["", *columns.values(), "largest difference"]
    rows = []
    for name, found in results.items():
        differences = [
            abs(a - b) for run, each in found.items() for a, b in zip(each, results["1-device"][run], strict=True)
        ]
        largest = f"{max(differences):.1e}" if any(differences) else ""
        rows.append([name.replace("-", " "), *(f"{found[column][-1]:.6f}" for column in columns), largest])
    return table(header, rows)


def sources() -> str:
    """Return the table of published numbers."""
    rows = [[each.what, f"{each.value:,} {each.unit}", link("source", each.source)] for each in published.PUBLISHED]
    return table(["run", "published", ""], rows)


def compared() -> list[tuple]:
    """Return each published speed or time with the computed one and the utilization that the published one means."""
    found = []
    for each in published.THROUGHPUTS:
        peak = each.devices * published.PEAKS[each.accelerator][0]
        needed = costs.row_operations(MODELS[each.model], each.tokens, each.positions)
        found.append((each, CLUSTER.utilization * peak / needed, each.value * needed / peak))
    for each in published.DURATIONS:
        peak = each.devices * published.PEAKS[each.accelerator][0]
        hours = costs.operations(MODELS[each.model], published.RECIPES[each.recipe]) / peak / 3600
        found.append((each, hours / CLUSTER.utilization, hours / each.value))
    return found


def comparisons() -> str:
    """Return the table of published numbers beside computed ones."""
    rows = []
    for each, computed, reached in compared():
        digits = 0 if computed >= 100 else 1
        rows.append(
            [
                each.what,
                f"{each.value:,.{digits}f} {each.unit}",
                f"{computed:,.{digits}f}",
                f"{each.value / computed:.2f}",
                percent(reached),
                each.why,
            ]
        )
    return table(
        ["run", "published", "computed", "published / computed", "utilization reached", "how it was run"], rows
    )


def speedups() -> dict[int, tuple[float, float]]:
    """Return the published speed-up by a number of accelerators, and its ratio to the computed one."""
    size, single, found = costs.gradient_bytes(MODELS["BERT-large"]), published.SCALING[1][0], {}
    for devices, (value, accumulate) in published.SCALING.items():
        computing = published.SCALING_ROWS * accumulate / single
        seconds = computing + costs.all_reduce_seconds(size, devices, CLUSTER)
        found[devices] = value / single, value / single / (devices * computing / seconds)
    return found


def scaling() -> str:
    """Return the table of the speed-up by more accelerators, computed from the published speed of one."""
    rows = [
        [str(devices), f"{speedup:.1f}", f"{speedup / ratio:.1f}", f"{ratio:.2f}"]
        for devices, (speedup, ratio) in speedups().items()
    ]
    return table(["A100", "published speed-up", "computed speed-up", "published / computed"], rows)


def figure():
    """Draw the efficiency by the number of accelerators; return a matplotlib figure."""
    numbers = [2**i for i in range(10)]
    lines = [(name, batch) for name in MODELS for batch in BATCHES]
    with style():
        drawing, axes = new_axes(6.4, 3.4)
        for (name, batch), color, marker in zip(lines, SERIES, MARKERS, strict=True):
            used = [devices for devices in numbers if devices <= batch]
            found = [costs.step(MODELS[name], Phase(128, 20, batch, 1), devices, CLUSTER) for devices in used]
            shares = [100 * each.efficiency for each in found]
            axes.plot(used, shares, color=color, marker=marker, label=f"{name}, batch {batch:,}")
        axes.set(xscale="log", ylim=(0, 105), xlabel="accelerators", ylabel="efficiency, percent")
        axes.set_xticks(numbers, [str(number) for number in numbers])
        axes.minorticks_off()
        axes.grid(axis="y", linewidth=0.6)
        axes.legend(frameon=False)
    return drawing


def percent(share: float) -> str:
    """Format a share in percent."""
    return f"{100 * share:.0f} %"


def duration(hours: float) -> str:
    """Format hours, as days if they are more than two days."""
    return f"{hours / 24:,.1f} days" if hours > 48 else f"{hours:,.1f} hours"
