"""How faithful attributions are: the table of all methods, and the randomization test; writes docs/explanations.md.

    python -m experiments.faithfulness --data DIR --model sst2_sentiment --limit 60
    python -m experiments.faithfulness --data DIR --model FOLDER --name "MiniLM, fine-tuned on SST-2"
    python -m experiments.faithfulness --only                   # measure nothing, only write the page

DIR is the folder named by `KERAS_BERT_DATA`, with `data/SST-2`. Each measured text is stored in build/faithfulness, so
the same command continues after Ctrl-C. The results of each model are stored in experiments/results/faithfulness.json.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

import keras_bert as kb  # noqa: E402
from keras_bert.explain.attribution.explained_model import open_explained  # noqa: E402
from keras_bert.explain.attribution.faithfulness import MEDIANS, METRICS, ROWS, measure_text, summarize  # noqa: E402
from keras_bert.explain.attribution.randomization import Randomization  # noqa: E402
from keras_bert.files import atomic_write  # noqa: E402
from keras_bert.inference.progress import show_progress  # noqa: E402
from keras_bert.metrics.bootstrap import Bootstrap  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "experiments" / "results" / "faithfulness.json"
PAGE, IMAGES = ROOT / "docs" / "explanations.md", ROOT / "docs" / "images"
STEPS, MODE, SEEDS, RESAMPLES = 50, "delete", (0, 1, 2), 1000
CONTROL_TEXTS = 20  # texts of the randomization test, which computes each of them at every stage for every seed
INTRODUCTION = """# How faithful the explanations are

Written by `python -m experiments.faithfulness --data $KERAS_BERT_DATA`, from `experiments/results/faithfulness.json`.
Sentences are the first N of SST-2 dev, in its order. The target is the logit of the predicted class. In brackets: 95 %
bootstrap intervals over the sentences.

- **completeness error**: how far the scores are from adding up to the change of the logit, relative to this change; the
  median. `gradient`, `attention` and `random` have no baseline. The baseline of `gradient_x_input` is an embedding of
  zeros, that of `occlusion` a text without tokens, that of `integrated_gradients` a text of [PAD]. Where the logit
  hardly changes, a small error is a large part of the change; more `steps` reduce it.
- **comprehensiveness**: how much the probability falls without the highest 1, 5, 10, 20 and 50 % of the tokens; higher
  is better. **sufficiency**: how much it falls with these tokens alone; lower is better (DeYoung et al. 2020,
  arXiv:1911.03429).
- **leave one out tau**: Kendall's rank correlation of the scores with those of leaving out single tokens.
- **forward passes**: the time for one text, divided by that of one forward pass; the median.

A method that is not better than `random` and `attention` explains nothing. `occlusion` leaves out tokens as the metrics
do, which favors it. The best value of a column is bold."""
HIGHER, LOWER = ("comprehensiveness", "leave_one_out_tau"), ("completeness_error", "sufficiency")


def main() -> None:
    """Measure one model, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("KERAS_BERT_DATA"), help="by default $KERAS_BERT_DATA")
    parser.add_argument("--model", default="sst2_sentiment", help="a name or a folder of a classifier")
    parser.add_argument("--name", help="its name on the page; by default --model")
    parser.add_argument("--limit", type=int, help="number of sentences; by default all of dev")
    parser.add_argument("--only", action="store_true", help="only write the page")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if not arguments.only:
        if not arguments.data:
            parser.error("`--data` must be given, or KERAS_BERT_DATA must name the folder. Received: neither")
        results[arguments.name or Path(arguments.model).name] = measure(
            arguments.model, sentences(arguments.data)[: arguments.limit]
        )
        write(RESULTS, json.dumps(results, indent=1) + "\n")
    write(PAGE, page(results))


def sentences(data: str) -> list[str]:
    """Return the sentences of SST-2 dev."""
    lines = (Path(data) / "data" / "SST-2" / "dev.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t")[0] for line in lines]


