"""Packages of the extras: the package works without them, and what needs one names the extra in one line."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from keras_bert import extras
from keras_bert.errors import InputError
from tests.processes import LIMIT

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Every module of an extra is blocked, and what they would be needed for is tried.
BLOCKED = f"""
import sys
for name in {sorted({*extras.EXTRAS, "transformers", "torch", "pandas", "kagglehub", "huggingface_hub"})}:
    sys.modules[name] = None
import numpy as np, keras, keras_bert as kb
from keras_bert.extras import EXTRAS

def error(function, *arguments, **settings):
    try:
        function(*arguments, **settings)
    except kb.InputError as error:
        text = str(error)
        assert "\\n" not in text and "must be installed for" in text, text
        return text
    raise AssertionError(f"no error: {{function}}")

def named(extra, package, *call, **settings):
    text = error(*call, **settings)
    assert text.startswith(f"`{{package}}` must be installed for "), text
    assert text.endswith(f"Run: pip install 'keras-bert-from-scratch[{{extra}}]'"), text
"""
WORKS = """
texts, labels = ["a fine film", "a dull film"] * 4, np.array([1, 0] * 4)
for name in kb.__all__:
    getattr(kb, name)
predictor = kb.Predictor("sst2_sentiment")
assert predictor(texts[:2])[0]["label"] == "positive"
vocabulary = kb.learn_vocabulary(texts, 40)
vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=8)
encoder = kb.BertEncoder(kb.BertConfig(len(vocabulary), 8, 1, 2, 16))
model = kb.BertClassifier(encoder, 2)
kb.finetune(model, dict(vectorizer(texts)), labels, dict(vectorizer(texts)), labels, epochs=1, batch_size=4, verbose=0)
assert "accuracy" in kb.evaluate(model, dict(vectorizer(texts)), labels)
kb.export_saved_model(model, "served", vectorizer, ["bad", "good"])
kb.save_pretrained(model, "saved", vectorizer, ["bad", "good"])
kb.convert("saved", to="huggingface", out="huggingface")
assert kb.load_pretrained("huggingface").labels == ["bad", "good"]
"""
NAMES = """
from pathlib import Path
from keras_bert.cli.main import main
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.plots import attention_map, confusion_matrix, learning_curves, parity_per_layer
from keras_bert.explain.figures.style import new_axes
from keras_bert.inference.onnx_model import open_onnx
from keras_bert.metrics.baseline import tfidf_accuracy
from keras_bert.tour.run import run_tour
from keras_bert.training.embedding_init import cooccurrences

named("plots", "matplotlib", learning_curves, {"loss": [1.0]})
named("plots", "matplotlib", confusion_matrix, [0, 1], [0, 1], ["no", "yes"])
named("plots", "matplotlib", attention_map, [[1.0]], ["a"])
named("plots", "matplotlib", parity_per_layer, {"KerasHub": [1e-6]})
named("plots", "matplotlib", Figure(None, "").svg)
named("plots", "matplotlib", new_axes, 1, 1)
named("metrics", "scikit-learn", tfidf_accuracy, ["a"], [0], ["a"], [0])
ids = {name: np.ones((4, 5), "int32") for name in ("input_word_ids", "input_mask", "input_type_ids")}
encoder = kb.BertEncoder(kb.BertConfig(40, 8, 1, 2, 16))
named("metrics", "scipy", cooccurrences, None, 1, None)
named("metrics", "scipy", kb.explain.attention_flow, np.full((1, 1, 2, 2), 0.5))
named("plots", "matplotlib", kb.explain.connectivity)
named("metrics", "scipy", kb.pretrain, kb.BertPretrainer(encoder), None, None, steps=1, embedding_init="ppmi")
for trainer, arguments in ((kb.pretrain, (kb.BertPretrainer(encoder), None, None)),
                           (kb.finetune, (kb.BertClassifier(encoder, 2), *[ids, np.zeros(4, int)] * 2))):
    named("tensorboard", "tensorboardX", trainer, *arguments, log_dir="log")
