"""docs/small-models.md and its figures, from the stored measurements."""

import json
import statistics
from pathlib import Path

from experiments.tasks import bold
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import SERIES, new_axes, style

ROOT = Path(__file__).resolve().parent.parent
PAGE, IMAGES = ROOT / "docs" / "small-models.md", ROOT / "docs" / "images"
MEASURED, MINI = ROOT / "tools" / "small_model" / "measured.json", ROOT / "tools" / "measured.json"
# Accuracy on SST-2 that others published: name, millions of parameters, percent, set, source.
PUBLISHED = (
    ("BERT-Mini", 11.2, 85.9, "test", "Turc et al. 2019, arXiv:1908.08962"),
    ("BERT-Small", 28.8, 89.7, "test", "Turc et al. 2019, arXiv:1908.08962"),
    ("ELECTRA-Small-OWT", 14, 88.3, "dev", "google-research/electra"),
    ("ELECTRA-Small", 14, 91.2, "dev", "google-research/electra"),
    ("XtremeDistil-l6-h256", 12.7, 91.2, "dev", "microsoft/xtreme-distil-transformers"),
    ("MiniLM-L6-H384", 22, 91.5, "dev", "microsoft/unilm"),
    ("TinyBERT-4", 14.5, 92.6, "test", "Jiao et al. 2019, arXiv:1909.10351"),
    ("DistilBERT", 66, 91.3, "dev", "Sanh et al. 2019, arXiv:1910.01108"),
)
# Sides of the labels in the figures, so that they do not overlap; the others are right of their points.
LEFT = {"XtremeDistil-l6-h256", "bert_en_uncased_small", "ELECTRA-Small-OWT", "all-mpnet-base-v2"}
BELOW = {"ELECTRA-Small"}
NAMES = {
    "bert_en_uncased_mini": "bert_en_uncased_mini",
    "bert_en_uncased_small": "bert_en_uncased_small",
    "minilm": "all-MiniLM-L6-v2",
    "mpnet": "all-mpnet-base-v2",
}


