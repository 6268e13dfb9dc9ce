"""The built wheel: installed in an empty folder, it predicts with the models that it contains."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import LIMIT

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("keras_bert", "saved_models", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")
# Build the source archive with little compression, which takes most of the time otherwise.
BUILD = """
import sys, zlib
from setuptools import build_meta
compressobj = zlib.compressobj
zlib.compressobj = lambda level, *settings, **named: compressobj(1, *settings, **named)
build_meta.build_sdist(sys.argv[1])
"""
PREDICT = """
import pathlib, sys
import keras_bert
from keras_bert.catalog.bundled import SAVED_MODELS
from keras_bert.cli.main import main
site = pathlib.Path(sys.argv.pop(1))
assert site in pathlib.Path(keras_bert.__file__).parents and site in SAVED_MODELS.parents
sys.exit(main(sys.argv[1:]))
"""


def run(*command, **settings) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=LIMIT, **settings)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder in which the wheel is installed; the wheel is built from the source archive."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, source / name)
    run(sys.executable, "-c", BUILD, folder / "sdist", cwd=source)
    (archive,) = (folder / "sdist").iterdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir"]
    offline = ["--no-index", "--no-deps"]
    stored = ["--no-build-isolation", "--config-settings=--build-option=--compression=stored"]
    run(*pip, "wheel", *offline, *stored, "--wheel-dir", folder / "wheel", archive, cwd=folder)
    (wheel,) = (folder / "wheel").iterdir()
    run(*pip, "install", *offline, "--no-compile", "--target", folder / "site", wheel, cwd=folder)
    shutil.rmtree(source)
    return folder / "site"


def files(folder: Path) -> set[str]:
    """Return the paths of all files below a folder, without compiled ones."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix() for path in found}


@pytest.mark.slow
def test_files(site):
    bundled = ("bert_en_uncased_mini", "bert_en_uncased_small", "sst2_sentiment")
    expected = files(ROOT / "keras_bert")
    for name in bundled:
        expected |= {f"saved_models/{name}/{file}" for file in files(ROOT / "saved_models" / name)}
    assert files(site / "keras_bert") == expected
    assert sorted(path.name for path in site.iterdir() if path.suffix != ".dist-info") == ["bin", "keras_bert"]


@pytest.mark.slow
def test_predicts_outside_the_repository(site, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(site), "CUDA_VISIBLE_DEVICES": "-1"}
    arguments = ["predict", "a fine film", "two hours of nothing", "--json"]
    out = run(sys.executable, "-c", PREDICT, site, *arguments, cwd=tmp_path, env=environment)
    predictions = json.loads(out.splitlines()[-1])["predictions"]
    assert [row["label"] for row in predictions] == ["positive", "negative"]
