"""Looking inside: attention maps, what a model is made of, pictures."""

from keras_bert.explain.attention import attention_maps

__all__ = ["attention_maps"]
