"""Measure the rows of docs/results.md and write the page; each row names its command.

    python -m experiments.results_page --data DIR                        # everything: two hours on two cores
    python -m experiments.results_page --data DIR --only check
    python -m experiments.results_page --only                            # measure nothing, only write the page

DIR is the folder named by `KERAS_BERT_DATA`, with `data/SST-2`, `data/vocab` and `reference/tfhub`. Rows that are not
measured come from experiments/results/results.json, those of the bundled models from tools/measured.json and
tools/small_model/measured.json, which `tools/build_saved_models.py` and `python -m tools.small_model` write. The speed
table comes from the last `make bench`.
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
from experiments.soak_rows import kills, served
from experiments.speed_tables import speed_section, write_ablation
from experiments.tasks import text_baselines

ROOT = Path(__file__).resolve().parent.parent
DATA = "$KERAS_BERT_DATA"
COMMAND = "keras-bert"
SST2_SCRATCH = (
    f"{COMMAND} finetune --size mini --vocab-size 8000 --dropout 0.2 --dataset {DATA}/data/SST-2 "
    "--epochs 2 --batch-size 64 --learning-rate 3e-4 --held-out 0.02 --seed SEED --out OUT --json"
)
SEEDS = (3, 4, 5)
LATEST = ROOT / "benchmarks" / "results" / "latest.json"
MEASURED, SMALL = ROOT / "tools" / "measured.json", ROOT / "tools" / "small_model" / "measured.json"


def run(command: str, data: str, **names) -> tuple[dict, float]:
    """Run a command; return the JSON object that it prints last, and the minutes it took."""
    for name, value in {DATA: data, **names}.items():
        command = command.replace(name, shlex.quote(str(value)))
    words = shlex.split(command)
    words[:1] = [sys.executable, "-m", "keras_bert"] if words[0] == COMMAND else [sys.executable]
    start = time.perf_counter()
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1]), (time.perf_counter() - start) / 60


def check(data: str) -> dict:
    """Compare with the encoder written by Google's exporter."""
    command = f"{COMMAND} check {DATA}/reference/tfhub/bert_en_uncased_L-2_H-128_A-2 --json"
    facts, _ = run(command, data)
    difference = facts["max_abs_difference"]
    largest = max(difference["sequence_output"], *difference["encoder_outputs"])
    return {
        "what": "parity with an encoder written by Google's exporter, randomized biases and norms",
        "result": f"largest difference {largest:.1e} in the layers, {difference['pooled_output']:.1e} pooled; "
        f"{facts['parameters']:,} parameters, tolerance {facts['tolerance']:.0e}",
        "command": command,
    }


def sst2_scratch(data: str) -> dict:
    """Train on SST-2 from random weights, with several seeds."""
    return sst2(data, SST2_SCRATCH, "from random weights")


def sst2_bfloat16(data: str) -> dict:
    """The same in mixed bfloat16."""
    return sst2(data, f"{SST2_SCRATCH} --dtype mixed_bfloat16", "from random weights, trained in mixed_bfloat16")


def sst2(data: str, command: str, how: str) -> dict:
    """Measure the dev accuracy of a command over seeds."""
    accuracies = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            facts, minutes = run(command, data, SEED=seed, OUT=Path(folder) / str(seed))
            accuracies.append(100 * facts["accuracy"])
            print(f"seed {seed}: {accuracies[-1]:.2f} % in {minutes:.1f} minutes", file=sys.stderr)
    each = ", ".join(f"{accuracy:.2f}" for accuracy in accuracies)
    return {
        "what": f"SST-2 dev, BERT mini (L4 H256) {how}, {len(SEEDS)} seeds; training rows select the epoch",
        "result": f"{statistics.mean(accuracies):.2f} ± {statistics.stdev(accuracies):.2f} % ({each})",
        "command": command,
    }


def sst2_baselines(data: str) -> dict:
    """Measure the baselines on the same sentences."""
    facts = text_baselines(Path(data) / "data" / "SST-2")
    return {
        "what": "SST-2 dev: always the commonest class; TF-IDF of words and word pairs with logistic regression",
        "result": f"{100 * facts['commonest']:.1f} %; {100 * facts['tfidf']:.1f} %",
        "command": f"python -m experiments.results_page --only sst2_baselines --data {DATA}",
    }


def distilled(data: str) -> dict:
    """Measure DistilBERT's three claims for the bundled encoder."""
    return claims(run, data, json.loads(MEASURED.read_text(encoding="utf-8"))["finetuning"], SEEDS)


def list_accuracies(accuracies: dict[str, float]) -> str:
    """List accuracies in percent by name, the best one in bold."""
    best = max(accuracies.values())
    shown = {name: f"{100 * value:.1f} %" for name, value in accuracies.items()}
    return "; ".join(f"{name} {f'**{shown[name]}**' if accuracies[name] == best else shown[name]}" for name in shown)


