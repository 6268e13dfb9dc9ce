"""Commands that are disturbed: signals, closed streams, files that disappear, another run with the same --out."""

import os
import signal
import subprocess
import sys
import threading

import pytest

import keras_bert.cli.main
import keras_bert.inference
from keras_bert import files
from keras_bert.cli.main import main
from keras_bert.file_locks import lock
from keras_bert.system import BestEffortStream
from tests.cli.command_line import assert_error, environment, results_of

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells of POSIX")
PRETRAIN = ("--vocab-size", 60, "--layers", 1, "--hidden", 8, "--heads", 1, "--sequence-length", 16, "--steps", 1)


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None)])
def test_signals_end_a_command_with_one_line(call, monkeypatch, number):
    monkeypatch.setattr(keras_bert.cli.main.cli, "main", lambda **_: signal.raise_signal(number))
    result = call("tour")
    assert result.status == 130 and result.err == "interrupted: nothing was written\n"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@POSIX
def test_ignored_hangup_stays_ignored(monkeypatch):
    """`nohup keras-bert …` continues when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    monkeypatch.setattr(keras_bert.cli.main.cli, "main", lambda **_: signal.raise_signal(signal.SIGHUP))
    try:
        assert main(["tour"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def run_in_shell(models, redirection: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "keras_bert", "tokenize", "--vocab", str(models.vocab), "a film"]
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *command], env=environment(), capture_output=True, text=True
    )


@POSIX
@pytest.mark.parametrize("redirection", ["2>&-", "<&-", "<&- 2>&-"])
def test_closed_streams(models, redirection):
    expected, result = run_in_shell(models, ""), run_in_shell(models, redirection)
    assert result.returncode == 0 and result.stdout == expected.stdout != "" and result.stderr == ""


@POSIX
def test_closed_standard_error_of_a_failed_command(models):
    """The error line must not end up on standard output or in a file that the command has open."""
    result = run_in_shell(models, "--no-such-option 2>&-")
    assert result.returncode == 2 and result.stdout == ""


@POSIX
def test_error_stream_without_a_reader():
    """A closed reader of the progress does not end the process, nor change its exit status."""
    program = (
        "import sys; from keras_bert.system import error_stream\n"
        "stream = error_stream(); [stream.write('line\\n') for _ in range(9)]; stream.flush(); print('done')"
    )
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment(), stdout=subprocess.PIPE, stderr=writer, text=True
    )
    os.close(writer)
    assert result.returncode == 0 and result.stdout == "done\n"


def test_error_stream_that_is_closed(tmp_path):
    file = (tmp_path / "log").open("w", encoding="utf-8")
    stream = BestEffortStream(file)
    stream.write("one")
    file.close()
    assert not stream.isatty() and stream.write("two") == 3
    stream.flush()
    assert (tmp_path / "log").read_text(encoding="utf-8") == "one"
    assert BestEffortStream(None).write("nothing") == 7


@pytest.fixture
def other_run(tmp_path):
    """Lock `out` as another run does, here in a thread."""
    locked, end = threading.Event(), threading.Event()

    def hold():
        with lock(tmp_path / "out"):
            locked.set()
            end.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()
    yield
    end.set()
    thread.join()


def test_second_run_with_the_same_out(call, models, tmp_path, other_run):
    """It ends at once, before TensorFlow is imported and data are read, and names the first one."""
    link = tmp_path / "link"
    try:
        link.symlink_to(tmp_path / "out")
    except OSError:
        link = tmp_path / "out"
    sources = {
        "tour": [],
        "pretrain": ["--data", "sample", *PRETRAIN],
        "finetune": ["--size", "tiny", "--dataset", "sample"],
        "distill": ["--teacher", models.encoder, "--data", "sample", "--steps", 1],
        "convert": [models.encoder, "--to", "keras"],
        "export": ["--model", models.classifier],
    }
    for command, options in sources.items():
        result = call(command, *options, "--out", link)
        assert_error(result, "`out`", f"process {os.getpid()}", " since 20", str(link))
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("kind", ["loop", "mount", "pipe"])
def test_out_that_cannot_be_replaced_is_rejected_first(call, models, tmp_path, monkeypatch, kind):
    monkeypatch.setattr("keras_bert.training.loop.run", None)
    out = tmp_path / "out"
    if kind == "loop":
        try:
            out.symlink_to(out)
        except OSError:
            pytest.skip("symbolic links need a permission on this system")
    elif kind == "pipe":
        getattr(os, "mkfifo", pytest.skip)(out)
    else:
        out.mkdir()
        monkeypatch.setattr(os.path, "ismount", lambda path: path == out)
    assert_error(call("finetune", "--size", "tiny", "--dataset", models.dataset, "--out", out), "out`", str(out))


@pytest.mark.slow
def test_finetune_follows_a_link(call, models, tmp_path):
    """Today's folders on another disk: the link stays, and what it leads to is replaced."""
    (tmp_path / "disk").mkdir()
    out = tmp_path / "out"
    try:
        out.symlink_to(tmp_path / "disk" / "model")
    except OSError:
        pytest.skip("symbolic links need a permission on this system")
    for _ in range(2):
        result = call("finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 1, "--out", out)
        assert result.status == 0, result.err
        assert out.is_symlink() and (tmp_path / "disk" / "model" / "model.keras").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "out"]
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["model"]


