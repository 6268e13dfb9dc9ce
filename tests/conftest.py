"""What every test may use: a quiet TensorFlow, and the optional real data."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest  # noqa: E402

collect_ignore = ["weights/formats/model_garden/make.py"]  # runs with Google's own code, in an environment of its own

ROOT = Path(__file__).resolve().parent.parent


def _real_data() -> Path | None:
    """The folder with `data/` and `reference/`: KERAS_BERT_DATA, or `shared` beside the checkout."""
    for place in (os.environ.get("KERAS_BERT_DATA"), ROOT.parent / "shared"):
        if place and (Path(place) / "data").is_dir():
            return Path(place)
    return None


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    folder = _real_data()
    if folder is None:
        pytest.skip("no real data: KERAS_BERT_DATA names no folder with data/ and reference/")
    return folder


@pytest.fixture(scope="session")
def shared_data(shared_dir) -> Path:
    return shared_dir / "data"


@pytest.fixture(scope="session")
def reference_encoder(shared_dir) -> Path:
    folder = shared_dir / "reference" / "tfhub" / "bert_en_uncased_L-2_H-128_A-2"
    if not folder.is_dir():
        pytest.skip("no reference SavedModel in the real data's reference/tfhub")
    return folder
