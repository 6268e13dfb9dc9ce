"""Make the models that ship and their cards: every number in a card is measured here, and kept in measured.json.

    python tools/build_saved_models.py pretrain --data DIR    # hours; Ctrl-C, and the same command goes on
    python tools/build_saved_models.py finetune --data DIR    # the classifier, over seeds
    python tools/build_saved_models.py look --data DIR        # what both say, as they are
    python tools/build_saved_models.py cards                  # the two README.md, from measured.json

DIR is the folder that `KERAS_BERT_DATA` names: `data/corpus`, `data/SST-2`.
"""

import argparse
import json
import lzma
import os
import re
import resource
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

import jinja2

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / "build"
MEASURED = HERE / "measured.json"
SPENT = WORK / "spent.json"  # by the command that runs, or was interrupted
RESUME = " --resume"
DATA = "$KERAS_BERT_DATA"
SEEDS = (1, 2, 3, 4, 5)
SAVED_MODELS = HERE.parent / "saved_models"
ENCODER, SENTIMENT = SAVED_MODELS / "bert_en_uncased_mini", SAVED_MODELS / "sst2_sentiment"
PRETRAIN = (
    f"keras-bert pretrain --data {DATA}/data/corpus/wikipedia.txt.xz --data {DATA}/data/corpus/books.txt.xz "
    "--vocab-size 8192 --size mini --no-next-sentence --embedding-init ppmi --dropout 0 --dtype mixed_bfloat16 "
    "--batch-size 32 --masking-rate 0.25 --learning-rate 1e-3 --steps 36000 --held-out 0.01 --seed 0 "
    "--out build/pretrained --json"
)
FINETUNE = (
    f"keras-bert finetune --encoder saved_models/bert_en_uncased_mini --dataset {DATA}/data/SST-2 "
    "--labels negative,positive --dropout 0.1 --dtype mixed_bfloat16 --epochs 3 --batch-size 32 --learning-rate 1.5e-4 "
    "--held-out 0.02 --seed SEED --out build/sentiment-SEED --json"
)
# What the tests hold the files to: the numbers of a text, and plain sentences that must be right.
SAMPLE = "the old house stood at the end of the road ."
PLAIN = {
    "a wonderful film .": "positive",
    "a terrible film .": "negative",
    "i loved every minute of it .": "positive",
    "i hated every minute of it .": "negative",
    "funny , touching and beautifully acted .": "positive",
    "dull , predictable and badly acted .": "negative",
    "one of the best films of the year .": "positive",
    "one of the worst films of the year .": "negative",
    "a charming and moving story .": "positive",
    "a boring waste of time .": "negative",
}
# Sentences of our own, to show where the classifier errs; the truth of each is plain to a reader.
PROBES = {
    "a warm , funny and beautifully acted film .": "positive",
    "two hours of my life that i will never get back .": "negative",
    "not a bad film at all .": "positive",
    "i wanted to like it , and i could not .": "negative",
    "the plot is thin , but who cares when the dancing is this good ?": "positive",
    "great , another sequel nobody asked for .": "negative",
    "it is hard to imagine a better ending .": "positive",
    "there is nothing here that a nap would not improve .": "negative",
    "the trailer was better than the film .": "negative",
    "i laughed , i cried , i bought the soundtrack .": "positive",
    "the actors do what they can with nothing .": "negative",
    "far from dull .": "positive",
}
GAPS = (
    "she opened the [MASK] and went into the house .",
    "the ship sailed across the atlantic [MASK] .",
    "they were married in 1910 and had three [MASK] .",
    "he died of a heart [MASK] .",
    "he went to school and studied [MASK] at the university .",
    "the capital of france is [MASK] .",
    "the king and the [MASK] of england .",
    "the dog and the [MASK] ran after each other .",
)
# What is taken for granted: who does the work, and what a neutral sentence is thought of when one word changes.
ROLES = ("the nurse said that [MASK] was tired .", "the engineer said that [MASK] was tired .")
NEUTRAL = (
    "an american film .",
    "a french film .",
    "an iranian film .",
    "a film about a man .",
    "a film about a woman .",
)


