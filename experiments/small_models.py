"""What each step of the recipe of `bert_en_uncased_small` contributes, and DistilBERT's claims with a real teacher.

    python -m experiments.small_models ablation BASE --train train.tsv --validation held-out.tsv --test dev.tsv
    python -m experiments.small_models speed MINILM MPNET --texts dev.tsv
    python -m experiments.small_models page

BASE is the bundled small encoder in Hugging Face's format (`keras-bert convert`). The results are stored in
experiments/results/small_models.json; `page` writes docs/small-models.md from them and from
tools/small_model/measured.json, which `python -m tools.small_model` writes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.small_models_page import write_page
from keras_bert.data import read_table
from keras_bert.files import atomic_write

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / "experiments" / "results" / "small_models.json"
SEEDS = (1, 2, 3)
FINETUNE = [sys.executable, "-m", "tools.small_model", "finetune"]
ROWS = {  # name: options of `finetune`
    "labels": ["--epochs", "2", "--learning-rate", "7e-5"],
    "logits": ["--epochs", "1", "--learning-rate", "1e-4", "--logits", str(ROOT / "tools" / "teacher_logits.npz")],
}
ROUNDS = 5
BATCHES = (1, 32)


def ablation(arguments, found: dict) -> None:
    """Fine-tune the encoder with labels only, and with the teachers' logits for the training phrases only."""
    for seed in SEEDS:
        for name, options in ROWS.items():
            runs = found.setdefault("ablation", {}).setdefault(name, {})
            if str(seed) in runs:
                continue
            with tempfile.TemporaryDirectory() as folder:
                words = [*FINETUNE, arguments.base, "--data", arguments.train, "--validation", arguments.validation]
                words += ["--test", arguments.test, "--dtype", "mixed_bfloat16", "--seed", seed, *options]
                words += ["--out", Path(folder) / "model"]
                done = subprocess.run([*map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            runs[str(seed)] = json.loads(done.stdout.splitlines()[-1])[arguments.test.stem]
            print(name, seed, runs[str(seed)], file=sys.stderr)
            store(found)


def speed(arguments, found: dict) -> None:
    """Measure the seconds per text of each model in transformers, one after the other in each round."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    import keras_bert as kb
    from tools.small_model.texts import save

    torch.set_num_threads(2)
    texts = read_table(arguments.texts).texts
    with tempfile.TemporaryDirectory() as work:
        folders = {"minilm": arguments.minilm, "mpnet": arguments.mpnet}
        for name in ("bert_en_uncased_mini", "bert_en_uncased_small"):
            pretrained = kb.load_pretrained(name)
            save(pretrained.encoder, list(pretrained.vocabulary), Path(work) / name)
            folders[name] = Path(work) / name
        models = {
            name: AutoModel.from_pretrained(folder, local_files_only=True).eval() for name, folder in folders.items()
        }
        rows = {}
        for name, folder in folders.items():
            rows[name] = AutoTokenizer.from_pretrained(folder, local_files_only=True)(texts)["input_ids"]
        found["speed"] = {}
        for batch in BATCHES:
            seconds: dict[str, list[float]] = {name: [] for name in models}
            for _ in range(ROUNDS):
                for name, model in models.items():
                    ids = sorted(rows[name], key=len) if batch > 1 else rows[name][:200]
                    start = time.perf_counter()
                    with torch.inference_mode():
                        for i in range(0, len(ids), batch):
                            part = ids[i : i + batch]
                            width = max(map(len, part))
                            padded = torch.tensor([row + [0] * (width - len(row)) for row in part])  # [B, T]
                            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in part])  # [B, T]
                            model(input_ids=padded, attention_mask=mask)
                    seconds[name].append((time.perf_counter() - start) / len(ids))
            found["speed"][str(batch)] = {name: statistics.median(each) for name, each in seconds.items()}
        found["parameters"] = {name: sum(each.numel() for each in model.parameters()) for name, model in models.items()}
        store(found)


def store(found: dict) -> None:
    """Write experiments/results/small_models.json."""
    with atomic_write(FOUND) as draft:
        draft.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    each = commands.add_parser("ablation", help=ablation.__doc__)
    each.set_defaults(run=ablation)
    each.add_argument("base", type=Path)
    for name in ("--train", "--validation", "--test"):
        each.add_argument(name, type=Path, required=True)
    each = commands.add_parser("speed", help=speed.__doc__)
    each.set_defaults(run=speed)
    each.add_argument("minilm", type=Path)
    each.add_argument("mpnet", type=Path)
    each.add_argument("--texts", type=Path, required=True)
    commands.add_parser("page", help=write_page.__doc__).set_defaults(run=None)
    arguments = parser.parse_args()
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    if arguments.run:
        arguments.run(arguments, found)
    write_page(found)


if __name__ == "__main__":
    main()
