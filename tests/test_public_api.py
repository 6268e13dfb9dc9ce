"""The public names of `import keras_bert`, and their docstrings."""

import inspect

import pytest

import keras_bert as kb

# Adding a name here is a decision: it must be documented and kept.
NAMES = {
    *("BertConfig", "BertTextVectorization", "InputError", "PRESETS"),
    *("BertEncoder", "BertPretrainer", "BertClassifier", "BertSpanLabeler", "BertTokenClassifier"),
    *("BertFeatureClassifier", "load_pretrained", "list_pretrained", "save_pretrained", "load_weights"),
    *("compare", "convert", "pretrain", "finetune", "distill", "fit_features", "TrainingConfig"),
    *("evaluate", "embed", "fill_mask", "Predictor", "FromLogits", "format_metrics", "load_labeled", "load_corpus"),
    *("pack_files", "load_packed"),
    *("export_saved_model", "export_onnx", "export_litert", "explain", "layers"),
    *("learn_vocabulary", "load_vocabulary", "save_vocabulary"),
}
NAMESPACES = {"explain", "layers"}
VALUES = {"PRESETS"}


def test_names():
    assert set(kb.__all__) == NAMES
    assert list(kb.__all__) == sorted(kb.__all__)


@pytest.mark.parametrize("name", sorted(NAMESPACES))
def test_namespace(name):
    module = getattr(kb, name)
    assert inspect.ismodule(module) and module.__doc__
    for public in module.__all__:
        assert inspect.getdoc(getattr(module, public)), f"{name}.{public} has no docstring"


@pytest.mark.parametrize("name", sorted(NAMES - NAMESPACES - VALUES))
def test_docstring(name):
    """Summary line, arguments, a runnable example and the source."""
    member = getattr(kb, name)
    text = inspect.getdoc(member) or ""
    assert text.splitlines()[0].endswith("."), f"{name}: the first line must be a sentence"
    assert ">>>" in text, f"{name}: an example for doctest is missing"
    if name == "InputError":
        return
    assert "Args:" in text or not inspect.signature(member).parameters, f"{name}: Args is missing"
    assert "Source:" in text, f"{name}: Source is missing"
    parameters = inspect.signature(member.__init__ if inspect.isclass(member) else member).parameters
    for parameter in set(parameters) - {"self", "args", "kwargs"}:
        assert parameter in text, f"{name}: the argument {parameter} is not documented"