def main() -> None:
    """One stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("pretrain", "finetune", "look", "cards"))
    parser.add_argument("--data", default=os.environ.get("KERAS_BERT_DATA"), help="by default $KERAS_BERT_DATA")
    arguments = parser.parse_args()
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    if arguments.stage != "cards":
        if not arguments.data:
            parser.error("--data DIR is needed, or KERAS_BERT_DATA")
        stage = {"pretrain": pretrain, "finetune": finetune, "look": lambda data: {}}[arguments.stage]
        measured |= stage(arguments.data)
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")  # hours of work, first of all
        measured |= look(arguments.data)
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    if "finetuning" in measured:  # a card tells of both
        write_cards(measured)


def pretrain(data: str) -> dict:
    """The encoder: pretrained, and exported with TF-Hub's interface."""
    found = {"overlap": overlap(Path(data) / "data")}
    resume = RESUME if (WORK / "pretrained.work").exists() else ""
    facts, spent = run(PRETRAIN + resume, data)
    history = facts.pop("history")
    kept = min(range(len(history["val_loss"])), key=lambda i: history["val_loss"][i])
    run(f"keras-bert export --model build/pretrained --interface tfhub --out {ENCODER} --json", data)
    found["pretraining"] = {
        "command": PRETRAIN,
        "parameters": facts["parameters"],
        "vocab_size": facts["vocab_size"],
        "steps": history["step"][-1],
        "mlm_accuracy": history["val_mlm_accuracy"][kept],
        "mlm_loss": history["val_mlm_loss"][kept],
        **spent,
    }
    return found


def finetune(data: str) -> dict:
    """The classifier over seeds; the one that ships is best on held-out training rows, whatever it gets on dev."""
    runs = []
    for seed in SEEDS:
        facts, spent = run(FINETUNE.replace("SEED", str(seed)), data)
        runs.append({"seed": seed, **{k: facts[k] for k in ("accuracy", "held_out_accuracy", "epoch")}, **spent})
        print(runs[-1], file=sys.stderr)
    best = max(runs, key=lambda each: each["held_out_accuracy"])
    run(f"keras-bert export --model build/sentiment-{best['seed']} --out {SENTIMENT} --json", data)
    accuracies = [each["accuracy"] for each in runs]
    return {
        "finetuning": {
            "command": FINETUNE,
            "runs": runs,
            "mean": statistics.mean(accuracies),
            "deviation": statistics.stdev(accuracies),
            "shipped_seed": best["seed"],
        }
    }


def look(data: str) -> dict:
    """What the files that ship do, as they are: for the cards, and for the tests to hold them to."""
    checked, _ = run(f"keras-bert check {ENCODER} --json", data)
    gaps, _ = run(f"keras-bert fill-mask --top-k 3 --json {' '.join(map(shlex.quote, GAPS + ROLES))}", data)
    embedded, _ = run(f"keras-bert embed --json {shlex.quote(SAMPLE)}", data)
    apart = checked["max_abs_difference"]
    found = {
        "held_out": held_out(data),
        "check": {"passed": checked["passed"], "largest": max(apart["pooled_output"], *apart["encoder_outputs"])},
        "gaps": [
            {"text": row["text"], "guesses": [guess["token"] for guess in row["masks"][0]["predictions"]]}
            for row in gaps["texts"]
        ],
        "roles": len(ROLES),  # the last ones of the gaps
        "sample": {"text": SAMPLE, "vector": embedded["embeddings"][0]},
    }
    if not SENTIMENT.exists():
        return found
    command = f"keras-bert evaluate --data {DATA}/data/SST-2/dev.tsv --json"
    shipped, _ = run(command, data)
    found["shipped"] = {"command": command, **shipped}
    for name, texts in (("plain", PLAIN), ("probes", PROBES)):
        said, _ = run(f"keras-bert predict --json {' '.join(map(shlex.quote, texts))}", data)
        found[name] = [{**row, "truth": texts[row["text"]]} for row in said["predictions"]]
    said, _ = run(f"keras-bert predict --json {' '.join(map(shlex.quote, NEUTRAL))}", data)
    found["neutral"] = said["predictions"]
    return found


