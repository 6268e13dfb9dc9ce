"""Models and examples that are small enough to train in a second."""

import keras
import numpy as np

from keras_bert import BertClassifier, BertConfig, BertEncoder, BertPretrainer
from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.text.documents import TokenizedDocuments
from keras_bert.text.masking import Masking
from keras_bert.text.packing import pack_examples

VOCABULARY = [*SPECIAL_TOKENS] + [f"w{i}" for i in range(45)] + [f"##p{i}" for i in range(10)]
CLS, SEP, MASK = 2, 3, 4
CONFIG = BertConfig(
    vocab_size=len(VOCABULARY),
    hidden_size=32,
    num_layers=2,
    num_heads=2,
    intermediate_size=64,
    max_position_embeddings=32,
)


def documents(count=30, seed=0) -> TokenizedDocuments:
    """Create documents in which a token id is mostly the previous one plus 1, so that there is a rule to learn."""
    rng = np.random.default_rng(seed)
    lists = []
    for _ in range(count):
        start = rng.integers(5, 50)
        sentences = []
        for _ in range(rng.integers(3, 8)):
            length = rng.integers(2, 9)
            sentences.append(5 + (start - 5 + np.arange(length)) % 45)
            start = start + length
        lists.append(sentences)
    return TokenizedDocuments.from_lists(lists)


def examples(count=30, seed=0, length=16, **task):
    """Pack the documents into examples."""
    return pack_examples(documents(count, seed), length, CLS, SEP, seed=seed, **task)


def masking(**settings) -> Masking:
    """Create a `Masking` of the vocabulary."""
    return Masking.from_vocabulary(VOCABULARY, **{"max_predictions": 4, **settings})


def labeled(count, seed=0, classes=2, length=16):
    """Create ids and labels, where the second token determines the label."""
    rng = np.random.default_rng(seed)
    words = np.zeros((count, length), np.int32)
    lengths = rng.integers(3, length + 1, count)
    labels = rng.integers(0, classes, count)
    for row, size, label in zip(words, lengths, labels, strict=True):
        row[:size] = rng.integers(20, 50, size)
        row[0], row[1], row[size - 1] = CLS, 5 + label, SEP
    return {"input_word_ids": words, "input_mask": (words > 0).astype(np.int32), "input_type_ids": 0 * words}, labels


def make_pretrainer(seed=1, config=CONFIG, **task):
    """Create a `BertPretrainer` with reproducible random weights."""
    keras.utils.set_random_seed(seed)
    return BertPretrainer(BertEncoder(config), **task)


def make_classifier(seed=1, classes=2, config=CONFIG):
    """Create a `BertClassifier` with reproducible random weights."""
    keras.utils.set_random_seed(seed)
    return BertClassifier(BertEncoder(config), num_classes=classes)
