"""Memory, communication, time and cost of pretraining BERT on several accelerators; writes docs/scale.md.

    python -m experiments.scale          # a few seconds: nothing is trained or measured

The text is experiments/scale.md.jinja. experiments/scale_costs.py computes the numbers for the assumptions of
`Cluster`; experiments/scale_published.py has the published ones.
"""

from pathlib import Path

import jinja2

from experiments import process_program as program
from experiments import scale_costs as costs
from experiments import scale_published as published
from experiments import scale_tables as tables
from experiments.scale_costs import Phase
from experiments.scale_tables import CLUSTER, MODELS, link, percent
from keras_bert.explain.figures.style import style
from keras_bert.files import atomic_write

HERE = Path(__file__).resolve().parent
PAGE, IMAGES = HERE.parent / "docs" / "scale.md", HERE.parent / "docs" / "images"
BASE, LARGE = MODELS["BERT-base"], MODELS["BERT-large"]
HALF_HOUR = 1800  # seconds


def main() -> None:
    """Write the page and its figure."""
    with style():
        tables.figure().savefig(IMAGES / tables.FIGURE, dpi=150, facecolor="white")
    write_page()


def write_page() -> None:
    """Write the page."""
    with atomic_write(PAGE) as draft:
        draft.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    values = {**short(), **memory(), **comparison()}
    return environment.get_template("scale.md.jinja").render(
        tables=tables,
        published=published,
        cluster=CLUSTER,
        utilization=percent(CLUSTER.utilization),
        program=program,
        **values,
    )


def short() -> dict:
    """Return the numbers of the first section."""
    small, large = (costs.step(BASE, Phase(128, 20, batch, 1), 64, CLUSTER) for batch in tables.BATCHES)
    hours = [
        [f"{n * costs.hours(BASE, published.RECIPES[name], n, CLUSTER):,.0f}" for n in (1, 64)]
        for name in ("original", "MosaicBERT's budget")
    ]
    return {
        "small_batch_efficiency": percent(small.efficiency),
        "large_batch_efficiency": percent(large.efficiency),
        "original_hours": hours[0],
        "budget_hours": hours[1],
        "mosaic_price": f"{published.MOSAIC_DOLLARS / (published.MOSAIC_HOURS * published.MOSAIC_DEVICES):.2f}",
    }


def memory() -> dict:
    """Return the numbers on memory, checkpoints and model parallelism."""
    counts = {name: costs.parameters(config) for name, config in MODELS.items()}
    states = sum(costs.memory(LARGE, 0, 512, 76, 2).values())
    count = sum(counts["BERT-large"].values())
    largest = CLUSTER.memory / 2 / (states / count)
    # Hidden states [B, T, H] in bfloat16, added up four times per block.
    hidden = 4 * LARGE.num_layers * 2 * 32 * 512 * LARGE.hidden_size
    writing = costs.checkpoint_bytes(LARGE, best=True) / CLUSTER.disk
    return {
        "memory": f"{CLUSTER.memory / 1e9:.0f}",
        "encoders": " and ".join(f"{sum(count.values()) - count['heads']:,}" for count in counts.values()),
        "large_states": f"{states / 1e9:.1f}",
        "nvidia_memory": f"{sum(costs.memory(LARGE, 16, 512, 76, 2, accumulate=True).values()) / 1e9:.0f}",
        "parameter_bytes": states // count,
        "largest_model": f"{largest / 1e9:.1f}",
        "largest_ratio": f"{largest / count:.0f}",
        "divided": f"{costs.all_reduce_bytes(hidden, 8) / 1e9:.1f}",
        "undivided": f"{costs.all_reduce_bytes(costs.gradient_bytes(LARGE), 8) / 1e9:.1f}",
        "checkpoint_share": f"{100 * writing / HALF_HOUR:.1f} %",
    }


def comparison() -> dict:
    """Return the numbers that compare published with computed ones."""
    reached = [reached for _, _, reached in tables.compared()]
    runs = list(published.MLPERF_RUNS.values())
    (devices, (_, last)), few = list(tables.speedups().items())[-1], tables.speedups()[8]
    computed, file = costs.checkpoint_bytes(LARGE), published.CHECKPOINT.value
    return {
        "reached": (percent(min(reached)), percent(max(reached))),
        "peaks": ", ".join(link(f"{name} {peak / 1e12:g}", url) for name, (peak, url) in published.PEAKS.items())
        + " TFLOP/s",
        "deepspeed": percent(1e12 * published.DEEPSPEED.value / published.PEAKS["V100"][0]),
        "mlperf": {
            "batches": [f"{batch:,}" for batch, _, _ in runs],
            "rows": [f"{rows / 1e6:.2f}" for _, rows, _ in runs],
            "speed": f"{published.THROUGHPUTS[-1].value / published.THROUGHPUTS[-2].value:.1f}",
            "time": f"{runs[0][2] / runs[1][2]:.1f}",
        },
        "scaling": {"machine": f"{few[1]:.2f}", "devices": devices, "all": f"{last:.2f}"},
        "checkpoint_computed": f"{computed:,}",
        "checkpoint_published": f"{file:,}",
        "checkpoint_factor": f"{file / computed:.4f}",
    }


if __name__ == "__main__":
    main()
