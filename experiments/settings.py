"""How the settings of fine-tuning are chosen: a few are tried, and a part of the training set alone is looked at.

    python -m experiments.settings --data DIR                     # every run that experiments/results/settings.json has not yet
    python -m experiments.settings --data DIR --only SQuAD-1.1

DIR is the folder that `KERAS_BERT_DATA` names. In place of a set's dev part, which is for docs/results.md and
docs/tasks.md alone, whole sentences of SST-2's training set are held out, or whole articles of SQuAD's.
docs/settings.md is written from all runs so far.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from experiments.tasks import hold_out_articles, prepare

ROOT = Path(__file__).resolve().parent.parent
FOUND, PAGE = ROOT / "experiments" / "results" / "settings.json", ROOT / "docs" / "settings.md"
WORK = ROOT / "build" / "settings"
SENTENCES = 1000
COMMAND = (
    "keras-bert finetune --encoder bert_en_uncased_mini --dataset build/settings/{name} {always} {settings} "
    "--dropout 0.1 --seed 1 --out build/settings/{name}-model --json"
)
# What is always given, what is measured, and what is tried.
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
    """The training part of a set, parted once more."""
    shutil.rmtree(folder, ignore_errors=True)
    if name == "SST-2":
        words = [sys.executable, str(ROOT / "experiments" / "split_sentences.py"), str(data / "SST-2" / "train.tsv")]
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([*words, str(folder), "--sentences", str(SENTENCES)], check=True, stdout=subprocess.DEVNULL)
        return
    prepare(name, data, folder)
    hold_out_articles(folder / "train.json", folder)


def command(name: str, settings: str) -> str:
    """What fine-tunes with these settings."""
    return COMMAND.format(name=name, always=SETS[name][0], settings=settings)


def run(name: str, settings: str) -> dict:
    """What the part that is held out says of them, in percent."""
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
    """docs/settings.md."""
    lines = [
        "# How the settings were chosen",
        "",
        "Written by `python -m experiments.settings --data $KERAS_BERT_DATA`. Each set's training part is parted once",
        "more: one seed a row, the best epoch chosen by the rows that `--held-out` takes, measured on what stands in",
        "for dev. Dev itself was not looked at. Differences below two standard errors say little.",
    ]
    for name, runs in found.items():
        examples = next(iter(runs.values()))["examples"]
        kind = f"{SENTENCES:,} whole sentences" if name == "SST-2" else f"{examples:,} questions of whole articles"
        lines += ["", f"## {name}: {SETS[name][1]} on {kind}, out of train", "", "| settings | % | best epoch |"]
        lines += ["|---|---|---|"]
        lines += [f"| `{settings}` | {each['score']:.1f} | {each['epoch']} |" for settings, each in runs.items()]
        lines += ["", f"    {command(name, 'SETTINGS')}"]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    parser.add_argument("--only", nargs="*", choices=[*SETS], default=[*SETS])
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("--data DIR is needed, or KERAS_BERT_DATA")
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