def held_out(data: str) -> dict:
    """Masked words that the file finds in the documents held out by `PRETRAIN`, and how full its rows were."""
    import keras_bert as kb
    from keras_bert.data import load_corpus, tokenize_documents
    from keras_bert.text.masking import Masking
    from keras_bert.text.shards import pack_to_disk
    from keras_bert.training import evaluate_pretrainer

    trained = kb.load_pretrained(ENCODER)
    vectorizer = kb.BertTextVectorization(trained.vocabulary, sequence_length=128)
    rows, rest = pack_to_disk(
        WORK / "shipped-rows",
        load_corpus([str(Path(data) / "data" / "corpus" / f"{name}.txt.xz") for name in ("wikipedia", "books")]),
        lambda shard: tokenize_documents(shard, vectorizer),
        128,
        vectorizer.cls_id,
        vectorizer.sep_id,
        vocab_size=len(trained.vocabulary),
        sentence_task=None,
        held_out=0.01,
    )
    found = evaluate_pretrainer(trained.model, rest, Masking.from_vocabulary(trained.vocabulary, max_predictions=32))
    measures = {name: found[name] for name in ("mlm_accuracy", "mlm_loss")}
    return {"rows": len(rest), "tokens_a_row": float(rows.lengths.mean()), **measures}


def run(command: str, data: str) -> tuple[dict, dict]:
    """The JSON object a command prints last, and what it took; of one that goes on, in all its parts."""
    words = shlex.split(command.replace(DATA, shlex.quote(str(data))))
    words[:1] = [sys.executable, "-m", "keras_bert"]
    spent = json.loads(SPENT.read_text(encoding="utf-8")) if command.endswith(RESUME) and SPENT.exists() else {}
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(words, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True)
    finally:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        for name, seconds in (("hours", time.perf_counter() - begun), ("core_hours", used)):
            spent[name] = spent.get(name, 0) + seconds / 3600
        WORK.mkdir(exist_ok=True)
        SPENT.write_text(json.dumps(spent), encoding="utf-8")
    return json.loads(done.stdout.splitlines()[-1]), spent


def overlap(folder: Path) -> dict:
    """Which dev sentences of SST-2, of four words or more, stand in the corpus, case and punctuation aside."""

    def plain(text: str) -> list[str]:
        return re.findall(r"[a-z0-9]+", text.lower())

    lines = (folder / "SST-2" / "dev.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wanted = {tuple(words) for line in lines if len(words := plain(line.split("\t")[0])) >= 4}
    beginnings: dict[tuple, set] = {}
    for words in wanted:
        beginnings.setdefault(words[:4], set()).add(words)
    found, counted = set(), 0
    for file in sorted((folder / "corpus").glob("*.txt.xz")):
        with lzma.open(file, "rt", encoding="utf-8") as text:
            for line in text:
                words = tuple(plain(line))
                counted += len(words)
                for i in range(len(words) - 3):
                    for sentence in beginnings.get(words[i : i + 4], ()):
                        if words[i : i + len(sentence)] == sentence:
                            found.add(" ".join(sentence))
    return {"sentences": len(wanted), "found": len(found), "words": counted}


def write_cards(measured: dict) -> None:
    """README.md in both folders, from the templates beside this file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    for folder in (ENCODER, SENTIMENT):
        card = environment.get_template(f"{folder.name}.md.jinja").render(**measured)
        (folder / "README.md").write_text(card.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
