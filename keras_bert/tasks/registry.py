"""The registry of tasks, with functions that find a task by its name or by a model."""

from keras_bert.errors import InputError
from keras_bert.tasks.task import Task

TASKS: dict[str, Task] = {}  # name -> task; filled by `register_task`
_FUNCTIONAL: list[Task] = []  # tasks of models that are no class of this package; they have no name


def register_task(task: Task) -> Task:
    """Register a task under its name, for `kb.finetune`, `kb.evaluate`, `kb.Predictor` and the command line.

    Args:
        task: the only instance of its class.

    Returns:
        The task.

    Raises:
        InputError: a task with this name is registered already.
    """
    if task.name in TASKS:
        raise InputError(f"`task.name` must be a new name. Received: {task.name!r}, which is registered already")
    TASKS[task.name] = task
    return task


def register_functional_task(task: Task) -> Task:
    """Register a task that `task_for` finds for models of other classes. It has no name on the command line."""
    _FUNCTIONAL.append(task)
    return task


def find_task(name: str) -> Task:
    """Return the task with a name.

    Args:
        name: name of a registered task, such as `"multi-label"`.

    Raises:
        InputError: there is no task with this name.
    """
    if name not in TASKS:
        raise InputError(f"`--task` must be one of {', '.join(TASKS)}. Received: {name!r}")
    return TASKS[name]


def task_for(model) -> Task:
    """Return the task that a model is trained on.

    Args:
        model: a model with a head.

    Raises:
        InputError: no registered task uses this kind of model.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> task_for(kb.BertSpanLabeler(kb.BertEncoder(config))).name
    'spans'
    """
    matching = [task for task in TASKS.values() if task.matches(model)]
    for task in matching:
        if type(model) is task.model_class:  # preferred, because a task may use a subclass of another task's model
            return task
    matching = matching or [task for task in _FUNCTIONAL if task.matches(model)]
    if not matching:
        classes = sorted({task.model_class.__name__ for task in TASKS.values()})
        raise InputError(
            f"`model` must be one of {', '.join(classes)}, or a functional model that ends with the logits of classes. "
            f"Received: {type(model).__name__}"
        )
    return matching[0]
