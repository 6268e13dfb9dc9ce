"""The guides in docs/guides: their Python blocks run in order, in an empty folder; their links exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDES = {path.stem: path for path in sorted((ROOT / "docs" / "guides").glob("*.md"))}
PACKAGES = {"hyperparameter-search": "keras_tuner"}  # packages that a guide needs and that are not installed always
OUTPUTS = {"hyperparameter-search": "Trial 3 Complete"}


def blocks(name):
    return re.findall(r"```python\n(.*?)```", GUIDES[name].read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in GUIDES if blocks(name)])
def test_python_blocks_run(name, tmp_path):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    result = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks(name))],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert OUTPUTS.get(name, "") in result.stdout


@pytest.mark.parametrize("name", GUIDES)
def test_links_exist(name):
    links = re.findall(r"\]\(([^)#]+?)(?:#[\w-]+)?\)", GUIDES[name].read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (GUIDES[name].parent / link).exists()]
