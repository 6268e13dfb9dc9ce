"""Export models as SavedModel, ONNX or LiteRT."""

from keras_bert.export.litert import export_litert
from keras_bert.export.onnx import export_onnx
from keras_bert.export.saved_model import export_saved_model

__all__ = ["export_litert", "export_onnx", "export_saved_model"]