def write_page(found: dict) -> None:
    """Write the page and its figures from all measurements so far."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    measured["mini"] = [each["accuracy"] for each in json.loads(MINI.read_text(encoding="utf-8"))["finetuning"]["runs"]]
    lines = [
        "# Small models from real teachers",
        "",
        "How `bert_en_uncased_small` and `sst2_sentiment` were made, what each step contributes, and what they cost.",
        "Written by `python -m experiments.small_models page`; the commands of the recipe are in",
        "`python -m tools.small_model --help`. Accuracy is that on the 872 sentences of SST-2 dev, in percent, as",
        "mean and standard deviation over seeds. One standard error of an accuracy of 89 % is 1.06 points. Settings",
        "and seeds were compared on 500 whole sentences out of train and their phrases, which were removed from train.",
        "The shorter recipes of the table had been measured on dev before the bundled one was chosen.",
        "",
        *steps_table(found, measured),
        *published_table(measured),
    ]
    if "speed" in found:
        lines += claims(found, measured)
        for figure, name in figures(found, measured):
            with style():
                figure.figure.savefig(IMAGES / f"{name}.png", dpi=150, facecolor="white")
            lines += ["", f"![{figure.caption}](images/{name}.png)", "", figure.caption]
    lines += teachers_table(measured)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def accuracies(found: dict, measured: dict) -> dict[str, list[float]]:
    """Return the dev accuracies of all seeds, by the name of the model or step."""
    labels = measured["sst2_labels_only"]
    ablation = {name: list(runs.values()) for name, runs in found.get("ablation", {}).items()}
    return {
        "bert_en_uncased_mini": measured["mini"],
        "minilm": [each["sst2_dev"] for each in labels["minilm"]],
        "trimmed": [each["sst2_dev"] for each in labels["trimmed"]],
        **ablation,
        "earlier": [each["dev"] for each in measured["earlier_students"]],
        "bert_en_uncased_small": [each["dev"] for each in measured["students"]["runs"]],
        "mpnet": [each[1] for each in measured["teachers"]["held_out_and_dev_by_rate"]["3e-5"].values()],
    }


def steps_table(found: dict, measured: dict) -> list[str]:
    """Return the lines of the table of steps."""
    each = accuracies(found, measured)
    run = measured["students"]["runs"][0]
    size = f"{run['rows']:,} texts, {run['epochs']} epochs"
    earlier = measured["earlier_students"][0]
    steps = [
        ("all-MiniLM-L6-v2, 22.7 million parameters, fine-tuned with labels, 2 epochs", "minilm"),
        ("its vocabulary trimmed to 8,192 pieces, 14.1 million parameters, with labels, 2 epochs", "trimmed"),
        ("trained further on unlabeled text (healing), with labels, 2 epochs", "labels"),
        ("with the teachers' logits in place of labels, the training phrases only, 1 epoch", "logits"),
        (
            f"with logits for phrases and augmented texts, {earlier['rows']:,} texts, {earlier['epochs']} epoch",
            "earlier",
        ),
        (f"with logits for phrases and augmented texts, {size}: the bundled recipe", "bert_en_uncased_small"),
    ]
    steps = [(what, each[name]) for what, name in steps if each.get(name)]
    best = max(statistics.mean(values) for _, values in steps)
    lines = ["## What each step contributes", "", "| step | SST-2 dev | seeds |", "|---|---|---|"]
    lines += [f"| {what} | {mean_of(values, best)} | {len(values)} |" for what, values in steps]
    calibration = measured["calibration"]
    before, after = calibration["dev"]
    lines += [
        "",
        f"Temperature scaling on the 500 sentences (T = {calibration['temperature']:.2f}) changes the expected",
        f"calibration error of the bundled classifier on dev from {before:.3f} to {after:.3f}. Rounding the weights to",
        f"the precision of bfloat16 changes {measured['rounding']['changed_predictions']} of the 872 predictions.",
        "",
    ]
    return lines


def published_table(measured: dict) -> list[str]:
    """Return the lines of the table of published numbers."""
    students = [each["dev"] for each in measured["students"]["runs"]]
    rows = [*PUBLISHED]
    rows.append(("bert_en_uncased_small", measured["parameters"] / 1e6, 100 * statistics.mean(students), "dev", "here"))
    rows.append(("bert_en_uncased_mini", 5.5, 100 * statistics.mean(measured["mini"]), "dev", "here"))
    lines = [
        "## Beside published models",
        "",
        "| model | million parameters | SST-2 | set | source |",
        "|---|---|---|---|---|",
    ]
    for name, size, accuracy, part, source in sorted(rows, key=lambda row: row[1]):
        lines.append(f"| {name} | {size:.1f} | {accuracy:.1f} | {part} | {source} |")
    return [*lines, ""]


def claims(found: dict, measured: dict) -> list[str]:
    """Return the lines on DistilBERT's three claims."""
    each, speed = accuracies(found, measured), found["speed"]["32"]
    saved = 1 - found["parameters"]["bert_en_uncased_small"] / found["parameters"]["mpnet"]
    faster = speed["mpnet"] / speed["bert_en_uncased_small"] - 1
    kept = statistics.mean(each["bert_en_uncased_small"]) / statistics.mean(each["mpnet"])
    ours = f"{100 * saved:.0f} % | {100 * faster:.0f} % | {100 * kept:.1f} %"
    return [
        "## DistilBERT's three claims",
        "",
        "The teacher is all-mpnet-base-v2, the student bert_en_uncased_small. Both run in transformers (PyTorch,",
        "2 threads) on the dev sentences in batches of 32.",
        "",
        "| | parameters saved | faster | accuracy kept |",
        "|---|---|---|---|",
        "| DistilBERT and BERT-base (Sanh et al. 2019, all of GLUE) | 40 % | 60 % | 97 % |",
        f"| bert_en_uncased_small and its teachers (SST-2) | {ours} |",
        "",
    ]


