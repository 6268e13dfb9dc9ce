"""The guides in docs/guides: their Python blocks run in order, in an empty folder; their links exist."""

import re
from pathlib import Path

import pytest

from benchmarks import ray_serve

ROOT = Path(__file__).resolve().parents[1]
GUIDES = {path.stem: path for path in sorted((ROOT / "docs" / "guides").glob("*.md"))}
# Packages that a guide needs and that are not installed always.
PACKAGES = {"hyperparameter-search": "keras_tuner", "packing-with-datatrove": "datatrove", "ray-serve": "ray"}
OUTPUTS = {
    "hyperparameter-search": "Trial 3 Complete",
    "packing-with-datatrove": "{'train': ",
    "ray-serve": "two hours lost -> negative",
}
ENVIRONMENTS = {"ray-serve": ray_serve.ENVIRONMENT}
FEWER = {"hyperparameter-search": ("train[:1000]", "train[:100]")}  # rows to train on


def blocks(name):
    return re.findall(r"```python\n(.*?)```", GUIDES[name].read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in GUIDES if blocks(name)])
def test_python_blocks_run(name, tmp_path, monkeypatch, capfd):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    monkeypatch.chdir(tmp_path)
    for variable, value in ENVIRONMENTS.get(name, {}).items():
        monkeypatch.setenv(variable, value)
    program = "\n".join(blocks(name))
    if name in FEWER:
        assert FEWER[name][0] in program
        program = program.replace(*FEWER[name])
    exec(compile(program, GUIDES[name], "exec"), {"__name__": "__main__"})
    assert OUTPUTS.get(name, "") in capfd.readouterr().out


@pytest.mark.parametrize("name", GUIDES)
def test_links_exist(name):
    links = re.findall(r"\]\(([^)#]+?)(?:#[\w-]+)?\)", GUIDES[name].read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (GUIDES[name].parent / link).exists()]


def test_triton_configuration_has_the_tensors_of_the_onnx_file(tmp_path):
    """The names, types and shapes without the batch of `config.pbtxt` in the guide to serving engines."""
    onnx = pytest.importorskip("onnx", reason="the extra `onnx` installs it")
    import keras_bert as kb
    from tests.helpers import tiny_config

    kb.export_onnx(kb.BertClassifier(kb.BertEncoder(tiny_config()), 2), tmp_path / "model")
    graph = onnx.load(tmp_path / "model" / "model.onnx").graph
    kinds = {onnx.TensorProto.INT32: "TYPE_INT32", onnx.TensorProto.FLOAT: "TYPE_FP32"}

    def described(tensors) -> list[tuple[str, str, list[int]]]:
        types = [(each.name, each.type.tensor_type) for each in tensors]
        return [
            (name, kinds[kind.elem_type], [axis.dim_value or -1 for axis in kind.shape.dim][1:]) for name, kind in types
        ]

    configuration = re.search(r'write_text\("""(.*?)"""', GUIDES["serving"].read_text(encoding="utf-8"), re.DOTALL)[1]
    assert re.search(r"max_batch_size: [1-9]", configuration)
    for part, tensors in (("input", graph.input), ("output", graph.output)):
        text = re.search(rf"^{part} \[\n(.*?)^\]", configuration, re.DOTALL | re.MULTILINE)[1]
        found = re.findall(r'name: "(\w+)" data_type: (\w+) dims: \[ (-?\d+) \]', text)
        assert [(name, kind, [int(size)]) for name, kind, size in found] == described(tensors)
