"""Text to token ids: WordPiece tokenization, vocabularies, packing of pretraining examples, masking."""

from keras_bert.text.vectorization import BertTextVectorization
from keras_bert.text.vocabulary import learn_vocabulary, load_vocabulary, save_vocabulary

__all__ = ["BertTextVectorization", "learn_vocabulary", "load_vocabulary", "save_vocabulary"]