named("onnx", "onnx", kb.export_onnx, encoder, "onnx")
Path("model.onnx").write_bytes(b"")
named("onnx", "onnxruntime", open_onnx, Path("."))
named("datasets", "datasets", kb.load_labeled, "hf://org/name")
named("hub", "huggingface-hub", kb.load_pretrained, "hf://org/bert")
named("hub", "huggingface-hub", kb.load_pretrained, "bert-base-uncased")
named("hub", "kagglehub", kb.load_pretrained, "kaggle://org/bert/keras/tiny")
named("tour", "jinja2", run_tour, "tour")
for package in ("matplotlib", "scipy", "scikit-learn"):  # each package of the tour
    module = {"scikit-learn": "sklearn"}.get(package, package)
    for each in ("jinja2", "matplotlib", "scipy", "sklearn"):
        sys.modules[each] = None if each == module else np  # `np` stands for any installed module
    named("tour", package, run_tour, "tour")
for each in EXTRAS:
    sys.modules[each] = None

def command(extra, *arguments):
    import contextlib, io
    with contextlib.redirect_stderr(io.StringIO()) as captured:
        status = main(list(arguments))
    line = captured.getvalue()
    assert status == 2 and line.count("\\n") == 1 and line.startswith("error: "), (status, line)
    assert line.endswith(f"Run: pip install 'keras-bert-from-scratch[{extra}]'\\n"), line

command("tour", "tour", "--out", "out")
pretrain = ("pretrain", "--data", "sample", "--steps", "1", "--out", "out")
command("metrics", *pretrain, "--embedding-init", "ppmi")
command("tensorboard", *pretrain, "--log-dir", "log")
command("tensorboard", "finetune", "--dataset", "sample", "--log-dir", "log", "--out", "out")
command("playground", "playground", "--port", "0")
command("onnx", "export", "--format", "onnx", "--model", "bert_en_uncased_mini", "--out", "out")
assert sorted(path.name for path in Path(".").iterdir()) == ["model.onnx"]
"""


def run(program: str, folder: Path) -> None:
    command = [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{BLOCKED}{program}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_works_without_extras(tmp_path):
    run(WORKS, tmp_path)


@pytest.mark.slow
def test_what_needs_an_extra_names_it(tmp_path):
    run(NAMES, tmp_path)


def names_of(requirements) -> set[str]:
    """Return the package names of requirements, without versions, and with the extras that refer to others resolved."""
    names = set()
    for requirement in requirements:
        name, _, rest = requirement.replace(" ", "").partition("[")
        if name == extras.DISTRIBUTION:
            for extra in rest.partition("]")[0].split(","):
                names |= names_of(PROJECT["optional-dependencies"][extra])
        else:
            names.add(name.split(">")[0].split("=")[0].split("<")[0])
    return names


@pytest.mark.parametrize("module, extra", extras.EXTRAS.items())
def test_extras_are_those_of_the_project(module, extra):
    """A module that `require` knows is in the extra that the error names, and not in the default installation."""
    package = extras.PACKAGES.get(module, module)
    assert package in names_of(PROJECT["optional-dependencies"][extra])
    assert package not in names_of(PROJECT["dependencies"])


def test_the_tour_installs_what_it_uses():
    from keras_bert.tour.run import PACKAGES

    assert {extras.PACKAGES.get(name, name) for name in PACKAGES} == names_of(PROJECT["optional-dependencies"]["tour"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rule = makefile.partition("\n$(VENV)/.installed:")[2].partition("\n\n")[0]
    assert "\ntour: $(VENV)/.installed\n" in makefile and '-e ".[tour]"' in rule


def test_a_broken_installation_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import what_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs"):
        extras.require("broken_package", "a test")
    with pytest.raises(InputError, match="`absent-package` must be installed for a test. Run: pip install absent-"):
        extras.require("absent_package", "a test")