def tour(data: str) -> dict:
    """Run the tour on the embedded sample."""
    command = f"{COMMAND} tour --out OUT --json"
    with tempfile.TemporaryDirectory() as folder:
        facts, _ = run(command, data, OUT=Path(folder) / "tour")
    pretraining, evaluation = facts["pretraining"], facts["evaluation"]
    accuracies = {
        "dev accuracy": evaluation["accuracy"],
        "the bundled encoder on the same sentences": facts["bundled"]["evaluation"]["accuracy"],
        "TF-IDF with logistic regression": evaluation["tfidf"],
        "most frequent class": evaluation["majority"],
    }
    return {
        "what": "the tour on the embedded sample: two layers, hidden size 128, pretrained and fine-tuned on the sample",
        "result": f"{list_accuracies(accuracies)}; masked-LM accuracy {100 * pretraining['mlm_accuracy']:.1f} % on "
        f"validation prose; {facts['seconds']['total'] / 60:.1f} minutes, {facts['peak_memory_mib'] / 1024:.1f} GiB",
        "command": command,
    }


def bundled() -> list[dict]:
    """Read the rows that the programs in tools/ measured for the bundled models."""
    facts, small = (json.loads(path.read_text(encoding="utf-8")) for path in (MEASURED, SMALL))
    students = [100 * each["dev"] for each in small["students"]["runs"]]
    spread = f" ± {statistics.stdev(students):.2f}" if len(students) > 1 else ""
    count = f"{len(students)} seed{'s' * (len(students) > 1)}"
    trained, tuned, held_out = facts["pretraining"], facts["finetuning"], facts["held_out"]
    accuracies = [100 * each["accuracy"] for each in tuned["runs"]]
    return [
        {
            "what": f"bert_en_uncased_mini, {trained['parameters']:,} parameters: held-out documents, one run",
            "result": f"{100 * trained['mlm_accuracy']:.2f} % masked-LM accuracy, loss {trained['mlm_loss']:.3f}"
            f", as the run computes them in bfloat16; {100 * held_out['mlm_accuracy']:.2f} % and "
            f"{held_out['mlm_loss']:.3f} for the bundled model on the same rows in float32 "
            "(`python -m tools.build_saved_models measure`); "
            f"{trained['hours']:.1f} hours, {trained['core_hours']:.1f} core hours",
            "command": trained["command"],
        },
        {
            "what": f"SST-2 dev, fine-tuned from it, {len(accuracies)} seeds; training rows select the epoch",
            "result": f"{statistics.mean(accuracies):.2f} ± {statistics.stdev(accuracies):.2f} % "
            f"({', '.join(f'{accuracy:.2f}' for accuracy in accuracies)})",
            "command": tuned["command"],
        },
        {
            "what": f"SST-2 dev, bert_en_uncased_small ({small['parameters']:,} parameters) fine-tuned with the logits "
            f"of two teachers, {count}; see [small-models.md](small-models.md)",
            "result": f"{statistics.mean(students):.2f}{spread} % ({', '.join(f'{each:.2f}' for each in students)})",
            "command": "python -m tools.small_model finetune build/healed --data train.tsv --texts build/augmented.txt "
            "--logits tools/teacher_logits.npz --validation held-out.tsv --test dev.tsv --dtype mixed_bfloat16 "
            "--epochs 2 --batch-size 64 --learning-rate 1e-4 --seed SEED --out build/sentiment-SEED",
        },
        {
            "what": "SST-2 dev, sst2_sentiment as bundled",
            "result": f"{100 * small['bundled']['accuracy']:.2f} %",
            "command": small["bundled"]["command"],
        },
    ]


MEASUREMENTS = {
    function.__name__: function
    for function in (tour, sst2_baselines, sst2_scratch, sst2_bfloat16, check, distilled, kills, served)
}


def write_page(rows: dict) -> None:
    """Write docs/results.md."""
    lines = [
        "# Results",
        "",
        "Written by `python -m experiments.results_page --data $KERAS_BERT_DATA`; each row names its command. Accuracy",
        "is the mean and standard deviation over seeds, where several are named. No run is trained on dev or selects",
        "its epoch with it. SST-2's settings were selected among three with whole sentences held out of train, before",
        "these seeds were measured on dev; [settings.md](settings.md) repeats that comparison with more settings.",
        "Earlier recipes had been seen on dev with other seeds, and so had the tour's plan.",
        "",
        "| what | result | command |",
        "|---|---|---|",
        *(f"| {row['what']} | {row['result']} | `{row['command']}` |" for row in [*rows.values(), *bundled()]),
        "",
        "Published results for SST-2: 85.5 % on dev, the best epoch of one run, in keras.io's guide to pretraining",
        "with KerasHub (9.4 million parameters, WikiText-103); 85.9 % on GLUE's test set by BERT-Mini (11.2 million,",
        "3.3 billion words; Turc et al. 2019, arXiv:1908.08962). Other tasks: [tasks.md](tasks.md). Parts of the",
        "pretraining recipe: [recipe.md](recipe.md).",
    ]
    if LATEST.exists():
        found = json.loads(LATEST.read_text(encoding="utf-8"))
        lines += speed_section(found)
        write_ablation(found)
    (ROOT / "docs" / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, store, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("KERAS_BERT_DATA"), help="by default $KERAS_BERT_DATA")
    parser.add_argument("--only", nargs="*", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    arguments = parser.parse_args()
    if arguments.only and not arguments.data:
        parser.error("`--data` must be given, or KERAS_BERT_DATA must name the folder. Received: neither")
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
