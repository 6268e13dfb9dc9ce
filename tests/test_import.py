"""`import keras_bert`: light, independent of `sys.argv`, and its classes are registered with `keras.saving`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import keras_bert as kb
from keras_bert import _lazy
from tests.processes import LIMIT

ROOT = Path(__file__).resolve().parent.parent
SAVE_MODEL = """
import keras_bert as kb
config = kb.BertConfig(50, 8, 1, 2, 16)
kb.BertClassifier(kb.BertEncoder(config), 3).save("model.keras")
"""
LOAD_MODEL = """
model = keras.saving.load_model("model.keras")
assert type(model).__module__ == "keras_bert.models.classifier", type(model)
"""
ALL_NAMES = """
import importlib
assert len(kb.__all__) > 25
for name in kb.__all__:
    module = importlib.import_module("keras_bert." + kb._lazy.NAMES.get(name, "config"))
    value = getattr(kb, name)
    assert value is getattr(module, name, module), name
    assert name == "PRESETS" or name in dir(kb)
"""
NOT_LOADED = "assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules), 'heavy import'\n"

PROGRAMS = {
    "keras_bert alone": f"import sys, keras_bert\n{NOT_LOADED}",
    "light names": f"import sys\nfrom keras_bert import BertConfig, InputError, PRESETS, __version__\n{NOT_LOADED}",
    "keras_bert then keras": f"import keras_bert\nimport keras\n{LOAD_MODEL}",
    "keras then keras_bert": f"import keras\nimport keras_bert\n{LOAD_MODEL}",
    "one of its modules": f"from keras_bert.layers import Pooler\nimport keras\n{LOAD_MODEL}",
    "tf.keras": "import tensorflow as tf, keras_bert\n" + LOAD_MODEL.replace("keras.saving", "tf.keras.models"),
    "empty argv": f"import sys\nsys.argv = []\nimport keras_bert as kb\n{ALL_NAMES}",
    "argv of the command": f"import sys\nsys.argv[0] = '/bin/keras-bert'\nimport keras_bert as kb\n{ALL_NAMES}",
    "names after keras": f"import keras, keras_bert as kb\n{ALL_NAMES}",
    "star": "from keras_bert import *\nimport keras_bert as kb\nassert all(name in globals() for name in kb.__all__)",
    "hook removed": (
        "import sys, keras_bert\nfrom keras_bert import _lazy\n"
        "hooks = lambda: [f for f in sys.meta_path if isinstance(f, _lazy._AfterKeras)]\n"
        "import importlib.util\nloader = importlib.util.find_spec('keras').loader\n"
        "assert len(hooks()) == 1 and 'keras' not in sys.modules  # looked for, not imported\n"
        "import keras, inspect\nassert not hooks() and type(keras.__loader__) is type(loader)\n"
        "assert 'exec_module' not in vars(keras.__loader__) and 'DO NOT EDIT' in inspect.getsource(keras)"
    ),
    "keras that fails": (
        "import sys, pathlib\npathlib.Path('keras.py').write_text('raise RuntimeError(1)')\nsys.path.insert(0, '.')\n"
        "import importlib, keras_bert\n"
        "for _ in range(2):\n    try:\n        import keras\n    except RuntimeError:\n        pass\n"
        "    else:\n        raise SystemExit('no error')\n"
        "pathlib.Path('keras.py').unlink()\nimportlib.invalidate_caches()\nimport keras\n" + LOAD_MODEL
    ),
    "pickle and inspect": (
        "import pickle, inspect, doctest, keras_bert as kb\n"
        "members = dict(inspect.getmembers(kb))\nassert set(kb.__all__) <= set(members)\n"
        "for name in kb.__all__:\n"
        "    value = getattr(kb, name)\n"
        "    if callable(value):\n"
        "        assert pickle.loads(pickle.dumps(value)) is value\n"
        "        assert inspect.getsourcefile(value) and (name == 'InputError' or inspect.signature(value))\n"
        "        assert doctest.DocTestFinder().find(value, name)\n"
        "doctest.DocTestFinder().find(kb)"
    ),
    "threads": (
        "import threading, keras_bert as kb\nfound, start = {}, threading.Barrier(9)\n"
        "def use(i):\n    start.wait()\n"
        "    name = ['BertClassifier', 'BertTextVectorization', 'pretrain', 'load_pretrained'][i % 4]\n"
        "    found[i] = getattr(kb, name)\n"
        "def load():\n    start.wait()\n    import keras\n"
        "    found['model'] = keras.saving.load_model('model.keras')\n"
        "threads = [threading.Thread(target=use, args=[i]) for i in range(8)] + [threading.Thread(target=load)]\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]\n"
        "assert len(found) == 9 and type(found['model']) is found[0] is found[4] is kb.BertClassifier"
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with `model.keras`, a classifier."""
    path = tmp_path_factory.mktemp("import")
    run(SAVE_MODEL, path)
    return path


def run(program: str, folder: Path) -> None:
    command = [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{program}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_import(name, folder, tmp_path):
    (tmp_path / "model.keras").symlink_to(folder / "model.keras")
    run(PROGRAMS[name], tmp_path)


def test_unknown_name():
    with pytest.raises(AttributeError, match="'keras_bert' has no attribute 'Bert'"):
        kb.Bert  # noqa: B018


def test_names_agree():
    """`__all__`, the table of lazy names and the imports for type checkers list the same names."""
    light = {"BertConfig", "InputError", "PRESETS"}
    assert set(kb.__all__) == set(_lazy.NAMES) | light
    tree = ast.parse(Path(kb.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.name: node.module for node in block.body for alias in node.names}
    modules = {name: "keras_bert" if name == module else f"keras_bert.{module}" for name, module in _lazy.NAMES.items()}
    assert typed == modules


def test_every_registered_class_is_imported_with_keras():
    import keras  # noqa: F401

    package = Path(kb.__file__).parent
    for path in package.rglob("*.py"):
        if "register_keras_serializable" in path.read_text(encoding="utf-8") and path.name != "_lazy.py":
            module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
            assert module.removesuffix(".__init__") in sys.modules
