"""Readers of corpora for pretraining and labeled datasets for fine-tuning."""

from keras_bert.data.corpus import Corpus, load_corpus, split_sentences, tokenize_documents
from keras_bert.data.labeled import LabeledDataset, load_labeled, select
from keras_bert.data.packed_rows import load_packed
from keras_bert.data.packing import pack_file
from keras_bert.data.parallel_packing import pack_files
from keras_bert.data.samples import sample_file
from keras_bert.data.table import Table
from keras_bert.data.table_reader import read_table

__all__ = [
    "Corpus",
    "LabeledDataset",
    "Table",
    "load_corpus",
    "load_labeled",
    "load_packed",
    "pack_file",
    "pack_files",
    "read_table",
    "sample_file",
    "select",
    "split_sentences",
    "tokenize_documents",
]
