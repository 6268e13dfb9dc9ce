"""A small model with a vocabulary and random weights, for tests of explanations of texts."""

import keras_bert as kb
from tests.helpers import randomize, tiny_config

WORDS = "the a bank river money film of in is good bad long boat on she he sat , . $".split()
PIECES = ["un", "##known", "##s", "walk", "##ed"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *PIECES]
TEXTS = [
    "the bank of the river",
    "she sat on the bank in a boat .",
    "money is good , he walked .",
    "a long film is bad",
    "the film of the unknowns",
    "he is in the money",
]


def small_encoder(vocabulary=VOCABULARY, **changes) -> kb.BertEncoder:
    """Return a randomized encoder with a vectorizer."""
    encoder = randomize(kb.BertEncoder(tiny_config(vocab_size=len(vocabulary), **changes)))
    encoder.vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=None)
    return encoder


def small_pretrainer(sentence_task="next", **changes) -> kb.BertPretrainer:
    """Return a randomized pretrainer with a vectorizer."""
    return randomize(kb.BertPretrainer(small_encoder(**changes), sentence_task), seed=1)
