"""Texts and their tokens: the corpus, vocabularies, and folders in Hugging Face's format."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from tokenizers.implementations import BertWordPieceTokenizer

from keras_bert.data import read_table
from keras_bert.files import atomic_write
from keras_bert.text.documents import TokenizedDocuments, offsets_from_lengths
from keras_bert.weights.formats.huggingface import save_huggingface

CHUNK = 10_000  # texts that are tokenized together


def make_tokenizer(folder: Path) -> BertWordPieceTokenizer:
    """Return the uncased tokenizer of a folder's vocabulary, which is fast and needs no TensorFlow."""
    return BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)


def token_lists(tokenizer: BertWordPieceTokenizer, texts: Iterable[str]) -> Iterator[np.ndarray]:
    """Yield the token ids of each text, uint16, without special tokens."""
    texts = iter(texts)
    while chunk := list(itertools.islice(texts, CHUNK)):
        for encoding in tokenizer.encode_batch(chunk, add_special_tokens=False):
            yield np.array(encoding.ids, np.uint16)


def read_corpus(path: Path) -> list[list[str]]:
    """Read documents: a paragraph per line, and an empty line after each document."""
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    return [[line for line in block.split("\n") if line.strip()] for block in blocks if block.strip()]


def tokenize_corpus(documents: list[list[str]], folder: Path) -> TokenizedDocuments:
    """Tokenize documents with the vocabulary of a folder."""
    ids = list(token_lists(make_tokenizer(folder), itertools.chain.from_iterable(documents)))
    return TokenizedDocuments(
        np.concatenate(ids), offsets_from_lengths(list(map(len, ids))), offsets_from_lengths(list(map(len, documents)))
    )


def read_texts(path: Path) -> list[str]:
    """Read one text per line, or the texts of a table whose name ends in .tsv."""
    return read_table(path).texts if path.suffix == ".tsv" else path.read_text(encoding="utf-8").splitlines()


def model_inputs(folder: Path, texts: list[str], length: int) -> dict[str, np.ndarray]:
    """Return the inputs of an encoder for texts, int32 `[N, T]`, with at most `length` tokens."""
    vocabulary = read_vocabulary(folder)
    cls_id, sep_id = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
    rows = [[cls_id, *ids[: length - 2], sep_id] for ids in token_lists(make_tokenizer(folder), texts)]
    mask = np.arange(max(map(len, rows))) < np.array([len(row) for row in rows])[:, None]  # [N, T]
    ids = np.full(mask.shape, vocabulary.index("[PAD]"), np.int32)
    ids[mask] = np.concatenate(rows)
    return {"input_word_ids": ids, "input_mask": mask.astype(np.int32), "input_type_ids": np.zeros_like(ids)}


def read_vocabulary(folder: Path) -> list[str]:
    """Return the tokens of a folder's vocab.txt."""
    return (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()


def save(model, vocabulary: list[str], folder: Path) -> None:
    """Write a model in Hugging Face's format, with its vocabulary."""
    with atomic_write(folder) as draft:
        save_huggingface(model, draft)
        (Path(draft) / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
