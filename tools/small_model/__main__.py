"""Make a small encoder out of a larger BERT, and fine-tune it with the logits of teachers.

    python -m tools.small_model trim MINILM --texts train.tsv --corpus corpus.txt --size 8192 --out build/trimmed
    python -m tools.small_model heal build/trimmed --teacher MINILM --corpus corpus.txt --out build/healed-128
    python -m tools.small_model heal build/healed-128 --teacher MINILM --corpus corpus.txt --length 512 \\
        --batch-size 8 --steps 300 --learning-rate 1e-4 --pooled-weight 10 --seed 2 --out build/healed
    python -m tools.small_model export build/healed --out saved_models/bert_en_uncased_small
    keras-bert convert saved_models/bert_en_uncased_small --to huggingface --out build/base
    python -m tools.small_model augment train.tsv --chunks 1 3 5 7 9 11 13 15 --out build/augmented.txt
    python -m tools.small_model collect --texts train.tsv build/augmented.txt \\
        --logits build/teacher-1.npz build/teacher-2.npz --out tools/teacher_logits.npz
    python -m tools.small_model finetune build/base --data train.tsv --texts build/augmented.txt \\
        --logits tools/teacher_logits.npz --validation held-out.tsv --test dev.tsv --dtype mixed_bfloat16 \\
        --epochs 2 --learning-rate 1e-4 --seed 1 --out build/sentiment-1
    python -m tools.small_model students build/sentiment-?
    python -m tools.small_model sentiment build/sentiment-1 --validation held-out.tsv --test dev.tsv \\
        --out saved_models/sst2_sentiment
    python -m tools.small_model masked-words --corpus corpus.txt
    python -m tools.small_model measure MINILM --data DIR

`python -m experiments.split_sentences` writes train.tsv and held-out.tsv, `python -m tools.teacher` trains the teachers
and writes their logits. MINILM is a BERT in Hugging Face's format, like the folders in build/. `trim`,
`heal` and `finetune` run on any Keras backend, with or without TensorFlow.
"""

import argparse
import json
from pathlib import Path

from tools.small_model.augmenting import augment
from tools.small_model.exporting import export
from tools.small_model.finetuning import finetune
from tools.small_model.healing import heal
from tools.small_model.logits import collect
from tools.small_model.masked_words import compare_masked_words
from tools.small_model.measuring import measure
from tools.small_model.sentiment import sentiment, students
from tools.small_model.trimming import trim


def add(commands, name: str, run, *options, model: bool = True):
    """Add a command with its options, each a pair of a name and keyword arguments."""
    command = commands.add_parser(name, help=run.__doc__.splitlines()[0])
    command.set_defaults(run=run)
    if model:
        command.add_argument("model", type=Path, help="folder in Hugging Face's format")
    command.add_argument("--out", type=Path, required=True)
    for option, settings in options:
        command.add_argument(option, **settings)


def number(value):
    """Return the settings of an option with a default value of the same type."""
    return {"type": type(value), "default": value}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    path, paths = {"type": Path, "required": True}, {"type": Path, "required": True, "nargs": "+"}
    optional = {"type": Path, "nargs": "*", "default": ()}
    add(commands, "trim", trim, ("--texts", path), ("--corpus", path), ("--size", number(8192)))
    add(
        commands,
        "heal",
        heal,
        ("--teacher", path),
        ("--corpus", path),
        ("--steps", number(2000)),
        ("--length", number(128)),
        ("--batch-size", number(256)),
        ("--learning-rate", number(5e-4)),
        ("--masking-rate", number(0.2)),
        ("--hidden-weight", number(10.0)),
        ("--pooled-weight", number(0.0)),
        ("--dtype", number("mixed_bfloat16")),
        ("--seed", number(1)),
    )
    chunks = {"type": int, "nargs": "*", "help": "numbers of the chunks of 1,000 texts, from 0; by default all"}
    augment_options = ("data", {"type": Path}), ("--copies", number(20)), ("--chunks", chunks)
    add(commands, "augment", augment, *augment_options, model=False)
    add(commands, "collect", collect, ("--texts", paths), ("--logits", paths), model=False)
    add(
        commands,
        "finetune",
        finetune,
        ("--data", path),
        ("--texts", optional),
        ("--max-texts", number(150_000)),
        ("--logits", {"type": Path}),
        ("--validation", path),
        ("--test", optional),
        ("--length", number(64)),
        ("--width-step", number(1)),
        ("--dropout", number(0.1)),
        ("--dtype", number("float32")),
        ("--epochs", number(2)),
        ("--batch-size", number(64)),
        ("--learning-rate", number(7e-5)),
        ("--seed", number(1)),
    )
    add(commands, "export", export)
    add(commands, "sentiment", sentiment, ("--validation", path), ("--test", path))
    runs = commands.add_parser("students", help=students.__doc__)
    runs.set_defaults(run=students)
    runs.add_argument("students", type=Path, nargs="+", help="folders of `finetune`, one per seed")
    words = commands.add_parser("masked-words", help=compare_masked_words.__doc__)
    words.set_defaults(run=compare_masked_words)
    words.add_argument("--corpus", **path)
    words.add_argument("--seed", **number(1))
    card = commands.add_parser("measure", help=measure.__doc__)
    card.set_defaults(run=measure)
    card.add_argument("model", type=Path, help="the teacher, for its vocabulary")
    card.add_argument("--data", required=True, help="the folder named by KERAS_BERT_DATA")
    arguments = parser.parse_args()
    print(json.dumps(arguments.run(arguments)), flush=True)


if __name__ == "__main__":
    main()
