"""What a killed process leaves is removed and named, the old content is never missing, and two runs do not collide."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from keras_bert import InputError, file_locks, file_system, files
from keras_bert.file_locks import lock
from keras_bert.file_system import exchange, sync
from keras_bert.files import atomic_write, remove_unfinished
from keras_bert.working_folder import reserve, working_directory

ROOT = Path(__file__).parents[1]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and locks of POSIX")

# Write a folder, and stop where the test kills the process: "inside" the write, or "between" the renames.
SCRIPT = """
import sys, time
from pathlib import Path
from keras_bert import file_system, files
from keras_bert.working_folder import reserve

target, where = Path(sys.argv[1]), sys.argv[2]

def stop():
    print("ready", flush=True)
    time.sleep(60)

if where == "between":
    rename = files.rename
    files.exchange = lambda one, other: False
    files.rename = lambda source, path: rename(source, path) if source == target else stop()
with reserve(target), files.atomic_write(target) as draft:
    draft.mkdir()
    (draft / "a.txt").write_text("new")
    if where == "inside":
        stop()
"""


def start(target: Path, where: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, str(target), where]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_folder(path: Path, text: str) -> None:
    path.mkdir()
    (path / "a.txt").write_text(text, encoding="utf-8")


@POSIX
def test_next_run_removes_and_names_what_a_killed_run_left(tmp_path):
    target = tmp_path / "out"
    write_folder(target, "old")
    process = start(target, "inside")
    assert remove_unfinished(target) == []  # the process is alive
    with pytest.raises(InputError, match=f"^`out`.*in use by process {process.pid} on .*since 20") as error:
        with reserve(target):
            pass
    assert str(target) in str(error.value) and "\n" not in str(error.value)
    kill(process)
    left = [name for name in names(tmp_path) if name != "out"]
    assert len(left) == 2  # the draft and the lock
    with reserve(target) as notes:
        assert sorted(notes) == sorted(f"{tmp_path / name} was removed" for name in left)
    assert names(tmp_path) == ["out"] and (target / "a.txt").read_text() == "old"


@POSIX
def test_next_write_removes_and_names_an_old_draft(tmp_path):
    target = tmp_path / "out"
    kill(start(target, "inside"))
    draft = next(path for path in tmp_path.iterdir() if path.name.endswith(".tmp"))
    with pytest.warns(UserWarning, match=draft.name), atomic_write(target) as new:
        new.write_text("new", encoding="utf-8")
    assert not draft.exists() and target.read_text(encoding="utf-8") == "new"


@POSIX
def test_next_run_restores_a_folder_that_was_being_replaced(tmp_path):
    """Without an atomic exchange, a kill between the two renames leaves no folder; the next run puts it in place."""
    target = tmp_path / "out"
    write_folder(target, "old")
    kill(start(target, "between"))
    assert not target.exists()
    with reserve(target) as notes:
        assert any(note.startswith(f"{target}, which is complete") for note in notes)
    assert names(tmp_path) == ["out"] and (target / "a.txt").read_text() == "new"


def test_drafts_in_the_working_folder_are_removed(tmp_path):
    draft = tmp_path / "out.work" / "training" / ".checkpoint.npz.0123abcd.tmp"
    draft.mkdir(parents=True)
    (draft / "checkpoint.npz").write_bytes(b"half")
    with pytest.warns(UserWarning, match="0123abcd"), working_directory(tmp_path / "out", resume=True) as work:
        assert names(work / "training") == []
    assert names(tmp_path) == []


def test_folders_of_others_are_kept(tmp_path):
    for name, file in ((".out.0123abcd.tmp", "thesis.txt"), (".other.0123abcd.tmp", "other"), (".out.tmp", "out")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("x", encoding="utf-8")
    assert remove_unfinished(tmp_path / "out") == []
    assert len(names(tmp_path)) == 3 and len(list(tmp_path.rglob("*.*/*"))) == 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="renameat2 is a call of Linux")
def test_a_folder_that_is_replaced_is_never_missing(tmp_path):
    """A reader that opens the folder again and again finds the old or the new content, always complete."""
    target, found, stop = tmp_path / "out", set(), threading.Event()
    write_folder(target, "0")

    def read():
        while not stop.is_set():
            found.add((target / "a.txt").read_text(encoding="utf-8") if target.exists() else "missing")

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 60):
        with atomic_write(target) as draft:
            write_folder(draft, str(number))
    stop.set()
    reader.join()
    assert found <= set(map(str, range(60))) and names(tmp_path) == ["out"]


def test_exchange(tmp_path):
    write_folder(tmp_path / "folder", "old")
    (tmp_path / "file").write_text("new", encoding="utf-8")
    if not exchange(tmp_path / "folder", tmp_path / "file"):
        pytest.skip("this system cannot exchange paths")
    assert (tmp_path / "folder").is_file() and (tmp_path / "file" / "a.txt").is_file()
    with pytest.raises(OSError, match="No such file"):
        exchange(tmp_path / "folder", tmp_path / "missing")


def test_content_is_on_the_disk_before_it_is_moved(tmp_path, monkeypatch):
    """Files and folders are flushed before the rename, and the name after it."""
    steps, fsync, rename = [], os.fsync, file_system.rename

    def record(descriptor):
        steps.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    def move(source, target):
        steps.append("rename")
        rename(source, target)

    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc")
    monkeypatch.setattr(os, "fsync", record)
    monkeypatch.setattr(files, "rename", move)
    with atomic_write(tmp_path / "out") as draft:
        write_folder(draft, "new")
        (draft / "inner").mkdir()
        (draft / "inner" / "b.txt").write_text("new", encoding="utf-8")
    before, after = steps[: steps.index("rename")], steps[steps.index("rename") + 1 :]
    assert {"a.txt", "b.txt", "inner", "out"} <= set(before) and after == [tmp_path.name]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_disk_that_is_full_at_the_last_write(tmp_path, monkeypatch, kind):
    """Some systems report a full disk only when the content is flushed. The old content stays."""
    target = tmp_path / "out"
    write_folder(target, "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"), atomic_write(target) as draft:
        write_folder(draft, "new") if kind == "folder" else draft.write_text("new", encoding="utf-8")
    assert names(tmp_path) == ["out"] and (target / "a.txt").read_text() == "old"


@pytest.mark.parametrize(
    "error", [OSError("Can't write data (file write failed: errno = 28, error message)"), RuntimeError]
)
def test_disk_that_is_full_in_another_library(tmp_path, error):
    """h5py and others raise errors of their own."""
    error = RuntimeError(f"I/O error: {os.strerror(28)} (os error 28)") if error is RuntimeError else error
    with pytest.raises(OSError) as raised, atomic_write(tmp_path / "out"):
        raise error
    assert raised.value.errno == 28 and raised.value.filename == str(tmp_path / "out")


def test_a_file_system_without_fsync(tmp_path, monkeypatch):
    def unsupported(descriptor):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", unsupported)
    sync(tmp_path)


def test_lock_is_held_by_one_thread(tmp_path):
    target, errors = tmp_path / "new" / "out", []

    def other():
        try:
            with lock(target):
                pass
        except InputError as error:
            errors.append(str(error))

    with lock(target), lock(target):  # the same thread may
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert len(errors) == 1 and f"process {os.getpid()}" in errors[0]
        assert names(target.parent) == [".out.lock"]
    assert names(tmp_path) == []  # nothing was written, so the new parent folder is deleted


def test_lock_of_a_link_is_that_of_its_target(tmp_path):
    link = tmp_path / "link"
    try:
        link.symlink_to(tmp_path / "real")
    except OSError:
        pytest.skip("symbolic links need a permission on this system")
    with lock(link):
        assert names(tmp_path) == [".real.lock", "link"]


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    """Runs work there, but nothing proves that an old draft is not in use: it is kept."""
    draft = tmp_path / ".out.0123abcd.tmp"
    draft.mkdir()

    def unsupported(file):
        raise file_locks.NoLocks(37, "No locks available")

    monkeypatch.setattr(file_locks, "_try_lock", unsupported)
    with reserve(tmp_path / "out") as notes, atomic_write(tmp_path / "out") as new:
        new.write_text("new", encoding="utf-8")
    assert notes == [] and draft.exists() and (tmp_path / "out").read_text(encoding="utf-8") == "new"


def test_interrupted_removal_of_a_working_folder(tmp_path, monkeypatch):
    """A run that is killed while it deletes its working folder is complete: the next one needs no --resume."""
    rmtree = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, ignore_errors: time.sleep(0))
    with working_directory(tmp_path / "out", resume=False) as work:
        (work / "training").mkdir()
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    assert work.exists()
    with working_directory(tmp_path / "out", resume=False) as work:
        assert names(work) == []
