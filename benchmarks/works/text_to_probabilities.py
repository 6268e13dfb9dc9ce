"""Raw text to probabilities, as a service or a job would: SST-2's dev sentences in batches of 1, 8 and 32."""

from pathlib import Path

import numpy as np

from benchmarks import flops, inputs
from benchmarks.race import Entry, Race
from benchmarks.rows import row

LENGTH, BATCHES, CHECKED = 128, (1, 8, 32), 64
PEERS = {
    "float32": [
        Entry("ours", "saved_model"),
        Entry("TF-Hub interface", "tfhub"),
        Entry("KerasHub", "kerashub"),
        Entry("Hugging Face", "huggingface", form="eager"),
        Entry("Hugging Face", "huggingface", form="compile"),
        Entry("ONNX Runtime", "onnx_runtime"),
        Entry("OpenVINO", "openvino"),
    ],
    "bfloat16": [
        Entry("ours", "saved_model", "bfloat16"),
        Entry("KerasHub", "kerashub", "bfloat16"),
        Entry("Hugging Face", "huggingface", "bfloat16", "eager"),
        Entry("Hugging Face", "huggingface", "bfloat16", "compile"),
        Entry("OpenVINO", "openvino", "bfloat16"),
    ],
    "int8": [Entry("ONNX Runtime", "onnx_runtime", "int8")],
}


def measure(bench):
    # A turn has so many sentences: the whole set for mini, the next part of it for base.
    for name, config, turn in [("mini", inputs.MINI, 872), ("base", inputs.BASE, 32)][: 1 if bench.quick else 2]:
        config, turn = bench.size(config), 32 if bench.quick else turn
        task = prepared(bench, name, config)
        rounds = {str(size): turns(bench.texts.dev, turn, size, bench.rounds) for size in BATCHES}
        parts = spread(bench.texts.dev, turn, bench.rounds)
        lengths = [bench.texts.rows(part, LENGTH)["input_mask"].sum(axis=1) for part in parts]
        needed = float(np.mean([flops.classify(config, each, 2) for each in lengths]))
        shown = bench.texts.dev[:CHECKED]
        task["texts"] = {**rounds, "check": [shown[i : i + 16] for i in range(0, CHECKED, 16)]}
        reference = None
        for precision, entries in PEERS.items():
            bench.say(f"text to probabilities, {name}, {precision}")
            with Race(bench.entries("text", entries)) as race:
                cases = dict.fromkeys(map(str, BATCHES), bench.rounds)
                results, reference = race.run(
                    {**task, "work": "text_to_probabilities"}, cases, bench.seconds, reference
                )
            bench.collect(results)
            if name == "mini":
                bench.learn("text", results, "32")
            for size in BATCHES:
                yield row(
                    f"text to probabilities, {name}, batch {size}",
                    results,
                    case=str(size),
                    unit="sentences/s",
                    amount=len(parts[0]),
                    precision=precision,
                    flops=needed,
                    peak=bench.peaks.get(precision),
                    notes=[
                        f"{len(parts[0])} of the {len(bench.texts.dev)} dev sentences of {bench.texts.name} a round; "
                        "sorted by their number of characters for all; all pad to the batch's longest but the TF-Hub "
                        "interface, which has 128 tokens always"
                    ],
                )


def prepared(bench, name: str, config: dict) -> dict:
    """The files that contestants load, and the task so far."""
    task = {
        "config": config,
        "weights": bench.weights(config),
        "vocabulary": str(bench.texts.vocabulary),
        "length": LENGTH,
    }
    preprocessing = bench.data / "reference" / "tfhub" / "bert_en_uncased_preprocess" if bench.data else Path()
    task["preprocessing"] = str(preprocessing) if (preprocessing / "saved_model.pb").is_file() else None
    kinds = {
        "float32": Entry("ours", "ours"),
        "bfloat16": Entry("ours", "ours", "bfloat16"),
        "tfhub": Entry("KerasHub", "kerashub"),
        "exchange": Entry("Hugging Face", "huggingface"),
    }
    task["files"] = {kind: str(bench.folder / f"{name}-{kind}") for kind in kinds}
    for kind, entry in kinds.items():
        Path(task["files"][kind]).mkdir(exist_ok=True)
        bench.export(entry, {**task, "folder": task["files"][kind]})
    return task


def spread(texts: list[str], count: int, rounds: int) -> list[list[str]]:
    """For each round `count` sentences, from all over the set, in order of length; other ones each time."""
    stride = max(1, len(texts) // count)
    return [sorted(texts[i % stride :: stride][:count], key=len) for i in range(rounds)]


def turns(texts: list[str], count: int, size: int, rounds: int) -> list[list[list[str]]]:
    """The same, cut into batches."""
    parts = spread(texts, count, rounds)
    return [[part[i : i + size] for i in range(0, len(part), size)] for part in parts]
