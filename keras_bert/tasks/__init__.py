"""The tasks that a model can be fine-tuned on: one file per task, found without a list.

A module of this package that calls `register_task` defines a task. All modules are imported here.
"""

import importlib
import pkgutil

from keras_bert.tasks.preprocessor import Preprocessor
from keras_bert.tasks.registry import TASKS, find_task, register_task, task_for
from keras_bert.tasks.task import Task
from keras_bert.tasks.task_data import LabeledTexts, TaskData, TaskDefaults, TrainedModel

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

__all__ = [
    "LabeledTexts",
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
