"""The tasks that a model can be fine-tuned on, one file per task.

A module of this package that calls `register_task` defines a task. All modules of the folder are imported here, so a
new task needs no entry in another file.
"""

import importlib
import pkgutil

from keras_bert.tasks.preprocessor import PlainPreprocessor, Preprocessor
from keras_bert.tasks.registry import TASKS, find_task, register_task, task_for
from keras_bert.tasks.task import Task
from keras_bert.tasks.task_data import LabeledTexts, TaskData, TaskDefaults, TrainedModel

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
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
