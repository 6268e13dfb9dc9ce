"""Packing in several processes: the same bytes for any number, nothing half-written after a kill, bounded memory."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from keras_bert import InputError
from keras_bert.data import load_packed, pack_files
from keras_bert.data.manifest import read_manifest
from keras_bert.data.worker_pool import map_in_processes
from tests.data.packing_corpus import SETTINGS, VOCABULARY, WORDS, content, stamps
from tests.processes import LIMIT, wait_until

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.mark.parametrize("workers", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_same_bytes_for_any_number_of_workers(files, packed, tmp_path, workers):
    seen = []
    manifest = pack_files(files, VOCABULARY, tmp_path / "out", workers=workers, on_file=seen.append, **SETTINGS)
    assert content(tmp_path / "out") == content(packed)
    assert manifest == read_manifest(packed) and seen == manifest["files"]
    assert [entry["file"] for entry in seen] == [file.name for file in files]
    assert not list(tmp_path.rglob("*.tmp"))


KILLED = """
import sys, time
from pathlib import Path
from keras_bert.data import pack_files
from keras_bert.text import shards

append = shards._ExamplesWriter.append

def stop(self, rows):
    append(self, rows)
    if "c.txt" in str(self.folder):
        print("ready", flush=True)
        time.sleep(60)

shards._ExamplesWriter.append = stop
init = shards._ExamplesWriter.__init__

def remember(self, folder, *others):
    self.folder = folder
    init(self, folder, *others)

shards._ExamplesWriter.__init__ = remember
files, vocabulary = sys.argv[2].split(","), sys.argv[3].split(",")
pack_files(files, vocabulary, sys.argv[1], sequence_length=16, held_out=0.1, shard_size=2**12)
"""


@POSIX
def test_killed_run_is_continued(files, packed, tmp_path):
    """Only what was not complete is computed, and the bytes are those of an undisturbed run."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(out), ",".join(map(str, files)), ",".join(VOCABULARY)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout.readline() == "ready\n"
        process.kill()
    assert not (out / "manifest.json").exists()
    complete = {path.name.partition("-")[0] for path in out.glob("*.txt-????????")}
    assert complete == {"a.txt", "b.txt"} and len(list(out.glob(".c.txt-*.tmp"))) == 1
    with pytest.raises(InputError, match="^`folder` must be a packed folder.*without manifest.json"):
        load_packed(out)
    before = stamps(out)
    with pytest.warns(UserWarning, match="left by a process that was killed.*c.txt"):
        pack_files(files, VOCABULARY, out, **SETTINGS)
    assert content(out) == content(packed)
    after = stamps(out)
    assert before and before.items() <= after.items() and len(after) == 2 * len(before)
    pack_files(files, VOCABULARY, out, **SETTINGS)
    assert stamps(out) == after and content(out) == content(packed)


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(files, tmp_path, number):
    """Also if the parent is killed. After SIGTERM and Ctrl-C, not even a draft is left."""
    program = (
        "import sys, signal\nfrom keras_bert.data import pack_files\n"
        "for each in (signal.SIGTERM, signal.SIGINT):  # a shell may start this with SIGINT ignored\n"
        "    signal.signal(each, signal.default_int_handler)\n"
        "pack_files(sys.argv[2], sys.argv[3].split(','), sys.argv[1], workers=2, shard_size=2**14)\n"
    )
    text = tmp_path / "texts"
    text.mkdir()
    lines = files[3].read_text(encoding="utf-8") + "\n\n"
    for name in "xyz":
        (text / f"{name}.txt").write_text(f"{name}\n\n" + lines * 3000, encoding="utf-8")  # seconds of work
    out = tmp_path / "out"
    command = [sys.executable, "-c", program, str(out), str(text / "*.txt"), ",".join(VOCABULARY)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    wait_until(
        lambda: len(list(out.glob(".*.tmp/*/rows*"))) + len(list(out.glob(".*.tmp/*/*/lengths.npy"))) >= 2, process
    )
    workers = children(process.pid)
    assert len(workers) >= 2
    process.send_signal(number)
    process.communicate(timeout=LIMIT)
    wait_until(lambda: not any(is_alive(worker) for worker in workers))
    assert not (out / "manifest.json").exists() and not list(out.glob("*.txt-????????"))
    if number != signal.SIGKILL:
        assert not out.exists() or not list(out.iterdir())


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True).stdout
    return [int(number) for number in found.split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@POSIX
@pytest.mark.slow
def test_killed_worker_gives_one_line(files, tmp_path):
    with pytest.raises(InputError, match="^`workers` must be few enough.*workers=2, and one of them was killed"):
        list(map_in_processes(end_process, [1, 2], 2))
    for workers in (0, True, "2"):
        with pytest.raises(InputError, match="^`workers`"):
            pack_files(files, VOCABULARY, tmp_path / "out", workers=workers)
    assert not list(tmp_path.iterdir())


def end_process(item: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_worker_needs_neither_keras_nor_tensorflow(files, tmp_path):
    program = (
        "import sys\nfrom keras_bert.data import load_packed, pack_files\n"
        "pack_files(sys.argv[2], sys.argv[3].split(','), sys.argv[1])\nload_packed(sys.argv[1])\n"
        "print({'keras', 'tensorflow', 'pyarrow', 'tokenizers'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "out"), str(files[0]), ",".join(VOCABULARY)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout == "set()\n", done.stderr


MEMORY = """
import sys
from pathlib import Path
from keras_bert.data import load_packed, pack_file, pack_files

def peak():  # getrusage would include the memory of the process that started this one
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024

vocabulary = sys.argv[3].split(",")
settings = {"shard_size": 2**18, "sentence_task": None, "held_out": 0.1}
before = peak()
pack_file(sys.argv[1], vocabulary, sys.argv[2], **settings)
pack_files(sys.argv[1], vocabulary, sys.argv[2], **settings)
load_packed(sys.argv[2])
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_memory_does_not_depend_on_the_size_of_the_file(tmp_path):
    """A file of 32 MiB without a blank line needs as much memory as one of 2 MiB, in parts of 0.25 MiB."""
    line, peaks = " ".join(WORDS[:20]) + " .\n", {}
    for size in (2, 32):
        text, out = tmp_path / f"{size}.txt", tmp_path / f"out{size}"
        text.write_text(line * (size * 2**20 // len(line)), encoding="utf-8")
        command = [sys.executable, "-c", MEMORY, str(text), str(out), ",".join(VOCABULARY)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        peaks[size] = float(done.stdout)
        written = sum(path.stat().st_size for path in out.rglob("*.npy")) / 2**20
    assert written > 20 and 1 < peaks[2] and peaks[32] < peaks[2] + 4, (peaks, written)  # MiB
    print(peaks, written)
