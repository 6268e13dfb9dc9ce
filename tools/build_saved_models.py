"""Pretrain `bert_en_uncased_mini`, measure it, and write its model card.

    python tools/build_saved_models.py pretrain --data DIR    # hours; after Ctrl-C the same command continues
    python tools/build_saved_models.py finetune --data DIR    # classifiers on it, with several seeds, for the card
    python tools/build_saved_models.py measure --data DIR     # only measure the bundled model
    python tools/build_saved_models.py card                   # only write its README.md, from tools/measured.json

Every number of the card is measured here and stored in tools/measured.json. DIR is the folder named by
`KERAS_BERT_DATA`, with `data/corpus` and `data/SST-2`.
"""

import argparse
import json
import lzma
import os
import re
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
COST = WORK / "cost.json"  # hours of the command that runs or was interrupted
RESUME = " --resume"
DATA = "$KERAS_BERT_DATA"
SEEDS = (1, 2, 3, 4, 5)
SAVED_MODELS = HERE.parent / "saved_models"
ENCODER = SAVED_MODELS / "bert_en_uncased_mini"
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
# Texts that the bundled models are measured on, for the cards and for tests/saved_models.
#   sample: a text whose vector is stored.
#   clear: sentences that must be predicted correctly.
#   probes: sentences with a clear sentiment that show the errors of the classifier.
#   masked_tokens: texts with a predictable token.
#   stereotypes, neutral: show bias, by the pronoun of a profession and by neutral sentences that differ in one word.
EXAMPLES = json.loads((HERE / "examples.json").read_text(encoding="utf-8"))


def main() -> None:
    """Run one stage."""
    stages = {"pretrain": pretrain, "finetune": finetune, "measure": measure}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=(*stages, "card"))
    parser.add_argument("--data", default=os.environ.get("KERAS_BERT_DATA"), help="by default $KERAS_BERT_DATA")
    arguments = parser.parse_args()
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    if arguments.stage != "card":
        if not arguments.data:
            parser.error("`--data` must be given, or KERAS_BERT_DATA must name the folder. Received: neither")
        measured |= stages[arguments.stage](arguments.data)
        write_measured(measured)  # saves hours of work before anything else can fail
        if arguments.stage != "measure":
            measured |= measure(arguments.data)
            write_measured(measured)
    if "finetuning" in measured:
        write_card(measured)


def write_measured(measured: dict) -> None:
    """Write tools/measured.json."""
    MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def pretrain(data: str) -> dict:
    """Pretrain the encoder, and export it with TF-Hub's interface."""
    found = {"corpus_overlap": corpus_overlap(Path(data) / "data")}
    resume = RESUME if (WORK / "pretrained.work").exists() else ""
    facts, cost = run(PRETRAIN + resume, data)
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
        **cost,
    }
    return found


def finetune(data: str) -> dict:
    """Fine-tune the encoder on SST-2 with several seeds. Validation rows select the epoch, not dev."""
    runs = []
    for seed in SEEDS:
        facts, cost = run(FINETUNE.replace("SEED", str(seed)), data)
        runs.append({"seed": seed, **{k: facts[k] for k in ("accuracy", "held_out_accuracy", "epoch")}, **cost})
        print(runs[-1], file=sys.stderr)
    accuracies = [each["accuracy"] for each in runs]
    return {
        "finetuning": {
            "command": FINETUNE,
            "runs": runs,
            "mean": statistics.mean(accuracies),
            "standard_deviation": statistics.stdev(accuracies),
        }
    }


def measure(data: str) -> dict:
    """Measure the bundled model, for its card and for tests/saved_models."""
    checked, _ = run(f"keras-bert check {ENCODER} --json", data)
    masked, sample = EXAMPLES["masked_tokens"], EXAMPLES["sample"]
    texts = " ".join(map(shlex.quote, masked + EXAMPLES["stereotypes"]))
    filled, _ = run(f"keras-bert fill-mask --top-k 3 --json {texts}", data)
    embedded, _ = run(f"keras-bert embed --json {shlex.quote(sample)}", data)
    difference = checked["max_abs_difference"]
    tokens = [
        {"text": row["text"], "predicted": [each["token"] for each in row["masks"][0]["predictions"]]}
        for row in filled["texts"]
    ]
    return {
        "held_out": evaluate_held_out(data),
        "check": {
            "passed": checked["passed"],
            "largest_difference": max(difference["pooled_output"], *difference["encoder_outputs"]),
        },
        "masked_tokens": tokens[: len(masked)],
        "stereotypes": tokens[len(masked) :],
        "sample": {"text": sample, "vector": embedded["embeddings"][0]},
    }


