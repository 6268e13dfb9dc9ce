"""keras_bert: a BERT encoder from scratch in Keras 3. The public names, nothing else."""

import sys
from pathlib import Path

from keras_bert.config import PRESETS, BertConfig
from keras_bert.errors import InputError

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
    "InputError",
    "PRESETS",
    "TrainingConfig",
    "compare",
    "distill",
    "embed",
    "evaluate",
    "export_saved_model",
    "fill_mask",
    "finetune",
    "fit_features",
    "learn_vocabulary",
    "list_pretrained",
    "load_corpus",
    "load_labeled",
    "load_pretrained",
    "load_vocabulary",
    "load_weights",
    "pretrain",
    "save_pretrained",
    "save_vocabulary",
]

# `keras-bert --help` does not wait for TensorFlow: the commands import what they use themselves. Everywhere else all
# names are here at once, and their classes known to `keras.saving`.
_command_line = Path(sys.argv[0]).name == "keras-bert" or (sys.argv[0] == "-m" and "keras_bert" in sys.orig_argv)
if not _command_line:
    from keras_bert.data import load_corpus, load_labeled
    from keras_bert.export import export_saved_model
    from keras_bert.inference import Predictor, embed, evaluate, fill_mask
    from keras_bert.models import (
        BertClassifier,
        BertEncoder,
        BertFeatureClassifier,
        BertPretrainer,
        BertSpanLabeler,
        BertTokenClassifier,
    )
    from keras_bert.parity import compare
    from keras_bert.text import BertTextVectorization, learn_vocabulary, load_vocabulary, save_vocabulary
    from keras_bert.training import TrainingConfig, distill, finetune, fit_features, pretrain
    from keras_bert.weights import list_pretrained, load_pretrained, load_weights, save_pretrained
