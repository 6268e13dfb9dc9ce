"""Raw text to probabilities, as a service or a job would: SST-2's dev sentences in batches of 1, 8 and 32."""

from pathlib import Path

from benchmarks import flops, inputs
from benchmarks.race import Entry, Race
from benchmarks.rows import row

LENGTH, BATCHES = 128, (1, 8, 32)
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


GOOGLES = "bert_en_uncased_L-2_H-128_A-2"  # an encoder that Google's exporter wrote, where the data has one


def measure(bench):
    # A turn of mini has the whole set; one of base every 18th sentence, so that it ends in about a second.
    dev = bench.texts.dev
    works = [("mini", bench.size(inputs.MINI), 1, PEERS), ("base", inputs.BASE, 18, PEERS)]
    google = bench.data / "reference" / "tfhub" / GOOGLES if bench.data else None
    if google and (google / "saved_model.pb").is_file():
        peers = {"float32": [Entry("ours", "saved_model"), Entry("TF-Hub interface", "tfhub", form="Google's")]}
        works.append(("L2 H128", {**inputs.size(2, 128), "type_vocab_size": 16}, 1, peers))
    for name, config, stride, peers in works[:: 2 if bench.quick else 1]:
        texts = sorted(dev[:: 27 if bench.quick else stride], key=len)
        task = prepared(bench, name, config, google if name == "L2 H128" else None)
        lengths = bench.texts.rows(texts, LENGTH)["input_mask"].sum(axis=1)
        batches = {str(size): [texts[i : i + size] for i in range(0, len(texts), size)] for size in BATCHES}
        task["texts"] = {**batches, "all": batches["32"], "check": batches["8"]}
        reference = None
        for precision, entries in peers.items():
            bench.say(f"text to probabilities, {name}, {precision}")
            with Race(bench.entries("text", entries)) as race:
                cases = dict.fromkeys([*map(str, BATCHES), "all"], bench.rounds)
                results, reference = race.run(
                    {**task, "work": "text_to_probabilities"}, cases, bench.seconds, reference
                )
            bench.collect(results)
            if name == "mini":
                bench.learn("text", results, "32")
            for size in (*BATCHES, "all"):
                how = f"batch {size}" if size != "all" else "one call for all (peers: batches of 32)"
                yield row(
                    f"text to probabilities, {name}, {how}",
                    results,
                    case=str(size),
                    unit="sentences/s",
                    amount=len(texts),
                    precision=precision,
                    flops=flops.classify(config, lengths, 2),
                    peak=bench.peaks.get(precision),
                    notes=[
                        f"{len(texts)} of the {len(dev)} dev sentences of {bench.texts.name}, all answers compared; "
                        "sorted by their number of characters for all; all pad to the batch's longest but the TF-Hub "
                        "interface, which has 128 tokens always"
                    ],
                )


def prepared(bench, name: str, config: dict, google: Path | None = None) -> dict:
    """The files that contestants load, and the task so far; with `google`, that SavedModel is the peer."""
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
        "exchange": Entry("Hugging Face", "exchange"),
    }
    if google:
        kinds = {"float32": kinds["float32"]}
        file, entry = str(bench.folder / "google.npz"), Entry("TF-Hub interface", "tfhub")
        bench.export(entry, {**task, "source": str(google), "file": file})
        task["weights"] = file
    task["files"] = {kind: str(bench.folder / f"{name}-{kind}") for kind in kinds}
    for kind, entry in kinds.items():
        Path(task["files"][kind]).mkdir(exist_ok=True)
        bench.export(entry, {**task, "folder": task["files"][kind]})
    if google:
        task["files"]["tfhub"] = str(google)
    return task
