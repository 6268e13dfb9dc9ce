"""Measure what docs/results.md says, and write it: each row with the command that gave it.

    python -m benchmarks.results --data DIR                        # everything, an hour on two cores
    python -m benchmarks.results --data DIR --only check
    python -m benchmarks.results --only                            # nothing anew: write the page again

DIR is the folder that `KERAS_BERT_DATA` names: `data/SST-2`, `data/vocab`, `reference/tfhub`. Rows not measured now
stay as experiments/results/results.json has them. What ships comes from saved_models/measured.json, which `tools/build_saved_models.py`
writes; the table of speeds from what `make bench` left.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.distilbert import claims
from experiments.tasks import of_texts

ROOT = Path(__file__).resolve().parent.parent
DATA = "$KERAS_BERT_DATA"
COMMAND = "keras-bert"
SST2_SCRATCH = (
    f"{COMMAND} finetune --size mini --vocab-size 8000 --dropout 0.2 --dataset {DATA}/data/SST-2 "
    "--epochs 2 --batch-size 64 --learning-rate 3e-4 --held-out 0.02 --seed SEED --out OUT --json"
)
SEEDS = (3, 4, 5)
LATEST = ROOT / "benchmarks" / "results" / "latest.json"
BUNDLED = ROOT / "tools" / "measured.json"


def run(command: str, data: str, **names) -> tuple[dict, float]:
    """The JSON object a command prints last, and its minutes."""
    for name, value in {DATA: data, **names}.items():
        command = command.replace(name, shlex.quote(str(value)))
    words = shlex.split(command)
    words[:1] = [sys.executable, "-m", "keras_bert"] if words[0] == COMMAND else [sys.executable]
    begun = time.perf_counter()
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1]), (time.perf_counter() - begun) / 60


def check(data: str) -> dict:
    """Parity with the encoder that Google's exporter wrote."""
    command = f"{COMMAND} check {DATA}/reference/tfhub/bert_en_uncased_L-2_H-128_A-2 --json"
    found, _ = run(command, data)
    apart = found["max_abs_difference"]
    return {
        "what": "our encoder against one that Google's exporter wrote, randomised biases and norms",
        "result": f"largest difference {max(apart['sequence_output'], *apart['encoder_outputs']):.1e} in the layers, "
        f"{apart['pooled_output']:.1e} pooled, over {found['parameters']:,} parameters; limit {found['tolerance']:.0e}",
        "command": command,
    }


def sst2_scratch(data: str) -> dict:
    """SST-2 from random weights, over seeds."""
    return sst2(data, SST2_SCRATCH, "from random weights")


def sst2_bfloat16(data: str) -> dict:
    """The same with products in bfloat16: does accuracy hold?"""
    return sst2(data, f"{SST2_SCRATCH} --dtype mixed_bfloat16", "from random weights, trained in mixed_bfloat16")


def sst2(data: str, command: str, how: str) -> dict:
    """Accuracy on dev over seeds, by a command."""
    accuracies = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            found, took = run(command, data, SEED=seed, OUT=Path(folder) / str(seed))
            accuracies.append(100 * found["accuracy"])
            print(f"seed {seed}: {accuracies[-1]:.2f} % in {took:.1f} minutes", file=sys.stderr)
    each = ", ".join(f"{accuracy:.2f}" for accuracy in accuracies)
    return {
        "what": f"SST-2 dev, BERT mini (L4 H256) {how}, {len(SEEDS)} seeds; train rows choose the epoch",
        "result": f"{statistics.mean(accuracies):.2f} ± {statistics.stdev(accuracies):.2f} % ({each})",
        "command": command,
    }


def sst2_baselines(data: str) -> dict:
    """What needs no encoder, on the same sentences."""
    found = of_texts(Path(data) / "data" / "SST-2")
    return {
        "what": "SST-2 dev: always the commonest class; TF-IDF of one and two words with logistic regression",
        "result": f"{100 * found['commonest']:.1f} %; {100 * found['tfidf']:.1f} %",
        "command": f"python -m benchmarks.results --only sst2_baselines --data {DATA}",
    }


