"""Export models as SavedModel or ONNX."""

from keras_bert.export.onnx import export_onnx
from keras_bert.export.saved_model import export_saved_model

__all__ = ["export_onnx", "export_saved_model"]
