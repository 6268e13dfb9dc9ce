"""The package's structure: imports in one direction, no cycles, TensorFlow only inside functions, short files.

Imports inside functions count as imports: a function that imports upward is a hidden cycle.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "keras_bert"

# Part of the package to the parts that it may import. `LEAVES` may be imported by all.
FILE_LEAVES = {"file_locks", "file_system", "files", "working_folder"}
LEAVES = {"constants", "errors", "extras", "keras_internals", "presets", "system", *FILE_LEAVES}
MODELS = {"config", "ops", "layers", "models"}
LIBRARY = {*MODELS, "text", "weights", "metrics", "data", "catalog", "tasks"}
APPLICATIONS = {"training", "inference", "export", "explain", "parity"}
MAY_IMPORT = {
    "constants": set(),
    "errors": set(),
    "extras": set(),
    "file_system": set(),
    "file_locks": {"file_system"},
    "files": {"file_locks", "file_system"},
    "working_folder": {"file_locks", "file_system", "files"},
    "system": set(),
    "keras_internals": set(),
    "presets": set(),
    "config": set(),
    "text": {"config"},
    "ops": {"config"},
    "layers": {"config", "ops"},
    "models": {"config", "ops", "layers"},
    "catalog": {"config"},
    "metrics": {"config"},
    "data": {"config", "text"},
    "weights": {*MODELS, "text", "catalog"},
    "tasks": {*MODELS, "text", "weights", "metrics", "data", "catalog"},
    "inference": LIBRARY,
    "training": {*LIBRARY, "inference"},
    "book": LIBRARY,
    "explain": LIBRARY,
    "parity": {*LIBRARY, "inference"},
    "export": LIBRARY,
    "tour": {*LIBRARY, *APPLICATIONS},
    "playground": {*LIBRARY, *APPLICATIONS},
    "cli": {*LIBRARY, *APPLICATIONS, "tour", "playground"},
}
# The same for the folders of `explain`, which has no files but `__init__.py`.
EXPLAIN = {
    "figures": set(),
    "texts": set(),
    "pages": {"figures"},
    "model": {"figures", "pages"},
    "geometry": {"figures", "texts"},
    "self_attention": {"figures", "texts", "pages"},
    "attribution": {"figures", "texts", "pages", "self_attention"},
}
TENSORFLOW = {"tensorflow", "tensorflow_hub", "tensorflow_datasets", "tensorflow_text"}
# These parts run on every backend. `ops` holds TensorFlow kernels, imported inside functions.
WITHOUT_TENSORFLOW = {
    "config",
    "layers",
    "models",
    "metrics",
    "training",
    "catalog",
    "constants",
    "errors",
    *FILE_LEAVES,
}

FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


def module_of(name: str) -> str:
    """`models/encoder.py` is `keras_bert.models.encoder`."""
    return ".".join(["keras_bert", *Path(name).with_suffix("").parts]).removesuffix(".__init__")


MODULES = {module_of(name): name for name in FILES}


def part_of(name: str) -> str:
    """`models/encoder.py` is in `models`."""
    return Path(name).parts[0].removesuffix(".py")


def imports(path: Path):
    """Yield `(module, at_top_level)` for every import of a file, also inside functions.

    `from keras_bert.models import encoder` yields `keras_bert.models.encoder` too. Imports under
    `if TYPE_CHECKING:` do not run and are left out.
    """

    def visit(nodes, top_level):
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from ((alias.name, top_level) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: imports must be absolute"
                yield node.module, top_level
                names = (f"{node.module}.{alias.name}" for alias in node.names)
                yield from ((name, top_level) for name in names if name in MODULES)
            elif isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
                yield from visit(node.orelse, top_level)
            else:
                function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from visit(ast.iter_child_nodes(node), top_level and not function)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")).body, True)


IMPORTS = {name: list(imports(path)) for name, path in FILES.items()}


def graph() -> dict[str, set[str]]:
    """Map each file to the files of the package that it imports.

    The root's `keras_bert/__init__.py` is left out: its public names are loaded lazily.
    """
    edges = {}
    for name, found in IMPORTS.items():
        if name != "__init__.py":
            targets = {MODULES[module] for module, _ in found if module in MODULES}
            edges[name] = targets - {name, "__init__.py"}
    return edges


def cycles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one node.

    Source: Tarjan 1972, "Depth-first search and linear graph algorithms".
    """
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in edges:
        if node not in index:
            visit(node)
    return found


def test_cycles_finds_a_cycle():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_no_cycles_between_files():
    assert cycles(graph()) == []


def test_table_has_no_cycles():
    assert cycles({part: targets - {part} for part, targets in MAY_IMPORT.items()}) == []


def test_every_part_is_in_the_table():
    assert {part_of(name) for name in FILES} - {"__init__", "__main__", "_lazy"} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", [name for name in FILES if part_of(name) in MAY_IMPORT])
def test_imports_in_one_direction(name):
    part = part_of(name)
    for module, _ in IMPORTS[name]:
        if module.startswith("keras_bert."):
            other = module.split(".")[1]
            if other != "_lazy" and f"keras_bert.{other}" in MODULES:
                assert other == part or other in MAY_IMPORT[part] | LEAVES, f"{part} must not import {module}"


def test_folders_of_explain_import_in_one_direction():
    files = [name for name in FILES if part_of(name) == "explain" and name != "explain/__init__.py"]
    assert {Path(name).parts[1] for name in files} == set(EXPLAIN)
    assert cycles(EXPLAIN) == []
    for name in files:
        folder = Path(name).parts[1]
        others = {module.split(".")[2] for module, _ in IMPORTS[name] if module.startswith("keras_bert.explain.")}
        assert others <= EXPLAIN[folder] | {folder}, name


def uses_tensorflow(name: str, top_level: bool) -> bool:
    """Return whether a file imports TensorFlow, at the top level or inside functions."""
    return any(module.split(".")[0] in TENSORFLOW and top == top_level for module, top in IMPORTS[name])


# Files of `ops` with TensorFlow kernels. They import TensorFlow at the top and are imported inside functions.
KERNELS = {name for name in FILES if part_of(name) == "ops" and uses_tensorflow(name, top_level=True)}


@pytest.mark.parametrize("name", FILES)
def test_tensorflow_is_imported_inside_functions(name):
    assert name in KERNELS or not uses_tensorflow(name, top_level=True)
    if part_of(name) in WITHOUT_TENSORFLOW:
        assert not uses_tensorflow(name, top_level=False)


@pytest.mark.parametrize("name", sorted(set(FILES) - KERNELS))
def test_kernels_are_imported_inside_functions(name):
    assert not {MODULES.get(module) for module, top_level in IMPORTS[name] if top_level} & KERNELS


@pytest.mark.parametrize("name", FILES)
def test_length(name):
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= 250


@pytest.mark.peers
def test_import_without_tensorflow():
    pytest.importorskip("jax", reason="make test-all installs JAX")
    program = (
        "import sys; sys.modules['tensorflow'] = None; import keras_bert as kb;"
        "config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16);"
        "print(kb.BertEncoder(config).count_params())"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
