"""One task a file: its data, its head, its rows, and how it is measured; `finetune --task` drives any of them.

Each is made from a data set's name or folder and has

    texts          strings, to learn a vocabulary from
    label_names    names of classes, or none
    pairs          whether a classifier's texts come in pairs; None for other tasks
    no_answer      whether some training questions have no answer; None for other tasks
    sizes          how many examples there are to train on and to measure on
    model(encoder)                      the encoder with its head
    rows(reader, seed, held_out)        ids and labels to train on, ids and labels to choose the best epoch by
    fit(model, rows, held_out, ...)     a Keras History, an entry an epoch; best(history) is the one whose weights stay
    score(model, reader, seed, held_out)    what the best epoch is told by, where not by accuracy; `finetune`'s `score`
    measure(model, reader)              what the model is worth on the part that is only for that

where a `Preprocessor` is the vocabulary and how it is read.
"""

from keras_bert.tasks.features import FeatureTask
from keras_bert.tasks.spans import SpanTask
from keras_bert.tasks.tags import TagTask
from keras_bert.tasks.texts import TextTask

TASKS = {
    "classification": lambda dataset, names: TextTask(dataset, names, "single_label"),
    "multi-label": lambda dataset, names: TextTask(dataset, names, "multi_label"),
    "regression": lambda dataset, names: TextTask(dataset, names, "regression"),
    "spans": SpanTask,
    "tokens": TagTask,
    "features": FeatureTask,
}

__all__ = ["TASKS", "FeatureTask", "SpanTask", "TagTask", "TextTask"]
