"""The layers of BERT, one per file, written in the functions of `keras_bert.ops`."""

from keras_bert.layers.adapter import Adapter
from keras_bert.layers.embeddings import BertEmbeddings
from keras_bert.layers.masked_lm_head import MaskedLMHead
from keras_bert.layers.pooler import Pooler
from keras_bert.layers.transformer_block import TransformerBlock

__all__ = ["Adapter", "BertEmbeddings", "MaskedLMHead", "Pooler", "TransformerBlock"]