def test_data_file_that_disappears(call, models, tmp_path, monkeypatch):
    """The text is read twice: for the vocabulary, and for the rows."""
    text = tmp_path / "text.txt"
    text.write_text("one fine film .\nanother one .\n\na dull film .\nthe end .\n" * 20, encoding="utf-8")
    from keras_bert.text import vocabulary

    learn = vocabulary.load_or_learn_vocabulary

    def learn_and_delete(*arguments):
        found = learn(*arguments)
        text.unlink()
        return found

    monkeypatch.setattr(vocabulary, "load_or_learn_vocabulary", learn_and_delete)
    result = call("pretrain", "--data", text, *PRETRAIN, "--out", tmp_path / "out")
    assert result.status == 2 and result.err.splitlines()[-1].startswith("error: ") and str(text) in result.err
    assert "Traceback" not in result.err and not list(tmp_path.iterdir())


def test_next_run_names_the_draft_of_an_output(call, models, tmp_path):
    draft = tmp_path / ".out.tsv.0123abcd.tmp"
    draft.mkdir()
    (draft / "out.tsv").write_text("label\n", encoding="utf-8")
    result = call("predict", "--model", models.classifier, "--output", tmp_path / "out.tsv", "a film")
    assert result.status == 0 and f"killed: {draft} was removed" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["out.tsv"]


def test_predictions_to_a_device(call, models, tmp_path):
    """A device or a pipe is written, not replaced by a file."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes on this system")
    pipe, found = tmp_path / "pipe", tmp_path / "found.tsv"
    os.mkfifo(pipe)
    with found.open("w") as file:
        reader = subprocess.Popen(["cat", str(pipe)], stdout=file)
    result = call("predict", "--model", models.classifier, "--output", pipe, "--format", "tsv", "a film")
    reader.wait()
    assert result.status == 0 and found.read_text().count("\n") == 2 and not pipe.is_file()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["pretrain", "finetune", "distill"])
def test_training_that_fails_writes_no_model(call, models, tmp_path, command):
    """A learning rate that makes all weights infinite: one line, status 1, and the old model stays."""
    options = {
        "pretrain": ["--data", "sample", *PRETRAIN[:-1], 5, "--batch-size", 8],
        "finetune": ["--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 1, "--batch-size", 4],
        "distill": ["--teacher", models.encoder, "--data", "sample", "--steps", 5, "--sequence-length", 16],
    }[command]
    out = tmp_path / "out"
    for name in ("model.keras", "config.json"):
        out.mkdir(exist_ok=True)
        (out / name).write_text("old")
    result = call(command, *options, "--learning-rate", 1e38, "--out", out)
    assert result.status == 1, result.err
    line = result.err.splitlines()[-1]
    assert line.startswith("error: `") and "loss" in line and "step" in line and "batch" in line, line
    assert "learning_rate=" in line and "Traceback" not in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert {path.name: path.read_text() for path in out.iterdir()} == {"model.keras": "old", "config.json": "old"}


@pytest.mark.slow
def test_disk_that_fills_at_the_last_write(call, models, tmp_path, monkeypatch):
    """The final model does not fit: the error says how to continue, and the continued run gives the same model."""
    command = ["finetune", "--encoder", models.encoder, "--dataset", models.dataset, "--epochs", 1, "--json", "--out"]
    expected = results_of(call(*command, tmp_path / "expected"))
    out, sync = tmp_path / "out", files.sync

    def full(path):
        if path.name == "out":
            raise OSError(28, os.strerror(28), str(path))
        sync(path)

    monkeypatch.setattr(files, "sync", full)
    result = call(*command, out)
    line = result.err.splitlines()[-1]
    assert result.status == 2 and line.startswith("error: No space left on device"), result.err
    assert "A checkpoint is kept in" in line and "--resume" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["expected", "out.work"]
    monkeypatch.setattr(files, "sync", sync)
    assert results_of(call(*command, out, "--resume"))["history"] == expected["history"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["expected", "out"]


def test_input_that_disappears(call, models, tmp_path, monkeypatch):
    """A file of texts is read twice: to count the rows, and to predict."""
    source = tmp_path / "texts.txt"
    source.write_text("a film\n", encoding="utf-8")
    open_model = keras_bert.inference.Predictor.__init__

    def open_and_delete(self, *arguments, **settings):
        open_model(self, *arguments, **settings)
        source.unlink()

    monkeypatch.setattr(keras_bert.inference.Predictor, "__init__", open_and_delete)
    result = call("predict", "--model", models.classifier, "--input", source, "--output", tmp_path / "out.tsv")
    assert result.status == 2 and result.err.splitlines()[-1].startswith("error: "), result.err
    assert str(source) in result.err and "Traceback" not in result.err and not list(tmp_path.iterdir())
