"""Text to token ids: WordPiece tokenization, vocabularies, packing of pretraining examples, masking.

The names below are imported at their first use, so that `keras-bert tokenize` can read a vocabulary without loading
Keras and TensorFlow.
"""

from typing import TYPE_CHECKING

from keras_bert import _lazy

if TYPE_CHECKING:  # type checkers and editors do not run `__getattr__`
    from keras_bert.text.vectorization import BertTextVectorization
    from keras_bert.text.vocabulary import learn_vocabulary, load_vocabulary, save_vocabulary

_MODULES = {
    "BertTextVectorization": "vectorization",
    "learn_vocabulary": "vocabulary",
    "load_vocabulary": "vocabulary",
    "save_vocabulary": "vocabulary",
}

__all__ = ["BertTextVectorization", "learn_vocabulary", "load_vocabulary", "save_vocabulary"]

__getattr__ = _lazy.attributes(__name__, _MODULES)
