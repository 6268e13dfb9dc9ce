"""The guides in docs/guides: their Python blocks run in order, in an empty folder; their links exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import ray_serve
from tests.processes import LIMIT

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
PROGRAMS = {"several-devices"}  # Python blocks are files, which the commands run
FEWER = {"hyperparameter-search": ("train[:1000]", "train[:100]")}  # rows to train on


def blocks(name, language="python"):
    return re.findall(rf"```{language}\n(.*?)```", GUIDES[name].read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in GUIDES if blocks(name) and name not in PROGRAMS])
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


@pytest.mark.slow
@pytest.mark.peers
def test_programs_on_several_devices(tmp_path):
    """Four devices, two processes and divided weights give one loss; the command line runs on two devices."""
    pytest.importorskip("jax", reason="make test-all installs it")
    programs = {re.match(r"# (\S+)", block)[1]: block for block in blocks("several-devices")}
    line = re.search(r"^keras\.distribution\.set_distribution\(.*\n", programs["train.py"], re.MULTILINE)[0]
    programs["divided.py"] = programs["train.py"].replace(line, programs["divided.py"])
    for name, program in programs.items():
        (tmp_path / name).write_text(program, encoding="utf-8")
    divided = "XLA_FLAGS=--xla_force_host_platform_device_count=4 python divided.py; rm -r checkpoints"
    pack, devices, *others = blocks("several-devices", "bash")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", "\n".join([pack, divided, devices, *others])],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    losses = [float(loss) for loss in re.findall(r"^loss (\S+)", done.stdout, re.MULTILINE)]
    assert len(losses) == 3 and max(losses) - min(losses) < 1e-4
    assert (tmp_path / "bert").is_dir() and (tmp_path / "classifier").is_dir()


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
