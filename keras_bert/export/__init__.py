"""Models that leave the house: SavedModels of text in and of the two TF-Hub interfaces, and ONNX files."""

from keras_bert.export.onnx import export_onnx
from keras_bert.export.saved_model import export_saved_model

__all__ = ["export_onnx", "export_saved_model"]
