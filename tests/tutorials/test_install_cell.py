"""The first cell of a notebook installs the package from the clone, and only where it is not installed."""

import importlib.util

import pytest

shell_module = pytest.importorskip("IPython.core.interactiveshell", reason="the tutorials extra installs IPython")
pytest.importorskip("jupytext", reason="the tutorials extra installs jupytext")

from tools.chapters import INSTALL, ROOT  # noqa: E402


@pytest.fixture
def run_cell(monkeypatch, tmp_path):
    """Return a function that runs the cell in a folder; `found` has what each look-up of the package finds."""

    def run(folder, found):
        monkeypatch.chdir(folder)
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
        find_spec = importlib.util.find_spec  # IPython looks up other modules
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name, *more: found.pop(0) if name == "keras_bert" else find_spec(name, *more),
        )
        installed = []
        shell = shell_module.InteractiveShell()
        shell.register_magic_function(installed.append, magic_name="pip")
        result = shell.run_cell(INSTALL)
        assert result.error_before_exec is None
        return installed, result.error_in_exec

    return run


def test_installed_package_is_used(run_cell, tmp_path):
    assert run_cell(tmp_path, ["a package"]) == ([], None)


@pytest.mark.parametrize("folder", ["tutorials/notebooks", "."])
def test_package_of_the_clone_is_installed(run_cell, folder):
    assert run_cell(ROOT / folder, [None, "a package"]) == ([f'install --quiet "{ROOT}[tutorials]"'], None)


def test_failed_installation_is_named(run_cell):
    installed, error = run_cell(ROOT / "tutorials" / "notebooks", [None, None])
    assert len(installed) == 1 and isinstance(error, ModuleNotFoundError) and "network" in str(error)


def test_notebook_outside_a_clone(run_cell, tmp_path):
    installed, error = run_cell(tmp_path, [None])
    assert not installed and isinstance(error, ModuleNotFoundError) and "in a clone" in str(error)
