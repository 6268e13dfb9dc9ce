"""The continuous integration workflow, the pre-commit hooks and the Makefile targets that they call."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import LIMIT

yaml = pytest.importorskip("yaml", reason="the dev extra installs pyyaml")
ROOT = Path(__file__).resolve().parent.parent


def test_workflow_runs_make_test_on_two_systems():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"] == {
        "os": ["ubuntu-latest", "macos-latest"],
        "python": ["3.11", "3.12", "3.13"],
    }
    assert any(step.get("run", "").startswith("make test") for step in job["steps"])


def test_workflow_of_the_site_publishes_what_make_site_builds():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    steps = workflow["jobs"]["build"]["steps"]
    assert any(step.get("run", "").startswith("make site") for step in steps)
    assert steps[-1]["with"] == {"path": "build/site/html"}
    deploy = workflow["jobs"]["deploy"]
    assert deploy["needs"] == "build" and deploy["permissions"] == {"pages": "write", "id-token": "write"}


@pytest.mark.parametrize("name, count", [("ci", 2), ("site", 4)])
def test_actions_are_pinned_by_commit(name, count):
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    uses = re.findall(r"uses: *(.*)", text)
    assert len(uses) == count
    for line in uses:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_hooks_download_nothing():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert [hook["entry"].split()[:2] for hook in hooks] == [["ruff", "check"], ["ruff", "format"]]
    assert {hook["language"] for hook in hooks} == {"system"}


def test_ci_runs_everything():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make test-all" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for target in ("tour", "test", "test-fast", "test-all", "notebooks", "site", "wheel"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        (time.time() + 10 * LIMIT, 0, "3 passed"),
        (1, 0, "3 skipped"),
        ("soon", 4, "`TESTS_END` must be seconds since 1970. Received: TESTS_END=soon"),
    ],
    ids=["later", "over", "invalid"],
)
def test_time_limit(end, status, message):
    """Tests and doctests that have not begun at TESTS_END are skipped; an invalid value is one line."""
    files = ["tests/test_workflow.py::test_workflow_runs_make_test_on_two_systems", "keras_bert/errors.py"]
    program = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--doctest-modules", *files]
    environment = {**os.environ, "TESTS_END": str(end)}
    ran = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert ran.returncode == status and message in ran.stdout + ran.stderr, ran.stdout + ran.stderr
