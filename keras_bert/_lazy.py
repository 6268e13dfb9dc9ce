"""Lazy imports of the public names, and an import hook that registers the package's classes with Keras.

`import keras_bert` takes milliseconds and imports neither Keras nor TensorFlow, so that `keras-bert --help` is fast.
The module of a public name is imported when the name is first used (PEP 562).

Registration must happen earlier: `keras.saving` finds a class only if it is registered, and
`import keras_bert; import keras; keras.saving.load_model(path)` uses no name of this package. Therefore the hook
imports the modules with registered classes as soon as Keras has been imported.
"""

import contextlib
import functools
import importlib
import importlib.abc
import sys
import threading
from collections.abc import Callable

# Module (below `keras_bert`) to the public names that it defines. A name equal to its module is the module itself.
MODULES = {
    "catalog.listing": ("list_pretrained",),
    "data": ("load_corpus", "load_labeled", "load_packed", "pack_files"),
    "explain": ("explain",),
    "export": ("export_litert", "export_onnx", "export_saved_model"),
    "inference.embed": ("embed",),
    "inference.evaluate": ("evaluate",),
    "inference.fill_mask": ("fill_mask",),
    "inference.predictor": ("Predictor",),
    "layers": ("layers",),
    "metrics": ("format_metrics",),
    "models": (
        "BertClassifier",
        "BertEncoder",
        "BertFeatureClassifier",
        "BertPretrainer",
        "BertSpanLabeler",
        "BertTokenClassifier",
    ),
    "parity": ("compare",),
    "tasks.from_logits": ("FromLogits",),
    "text": ("BertTextVectorization", "learn_vocabulary", "load_vocabulary", "save_vocabulary"),
    "training": ("distill", "finetune", "fit_features", "pretrain"),
    "training.config": ("TrainingConfig",),
    "weights": ("load_pretrained", "load_weights", "save_pretrained"),
    "weights.convert": ("convert",),
}
NAMES = {name: module for module, names in MODULES.items() for name in names}
# Modules that import Keras at its first use in a function, so that an ONNX model is opened without it.
WITHOUT_KERAS = {"catalog.listing", "data", "inference.predictor", "metrics"}
# Modules that register classes with Keras, or loaders with the models' base class, when they are imported.
REGISTERING = (
    "layers",
    "models",
    "text.vectorization",
    "tasks.from_logits",
    "tasks.losses",
    "training.distillation_loss",
    "training.optimizer",
    "training.schedule",
    "weights",
)


def load(name: str):
    """Import the module of a public name and return the function, class or module with this name.

    Args:
        name: a key of `NAMES`.

    Returns:
        The function, class or module.

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in NAMES:
        raise AttributeError(f"module 'keras_bert' has no attribute {name!r}")
    if NAMES[name] not in WITHOUT_KERAS:
        importlib.import_module("keras")  # first, so that the hook below runs before any of the package's own modules
    module = importlib.import_module(f"keras_bert.{NAMES[name]}")
    return module if name == NAMES[name] else getattr(module, name)


def attributes(package: str, modules: dict[str, str]) -> Callable:
    """Return the `__getattr__` of a package that imports its public names at their first use (PEP 562).

    Args:
        package: the package's `__name__`.
        modules: public name to the module below the package that defines it. The two must differ.
    """

    def get(name: str):
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{modules[name]}"), name)
        vars(sys.modules[package])[name] = value
        return value

    return get


def register() -> None:
    """Import every module that registers a class or a loader."""
    for module in REGISTERING:
        importlib.import_module(f"keras_bert.{module}")


def register_after_keras() -> None:
    """Call `register` now if Keras has already been imported, otherwise as soon as it has been."""
    if sys.modules.get("keras"):
        register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


class _AfterKeras(importlib.abc.MetaPathFinder):
    """An import hook that calls `register` once Keras has been imported, then removes itself.

    The other finders find the modules; this one only adds a step after their execution. One of the package's own
    modules may import `keras` (`from keras_bert.layers import Pooler`) and is then not complete yet. Therefore the hook
    counts the nested imports of the package's modules too, and `register` runs when the outermost one is complete.
    """

    def __init__(self):
        self.running = threading.local()  # .depth: the number of nested imports in this thread

    def find_spec(self, name, path=None, target=None):
        """Find the module with the finders after this one in `sys.meta_path`, and extend its loader's `exec_module`."""
        finders = list(sys.meta_path)
        if self not in finders or not (name == "keras" or name.startswith("keras_bert.")):
            return None
        for finder in finders[finders.index(self) + 1 :]:
            spec = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader.exec_module = functools.partial(self._execute, spec.loader)
                return spec
        return None

    def _execute(self, loader, module) -> None:
        vars(loader).pop("exec_module", None)  # restore the loader's own method
        self.running.depth = getattr(self.running, "depth", 0) + 1
        try:
            loader.exec_module(module)
            if self.running.depth == 1 and "keras" in sys.modules and self in sys.meta_path:
                with contextlib.suppress(ImportError):  # not in `import keras`: the first use of a name raises it again
                    register()
                    # A new list, because another thread may be iterating over the old one.
                    sys.meta_path = [finder for finder in sys.meta_path if finder is not self]
        finally:
            self.running.depth -= 1
