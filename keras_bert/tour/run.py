"""From a blank file to a served model, in ten steps; one folder holds what came of it."""

import dataclasses
import json
import shlex
import shutil
import time
from pathlib import Path

from rich.console import Console

from keras_bert import __version__
from keras_bert.data import load_labeled
from keras_bert.files import atomic_write, working_directory
from keras_bert.tour import learning, serving
from keras_bert.tour.machine import machine, peak_memory_mib, versions
from keras_bert.tour.plan import TourPlan
from keras_bert.tour.report import write_report
from keras_bert.tour.steps import Steps
from keras_bert.weights.formats.tfhub import open_tfhub

STEPS = 10


def run_tour(
    out: str | Path,
    dataset: str = "sample",
    source: str | None = None,
    seed: int = 0,
    plan: TourPlan | None = None,
    program: str = "keras-bert",
    console: Console | None = None,
) -> dict:
    """The whole path, from a vocabulary to a report, in the steps named below.

    Args:
        out: the folder to write, whole, at the end: `encoder/`, `classifier/`, `served/`, `tfhub_encoder/`,
            `metrics.json`, `report.html`.
        dataset: `"sample"`, `"sst2"` or a folder with `train.tsv` and `dev.tsv`.
        source: a TF-Hub handle or SavedModel folder to check against, besides KerasHub's BERT.
        seed: of everything drawn.
        plan: sizes and steps; `TourPlan()` by default.
        program: how the command line is called, for the commands to go on with.
        console: where the steps are shown.

    Returns:
        The facts, as in `metrics.json`; `passed` says whether every check did.

    Raises:
        InputError: the data set or the source cannot be read.
        KeyboardInterrupt: after Ctrl-C; the checkpoint beside `out` stands, and the same call goes on from it.
    """
    out, plan, console = Path(out), plan or TourPlan(), console or Console(highlight=False)
    begun = time.perf_counter()
    data = load_labeled(dataset)
    if source:
        open_tfhub(source)  # a wrong address should not come out after two minutes of training
    identity = {"plan": dataclasses.asdict(plan), "dataset": dataset, "seed": seed, "version": __version__}
    steps = Steps(console, STEPS)
    with working_directory(out, resume=True, hint="the same command goes on") as work, atomic_write(out) as draft:
        draft.mkdir()
        _keep_only_if_same(work, identity)
        folders = {name: draft / name for name in ("encoder", "classifier", "served", "tfhub_encoder")}
        labels = data.label_names

        with steps.step("Vocabulary") as step:
            vectorizer = learning.learn_vocabulary(step, plan, data, work)
        with steps.step("Pretraining") as step:
            pretrainer, pretraining = learning.pretrain_encoder(step, plan, data, vectorizer, seed, work)
        with steps.step("Words in gaps") as step:
            gaps = learning.fill_gaps(step, pretrainer, vectorizer, folders["encoder"])
        with steps.step("Fine-tuning") as step:
            classifier, finetuning = learning.finetune_classifier(
                step, plan, data, pretrainer.encoder, vectorizer, seed, folders["classifier"], work
            )
        with steps.step("Evaluation") as step:
            evaluation = learning.evaluate_classifier(step, data, classifier, vectorizer)
        with steps.step("Encoder that ships") as step:
            shipped = learning.start_from_shipped(step, plan, data, seed, work)
        with steps.step("Check") as step:
            parity = serving.check_encoder(step, classifier.encoder, vectorizer, source)
        exported = (folders["served"], folders["tfhub_encoder"])
        with steps.step("Export") as step:
            sizes = serving.export_models(step, classifier, vectorizer, labels, *exported)
        with steps.step("Fresh process") as step:
            elsewhere = serving.predict_elsewhere(step, classifier, vectorizer, labels, *exported)

        commands = commands_to_go_on(program, out, dataset)
        facts = {
            "passed": elsewhere["passed"] and all(report["passed"] for report in parity.values()),
            **identity,
            "label_names": list(labels),
            "vocabulary": vectorizer.vocabulary_size(),
            "pretraining": pretraining,
            "fill_mask": gaps,
            "finetuning": finetuning,
            "evaluation": evaluation,
            "shipped": shipped,
            "check": parity,
            "bytes": sizes,
            "fresh_process": elsewhere,
            "machine": machine(),
            "versions": versions(),
            "commands": commands,
        }
        with steps.step("Report") as step:
            write_report(draft / "report.html", facts, data, classifier, vectorizer, steps, begun)
        facts["seconds"] = {**steps.seconds, "total": time.perf_counter() - begun}
        facts["peak_memory_mib"] = peak_memory_mib()
        (draft / "metrics.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    _say_goodbye(console, out, facts)
    return facts


def _keep_only_if_same(work: Path, identity: dict) -> None:
    """Empty the folder of unfinished work if it belongs to another plan, data set or seed."""
    file, wanted = work / "tour.json", json.dumps(identity)
    if not file.is_file() or file.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(work)
        work.mkdir()
        file.write_text(wanted, encoding="utf-8")


def commands_to_go_on(program: str, out: Path, dataset: str) -> list[dict[str, str]]:
    """What to type next: each a `what` and a `command` that can be pasted as it is."""
    here = {name: shlex.quote(str(out / name)) for name in ("encoder", "classifier", "served", "tfhub_encoder")}
    more = shlex.quote(str(out.with_name(f"{out.name}-more")))
    return [
        {"what": what, "command": f"{program} {command}"}
        for what, command in (
            ("classify a text", f'predict --model {here["served"]} "a film to remember"'),
            ("fill a gap", f'fill-mask --model {here["encoder"]} "he closed the [MASK] behind him ."'),
            ("compare texts", f'embed --model {here["encoder"]} "a fine film" "a good movie" "the bus is late"'),
            ("see what it is made of", f"inspect {here['classifier']}"),
            ("check the export against the encoder", f"check {here['tfhub_encoder']} --encoder {here['classifier']}"),
            (
                "train the classifier on, your way",
                f"finetune --encoder {here['encoder']} --dataset {shlex.quote(dataset)} --out {more}",
            ),
        )
    ]


def _say_goodbye(console: Console, out: Path, facts: dict) -> None:
    minutes, seconds = divmod(round(facts["seconds"]["total"]), 60)
    verdict = "[green]every check passed[/green]" if facts["passed"] else "[red]a check did not pass[/red]"
    console.print(f"\n{verdict} in {minutes}:{seconds:02d} min, {facts['peak_memory_mib'] / 1024:.1f} GiB at most")
    console.print(f"[bold]{out / 'report.html'}[/bold] shows it all. To go on:\n")
    for entry in facts["commands"]:
        console.print(f"  [dim]# {entry['what']}[/dim]")
        console.print(f"  {entry['command']}", markup=False, soft_wrap=True)
