"""TREC and SST-5 with a teacher: MPNet is fine-tuned on the training rows, and the small encoder learns its logits.

    python -m experiments.task_teachers --data DIR
    W=build/task_teachers/TREC
    python -m tools.teacher train MPNET --data $W/train.tsv --epochs 4 --bfloat16 --out $W/teacher
    python -m tools.small_model augment $W/train.tsv --copies 10 --out $W/texts.txt            # not for SST-5
    python -m tools.teacher logits $W/teacher --data $W/train.tsv $W/texts.txt --bfloat16 --out $W/teacher.npz
    python -m tools.small_model collect --texts $W/train.tsv $W/texts.txt --logits $W/teacher.npz --out $W/logits.npz
    python -m tools.small_model finetune BASE --data $W/train.tsv --texts $W/texts.txt --logits $W/logits.npz \\
        --validation $W/validation.tsv --test $W/dev.tsv --seed 1 --out $W/student-1           # seeds 1, 2 and 3

DIR is the folder named by `KERAS_BERT_DATA`, MPNET the folder of all-mpnet-base-v2, BASE the small encoder in Hugging
Face's format. The first command splits the training rows of `experiments.tasks`: a tenth is `validation.tsv`, which
selects the best epoch. The further texts of TREC are questions with replaced words; those of SST-5 are the phrases of
SST-2's training part, without their labels, and without the phrases of sentences in `validation.tsv`.
"""

import argparse
import os
import random
from pathlib import Path

from experiments.split_sentences import phrases
from experiments.tasks import ROOT
from experiments.tasks import prepare as prepare_set
from keras_bert.data import read_table

WORK = ROOT / "build" / "task_teachers"
SETS = ("TREC", "SST-5")


def prepare(data: Path, name: str) -> None:
    """Write the tables of a set, with integer labels, and for SST-5 the phrases."""
    folder = WORK / name
    prepare_set(name, data, folder)
    train, dev = (read_table(folder / f"{part}.tsv") for part in ("train", "dev"))
    names = sorted(set(train.labels))
    rows = list(zip(train.texts, train.labels, strict=True))
    random.Random(1).shuffle(rows)
    held = len(rows) // 10
    parts = {"validation": rows[:held], "train": rows[held:], "dev": zip(dev.texts, dev.labels, strict=True)}
    for part, chosen in parts.items():
        lines = [f"{text}\t{names.index(label)}" for text, label in chosen]
        (folder / f"{part}.tsv").write_text("\n".join(["sentence\tlabel", *lines]) + "\n", encoding="utf-8")
    if name == "SST-5":
        unseen = set().union(*(phrases(tuple(text.split())) for text, _ in rows[:held]))
        texts = [text for text in read_table(data / "SST-2" / "train.tsv").texts if tuple(text.split()) not in unseen]
        (folder / "texts.txt").write_text("".join(f"{text.strip()}\n" for text in texts), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("`--data` must be given, or KERAS_BERT_DATA must name the folder. Received: neither")
    for name in SETS:
        prepare(arguments.data / "data", name)


if __name__ == "__main__":
    main()