def measure(model: str, texts: list[str]) -> dict:
    """Measure the table and the randomization test of a model; texts that are measured already are read."""
    explained = open_explained(kb.load_pretrained(model), compiled=True)
    weights = b"".join(weight.tobytes() for weight in explained.model.get_weights())
    store = ROOT / "build" / "faithfulness" / hashlib.sha256(weights).hexdigest()[:16]
    store.mkdir(parents=True, exist_ok=True)
    measured = []
    with show_progress("measuring", "texts", len(texts)) as advance:
        for number, text in enumerate(texts):
            file = store / f"{number}.json"
            if not file.exists():
                found = measure_text(explained, text, ROWS, MODE, STEPS, [0, number])
                write(file, json.dumps(found))
            measured.append(json.loads(file.read_text(encoding="utf-8")))
            advance(1)
    table = summarize(measured, Bootstrap(RESAMPLES), mode=MODE, steps=STEPS)
    errors = [each["integrated_gradients"]["completeness_error"] for each in measured]
    completeness = {"largest": max(errors), "above_1_percent": sum(error > 0.01 for error in errors)}
    chosen, file = texts[:CONTROL_TEXTS], store / f"randomization-{len(texts[:CONTROL_TEXTS])}.json"
    if not file.exists():
        with show_progress("randomizing", "stages", None) as advance:
            found = kb.explain.randomization_test(
                explained, chosen, seeds=SEEDS, resamples=RESAMPLES, progress=lambda: advance(1)
            )
        write(file, json.dumps(found.to_dict()))
    control = json.loads(file.read_text(encoding="utf-8"))
    return {"faithfulness": table.to_dict(), "completeness": completeness, "randomization": control}


def page(results: dict) -> str:
    """Return the page; the figures of the randomization test are written beside it."""
    lines = [INTRODUCTION]
    for number, (name, found) in enumerate(results.items()):
        lines += ["", f"## {name}", "", *_table(found), "", *_control(found["randomization"], number)]
    return "\n".join(lines) + "\n"


def _table(found: dict) -> list[str]:
    table = found["faithfulness"]
    shown = [name for name in METRICS if name != "seconds"]
    lines = [
        f"{table['count']:,} sentences, {table['settings']['steps']} steps, tokens left out by "
        f"{table['settings']['mode']}. The completeness error of integrated gradients is above 1 % on "
        f"{found['completeness']['above_1_percent']} sentences;",
        f"the largest is {_percent(found['completeness']['largest'])}.",
        "",
        "| method | " + " | ".join(name.replace("_", " ") for name in shown) + " |",
        "|---" * (len(shown) + 1) + "|",
    ]
    for method in table["rows"]:
        cells = [_cell(table, method, name) for name in shown]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def _cell(table: dict, method: str, name: str) -> str:
    value, interval = table["rows"][method][name], table["intervals"][method].get(name)
    if value is None:
        return "–"
    if name == "leave_one_out_tau" and method == "occlusion":
        return "the reference"
    if name in MEDIANS:
        cell = _percent(value) if name == "completeness_error" else f"{value:.1f}"
    else:
        cell = f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
    rows = table["rows"].items()
    compared = [row[name] for each, row in rows if each != "occlusion" or name != "leave_one_out_tau"]
    column = [each for each in compared if each is not None]
    best = max(column) if name in HIGHER else min(column) if name in LOWER else None
    return f"**{cell}**" if value == best else cell


def _percent(value: float) -> str:
    """Format a share in percent with two digits, without an exponent."""
    return f"{np.format_float_positional(100 * value, precision=2, fractional=False, trim='-')} %"


def _control(found: dict, number: int) -> list[str]:
    """Return the section of the randomization test, and write its figure."""
    result = Randomization(**found)
    file = IMAGES / f"randomization-{number + 1}.png"
    figure = result.plot()
    with atomic_write(file) as draft:
        figure.figure.savefig(draft, format="png", dpi=150, facecolor="white")
    rows = [
        f"| {stage} | "
        + " | ".join(
            f"{result.means[method][i]:.2f} [{low:.2f}, {high:.2f}]"
            for method in result.means
            for low, high in [result.intervals[method][i]]
        )
        + " |"
        for i, stage in enumerate(result.stages)
    ]
    return [
        f"The randomization test (Adebayo et al. 2018, arXiv:1810.03292) with {result.count} of these sentences and "
        f"seeds {', '.join(map(str, result.settings['seeds']))}: layers get initial weights",
        "from the head down, and the absolute scores are compared with those of the trained model by rank correlation. "
        "`gradient` is without the input factor.",
        "A correlation that stays high says that the scores describe the text more than the model. No threshold is "
        "promised.",
        "",
        "| random, with all before it | " + " | ".join(result.means) + " |",
        "|---" * (len(result.means) + 1) + "|",
        *rows,
        "",
        f"![{figure.caption}](images/{file.name})",
    ]


def write(path: Path, text: str) -> None:
    """Write a file, completely or not at all."""
    with atomic_write(path) as draft:
        draft.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
