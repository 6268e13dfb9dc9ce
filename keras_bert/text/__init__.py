"""String to ids: WordPiece inside TextVectorization, vocabularies, pairs, segments, masking."""

from keras_bert.text.vectorization import BertTextVectorization
from keras_bert.text.vocabulary import learn_vocabulary, load_vocabulary, save_vocabulary

__all__ = ["BertTextVectorization", "learn_vocabulary", "load_vocabulary", "save_vocabulary"]
