"""Models that leave the house: SavedModels of text in, and of the two TF-Hub interfaces."""

from keras_bert.export.saved_model import export_saved_model

__all__ = ["export_saved_model"]