def distilled(data: str) -> dict:
    """DistilBERT's three claims of the encoder that ships."""
    return claims(run, data, json.loads(BUNDLED.read_text(encoding="utf-8"))["finetuning"], SEEDS)


def tour(data: str) -> dict:
    """The main path on the embedded sample."""
    command = f"{COMMAND} tour --out OUT --json"
    with tempfile.TemporaryDirectory() as folder:
        found, _ = run(command, data, OUT=Path(folder) / "tour")
    pretraining, evaluation = found["pretraining"], found["evaluation"]
    return {
        "what": "the tour on the embedded sample: two layers of 128, pretrained and fine-tuned from a blank file",
        "result": f"dev accuracy {100 * evaluation['accuracy']:.1f} % (majority {100 * evaluation['majority']:.1f} %), "
        f"masked words {100 * pretraining['mlm_accuracy']:.1f} % right on held-out prose; the same sentences on the "
        f"encoder that ships: {100 * found['shipped']['evaluation']['accuracy']:.1f} %; "
        f"{found['seconds']['total'] / 60:.1f} minutes, {found['peak_memory_mib'] / 1024:.1f} GiB",
        "command": command,
    }


def shipped() -> list[dict]:
    """What tools/build_saved_models.py measured of the models that ship."""
    found = json.loads(BUNDLED.read_text(encoding="utf-8"))
    trained, tuned = found["pretraining"], found["finetuning"]
    accuracies = [100 * each["accuracy"] for each in tuned["runs"]]
    return [
        {
            "what": f"bert_en_uncased_mini, {trained['parameters']:,} parameters: held-out documents, one run",
            "result": f"{100 * trained['mlm_accuracy']:.2f} % of hidden words found, loss {trained['mlm_loss']:.3f}; "
            f"{trained['hours']:.1f} hours, {trained['core_hours']:.1f} core hours",
            "command": trained["command"],
        },
        {
            "what": f"SST-2 dev, fine-tuned from it, {len(accuracies)} seeds; train rows choose the epoch",
            "result": f"{statistics.mean(accuracies):.2f} ± {statistics.stdev(accuracies):.2f} % "
            f"({', '.join(f'{accuracy:.2f}' for accuracy in accuracies)})",
            "command": tuned["command"],
        },
        {
            "what": "SST-2 dev, sst2_sentiment as it ships",
            "result": f"{100 * found['shipped']['accuracy']:.2f} %",
            "command": found["shipped"]["command"],
        },
    ]


MEASUREMENTS = {
    function.__name__: function for function in (tour, sst2_baselines, sst2_scratch, sst2_bfloat16, check, distilled)
}