def figures(found: dict, measured: dict):
    """Yield the figures and their names: accuracy by parameters, and accuracy by milliseconds."""
    each = {
        name: 100 * statistics.mean(values) for name, values in accuracies(found, measured).items() if name in NAMES
    }
    sizes = {name: found["parameters"][name] / 1e6 for name in NAMES}
    with style():
        figure, axes = new_axes(6.4, 3.8)
        draw(axes, [(sizes[name], each[name], NAMES[name]) for name in NAMES], SERIES[0], "o", "here, dev")
        for part, marker, color in (("dev", "s", SERIES[1]), ("test", "^", SERIES[2])):
            points = [(size, value, name) for name, size, value, which, _ in PUBLISHED if which == part]
            draw(axes, points, color, marker, f"published, {part}")
        axes.set(xscale="log", xlabel="million parameters", ylabel="accuracy on SST-2, percent")
        axes.set_xticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
        axes.minorticks_off()
        axes.grid(axis="y", linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=3, frameon=False)
        caption = "Accuracy by number of parameters: blue circles were measured here, the others are published."
        yield Figure(figure, caption), "small-models-parameters"
        figure, axes = new_axes(6.4, 3.4)
        speed = found["speed"]["1"]
        draw(axes, [(1000 * speed[name], each[name], NAMES[name]) for name in NAMES], SERIES[0], "o", None)
        axes.set(xscale="log", xlabel="milliseconds per sentence, batch 1", ylabel="accuracy on SST-2 dev, percent")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.grid(axis="y", linewidth=0.6)
        caption = (
            "Accuracy by time per sentence in transformers on 2 CPU threads: further left is faster, higher is better."
        )
        yield Figure(figure, caption), "small-models-milliseconds"


def draw(axes, points, color: str, marker: str, label: str | None) -> None:
    """Draw named points."""
    axes.scatter(
        [x for x, _, _ in points], [y for _, y, _ in points], color=color, marker=marker, label=label, zorder=3
    )
    for x, y, name in points:
        offset = (-6, 4) if name in LEFT else (0, -13) if name in BELOW else (6, 4)
        side = "right" if name in LEFT else "left"
        axes.annotate(name, (x, y), offset, textcoords="offset points", fontsize=8, ha=side)
    axes.margins(x=0.25, y=0.15)


def teachers_table(measured: dict) -> list[str]:
    """Return the lines of the table of teachers."""
    lines = [
        "",
        "## Teachers",
        "",
        "all-mpnet-base-v2, fine-tuned for one epoch on the training phrases (`python -m tools.teacher train`),",
        "accuracy on the 500 sentences and on dev, in percent. The rate with the best mean on the former was chosen;",
        "its two seeds are the teachers, and the student learns their mean logits.",
        "",
        "| learning rate | 500 sentences | dev | seeds |",
        "|---|---|---|---|",
    ]
    teachers = measured["teachers"]
    rates = {rate: [*runs.values()] for rate, runs in teachers["held_out_and_dev_by_rate"].items()}
    best = max(statistics.mean(each[0] for each in runs) for runs in rates.values())
    for rate, runs in rates.items():
        held_out, dev = ([each[i] for each in runs] for i in (0, 1))
        lines.append(f"| {rate} | {mean_of(held_out, best)} | {mean_of(dev, None)} | {len(runs)} |")
    held_out, dev = teachers["mean_of_best_rate"]
    return [
        *lines,
        f"| mean logits of the two of {teachers['best_rate']} | {100 * held_out:.1f} | {100 * dev:.1f} | - |",
    ]


def mean_of(values: list[float], best: float | None) -> str:
    """Format mean and standard deviation in percent; the mean is bold if it is the best."""
    mean = statistics.mean(values)
    text = f"{100 * mean:.1f}" if best is None else bold(100 * mean, 100 * best)
    return f"{text} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else text