def evaluate_held_out(data: str) -> dict:
    """Evaluate the bundled encoder on the documents that `PRETRAIN` held out; also the mean length of its rows."""
    import keras_bert as kb
    from keras_bert.data import load_corpus, tokenize_documents
    from keras_bert.text.masking import Masking
    from keras_bert.text.shards import pack_to_disk
    from keras_bert.training import evaluate_pretrainer

    trained = kb.load_pretrained(ENCODER)
    vectorizer = kb.BertTextVectorization(trained.vocabulary, sequence_length=128)
    rows, held_out = pack_to_disk(
        WORK / "bundled-rows",
        load_corpus([str(Path(data) / "data" / "corpus" / f"{name}.txt.xz") for name in ("wikipedia", "books")]),
        lambda shard: tokenize_documents(shard, vectorizer),
        128,
        vectorizer.cls_id,
        vectorizer.sep_id,
        vocab_size=len(trained.vocabulary),
        sentence_task=None,
        held_out=0.01,
    )
    masking = Masking.from_vocabulary(trained.vocabulary, max_predictions=32)
    metrics = evaluate_pretrainer(trained.model, held_out, masking)
    return {
        "rows": len(held_out),
        "tokens_per_row": float(rows.lengths.mean()),
        **{name: metrics[name] for name in ("mlm_accuracy", "mlm_loss")},
    }


def run(command: str, data: str) -> tuple[dict, dict]:
    """Run a command.

    Args:
        command: a `keras-bert` command with `--json`; with `RESUME` at its end, one that continues.
        data: the folder named by `KERAS_BERT_DATA`.

    Returns:
        The JSON object that the command prints last, and its cost: `hours` and `core_hours`, with those of the
        interrupted runs that it continues.
    """
    words = shlex.split(command.replace(DATA, shlex.quote(str(data))))
    words[:1] = [sys.executable, "-m", "keras_bert"]
    cost = json.loads(COST.read_text(encoding="utf-8")) if command.endswith(RESUME) and COST.exists() else {}
    start, cpu_start = time.perf_counter(), _child_cpu_seconds()
    try:
        done = subprocess.run(words, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True)
    finally:
        seconds = {"hours": time.perf_counter() - start, "core_hours": _child_cpu_seconds() - cpu_start}
        cost = {name: cost.get(name, 0) + each / 3600 for name, each in seconds.items()}
        WORK.mkdir(exist_ok=True)
        COST.write_text(json.dumps(cost), encoding="utf-8")
    return json.loads(done.stdout.splitlines()[-1]), cost


def _child_cpu_seconds() -> float:
    """Return the CPU time of all finished child processes."""
    times = os.times()
    return times.children_user + times.children_system


def corpus_overlap(folder: Path) -> dict:
    """Search the corpus for the dev sentences of SST-2 that have four words or more, ignoring case and punctuation.

    Args:
        folder: the folder with `SST-2` and `corpus`.

    Returns:
        The numbers of `sentences` searched for and `found`, and of `words` in the corpus.
    """

    def words_of(text: str) -> list[str]:
        return re.findall(r"[a-z0-9]+", text.lower())

    lines = (folder / "SST-2" / "dev.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wanted = {tuple(words) for line in lines if len(words := words_of(line.split("\t")[0])) >= 4}
    by_start: dict[tuple, set] = {}
    for words in wanted:
        by_start.setdefault(words[:4], set()).add(words)
    found, count = set(), 0
    for file in sorted((folder / "corpus").glob("*.txt.xz")):
        with lzma.open(file, "rt", encoding="utf-8") as text:
            for line in text:
                words = tuple(words_of(line))
                count += len(words)
                for i in range(len(words) - 3):
                    for sentence in by_start.get(words[i : i + 4], ()):
                        if words[i : i + len(sentence)] == sentence:
                            found.add(" ".join(sentence))
    return {"sentences": len(wanted), "found": len(found), "words": count}


def write_card(measured: dict) -> None:
    """Write the README.md of the model from the template in tools/."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    card = environment.get_template(f"{ENCODER.name}.md.jinja").render(**measured)
    (ENCODER / "README.md").write_text(card.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
