"""BERT from scratch in Keras 3: the public names of the package.

`BertConfig`, `PRESETS` and `InputError` are imported at once, every other name at its first use (see `_lazy`).
"""

from typing import TYPE_CHECKING

from keras_bert import _lazy
from keras_bert.config import PRESETS, BertConfig
from keras_bert.errors import InputError

if TYPE_CHECKING:  # type checkers and editors do not run `__getattr__`
    from keras_bert import explain, layers
    from keras_bert.catalog.listing import list_pretrained
    from keras_bert.data import load_corpus, load_labeled, load_packed, pack_files
    from keras_bert.export import export_litert, export_onnx, export_saved_model
    from keras_bert.inference.embed import embed
    from keras_bert.inference.evaluate import evaluate
    from keras_bert.inference.fill_mask import fill_mask
    from keras_bert.inference.predictor import Predictor
    from keras_bert.metrics import format_metrics
    from keras_bert.models import (
        BertClassifier,
        BertEncoder,
        BertFeatureClassifier,
        BertPretrainer,
        BertSpanLabeler,
        BertTokenClassifier,
    )
    from keras_bert.parity import compare
    from keras_bert.tasks.from_logits import FromLogits
    from keras_bert.text import BertTextVectorization, learn_vocabulary, load_vocabulary, save_vocabulary
    from keras_bert.training import distill, finetune, fit_features, pretrain
    from keras_bert.training.config import TrainingConfig
    from keras_bert.weights import load_pretrained, load_weights, save_pretrained
    from keras_bert.weights.convert import convert

__version__ = "0.1.0"

__all__ = [
    "BertClassifier",
    "BertConfig",
    "BertEncoder",
    "BertFeatureClassifier",
    "BertPretrainer",
    "BertSpanLabeler",
    "BertTextVectorization",
    "BertTokenClassifier",
    "FromLogits",
    "InputError",
    "PRESETS",
    "Predictor",
    "TrainingConfig",
    "compare",
    "convert",
    "distill",
    "embed",
    "evaluate",
    "explain",
    "export_litert",
    "export_onnx",
    "export_saved_model",
    "fill_mask",
    "finetune",
    "fit_features",
    "format_metrics",
    "layers",
    "learn_vocabulary",
    "list_pretrained",
    "load_corpus",
    "load_labeled",
    "load_packed",
    "load_pretrained",
    "load_vocabulary",
    "load_weights",
    "pack_files",
    "pretrain",
    "save_pretrained",
    "save_vocabulary",
]


def __getattr__(name: str):
    """Import a public name at its first use (PEP 562)."""
    value = globals()[name] = _lazy.load(name)
    return value


def __dir__() -> list[str]:
    """List all public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__})


_lazy.register_after_keras()  # so that Keras can load saved models of this package
