"""Kill commands at random moments, run them again, and compare the final results bit by bit with undisturbed runs.

    python -m tests.soak --kills 50 --minutes 60

Each command that writes something is started, killed several times (SIGKILL, sometimes SIGTERM or SIGINT) at random
moments, continued with `--resume` where there is something to continue, and completed. Then the output must equal that
of an undisturbed run, and nothing else may be left. In half of the rounds the output exists before, and must be
complete after each kill. The exit status is 1 at the first difference.
"""

import argparse
import dataclasses
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SIGNALS = (*[signal.SIGKILL] * 6, signal.SIGTERM, signal.SIGINT)
LIMIT = 600  # seconds of one run
EXACT = (".tsv", ".txt", ".npz", ".safetensors", ".data-00000-of-00001")  # files that are compared byte by byte


@dataclasses.dataclass
class Job:
    """A command line without `--out`, and what its undisturbed run gave.

    Args:
        name: for the messages.
        command: program and arguments; `{}` stands for the output.
        resume: whether the command has `--resume`.
        seconds, expected: how long the undisturbed run took, and the `digest` of its output.
    """

    name: str
    command: list[str]
    resume: bool = False
    seconds: float = 0.0
    expected: dict | None = None

    def start(self, out: Path) -> subprocess.Popen:
        """Start the command, with `--resume` if it has something to continue."""
        arguments = [part.replace("{}", str(out)) for part in self.command]
        if self.resume and out.with_name(f"{out.name}.work").exists():
            arguments.append("--resume")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def keras_bert(*arguments, resume: bool = False) -> Job:
    """Return the job of a command of `keras-bert`, with `--json`."""
    command = [sys.executable, "-m", "keras_bert", *map(str, arguments)]
    if "--output" not in command:
        command += ["--out", "{}", "--json"]
    return Job(arguments[0], command, resume)


def make_inputs(folder: Path) -> dict[str, Path]:
    """Write a text, labeled sentences, and the models that other commands start from."""
    rng = np.random.default_rng(0)
    words = [f"{a}{b}" for a in ("ba", "do", "ki", "lu", "me") for b in ("ra", "to", "vi", "ne", "su", "po")]
    sentences = [" ".join(rng.choice(words, rng.integers(4, 9))) + " ." for _ in range(400)]
    paths = {name: folder / name for name in ("text.txt", "labeled", "encoder", "classifier")}
    documents = ["\n".join(sentences[i : i + 5]) for i in range(0, 400, 5)]
    paths["text.txt"].write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    paths["labeled"].mkdir()
    for name, part in (("train.tsv", sentences[:160]), ("dev.tsv", sentences[160:200])):
        rows = "".join(f"{text}\t{int('bara' in text)}\n" for text in part)
        (paths["labeled"] / name).write_text(f"sentence\tlabel\n{rows}", encoding="utf-8")
    finish(pretraining(paths, layers=2, steps=8), paths["encoder"])
    finish(finetuning(paths, epochs=1), paths["classifier"])
    return paths


def pretraining(paths: dict, layers: int, steps: int) -> Job:
    """Return a short pretraining, with a checkpoint after every 9 steps or so."""
    size = ("--vocab-size", 60, "--layers", layers, "--hidden", 16, "--heads", 1, "--sequence-length", 16)
    settings = (*size, "--batch-size", 16, "--steps", steps)
    return keras_bert("pretrain", "--data", paths["text.txt"], *settings, resume=True)


def finetuning(paths: dict, epochs: int) -> Job:
    """Return a short fine-tuning."""
    source = ("--encoder", paths["encoder"], "--dataset", paths["labeled"], "--sequence-length", 16)
    return keras_bert("finetune", *source, "--batch-size", 8, "--epochs", epochs, resume=True)


def make_jobs(paths: dict, only: str | None) -> list[Job]:
    """Return all commands that write something."""
    text, labeled, encoder, classifier = paths.values()
    train = labeled / "train.tsv"
    settings = ("--batch-size", 8, "--sequence-length", 16)
    on_text = ("--teacher", encoder, "--data", text, "--steps", 60, *settings)
    on_labels = ("--teacher", classifier, "--student", encoder, "--dataset", labeled, "--epochs", 3, *settings)
    jobs = [
        pretraining(paths, layers=1, steps=60),
        finetuning(paths, epochs=4),
        keras_bert("distill", *on_text, resume=True),
        keras_bert("distill", *on_labels, resume=True),
        Job("distill_encoder", [sys.executable, "-m", "tests.soak", "--worker", "{}"]),
        keras_bert("convert", encoder, "--to", "huggingface"),
        keras_bert("export", "--model", classifier),
        keras_bert("predict", "--model", classifier, "--input", train, "--output", "{}", "--format", "tsv"),
        keras_bert("tour", "--quick"),
    ]
    return [job for job in jobs if only is None or job.name in only.split(",")]


