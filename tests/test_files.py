"""Atomic writes and working folders, also where the file system behaves as on Windows."""

import os
import shutil
from pathlib import Path

import pytest

from keras_bert import InputError, file_system, files
from keras_bert.files import atomic_write
from keras_bert.working_folder import Interrupted, working_directory


@pytest.fixture(autouse=True)
def no_delay(monkeypatch):
    monkeypatch.setattr(file_system, "RENAME_DELAYS", (0, 0, 0))


def write(path: Path, kind: str, text: str) -> None:
    if kind == "folder":
        path.mkdir()
        path = path / "a.txt"
    path.write_text(text, encoding="utf-8")


def read(path: Path) -> str:
    return (path / "a.txt" if path.is_dir() else path).read_text(encoding="utf-8")


def windows_replace(monkeypatch, failures: int = 0):
    """Make `os.replace` raise the errors of Windows, and fail with a permission error the first times."""
    replace, calls = os.replace, []

    def on_windows(source, target):
        calls.append((Path(source).name, Path(target).name))
        if len(calls) <= failures or os.path.isdir(target) or (os.path.isdir(source) and os.path.exists(target)):
            raise PermissionError(13, "Access is denied", str(source))
        assert ":" not in Path(target).name
        replace(source, target)

    monkeypatch.setattr(os, "replace", on_windows)
    monkeypatch.setattr(files, "exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", None)  # on Windows, it does not overwrite files
    return calls


@pytest.mark.parametrize("new", ["file", "folder"])
@pytest.mark.parametrize("old", [None, "file", "folder"])
@pytest.mark.parametrize("failures", [0, 1])
def test_atomic_write_replaces_on_windows(tmp_path, monkeypatch, old, new, failures):
    target = tmp_path / "parent" / "out.keras"
    if old:
        target.parent.mkdir()
        write(target, old, "old")
    windows_replace(monkeypatch, failures)
    with atomic_write(target) as draft:
        assert not draft.exists() and draft.parent.parent == target.parent and draft.name == "out.keras"
        write(draft, new, "new")
    assert read(target) == "new" and target.is_dir() == (new == "folder")
    assert [path.name for path in target.parent.iterdir()] == ["out.keras"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_atomic_write_keeps_old_content_on_error(tmp_path, kind):
    target = tmp_path / "out"
    write(target, kind, "old")
    for error in (KeyboardInterrupt, OSError):
        with pytest.raises(error), atomic_write(target) as draft:
            write(draft, kind, "half")
            raise error
    assert read(target) == "old" and [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_atomic_write_restores_old_content_if_rename_fails(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(files, "exchange", lambda one, other: False)
    target = tmp_path / "out"
    write(target, kind, "old")
    replace = os.replace

    def locked(source, name):
        if Path(name) == target and Path(source).suffix != ".old":
            raise PermissionError(13, "Access is denied")
        replace(source, name)

    monkeypatch.setattr(os, "replace", locked)
    with pytest.raises(PermissionError), atomic_write(target) as draft:
        write(draft, kind, "new")
    assert read(target) == "old" and [path.name for path in tmp_path.iterdir()] == ["out"]


def test_atomic_write_gives_up_after_some_attempts(tmp_path, monkeypatch):
    calls = windows_replace(monkeypatch, failures=100)
    with pytest.raises(PermissionError), atomic_write(tmp_path / "out") as draft:
        draft.write_text("new", encoding="utf-8")
    assert len(calls) == 4 and list(tmp_path.iterdir()) == []


@pytest.fixture
def link(tmp_path):
    """Return a function that makes a symbolic link, where the system allows that."""

    def make(name: str, target: Path) -> Path:
        try:
            (tmp_path / name).symlink_to(target, target_is_directory=True)
        except OSError:
            pytest.skip("symbolic links need a permission on this system")
        return tmp_path / name

    return make


@pytest.mark.parametrize("old", [None, "file", "folder"])
@pytest.mark.parametrize("new", ["file", "folder"])
def test_atomic_write_follows_symbolic_links(tmp_path, link, old, new):
    """The link stays, and what it leads to is written, also if that does not exist yet."""
    real = tmp_path / "elsewhere" / "real"
    if old:
        real.parent.mkdir()
        write(real, old, "old")
    first = link("first", real)
    second = link("second", first)
    with atomic_write(second) as draft:
        write(draft, new, "new")
    assert read(real) == "new" and second.is_symlink() and first.is_symlink() and read(second) == "new"
    assert [path.name for path in real.parent.iterdir()] == ["real"]


def test_atomic_write_rejects_what_it_cannot_replace(tmp_path, link):
    loop = link("loop", tmp_path / "loop")
    with pytest.raises(InputError, match="^`out`.*loop"), atomic_write(loop):
        pass
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="^`path`.*pipe"), atomic_write(tmp_path / "pipe"):
            pass


def test_working_directory_is_deleted_at_the_end(tmp_path):
    with working_directory(tmp_path / "out", resume=False) as work:
        assert work == tmp_path / "out.work" and work.is_dir()
        (work / "training").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_working_directory_keeps_a_checkpoint(tmp_path):
    out = tmp_path / "out"
    for resume in (False, True):
        with pytest.raises(Interrupted, match="out.work.*--resume"), working_directory(out, resume) as work:
            (work / "training").mkdir(exist_ok=True)
            (work / "training" / "checkpoint.npz").write_bytes(b"x")
            raise KeyboardInterrupt
    with pytest.raises(OSError, match="No space left"), working_directory(out, resume=True):
        raise OSError(28, "No space left on device")
    with pytest.raises(InputError, match="^`--resume`.*Received: .*out.work"), working_directory(out, resume=False):
        pass
    assert (work / "training" / "checkpoint.npz").is_file()
    with working_directory(out, resume=True):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_working_directory_without_checkpoint_is_deleted(tmp_path, error):
    with pytest.raises(error), working_directory(tmp_path / "out", resume=False) as work:
        (work / "vocab.txt").write_text("x", encoding="utf-8")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_working_directory_rejects_other_content(tmp_path):
    write(tmp_path / "a.work", "folder", "novel")
    write(tmp_path / "b.work", "file", "novel")
    for name in ("a", "b"):
        with (
            pytest.raises(InputError, match=f"^`out`.*Received: .*{name}.work"),
            working_directory(tmp_path / name, resume=True),
        ):
            pass
        assert read(tmp_path / f"{name}.work") == "novel"


def test_working_directory_with_mapped_files(tmp_path, monkeypatch):
    """On Windows, a memory-mapped file cannot be deleted; the next run deletes it."""
    rmtree = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, ignore_errors: None)
    with working_directory(tmp_path / "out", resume=False) as work:
        (work / "training").mkdir()
        (work / "training" / "rows.npy").write_bytes(b"mapped")
    assert (work / "training" / "rows.npy").exists()
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with working_directory(tmp_path / "out", resume=False) as work:
        assert list(work.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
