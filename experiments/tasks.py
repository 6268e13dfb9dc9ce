"""Every task on real data: the bundled encoders, fine-tuned, beside baselines without an encoder.

    python -m experiments.tasks --data DIR                 # every run not in experiments/results/tasks.json
    python -m experiments.tasks --data DIR --only TREC     # one set, or `freezing`
    python -m experiments.tasks --data DIR --compare       # settings of the small encoder, by held-out rows of train

DIR is the folder named by `KERAS_BERT_DATA`. `keras-bert finetune` runs on each set with several seeds and settings
that were fixed before; the dev part only measures. The baselines: always the commonest answer, and TF-IDF of words and
word pairs with logistic regression. A second table compares which layers of the mini encoder are trained.
docs/tasks.md is written from all runs so far.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

from experiments.answers import squad_baselines

ROOT = Path(__file__).resolve().parent.parent
FOUND, PAGE = ROOT / "experiments" / "results" / "tasks.json", ROOT / "docs" / "tasks.md"
WORK = ROOT / "build" / "tasks"
SEEDS = (1, 2, 3)
FINETUNE = (
    "keras-bert finetune --encoder {encoder} --dataset build/tasks/{name} {more} "
    "--dropout 0.1 --batch-size 16 --held-out 0.1 --seed {seed} --out build/tasks/{name}-{seed} --json"
)
MINI, SMALL = "bert_en_uncased_mini", "bert_en_uncased_small"
SETS = {
    "TREC": ("six classes of questions", "accuracy"),
    "SST-5": ("sentiment in five classes", "accuracy"),
    "MRPC": ("paraphrase or not, sentence pairs", "accuracy"),
    "SQuAD-1.1": ("answer spans", "f1"),
    "SQuAD-2.0": ("answer spans, some questions without an answer", "f1"),
}
SPANS = "--task spans --sequence-length 128"  # the sequence length of most of the pretraining
SETTINGS = {
    MINI: {
        "TREC": "--epochs 8 --learning-rate 2e-4 --dtype mixed_bfloat16",
        "SST-5": "--epochs 4 --learning-rate 2e-4 --dtype mixed_bfloat16",
        "MRPC": "--epochs 6 --learning-rate 2e-4",
        "SQuAD-1.1": f"{SPANS} --learning-rate 5e-4 --epochs 4",
        "SQuAD-2.0": f"{SPANS} --learning-rate 5e-4 --epochs 8",
    },
    SMALL: {
        "TREC": "--epochs 12 --learning-rate 1e-4 --dtype mixed_bfloat16",
        "SST-5": "--epochs 3 --learning-rate 3e-5 --dtype mixed_bfloat16",
        "MRPC": "--epochs 5 --learning-rate 3e-5 --dtype mixed_bfloat16",
        "SQuAD-1.1": f"{SPANS} --learning-rate 1e-4 --epochs 4 --dtype mixed_bfloat16",
        "SQuAD-2.0": f"{SPANS} --learning-rate 1e-4 --epochs 4 --dtype mixed_bfloat16",
    },
}
# Settings of the small encoder that are compared with the rows of train that `--held-out` holds out.
COMPARED = {
    "TREC": (
        "--epochs 6 --learning-rate 1e-4 --dtype mixed_bfloat16",
        "--epochs 6 --learning-rate 3e-4 --dtype mixed_bfloat16",
        "--epochs 12 --learning-rate 1e-4 --dtype mixed_bfloat16",
    ),
    "SST-5": (
        "--epochs 3 --learning-rate 3e-5 --dtype mixed_bfloat16",
        "--epochs 3 --learning-rate 1e-4 --dtype mixed_bfloat16",
    ),
    "MRPC": (
        "--epochs 5 --learning-rate 3e-5 --dtype mixed_bfloat16",
        "--epochs 5 --learning-rate 1e-4 --dtype mixed_bfloat16",
    ),
}
# Which layers of the mini encoder are trained, on two of the sets.
FREEZING = {
    "all layers": "",
    "all but the embeddings and the first two of four layers": "--freeze 2",
    "the head only": "--freeze all",
    "gradual: one more layer per epoch, from the last one": "--freeze gradual",
    "all, each layer with 0.7 times the learning rate of the next": "--layer-decay 0.7",
}
FROZEN = ("TREC", "SST-5")


def prepare(name: str, data: Path, folder: Path) -> None:
    """Write a folder for `keras-bert finetune`.

    Of a set without a dev part, a tenth of the rows or the last articles are held out.
    """
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
    """Split a SQuAD file into train.json and dev.json: the last article (of eight or more, the last two) is dev."""
    squad = json.loads(file.read_text(encoding="utf-8"))
    articles = squad["data"]
    held = 1 if len(articles) < 8 else 2
    for part, chosen in (("train", articles[:-held]), ("dev", articles[-held:])):
        text = json.dumps({**squad, "data": chosen}, ensure_ascii=False)
        (folder / f"{part}.json").write_text(text, encoding="utf-8")


def text_baselines(folder: Path) -> dict:
    """Compute the dev accuracy of the commonest class and of TF-IDF with logistic regression.

    The features of a pair are the words that both texts share and the words that only one has.
    """
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
        first, second = map(tfidf.transform, texts)
        shared = first.multiply(second)
        return scipy.sparse.hstack([shared.sum(1), shared, abs(first - second)]).tocsr()

    model = LogisticRegression(C=10, max_iter=1000).fit(features(data.train_texts), data.train_labels)
    commonest = np.bincount(data.train_labels).argmax()
    return {
        "examples": len(data.dev_labels),
        "commonest": float((data.dev_labels == commonest).mean()),
        "tfidf": float(model.score(features(data.dev_texts), data.dev_labels)),
    }


def write_page(found: dict) -> None:
    """Write docs/tasks.md."""
    lines = [
        "# Every task on real data",
        "",
        "Written by `python -m experiments.tasks --data $KERAS_BERT_DATA`. The bundled encoders, fine-tuned, beside",
        "two baselines: always the commonest answer, and TF-IDF with logistic regression. Accuracy (of spans F1) on",
        "dev, in percent; for BERT mean and standard deviation over seeds, with the commands below. The best value of",
        "a row is bold. Of a set without a dev part, a tenth of the rows or the last articles are held out. Nothing",
        "was selected with dev, except that SQuAD's had been seen with an earlier recipe. The settings of the mini",
        "encoder were compared on train alone, SQuAD's without the sequence length of 128 that is used here:",
        "[settings.md](settings.md).",
        "",
        f"| set | task | examples | commonest answer | TF-IDF, logistic regression | {' | '.join(SETTINGS)} |",
        "|---" * (5 + len(SETTINGS)) + "|",
    ]
    measured = {name: entry for name, entry in found["sets"].items() if any(entry["bert"].values())}
    for name, entry in measured.items():
        means = [statistics.mean(scores.values()) for scores in entry["bert"].values() if scores]
        best = max(entry["commonest"], entry["tfidf"], *means)
        baselines = [bold(100 * entry[key], 100 * best) for key in ("commonest", "tfidf")]
        scores = [mean_and_deviation(entry["bert"].get(encoder, {}), best) for encoder in SETTINGS]
        lines.append(f"| {name} | {SETS[name][0]} | {entry['examples']:,} | {' | '.join([*baselines, *scores])} |")
    for name, entry in measured.items():
        for encoder, scores in entry["bert"].items():
            if {round(score, 6) for score in scores.values()} == {round(entry["commonest"], 6)}:
                lines += ["", f"On {name}, every seed of {encoder} always predicts the commonest answer."]
    for encoder in SETTINGS:
        lines += [
            "",
            *(f"    {command(encoder, name, 'SEED')}" for name in measured if measured[name]["bert"].get(encoder)),
        ]
    if found.get("compared"):
        lines += ["", "## Settings of the small encoder", ""]
        lines += ["Seed 1; the best epoch's accuracy on the rows of train that `--held-out 0.1` holds out, in percent."]
        lines += ["Differences below two standard errors mean little.", ""]
        lines += ["| set | settings | held-out rows |", "|---|---|---|"]
        for name, runs in found["compared"].items():
            best = max(runs.values())
            lines += [f"| {name} | `{each}` | {bold(100 * score, 100 * best)} |" for each, score in runs.items()]
    if found["freezing"]:
        title = "## Which layers are trained"
        lines += ["", title, "", f"| {MINI} | {' | '.join(FROZEN)} | option |", f"|{'---|' * (2 + len(FROZEN))}"]
        best = {
            name: max(statistics.mean(runs[name].values()) for runs in found["freezing"].values() if runs.get(name))
            for name in FROZEN
            if any(runs.get(name) for runs in found["freezing"].values())
        }
        for how, runs in found["freezing"].items():
            option = f"`{FREEZING[how]}`" if FREEZING[how] else "the command above"
            cells = (mean_and_deviation(runs.get(name, {}), best.get(name)) for name in FROZEN)
            lines.append(f"| {how} | {' | '.join(cells)} | {option} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def bold(value: float, best: float) -> str:
    """Format a value in percent; bold if it is the best."""
    text = f"{value:.1f}"
    return f"**{text}**" if text == f"{best:.1f}" else text


def mean_and_deviation(scores: dict, best: float | None) -> str:
    """Format mean, standard deviation and number of seeds; the mean is bold if it is the best."""
    if not scores:
        return "-"
    each = [100 * score for score in scores.values()]
    deviation = f" ± {statistics.stdev(each):.1f}" if len(each) > 1 else ""
    return f"{bold(statistics.mean(each), 100 * best)}{deviation} ({len(each)} seed{'s' * (len(each) > 1)})"


def command(encoder: str, name: str, seed, more: str = "") -> str:
    """Return the command that fine-tunes an encoder on a set."""
    more = f"{SETTINGS[encoder][name]} {more}".strip()
    return FINETUNE.format(encoder=encoder, name=name, more=more, seed=seed)


def run(words: str, name: str, held_out: bool = False) -> float:
    """Run a command of fine-tuning and return the score on dev, or on the held-out rows of train."""
    words = [sys.executable, "-m", "keras_bert", *words.split()[1:]]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    metric = SETS[name][1]
    score = json.loads(done.stdout.splitlines()[-1])[f"held_out_{metric}" if held_out else metric]
    return score / 100 if metric == "f1" else score  # SQuAD's official script reports percent


def compare(found: dict, names: list[str]) -> None:
    """Fine-tune the small encoder with each setting of `COMPARED`, and store the scores on held-out rows of train."""
    for name in (each for each in names if each in COMPARED):
        runs = found.setdefault("compared", {}).setdefault(name, {})
        for settings in COMPARED[name]:
            if settings not in runs:
                words = FINETUNE.format(encoder=SMALL, name=name, more=settings, seed=1)
                runs[settings] = run(words, name, held_out=True)
                print(name, settings, runs[settings], file=sys.stderr)
                FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    parser.add_argument("--only", nargs="*", choices=[*SETS, "freezing"], default=[*SETS, "freezing"])
    parser.add_argument("--compare", action="store_true")
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("`--data` must be given, or KERAS_BERT_DATA must name the folder. Received: neither")
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {"sets": {}, "freezing": {}}
    sets = [name for name in SETS if name in arguments.only]
    freezing = FROZEN if "freezing" in arguments.only else ()
    for name in {*sets, *freezing}:
        prepare(name, arguments.data / "data", WORK / name)
        if name not in found["sets"]:
            found["sets"][name] = {**(squad_baselines if "SQuAD" in name else text_baselines)(WORK / name), "bert": {}}
    if arguments.compare:
        compare(found, sets)
        return write_page(found)
    wanted = [
        (encoder, name, "", found["sets"][name]["bert"].setdefault(encoder, {}))
        for name in sets
        for encoder in SETTINGS
    ]
    for name in freezing:
        for how, more in FREEZING.items():
            runs = found["freezing"].setdefault(how, {})
            runs[name] = runs.get(name, {}) if more else found["sets"][name]["bert"].setdefault(MINI, {})
            wanted.append((MINI, name, more, runs[name]))
    for seed in map(str, SEEDS):  # every run with the first seed before any with the second
        for encoder, name, more, scores in wanted:
            if seed not in scores:
                scores[seed] = run(command(encoder, name, seed, more), name)
                print(encoder, name, more, seed, scores[seed], file=sys.stderr)
                FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    write_page(found)


if __name__ == "__main__":
    main()