def distill_encoder(out: Path) -> None:
    """Distill an encoder with a checkpoint next to `out`, and write its weights."""
    from keras_bert import training
    from keras_bert.files import atomic_write
    from tests.training import toys

    teacher, student = (toys.make_pretrainer(seed).encoder for seed in (1, 2))
    documents, vocabulary = toys.documents(60), toys.VOCABULARY
    batches = training.align_documents(documents, documents, vocabulary, vocabulary, length=16, batch_size=8)
    folder = out.with_name("checkpoints")
    training.distill_encoder(
        teacher, student, batches, steps=120, checkpoint_dir=folder, checkpoint_every=10, validate_every=30, verbose=0
    )
    with atomic_write(out) as draft, draft.open("wb") as file:
        np.savez(file, *student.get_weights())
    shutil.rmtree(folder)


def digest(out: Path, output: str) -> dict:
    """Return what must be equal of an output: the weights and tables, and the history that a command printed."""
    found = {}
    for path in [out] if out.is_file() else sorted(out.rglob("*")):
        name = "" if path == out else str(path.relative_to(out))
        if path.suffix == ".keras":
            found[name] = _weights(path)
        elif path.is_file() and (path == out or name.endswith(EXACT)):
            found[name] = path.read_bytes()
    line = output.splitlines()[-1:]
    if line and line[0].startswith("{"):
        found["history"] = json.loads(line[0]).get("history")
    return found


def _weights(path: Path) -> dict[str, bytes]:
    """Return the arrays of a Keras file; the file itself has the date."""
    import h5py

    arrays = {}

    def add(name: str, item) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()].tobytes()

    with zipfile.ZipFile(path) as file, h5py.File(io.BytesIO(file.read("model.weights.h5"))) as weights:
        weights.visititems(add)
    return arrays


def finish(job: Job, out: Path) -> str:
    """Run a command to its end and return what it printed."""
    process = job.start(out)
    output, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, f"{job.name}: status {process.returncode}\n{errors[-3000:]}"
    return output


def kill(job: Job, out: Path, rng: random.Random) -> str | None:
    """Start a command and end it at a random moment. Return the signal's name, or None if it was complete before."""
    number, process = rng.choice(SIGNALS), job.start(out)
    try:
        process.communicate(timeout=rng.uniform(0.3, 0.95 * job.seconds))
        assert process.returncode == 0, f"{job.name}: status {process.returncode}"
        return None
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    _, errors = process.communicate(timeout=LIMIT)
    # A command that is importing its modules has no handler yet; one that has written everything may end normally.
    assert process.returncode in (0, 130, -number), f"{job.name}: status {process.returncode}\n{errors[-3000:]}"
    return signal.Signals(number).name


def round_of(job: Job, folder: Path, kills: int, rng: random.Random, before: Path | None) -> list[str]:
    """Kill a command several times, complete it, compare, and return the names of the signals."""
    folder.mkdir()
    out, sent = folder / "out", []
    if before is not None:
        shutil.copytree(before, out) if before.is_dir() else shutil.copy(before, out)
    for _ in range(kills):
        name = kill(job, out, rng)
        sent += [name] if name else []
        if before is not None:
            known = {**job.expected, "history": None}
            assert {**digest(out, ""), "history": None} == known, f"{job.name}: {out} is not complete after {name}"
    found = digest(out, finish(job, out))
    different = [name for name in job.expected if found.get(name) != job.expected[name]]
    assert found.keys() == job.expected.keys() and not different, f"{job.name}: {out} differs in {different}"
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["out"], f"{job.name}: {left} are left in {folder}"
    shutil.rmtree(folder)
    return sent


def main() -> int:
    """Run the soak and print one line per round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=60, help="no new round is started after this time")
    parser.add_argument("--only", help="names of commands, separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        try:
            distill_encoder(options.worker)
        except KeyboardInterrupt:
            return 130
        return 0
    begin, rng, sent = time.monotonic(), random.Random(options.seed), []
    work = Path(tempfile.mkdtemp(prefix="soak-"))
    jobs = make_jobs(make_inputs(work), options.only)
    for number, job in enumerate(jobs):
        start = time.monotonic()
        out = work / f"reference-{number}" / "out"
        out.parent.mkdir()
        job.expected = digest(out, finish(job, out))
        job.seconds = time.monotonic() - start
        print(f"{job.name}: {job.seconds:.0f} s, {len(job.expected)} files and values to compare", flush=True)
    rounds = 0
    while len(sent) < options.kills and time.monotonic() - begin < 60 * options.minutes:
        job = jobs[rounds % len(jobs)]
        before = work / f"reference-{rounds % len(jobs)}" / "out" if rounds // len(jobs) % 2 else None
        killed = round_of(job, work / f"round-{rounds}", rng.randint(4, 6), rng, before)
        sent += killed
        rounds += 1
        print(f"round {rounds}: {job.name}, {', '.join(killed)}: equal; {len(sent)} kills", flush=True)
    shutil.rmtree(work)
    minutes = (time.monotonic() - begin) / 60
    print(f"{len(sent)} kills in {rounds} rounds of {len(jobs)} commands, {minutes:.0f} minutes: all results are equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
