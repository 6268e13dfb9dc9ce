"""The parts of a BERT, one idea a file; each takes plain numbers and runs on every Keras backend."""

from keras_bert.layers.embeddings import BertEmbeddings
from keras_bert.layers.masked_lm_head import MaskedLMHead
from keras_bert.layers.pooler import Pooler
from keras_bert.layers.transformer_block import TransformerBlock

__all__ = ["BertEmbeddings", "MaskedLMHead", "Pooler", "TransformerBlock"]
