"""Corpora to pretrain on and labelled sets to fine-tune on, by name or from files."""

from keras_bert.data.corpus import Corpus, load_corpus, split_sentences, tokenize_documents
from keras_bert.data.labelled import LabelledSet, load_labelled, select
from keras_bert.data.table import Table, read_table

__all__ = [
    "Corpus",
    "LabelledSet",
    "Table",
    "load_corpus",
    "load_labelled",
    "read_table",
    "select",
    "split_sentences",
    "tokenize_documents",
]
