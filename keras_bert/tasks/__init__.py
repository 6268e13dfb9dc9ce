"""The tasks that a model can be fine-tuned on, one file per task.

A module of this package that calls `register_task` defines a task. All modules of the folder are imported here, so a
new task needs no entry in another file.

An exported model is opened without Keras, which takes longer to import than the model to answer. Therefore a task
imports what needs Keras inside functions. The two modules that define losses and metrics of Keras are not imported
here; `_lazy` does so together with Keras.
"""

import importlib
import pkgutil

from keras_bert.tasks.preprocessor import PlainPreprocessor, Preprocessor
from keras_bert.tasks.registry import TASKS, find_task, register_task, task_for
from keras_bert.tasks.task import Task
from keras_bert.tasks.task_data import LabeledTexts, TaskData, TaskDefaults, TrainedModel

_WITH_KERAS = {"from_logits", "losses"}
for _module in sorted({module.name for module in pkgutil.iter_modules(__path__)} - _WITH_KERAS):
    importlib.import_module(f"{__name__}.{_module}")

__all__ = [
    "LabeledTexts",
    "PlainPreprocessor",
    "Preprocessor",
    "TASKS",
    "Task",
    "TaskData",
    "TaskDefaults",
    "TrainedModel",
    "find_task",
    "register_task",
    "task_for",
]
