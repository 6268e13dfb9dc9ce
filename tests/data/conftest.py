"""Fixtures of the tests of packing: text files, and the folder of one process that packed them."""

from pathlib import Path

import pytest

from keras_bert.data import pack_files
from tests.data.packing_corpus import COUNTS, SETTINGS, VOCABULARY, write_text


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("texts")
    return [write_text(folder / f"{name}.txt", count, ord(name)) for name, count in zip("abcd", COUNTS, strict=True)]


@pytest.fixture(scope="session")
def packed(files, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "out"
    pack_files(files, VOCABULARY, out, **SETTINGS)
    return out
