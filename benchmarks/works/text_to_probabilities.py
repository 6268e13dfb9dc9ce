"""Raw text to probabilities, as a service or a job would: SST-2's dev sentences, one, 8, 32 or all at a time."""

from pathlib import Path

from benchmarks import flops, inputs
from benchmarks.race import Entry, Race
from benchmarks.rows import row
from benchmarks.runtimes import beside, tables

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
    works = [("mini", bench.size(inputs.MINI), 6, PEERS), ("base", inputs.BASE, 28, PEERS)]
    google = bench.data / "reference" / "tfhub" / GOOGLES if bench.data else None
    if google and (google / "saved_model.pb").is_file():
        peers = {"float32": [Entry("ours", "saved_model"), Entry("Google's encoder", "tfhub")]}
        works.append(("L2 H128", {**inputs.size(2, 128), "type_vocab_size": 16}, 6, peers))
    for name, config, stride, peers in works[:: 2 if bench.quick else 1]:
        some, many = sample(bench.texts.dev, stride), sample(bench.texts.dev, 4)
        if bench.quick:
            some, many = some[:32], some[:32]
        task = prepared(bench, name, config, google if name == "L2 H128" else None)
        task["texts"] = {str(size): batches(some, size) for size in BATCHES}
        task["texts"] |= {"all": batches(many, 32), "check": batches(some, 8)}
        rounds = {str(size): bench.rounds if name == "mini" else 3 for size in BATCHES} | {"all": 2}
        reference = None
        for precision, entries in peers.items():
            bench.say(f"text to probabilities, {name}, {precision}")
            with Race(bench.entries("text", beside(entries))) as race:
                results, reference = race.run(
                    {**task, "work": "text_to_probabilities"}, rounds, bench.seconds, reference
                )
            bench.collect(results)
            if name == "mini":
                bench.learn("text", results, "32")
            for case in rounds:
                texts = many if case == "all" else some
                how = "one call for all (peers: batches of 32)" if case == "all" else f"batch {case}"
                lengths = bench.texts.rows(texts, LENGTH)["input_mask"].sum(axis=1)
                for where, found in tables(results):
                    if where and case == "all":
                        continue  # batches of 32 on both sides, as before
                    yield row(
                        f"text to probabilities, {name}, {how}{where}",
                        found,
                        case=case,
                        unit="sentences/s",
                        amount=len(texts),
                        precision=precision,
                        flops=flops.classify(config, lengths, 2),
                        peak=bench.peaks.get(precision),
                        notes=[
                            f"{bench.texts.name}'s dev sentences sorted by length for all, and of every so many 32 of "
                            "them one lot; all pad to the batch's longest but the TF-Hub interface, which has 128 "
                            "tokens always"
                        ],
                    )


def sample(texts: list[str], stride: int) -> list[str]:
    """The texts sorted and cut in lots of 32; of every `stride` lots the middle one, each of like length."""
    lots = batches(sorted(texts, key=len), 32)
    return [text for lot in lots[min(stride, len(lots)) // 2 :: stride] for text in lot]


def batches(texts: list[str], size: int) -> list[list[str]]:
    return [texts[i : i + size] for i in range(0, len(texts), size)]


def prepared(bench, name: str, config: dict, google: Path | None = None) -> dict:
    """The files that contestants load, made once a size, and the task; with `google`, that SavedModel is the peer."""
    if name not in bench.prepared:
        bench.prepared[name] = _prepare(bench, name, config, google)
    return dict(bench.prepared[name])


def _prepare(bench, name: str, config: dict, google: Path | None) -> dict:
    task = {
        "config": config,
        "weights": bench.weights(config),
        "vocabulary": str(bench.texts.vocabulary),
        "length": LENGTH,
        "model": "classifier",
    }
    preprocessing = bench.data / "reference" / "tfhub" / "bert_en_uncased_preprocess" if bench.data else Path()
    task["preprocessing"] = str(preprocessing) if (preprocessing / "saved_model.pb").is_file() else None
    kinds = {
        "float32": Entry("ours", "ours"),
        "bfloat16": Entry("ours", "ours", "bfloat16"),
        "tfhub": Entry("KerasHub", "kerashub"),
        "exchange": Entry("Hugging Face", "exchange"),
        "onnx": Entry("ours", "ours_onnx"),
    }
    if google:
        kinds = {"float32": kinds["float32"]}
        file, entry = str(bench.folder / "google.npz"), Entry("TF-Hub interface", "tfhub")
        bench.export([(entry, {**task, "source": str(google), "file": file})])
        task["weights"] = file
    task["files"] = {kind: str(bench.folder / f"{name}-{kind}") for kind in kinds}
    for folder in task["files"].values():
        Path(folder).mkdir(exist_ok=True)
    bench.export((entry, {**task, "folder": task["files"][kind]}) for kind, entry in kinds.items())
    if google:
        task["files"]["tfhub"] = str(google)
    return task
