"""Split SST-2's train.tsv into a training and a validation part, to compare settings without using dev.

    python experiments/split_sentences.py path/to/SST-2/train.tsv OUT --sentences 1000 --seed 1

SST-2's training part contains sentences and all their phrases. The accuracy on a random tenth of the rows is ten points
too high, because the phrases of each held-out row are trained on. Here whole sentences are held out, with every phrase
that occurs only in them. OUT gets `train.tsv` and `dev.tsv`.
"""

import argparse
import random
from pathlib import Path

from keras_bert.files import atomic_write


def phrases(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Return all runs of words of a sentence, including the sentence."""
    return {words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1)}


def split(rows: list[tuple[str, str]], count: int, seed: int, shortest: int = 5) -> tuple[list, list]:
    """Split `(text, label)` rows into training rows and `count` whole sentences of at least `shortest` words.

    Raises:
        ValueError: there are too few sentences.
    """
    words = [tuple(text.split()) for text, _ in rows]
    within, sentences = set(), []
    # Longest first: a line that occurs within no longer line is a sentence.
    for line in sorted(set(words), key=lambda line: (-len(line), line)):
        if line not in within:
            sentences.append(line)
            within |= phrases(line)
    held = set(random.Random(seed).sample([line for line in sentences if len(line) >= shortest], count))
    kept = set().union(*(phrases(line) for line in sentences if line not in held))
    train = [row for row, line in zip(rows, words, strict=True) if line in kept]
    dev = {line: row for row, line in zip(rows, words, strict=True) if line in held}
    return train, list(dev.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="train.tsv of SST-2: sentence<TAB>label, a header line")
    parser.add_argument("out", type=Path)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.out.exists():
        parser.error(f"`out` must be a new folder. Received: out={arguments.out}, which exists.")
    try:
        header, *lines = arguments.data.read_text(encoding="utf-8").rstrip("\n").split("\n")
        rows = [(text.strip(), label) for text, label in (line.rsplit("\t", 1) for line in lines)]
        train, dev = split(rows, arguments.sentences, arguments.seed)
        with atomic_write(arguments.out) as draft:
            draft.mkdir()
            for name, part in (("train", train), ("dev", dev)):
                text = "\n".join([header, *("\t".join(row) for row in part)]) + "\n"
                (draft / f"{name}.tsv").write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        parser.error(f"{arguments.data}: {error}")
    print(f"{len(train):,} training rows, {len(dev):,} held-out sentences")


if __name__ == "__main__":
    main()
