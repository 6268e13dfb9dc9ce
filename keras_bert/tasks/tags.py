"""A tag for every word: names in a text, parts of speech."""

from pathlib import Path

import numpy as np

from keras_bert.data.conll import TaggedSentence, entity_f1, load_conll
from keras_bert.data.table import check_label_names
from keras_bert.errors import InputError
from keras_bert.inference import predict_logits
from keras_bert.models import BertTokenClassifier
from keras_bert.tasks.objectives import IGNORED
from keras_bert.tasks.preprocessor import Preprocessor, check_two
from keras_bert.tasks.task import Task
from keras_bert.text.offsets import OffsetTokenizer


class TagTask(Task):
    """A token classifier of sentences in columns.

    Args:
        dataset: a folder with `train.txt` and `dev.txt`, as `load_conll` reads them.
        names: of the tags, in order; by default those in `train.txt`, by the alphabet.

    Raises:
        InputError: a file is missing or refused, `train.txt` has one sentence alone, `dev.txt` has a tag that
            `train.txt` has not, or a name is given twice.
    """

    def __init__(self, dataset: str, names=None):
        folder = Path(dataset)
        for name in ("train.txt", "dev.txt"):
            if not (folder / name).is_file():
                raise InputError(f"{folder}: a folder with train.txt and dev.txt is expected. Received: no {name}")
        self.train, self.dev = load_conll(folder / "train.txt"), load_conll(folder / "dev.txt")
        self.label_names = tuple(check_label_names(names or sorted({tag for each in self.train for tag in each.tags})))
        if len(self.label_names) < 2:
            raise InputError(
                f"{folder / 'train.txt'}: at least two tags are expected. Received: {len(self.label_names)}"
            )
        for name, part in (("train.txt", self.train), ("dev.txt", self.dev)):
            check_tags(part, self.label_names, folder / name)
        self.sizes = len(self.train), len(self.dev)
        check_two(len(self.train), f"sentences in {folder / 'train.txt'}")

    @property
    def texts(self) -> list[str]:
        """All training sentences."""
        return [" ".join(each.words) for each in self.train]

    def model(self, encoder) -> BertTokenClassifier:
        """The encoder with a classifier of tokens."""
        return BertTokenClassifier(encoder, len(self.label_names), encoder.config.hidden_dropout)

    def rows(self, reader: Preprocessor, seed: int, held_out: float) -> tuple:
        """Ids, and labels at the first piece of each word."""
        order = np.random.default_rng(seed).permutation(len(self.train))
        count = max(1, round(held_out * len(order)))
        return tuple(
            tag_rows([self.train[i] for i in part], self.label_names, reader) for part in (order[count:], order[:count])
        )

    def measure(self, model, reader: Preprocessor) -> dict:
        """Precision, recall and F1 of names on the dev part, and the accuracy of tags."""
        said = tag(model, [each.words for each in self.dev], self.label_names, reader)
        return {**entity_f1([each.tags for each in self.dev], said), "examples": len(self.dev)}


def check_tags(sentences: list[TaggedSentence], names, path) -> None:
    """InputError if a sentence of a file has a tag that is none of the names."""
    unknown = next((tag_name for each in sentences for tag_name in each.tags if tag_name not in names), None)
    if unknown is not None:
        shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        raise InputError(f"{path}: a tag is one of {shown}. Received: {unknown[:40]!r}")


def word_rows(sentences, reader: Preprocessor) -> tuple[dict, list[list[tuple[int, int] | None]]]:
    """Ids of sentences given as words, and where each word's first piece stands.

    A sentence that is longer than a row goes on in the next one, at a word's beginning.

    Args:
        sentences: sequences of words.
        reader: `Preprocessor`.

    Returns:
        The dict of the encoder's inputs, int32 `[R, T]`, and for each sentence the row and column of each of its words;
        None for a word of no piece.
    """
    tokenizer = OffsetTokenizer(list(reader.vocabulary), reader.lowercase)
    cls, sep, pad = (reader.vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
    room = reader.sequence_length - 2
    known: dict[str, list[int]] = {}
    rows, places = [], []
    for words in sentences:
        row, firsts = [], []
        for word in words:
            if word not in known:
                known[word] = tokenizer(word)[0][:room]
            pieces = known[word]
            if len(row) + len(pieces) > room:
                rows.append([cls, *row, sep])
                row = []
            firsts.append((len(rows), 1 + len(row)) if pieces else None)
            row += pieces
        rows.append([cls, *row, sep])
        places.append(firsts)
    width = max(map(len, rows))
    ids = np.full((len(rows), width), pad, np.int32)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    mask = (np.arange(width) < np.array([len(row) for row in rows])[:, None]).astype(np.int32)
    return {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)}, places


def tag_rows(sentences: list[TaggedSentence], names, reader: Preprocessor) -> tuple[dict, np.ndarray]:
    """Ids, and int32 labels `[R, T]` at the first piece of each word."""
    ids, places = word_rows([each.words for each in sentences], reader)
    labels = np.full(ids["input_word_ids"].shape, IGNORED, np.int32)
    for sentence, firsts in zip(sentences, places, strict=True):
        for tag_name, place in zip(sentence.tags, firsts, strict=True):
            if place:
                labels[place] = names.index(tag_name)
    return ids, labels


def tag(model, sentences, names, reader: Preprocessor) -> list[list[str]]:
    """A model's tag for each word; `O`, or the first name, for words of no piece.

    Args:
        model: a `BertTokenClassifier`.
        sentences: sequences of words.
        names: of the tags.
        reader: `Preprocessor`.
    """
    ids, places = word_rows(sentences, reader)
    said = predict_logits(model, ids).argmax(-1)  # [R, T]
    other = "O" if "O" in names else names[0]
    return [[names[said[place]] if place else other for place in firsts] for firsts in places]
