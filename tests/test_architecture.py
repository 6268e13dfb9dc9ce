"""The house as docs/architecture.md draws it: imports run one way, and TensorFlow stays in its rooms."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "keras_bert"
MAY_IMPORT = {
    "config": set(),
    "text": {"config"},
    "fused": {"config"},
    "layers": {"config", "fused"},
    "models": {"config", "layers"},
    "data": {"config", "text"},
    "training": {"config", "text", "fused", "layers", "models"},
    "weights": {"config", "text", "layers", "models"},
    "export": {"config", "text", "layers", "models", "weights"},
    "explain": {"config", "text", "layers", "models"},
    "tasks": {"text", "models", "data", "training"},
    "tour": {"config", "text", "layers", "models", "data", "training", "weights", "export", "explain"},
}
EVERYWHERE = {"errors", "files", "shipped"}
AGAINST_THE_STREAM = {("models/encoder.py", "keras_bert.weights")}  # BertEncoder.from_pretrained
# TensorFlow's own, imported where they run
COMPILED = tuple(
    f"fused/{name}.py"
    for name in ("xla", "dropout", "elementwise", "cross_entropy", "compiled", "flat", "adamw", "halves")
)
WITH_TENSORFLOW = ("fused/", "text/", "data/", "export/", "weights/", "cli/", "tour/")
WITHOUT_TENSORFLOW = (
    *("text/documents.py", "text/segments.py", "text/packing.py", "text/shards.py", "text/masking.py"),
    "weights/folder.py",
)


def imports(path: Path):
    """`(module, at_top_level)` of every import in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield node.module, id(node) in top
            if node.module == "keras_bert":
                yield from ((f"keras_bert.{alias.name}", id(node) in top) for alias in node.names)


FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = [path for path in FILES if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in MAY_IMPORT]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module, _ in imports(path):
        if module.startswith("keras_bert."):
            other = module.split(".")[1]
            if other == "__version__" or (path.relative_to(PACKAGE).as_posix(), module) in AGAINST_THE_STREAM:
                continue
            assert other == room or other in MAY_IMPORT[room] | EVERYWHERE, f"{room} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_tensorflow_stays_in_its_rooms_and_inside_functions(path):
    place = path.relative_to(PACKAGE).as_posix()
    for module, top_level in imports(path):
        if module.split(".")[0] in ("tensorflow", "tensorflow_hub", "tensorflow_datasets", "tensorflow_text"):
            assert place.startswith(WITH_TENSORFLOW) and place not in WITHOUT_TENSORFLOW, f"{place} imports {module}"
            assert not top_level or place in COMPILED, f"{place} imports {module} before anyone asks for it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_compiled_files_are_imported_where_they_run(path):
    names = {"keras_bert." + place.removesuffix(".py").replace("/", ".") for place in COMPILED}
    if path.relative_to(PACKAGE).as_posix() not in COMPILED:
        assert not [module for module, top_level in imports(path) if top_level and module in names]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_short_enough_for_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


@pytest.mark.peers
def test_import_works_where_there_is_no_tensorflow():
    pytest.importorskip("jax", reason="make test-all installs JAX")
    program = (
        "import sys; sys.modules['tensorflow'] = None; import keras_bert as kb;"
        "config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16);"
        "print(kb.BertEncoder(config).count_params())"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 0
