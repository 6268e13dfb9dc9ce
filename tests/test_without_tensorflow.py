"""An environment without TensorFlow, with the packages that docs/architecture.md names and nothing else.

The environment links the packages from that of the tests, so that the test needs no network.
"""

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.processes import LIMIT

pytestmark = [pytest.mark.slow, pytest.mark.peers]

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = """
import importlib.util, sys
assert importlib.util.find_spec("tensorflow") is None and importlib.util.find_spec("keras_hub") is None
import numpy as np, keras, keras_bert as kb
assert keras.backend.backend() == sys.argv[1]
from keras_bert.text.masking import Masking
from keras_bert.text.packing import pack_examples

for name in kb.__all__:
    getattr(kb, name)
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijkl"]
config = kb.BertConfig(len(vocabulary), 8, 1, 2, 16, max_position_embeddings=16)
rng = np.random.default_rng(0)
documents = [[rng.integers(5, 17, 5).tolist() for _ in range(4)] for _ in range(8)]
examples = pack_examples(documents, 16, cls_id=2, sep_id=3)
pretrainer = kb.BertPretrainer(kb.BertEncoder(config))
masking = Masking.from_vocabulary(vocabulary)
history = kb.pretrain(pretrainer, examples, masking, steps=2, batch_size=4, verbose=0).history
assert np.isfinite(history["loss"]).all(), history

ids = {name: np.ones((16, 8), "int32") for name in ("input_word_ids", "input_mask", "input_type_ids")}
ids["input_word_ids"] = rng.integers(5, 17, (16, 8))
for model in (kb.BertSpanLabeler(kb.BertEncoder(config)), kb.BertTokenClassifier(kb.BertEncoder(config), 2)):
    model(ids)
labels = rng.integers(0, 2, 16)
model = kb.BertClassifier(kb.BertEncoder(config), 2)
kb.finetune(model, ids, labels, ids, labels, epochs=1, batch_size=8, verbose=0)
model.save("model.keras")
loaded = keras.saving.load_model("model.keras")
np.testing.assert_allclose(*[keras.ops.convert_to_numpy(each(ids)) for each in (model, loaded)], atol=1e-5)
assert 0 <= kb.evaluate(loaded, ids, labels)["accuracy"] <= 1
assert len(kb.load_labeled("sample").train_texts) > 100

from keras_bert.weights.formats.google_research import save_google_research
from keras_bert.weights.formats.huggingface import save_huggingface
save_huggingface(model, "huggingface")
kb.save_vocabulary(vocabulary, "huggingface/vocab.txt")
copy = kb.load_pretrained("huggingface").model
np.testing.assert_allclose(*[keras.ops.convert_to_numpy(each(ids)) for each in (model, copy)], atol=1e-5)

def fails(function, *arguments, package="tensorflow", **settings):
    try:
        function(*arguments, **settings)
    except kb.InputError as error:
        assert str(error).startswith(f"`{package}` must be ") and "\\n" not in str(error), error
        return
    raise AssertionError(f"no error: {function}")

fails(kb.BertTextVectorization, vocabulary)
fails(kb.learn_vocabulary, ["a b"], 40)
fails(kb.Predictor, "sst2_sentiment")
fails(kb.load_pretrained, "bert_en_uncased_mini")
fails(kb.load_corpus, "tfds:wiki40b/en")
fails(kb.load_labeled, "sst2")
fails(save_google_research, model, "google")
fails(kb.export_saved_model, model, "served", package="KERAS_BACKEND")
handle = "https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4"
fails(kb.load_pretrained, handle, package="tensorflow-hub")

from keras_bert.cli.main import main
import contextlib, io
from keras_bert.text.offsets import OffsetTokenizer
assert OffsetTokenizer(vocabulary)("a b C") == ([5, 6, 7], [(0, 1), (2, 3), (4, 5)])
with contextlib.redirect_stdout(io.StringIO()) as captured:
    assert main(["tokenize", "a [MASK]"]) == 0
    assert main(["pack", "--data", "sample", "--out", "packed"]) == 0
assert "[MASK]" in captured.getvalue()
pretrain = ["pretrain", "--data", "sample", "--steps", "1", "--out", "out"]
for arguments in (*([name, "a [MASK]"] for name in ("predict", "fill-mask", "embed")), pretrain):
    with contextlib.redirect_stderr(io.StringIO()) as captured:
        assert main(arguments) == 2
    line = captured.getvalue()
    assert line.startswith("error: `tensorflow` must be installed for ") and line.count("\\n") == 1, line
"""


def documented_packages() -> list[str]:
    """Return the requirements of the second `pip install` in docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^pip install (.*)$", text, re.MULTILINE)
    assert first == "--no-deps keras-bert-from-scratch"
    return shlex.split(second)


def closure(requirements: list[str]) -> set[str]:
    """Return the installed packages that requirements need, with their own requirements."""
    found, pending = set(), [Requirement(each) for each in requirements]
    while pending:
        requirement = pending.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            found.add(name)
            pending += [Requirement(each) for each in importlib.metadata.requires(name) or []]
    return found


def link_packages(names: set[str], site: Path) -> None:
    """Link the top-level files and folders of packages in `site`."""
    for name in names:
        distribution = importlib.metadata.distribution(name)
        for first in {file.parts[0] for file in distribution.files if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / first).exists():
                (site / first).symlink_to(distribution.locate_file(first))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_environment_without_tensorflow(backend, tmp_path):
    pytest.importorskip(backend, reason="make test-all installs JAX and PyTorch")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    packages = closure([backend if each == "jax" else each for each in documented_packages()])
    assert not packages & {"tensorflow", "keras-hub", "tensorflow-text"}
    link_packages(packages, site)
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    command = [str(tmp_path / "venv" / "bin" / "python"), "-c", PROGRAM, backend]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr[-3000:]


def test_documented_packages_are_dependencies():
    """The documented list is the default installation, with the same bounds of Keras, less TensorFlow's packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies = {Requirement(each).name: Requirement(each) for each in project["dependencies"]}
    with_tensorflow = {"tensorflow", "keras-nlp", "tensorflow-hub", "tensorflow-datasets"}
    for_them = {"setuptools", "importlib_resources"}
    documented = {Requirement(each).name: Requirement(each) for each in documented_packages()}
    assert set(documented) - {"jax"} == set(dependencies) - with_tensorflow - for_them
    assert documented["keras"].specifier == dependencies["keras"].specifier
