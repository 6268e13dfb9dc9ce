"""The encoder with its masked-LM head as a SavedModel with the interface of TF-Hub's BERT encoders."""

import ml_dtypes
import numpy as np

import keras_bert as kb


def export(arguments) -> dict:
    """Write a SavedModel whose weights have the precision of bfloat16, which halves its size in archives."""
    pretrained = kb.load_pretrained(arguments.model)
    for weight in pretrained.model.weights:
        weight.assign(np.asarray(weight.numpy()).astype(ml_dtypes.bfloat16).astype(np.float32))
    kb.export_saved_model(pretrained.model, arguments.out, pretrained.vectorizer, interface="tfhub")
    return {"parameters": pretrained.encoder.count_params()}