def write_page(rows: dict) -> None:
    """docs/results.md from the rows."""
    lines = [
        "# Results",
        "",
        "Written by `python -m benchmarks.results --data $KERAS_BERT_DATA`; each row by the command in it. Accuracy is",
        "the mean and standard deviation over seeds, where several are named. No run is trained on dev or picks its",
        "epoch by it. SST-2's settings were chosen among three by whole sentences held out of train, before these",
        "seeds were measured on dev; [settings.md](settings.md) repeats that trial with more of them. Earlier recipes",
        "had been seen on dev with other seeds, and so had the tour's plan.",
        "",
        "| what | result | command |",
        "|---|---|---|",
        *(f"| {row['what']} | {row['result']} | `{row['command']}` |" for row in [*rows.values(), *shipped()]),
        "",
        "What others published of SST-2: 85.5 % on dev, the best of one run, by keras.io's guide to pretraining with",
        "KerasHub (9.4 million parameters, WikiText-103); 85.9 % on GLUE's test set by BERT-Mini (11.2 million,",
        "3.3 billion words; Turc et al. 2019, arXiv:1908.08962). Other tasks: [tasks.md](tasks.md). Short runs beside",
        "the recipe of the encoder that ships: [recipe.md](recipe.md).",
    ]
    if LATEST.exists():
        found = json.loads(LATEST.read_text(encoding="utf-8"))
        lines += speeds(found)
        write_ablation(found)
    (ROOT / "docs" / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def speeds(found: dict) -> list[str]:
    """The lines of the table of ours and the peers."""
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    works = {name: rows for name, rows in found["works"].items() if name != "ablation"}  # docs/performance.md has that
    measured = " ".join(name for name in works if name != "peak")
    days = sorted({row["when"][:10] for rows in works.values() for row in rows})
    lines = [
        "",
        "## Speed, beside the peers",
        "",
        f"Written by `make bench`, or a part of it: `python -m benchmarks.run --only {measured}`",
        f"({days[0]} to {days[-1]}, {machine['cpus']} cores of {machine['cpu']}; {versions}).",
        "The contestants of a row take turns in one run, on equal answers; medians. A ratio above 1: ours is faster",
        "than the best peer at the same precision. The limit is the fastest product of matrices in that run, GFLOP/s.",
        "",
        "| work | precision | ours | peers, best first | ratio | of the limit | peak memory, ours and best peer |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in (row for rows in works.values() for row in rows if row["ours"]):
        ran = {name: each for name, each in row["peers"].items() if "value" in each}
        peers = ", ".join(
            f"{name}{' ' + each['form'] if each['form'] else ''} {short(each['value'])}"
            for name, each in sorted(ran.items(), key=lambda item: item[1]["seconds"])
        )
        memory = [each.get("memory_mib") for each in (row["ours"], ran.get(row["best_peer"], {}))]
        cells = [
            row["work"],
            row["precision"],
            f"{short(row['ours'].get('value'))} {row['unit']}",
            peers or "none",
            f"{row['ratio']:.2f}" if row["ratio"] else "-",
            f"{100 * row['share_of_limit']:.0f} % of {row['limit'] / 1e9:,.0f}" if row["share_of_limit"] else "-",
            " / ".join(f"{each:,.0f} MiB" if each else "-" for each in memory),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    notes = dict.fromkeys(note for rows in works.values() for row in rows for note in row["notes"])
    return [*lines, "", *(f"- {note}" for note in notes)]


def write_ablation(found: dict) -> None:
    """docs/performance.md's table of levers, from the ablation's rows."""
    page = ROOT / "docs" / "performance.md"
    begin, end = "<!-- ablation: written by benchmarks/results.py -->\n", "<!-- end of ablation -->"
    head, rest = page.read_text(encoding="utf-8").split(begin)
    rows = found["works"].get("ablation", [])
    speeds = {row["precision"]: {"all on": row["ours"], **row["peers"]} for row in rows}
    if not all("value" in each for forms in speeds.values() for each in forms.values()):
        return
    lines = [
        f"| | {' | '.join(f'{precision}, tokens/s | share' for precision in speeds)} |",
        "|---" * (1 + 2 * len(speeds)) + "|",
    ]
    for name in next(iter(speeds.values()), {}):
        cells = (
            f"{short(forms[name]['value'])} | {100 * forms[name]['value'] / forms['all on']['value']:.0f} %"
            for forms in speeds.values()
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    table = "\n".join(lines) + "\n" if speeds else ""
    page.write_text(head + begin + table + end + rest.split(end)[1], encoding="utf-8")


def short(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return "out"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    """Measure, keep, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("KERAS_BERT_DATA"), help="by default $KERAS_BERT_DATA")
    parser.add_argument("--only", nargs="*", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    arguments = parser.parse_args()
    if arguments.only and not arguments.data:
        parser.error("--data DIR is needed, or KERAS_BERT_DATA")
    store = ROOT / "experiments" / "results" / "results.json"
    rows = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    for name in arguments.only:
        rows[name] = MEASUREMENTS[name](str(Path(arguments.data).resolve()))
        rows = {name: rows[name] for name in MEASUREMENTS if name in rows}
        store.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
        write_page(rows)
    write_page(rows)


if __name__ == "__main__":
    main()
