"""What `import keras_bert` promises: the names, and a docstring that tells each one whole."""

import inspect

import pytest

import keras_bert as kb

DESIGNED = {
    "BertClassifier",
    "BertConfig",
    "BertEncoder",
    "BertPretrainer",
    "BertTextVectorization",
    "compare",
    "export_saved_model",
    "finetune",
    "load_weights",
    "pretrain",
}
CALLABLES = sorted(name for name in kb.__all__ if callable(getattr(kb, name)))


def test_names():
    assert DESIGNED <= set(kb.__all__)
    assert list(kb.__all__) == sorted(kb.__all__)
    for name in kb.__all__:
        getattr(kb, name)


@pytest.mark.parametrize("name", CALLABLES)
def test_docstring_is_whole(name):
    thing = getattr(kb, name)
    text = inspect.getdoc(thing) or ""
    assert ">>>" in text, f"{name}: no example that doctest can run"
    if name != "InputError":
        assert "Args:" in text or not inspect.signature(thing).parameters, f"{name}: arguments with shapes and dtypes"
        assert "Source:" in text, f"{name}: the paper's section or the page it follows"
    parameters = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters
    for parameter in parameters.values():
        if parameter.name not in ("self", "args", "kwargs") and name != "InputError":
            assert parameter.name in text, f"{name}: {parameter.name} is not explained"
