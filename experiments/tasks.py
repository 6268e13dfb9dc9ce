"""Every kind of task on real data, from the encoder that ships, beside what needs no encoder.

    python -m experiments.tasks --data DIR                 # every run that experiments/results/tasks.json has not yet
    python -m experiments.tasks --data DIR --only TREC     # of one set, or `freezing`

DIR is the folder that `KERAS_BERT_DATA` names. Each set is fine-tuned on by `keras-bert finetune`, over seeds, settings
fixed beforehand; its dev part only measures. Beside it: always the commonest answer, and TF-IDF of one and two words
with logistic regression. Then what it matters which layers learn. docs/tasks.md is written from all runs so far.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

from experiments.answers import of_spans

ROOT = Path(__file__).resolve().parent.parent
FOUND, PAGE = ROOT / "experiments" / "results" / "tasks.json", ROOT / "docs" / "tasks.md"
WORK = ROOT / "build" / "tasks"
SEEDS = (1, 2, 3)
FINETUNE = (
    "keras-bert finetune --encoder bert_en_uncased_mini --dataset build/tasks/{name} {more} "
    "--dropout 0.1 --batch-size 16 --held-out 0.1 --seed {seed} --out build/tasks/{name}-{seed} --json"
)
SPANS = "--task spans --sequence-length 128 --learning-rate 5e-4"  # rows as long as those of pretraining
SETS = {
    "TREC": ("six kinds of questions", "--epochs 8 --learning-rate 2e-4 --dtype mixed_bfloat16", "accuracy"),
    "SST-5": ("five shades of opinion", "--epochs 4 --learning-rate 2e-4 --dtype mixed_bfloat16", "accuracy"),
    "MRPC": ("do two sentences say the same?", "--epochs 6 --learning-rate 2e-4", "accuracy"),
    "SQuAD-1.1": ("answers that stand in a text", f"{SPANS} --epochs 4", "f1"),
    "SQuAD-2.0": ("the same, some without an answer", f"{SPANS} --epochs 8", "f1"),
}
# How much of the encoder learns, on two of the sets.
FREEZING = {
    "everything learns": "",
    "the embeddings and the first two of four layers rest": "--freeze 2",
    "all of the encoder rests": "--freeze all",
    "gradual: a layer more each epoch, from the last down": "--freeze gradual",
    "each layer at 0.7 of the rate of the one above": "--layer-decay 0.7",
}
FROZEN = ("TREC", "SST-5")


def prepare(name: str, data: Path, folder: Path) -> None:
    """A folder as `keras-bert finetune` reads it. A set without a dev part gives a tenth, an article set its last
    articles, the same ones each time."""
    folder.mkdir(parents=True, exist_ok=True)
    if name.startswith("SQuAD"):
        (file,) = (data / "SQuAD").glob(f"*-v{name[-3:]}-*.json")
        hold_out_articles(file, folder)
        return
    source = data / name if name != "MRPC" else data / "MRPC" / "msr_paraphrase_train.txt"
    if (source / "dev.tsv").exists():
        for part in ("train", "dev"):
            (folder / f"{part}.tsv").write_bytes((source / f"{part}.tsv").read_bytes())
        return
    text = (source / "train.tsv" if source.is_dir() else source).read_text(encoding="utf-8-sig")
    header, *rows = text.rstrip("\n").split("\n")
    random.Random(0).shuffle(rows)
    tenth = len(rows) // 10
    for part, chosen in (("dev", rows[:tenth]), ("train", rows[tenth:])):
        (folder / f"{part}.tsv").write_text("\n".join([header, *chosen]) + "\n", encoding="utf-8")


def hold_out_articles(file: Path, folder: Path) -> None:
    """`train.json` and `dev.json` out of one of SQuAD's files: its last article, of many its last two, is dev."""
    whole = json.loads(file.read_text(encoding="utf-8"))
    articles = whole["data"]
    held = 1 if len(articles) < 8 else 2
    for part, chosen in (("train", articles[:-held]), ("dev", articles[-held:])):
        text = json.dumps({**whole, "data": chosen}, ensure_ascii=False)
        (folder / f"{part}.json").write_text(text, encoding="utf-8")


