"""Public names that load at their first use, and a hook that makes the package's classes known to Keras.

`import keras_bert` takes milliseconds and imports neither Keras nor TensorFlow, so that `keras-bert --help` answers at
once. A public name imports its module when it is used (PEP 562). One thing must not wait for a name: `keras.saving`
finds a class only if it is registered, and `import keras_bert; import keras; keras.saving.load_model(path)` uses no
name of this package. The hook therefore imports the registered classes as soon as Keras is there.
"""

import contextlib
import functools
import importlib
import importlib.abc
import sys
import threading

# Module (below `keras_bert`) to the public names that it defines. A name equal to its module is the module itself.
MODULES = {
    "catalog.listing": ("list_pretrained",),
    "data": ("load_corpus", "load_labeled"),
    "explain": ("explain",),
    "export": ("export_onnx", "export_saved_model"),
    "inference.embed": ("embed",),
    "inference.evaluate": ("evaluate",),
    "inference.fill_mask": ("fill_mask",),
    "inference.predictor": ("Predictor",),
    "layers": ("layers",),
    "models": (
        *("BertClassifier", "BertEncoder", "BertFeatureClassifier"),
        *("BertPretrainer", "BertSpanLabeler", "BertTokenClassifier"),
    ),
    "parity": ("compare",),
    "text": ("BertTextVectorization", "learn_vocabulary", "load_vocabulary", "save_vocabulary"),
    "training": ("distill", "finetune", "fit_features", "pretrain"),
    "training.config": ("TrainingConfig",),
    "weights": ("load_pretrained", "load_weights", "save_pretrained"),
    "weights.convert": ("convert",),
}
NAMES = {name: module for module, names in MODULES.items() for name in names}
# Packages that register something when they are imported: classes with Keras, loaders with the models' base class.
REGISTERING = (
    "layers",
    "models",
    "text",
    "tasks",
    "training.distillation_loss",
    "training.optimizer",
    "training.schedule",
    "weights",
)


def load(name: str):
    """Import the module of a public name and return what the name stands for.

    Args:
        name: a key of `NAMES`.

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in NAMES:
        raise AttributeError(f"module 'keras_bert' has no attribute {name!r}")
    importlib.import_module("keras")  # first, so that the hook below runs before any of the package's own modules
    module = importlib.import_module(f"keras_bert.{NAMES[name]}")
    return module if name == NAMES[name] else getattr(module, name)


def register() -> None:
    """Import every module that registers a class or a loader."""
    for package in REGISTERING:
        importlib.import_module(f"keras_bert.{package}")


def register_after_keras() -> None:
    """Call `register` now if Keras is already imported, otherwise as soon as it is."""
    if sys.modules.get("keras"):
        register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


class _AfterKeras(importlib.abc.MetaPathFinder):
    """An import hook that calls `register` once Keras has been imported, then removes itself.

    The other finders find the modules; this one only adds a step after their execution. `keras` may be imported by one
    of the package's own modules (`from keras_bert.layers import Pooler`), which is then itself half imported. So the
    modules of the package are followed too, and `register` runs when the outermost of them is complete.
    """

    def __init__(self):
        self.running = threading.local()  # .depth: how many of the followed modules this thread is executing

    def find_spec(self, name, path=None, target=None):
        """Find the module with the finders behind this one, and extend its loader's `exec_module`."""
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
        vars(loader).pop("exec_module", None)  # the loader's own method again
        self.running.depth = getattr(self.running, "depth", 0) + 1
        try:
            loader.exec_module(module)
            if self.running.depth == 1 and "keras" in sys.modules and self in sys.meta_path:
                with contextlib.suppress(ImportError):  # `import keras` must not fail; the first use of a name will
                    register()
                    # A new list, because another thread may be going through the old one.
                    sys.meta_path = [finder for finder in sys.meta_path if finder is not self]
        finally:
            self.running.depth -= 1
