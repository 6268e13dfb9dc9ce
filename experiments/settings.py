"""Compare settings of fine-tuning on a held-out part of the training set.

    python -m experiments.settings --data DIR                     # every run that is not in
    experiments/results/settings.json
    python -m experiments.settings --data DIR --only SQuAD-1.1

DIR is the folder named by `KERAS_BERT_DATA`. Whole sentences of SST-2's training part, or whole articles of SQuAD's,
are held out. The dev part of a set is used only for docs/results.md and docs/tasks.md. docs/settings.md is written
from all runs so far.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from experiments.tasks import bold, hold_out_articles, prepare

ROOT = Path(__file__).resolve().parent.parent
FOUND, PAGE = ROOT / "experiments" / "results" / "settings.json", ROOT / "docs" / "settings.md"
WORK = ROOT / "build" / "settings"
SENTENCES = 1000
COMMAND = (
    "keras-bert finetune --encoder bert_en_uncased_mini --dataset build/settings/{name} {always} {settings} "
    "--dropout 0.1 --seed 1 --out build/settings/{name}-model --json"
)
# Set: fixed options, metric, compared options.
SETS = {
    "SST-2": (
        "--labels negative,positive --batch-size 32 --held-out 0.02",
        "accuracy",
        (
            "--epochs 3 --learning-rate 7.5e-5",
            "--epochs 3 --learning-rate 1.5e-4",
            "--epochs 3 --learning-rate 3e-4",
            "--epochs 5 --learning-rate 1.5e-4",
        ),
    ),
    "SQuAD-1.1": (
        "--task spans --batch-size 16 --held-out 0.1",
        "f1",
        (
            "--sequence-length 256 --epochs 8 --learning-rate 5e-4",
            "--sequence-length 256 --epochs 8 --learning-rate 2e-4",
            "--sequence-length 128 --epochs 4 --learning-rate 5e-4",
            "--sequence-length 128 --epochs 8 --learning-rate 5e-4",
        ),
    ),
}


def prepare_inside(name: str, data: Path, folder: Path) -> None:
    """Split the training part of a set again."""
    shutil.rmtree(folder, ignore_errors=True)
    if name == "SST-2":
        words = [sys.executable, str(ROOT / "experiments" / "split_sentences.py"), str(data / "SST-2" / "train.tsv")]
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([*words, str(folder), "--sentences", str(SENTENCES)], check=True, stdout=subprocess.DEVNULL)
        return
    prepare(name, data, folder)
    hold_out_articles(folder / "train.json", folder)


def command(name: str, settings: str) -> str:
    """Return the command that fine-tunes with these settings."""
    return COMMAND.format(name=name, always=SETS[name][0], settings=settings)


def run(name: str, settings: str) -> dict:
    """Fine-tune and return the metric on the held-out part, in percent."""
    words = [sys.executable, "-m", "keras_bert", *command(name, settings).split()[1:]]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    facts = json.loads(done.stdout.splitlines()[-1])
    score = facts[SETS[name][1]]
    return {
        "score": 100 * score if SETS[name][1] == "accuracy" else score,
        "epoch": facts["epoch"],
        "examples": facts["examples"],
    }


def write_page(found: dict) -> None:
    """Write docs/settings.md."""
    lines = [
        "# Comparison of fine-tuning settings",
        "",
        "Written by `python -m experiments.settings --data $KERAS_BERT_DATA`. The training part of each set is split",
        "again: one part to train on (of which `--held-out` selects the best epoch), one part to measure on.",
        "Dev is not",
        "used. One seed per row; the best value is bold. Differences below two standard errors mean little.",
    ]
    for name, runs in found.items():
        examples = next(iter(runs.values()))["examples"]
        kind = f"{SENTENCES:,} whole sentences" if name == "SST-2" else f"{examples:,} questions of whole articles"
        lines += ["", f"## {name}: {SETS[name][1]} on {kind} held out of train", "", "| settings | % | best epoch |"]
        best = max(each["score"] for each in runs.values())
        lines += ["|---|---|---|"]
        lines += [
            f"| `{settings}` | {bold(each['score'], best)} | {each['epoch']} |" for settings, each in runs.items()
        ]
        lines += ["", f"    {command(name, 'SETTINGS')}"]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    parser.add_argument("--only", nargs="*", choices=[*SETS], default=[*SETS])
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("`--data` must be given, or KERAS_BERT_DATA must name the folder. Received: neither")
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    for name in arguments.only:
        prepare_inside(name, arguments.data / "data", WORK / name)
        for settings in SETS[name][2]:
            if settings not in found.setdefault(name, {}):
                found[name][settings] = run(name, settings)
                print(name, settings, found[name][settings], file=sys.stderr)
                FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
                write_page(found)


if __name__ == "__main__":
    main()
