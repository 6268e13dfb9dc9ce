"""Run the tour: ten steps from raw text to a served model, with all results in one folder."""

import dataclasses
import json
import math
import shlex
import shutil
import time
from pathlib import Path

from rich.console import Console

from keras_bert import __version__
from keras_bert.data import load_labeled
from keras_bert.extras import require
from keras_bert.files import atomic_write
from keras_bert.system import peak_memory_mib
from keras_bert.tour import finetuning, pretraining, serving
from keras_bert.tour.machine import machine, versions
from keras_bert.tour.plan import TourPlan
from keras_bert.tour.report import write_report
from keras_bert.tour.steps import Steps
from keras_bert.weights.formats.tfhub import read_tfhub
from keras_bert.working_folder import working_directory

STEPS = 10
PACKAGES = ("jinja2", "matplotlib", "scipy", "sklearn")  # of the extra `tour`


def run_tour(
    out: str | Path,
    dataset: str = "sample",
    source: str | None = None,
    seed: int = 0,
    plan: TourPlan | None = None,
    program: str = "keras-bert",
    console: Console | None = None,
) -> dict:
    """Run all steps of the tour and write its folder.

    Args:
        out: the folder to write, which is created at the end, when it is complete: `encoder/`, `classifier/`,
            `served/`, `tfhub_encoder/`, `metrics.json`, `report.html`.
        dataset: `"sample"`, `"sst2"` or a folder with `train.tsv` and `dev.tsv`.
        source: a TF-Hub handle or SavedModel folder to check against, besides KerasHub's BERT.
        seed: the seed of all random numbers.
        plan: model sizes and training lengths; `TourPlan()` by default.
        program: the name or path of the command line program, for the printed commands.
        console: the `rich` console to print to.

    Returns:
        The facts in `metrics.json`; `passed` is True if every check passed.

    Raises:
        InputError: the data set or the source cannot be read, or a package of the extra `tour` is not installed.
        KeyboardInterrupt: after Ctrl-C; the checkpoint beside `out` is kept, and the same call resumes from it.
    """
    out, plan, console = Path(out), plan or TourPlan(), console or Console(highlight=False)
    for package in PACKAGES:
        require(package, "the tour", extra="tour")
    start = time.perf_counter()
    data = load_labeled(dataset)
    if source:
        read_tfhub(source)  # an invalid source must be rejected before the training
    identity = {"plan": dataclasses.asdict(plan), "dataset": dataset, "seed": seed, "version": __version__}
    steps = Steps(console, STEPS)
    with working_directory(out, resume=True, hint="the same command resumes") as work, atomic_write(out) as draft:
        draft.mkdir()
        _clear_if_different(work, identity)
        folders = {name: draft / name for name in ("encoder", "classifier", "served", "tfhub_encoder")}
        labels = data.label_names

        with steps.step("Vocabulary") as step:
            vectorizer = pretraining.learn_vocabulary(step, plan, data, work)
        with steps.step("Pretraining") as step:
            pretrainer, pretrain_facts = pretraining.pretrain_encoder(step, plan, data, vectorizer, seed, work)
        with steps.step("Masked tokens") as step:
            masked = pretraining.predict_masked_tokens(step, pretrainer, vectorizer, folders["encoder"])
        with steps.step("Fine-tuning") as step:
            classifier, finetune_facts = finetuning.finetune_classifier(
                step, plan, data, pretrainer.encoder, vectorizer, seed, folders["classifier"], work
            )
        with steps.step("Evaluation") as step:
            evaluation = finetuning.evaluate_classifier(step, plan, data, classifier, vectorizer, seed)
        with steps.step("Bundled encoder") as step:
            bundled = finetuning.finetune_bundled_encoder(step, plan, data, seed, work)
        with steps.step("Check") as step:
            parity = serving.check_encoder(step, classifier.encoder, vectorizer, source)
        exported = (folders["served"], folders["tfhub_encoder"])
        with steps.step("Export") as step:
            sizes = serving.export_models(step, classifier, vectorizer, labels, *exported)
        with steps.step("Clean process") as step:
            clean = serving.predict_in_clean_process(step, classifier, vectorizer, labels, *exported)

        facts = {
            "passed": clean["passed"] and all(report["passed"] for report in parity.values()),
            **identity,
            "label_names": list(labels),
            "vocabulary": vectorizer.vocabulary_size(),
            "pretraining": pretrain_facts,
            "masked_tokens": masked,
            "finetuning": finetune_facts,
            "evaluation": evaluation,
            "bundled": bundled,
            "check": parity,
            "bytes": sizes,
            "clean_process": clean,
            "machine": machine(),
            "versions": versions(),
            "commands": next_commands(program, out, dataset),
        }
        with steps.step("Report") as step:
            write_report(draft / "report.html", facts, data, classifier, vectorizer, steps, start)
        facts["seconds"] = {**steps.seconds, "total": time.perf_counter() - start}
        facts["peak_memory_mib"] = peak_memory_mib()
        (draft / "metrics.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    _print_summary(console, out, facts)
    return facts


def _clear_if_different(work: Path, identity: dict) -> None:
    """Empty the working directory if it belongs to another plan, data set, seed or version."""
    file, expected = work / "tour.json", json.dumps(identity)
    if not file.is_file() or file.read_text(encoding="utf-8") != expected:
        shutil.rmtree(work)
        work.mkdir()
        file.write_text(expected, encoding="utf-8")


def next_commands(program: str, out: Path, dataset: str) -> list[dict[str, str]]:
    """List commands to try next: dicts of `what` (a description) and `command`."""
    folder = {name: shlex.quote(str(out / name)) for name in ("encoder", "classifier", "served", "tfhub_encoder")}
    more = shlex.quote(str(out.with_name(f"{out.name}-more")))
    return [
        {"what": what, "command": f"{program} {command}"}
        for what, command in (
            ("classify a text", f'predict --model {folder["served"]} "a film to remember"'),
            ("fill a mask", f'fill-mask --model {folder["encoder"]} "he closed the [MASK] behind him ."'),
            ("compare texts", f'embed --model {folder["encoder"]} "a fine film" "a good movie" "the bus is late"'),
            ("list layers and parameters", f"inspect {folder['classifier']}"),
            ("check the export", f"check {folder['tfhub_encoder']} --encoder {folder['classifier']}"),
            (
                "fine-tune with other settings",
                f"finetune --encoder {folder['encoder']} --dataset {shlex.quote(dataset)} --out {more}",
            ),
        )
    ]


def _print_summary(console: Console, out: Path, facts: dict) -> None:
    """Print the result, the path of the report and the commands to try next."""
    minutes, seconds = divmod(round(facts["seconds"]["total"]), 60)
    verdict = "[green]every check passed[/green]" if facts["passed"] else "[red]a check did not pass[/red]"
    memory = facts["peak_memory_mib"]
    peak = "" if math.isnan(memory) else f", {memory / 1024:.1f} GiB peak memory"  # unknown on Windows
    console.print(f"\n{verdict} in {minutes}:{seconds:02d} min{peak}")
    console.print(f"Report: [bold]{out / 'report.html'}[/bold]. Commands to try next:\n")
    for entry in facts["commands"]:
        console.print(f"  [dim]# {entry['what']}[/dim]")
        console.print(f"  {entry['command']}", markup=False, soft_wrap=True)