def of_texts(folder: Path) -> dict:
    """The commonest class, and TF-IDF with logistic regression, on the dev part. Of a pair: what its texts share, and
    what only one has."""
    import numpy as np
    import scipy.sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from keras_bert.data import load_labeled

    data = load_labeled(str(folder))
    pairs = isinstance(data.train_texts, tuple)
    tfidf = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    tfidf.fit([text for part in data.train_texts for text in part] if pairs else data.train_texts)

    def features(texts):
        if not pairs:
            return tfidf.transform(texts)
        one, other = map(tfidf.transform, texts)
        shared = one.multiply(other)
        return scipy.sparse.hstack([shared.sum(1), shared, abs(one - other)]).tocsr()

    model = LogisticRegression(C=10, max_iter=1000).fit(features(data.train_texts), data.train_labels)
    commonest = np.bincount(data.train_labels).argmax()
    return {
        "examples": len(data.dev_labels),
        "commonest": float((data.dev_labels == commonest).mean()),
        "tfidf": float(model.score(features(data.dev_texts), data.dev_labels)),
    }


def write_page(found: dict) -> None:
    """docs/tasks.md."""
    lines = [
        "# Every kind of task, from the encoder that ships",
        "",
        "Written by `python -m experiments.tasks --data $KERAS_BERT_DATA`. Accuracy, of spans F1, on the dev part, in",
        "percent; ours is mean and standard deviation over seeds, by the commands below. A set without a dev part of",
        "its own gives a tenth of its rows, or its last articles. Nothing was chosen by dev, but SQuAD's had been seen",
        "with an earlier recipe. Trials of SQuAD's settings on train alone, so far without the rows of 128 used here:",
        "[settings.md](settings.md).",
        "",
        "| set | what is asked | examples | always the commonest | TF-IDF, logistic regression | ours |",
        "|---|---|---|---|---|---|",
    ]
    measured = {name: entry for name, entry in found["sets"].items() if entry["ours"]}
    for name, entry in measured.items():
        asked, baselines = SETS[name][0], [f"{100 * entry[key]:.1f}" for key in ("commonest", "tfidf")]
        lines.append(
            f"| {name} | {asked} | {entry['examples']:,} | {' | '.join(baselines)} | {spread(entry['ours'])} |"
        )
    for name, entry in measured.items():
        if {round(score, 6) for score in entry["ours"].values()} == {round(entry["commonest"], 6)}:
            lines += ["", f"Of {name} no seed learned more than to give the commonest answer always."]
    lines += ["", *(f"    {command(name, 'SEED')}" for name in measured)]
    if found["freezing"]:
        lines += ["", "## Which layers learn", "", f"| | {' | '.join(FROZEN)} | by |", "|---" * (2 + len(FROZEN)) + "|"]
        for how, runs in found["freezing"].items():
            option = f"`{FREEZING[how]}`" if FREEZING[how] else "the command above"
            lines.append(f"| {how} | {' | '.join(spread(runs.get(name, {})) for name in FROZEN)} | {option} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def spread(scores: dict) -> str:
    """Mean, deviation and number of runs."""
    if not scores:
        return "-"
    each = [100 * score for score in scores.values()]
    deviation = f" ± {statistics.stdev(each):.1f}" if len(each) > 1 else ""
    return f"**{statistics.mean(each):.1f}**{deviation} ({len(each)} seed{'s' * (len(each) > 1)})"


def command(name: str, seed, more: str = "") -> str:
    """What fine-tunes on a set."""
    return FINETUNE.format(name=name, more=f"{SETS[name][1]} {more}".strip(), seed=seed)


def run(name: str, seed: str, more: str = "") -> float:
    """The score on dev of one run."""
    words = [sys.executable, "-m", "keras_bert", *command(name, seed, more).split()[1:]]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    score = json.loads(done.stdout.splitlines()[-1])[SETS[name][2]]
    return score / 100 if SETS[name][2] == "f1" else score  # SQuAD's own script counts in percent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    parser.add_argument("--only", nargs="*", choices=[*SETS, "freezing"], default=[*SETS, "freezing"])
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("--data DIR is needed, or KERAS_BERT_DATA")
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {"sets": {}, "freezing": {}}
    sets = [name for name in SETS if name in arguments.only]
    for name in [*sets, *(FROZEN if "freezing" in arguments.only else ())]:
        prepare(name, arguments.data / "data", WORK / name)
        if name not in found["sets"]:
            found["sets"][name] = {**(of_spans if "SQuAD" in name else of_texts)(WORK / name), "ours": {}}
    wanted = [(name, "", found["sets"][name]["ours"]) for name in sets]
    for name in FROZEN if "freezing" in arguments.only else ():
        for how, more in FREEZING.items():
            runs = found["freezing"].setdefault(how, {})
            runs[name] = runs.get(name, {}) if more else found["sets"][name]["ours"]
            wanted.append((name, more, runs[name]))
    for seed in map(str, SEEDS):  # all that is wanted once, before anything twice
        for name, more, scores in wanted:
            if seed not in scores:
                scores[seed] = run(name, seed, more)
                print(name, more, seed, scores[seed], file=sys.stderr)
                FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    write_page(found)


if __name__ == "__main__":
    main()
