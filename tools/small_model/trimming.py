"""The first stage: fewer pieces in the vocabulary."""

import itertools

import numpy as np

import keras_bert as kb
from keras_bert.training import most_frequent_pieces, trim_vocabulary
from tools.small_model.texts import make_tokenizer, read_corpus, read_texts, read_vocabulary, save, token_lists


def trim(arguments) -> dict:
    """Keep the pieces that are most frequent in the texts and in the corpus, each with half of the weight."""
    vocabulary, tokenizer = read_vocabulary(arguments.model), make_tokenizer(arguments.model)
    shares = np.zeros(len(vocabulary))
    for texts in (read_texts(arguments.texts), itertools.chain.from_iterable(read_corpus(arguments.corpus))):
        counts = np.zeros(len(vocabulary), np.int64)
        for ids in token_lists(tokenizer, texts):
            np.add.at(counts, ids, 1)
        shares += counts / counts.sum()
    kept = most_frequent_pieces(vocabulary, shares, arguments.size)
    encoder = trim_vocabulary(kb.BertEncoder.from_pretrained(arguments.model), vocabulary, kept)
    save(encoder, kept, arguments.out)
    return {"parameters": encoder.count_params(), "pieces": len(kept)}
