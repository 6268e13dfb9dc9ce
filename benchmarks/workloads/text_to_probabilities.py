"""Raw text to probabilities, as a service or a job would: SST-2's dev sentences, one, 8, 32 or all at a time."""

from pathlib import Path

from benchmarks import flops, inputs
from benchmarks.race import Entry, Race
from benchmarks.rows import row
from benchmarks.runtimes import OUR_FILE

LENGTH = 128
PEERS = {
    "float32": [
        Entry("ours", "saved_model"),
        Entry("TF-Hub interface", "tfhub"),
        Entry("KerasHub", "kerashub"),
        Entry("Hugging Face", "huggingface", form="eager"),  # to compile for ever new widths would take minutes
        Entry("ONNX Runtime", "onnx_runtime"),
        Entry("OpenVINO", "openvino"),
    ],
    "bfloat16": [
        Entry("ours", "saved_model", "bfloat16"),
        Entry("KerasHub", "kerashub", "bfloat16"),
        Entry("Hugging Face", "huggingface", "bfloat16", "eager"),
        Entry("OpenVINO", "openvino", "bfloat16"),
    ],
    # Ours in eight bits is a file that ONNX Runtime runs too.
    "int8": [Entry("ours", "onnx_runtime", "int8", OUR_FILE), Entry("ONNX Runtime", "onnx_runtime", "int8")],
}


GOOGLES = "bert_en_uncased_L-2_H-128_A-2"  # an encoder that Google's exporter wrote, where the data has one


def measure(bench):
    works = [("mini", bench.size(inputs.MINI), 12, PEERS), ("base", inputs.BASE, 28, PEERS)]
    google = bench.data / "reference" / "tfhub" / GOOGLES if bench.data else None
    if google and (google / "saved_model.pb").is_file():
        peers = {"float32": [Entry("ours", "saved_model"), Entry("Google's encoder", "tfhub")]}
        works.append(("L2 H128", {**inputs.size(2, 128), "type_vocab_size": 16}, 6, peers))
    for name, config, stride, peers in works[:: 2 if bench.quick else 1]:
        some, every = sample(bench.texts.dev, stride), sorted(bench.texts.dev, key=len)
        if bench.quick:
            some, every = some[:32], some[:32]
        texts = {"1": some[:: 4 if name == "base" else 2], "8": some, "32": some, "all": every}
        task = prepared(bench, name, config, google if name == "L2 H128" else None)
        task["texts"] = {case: batches(found, 32 if case == "all" else int(case)) for case, found in texts.items()}
        task["texts"]["check"] = batches(some, 8)
        rounds = dict.fromkeys(texts, 2 if name == "base" else min(bench.rounds, 3)) | {"all": 2}
        reference = None
        for precision, entries in peers.items():
            bench.say(f"text to probabilities, {name}, {precision}")
            with Race(entries) as race:
                results, reference = race.run(
                    {**task, "work": "text_to_probabilities"}, rounds, bench.seconds, reference, warm=("all",)
                )
            bench.collect(results)
            for case, found in texts.items():
                how = "all in one call (peers: batches of 32)" if case == "all" else f"batch {case}"
                lengths = bench.texts.rows(found, LENGTH)["input_mask"].sum(axis=1)
                yield row(
                    f"text to probabilities, {name}, {how}",
                    results,
                    case=case,
                    unit="sentences/s",
                    amount=len(found),
                    precision=precision,
                    flops=flops.classify(config, lengths, 2),
                    peak=bench.peaks.get(precision),
                    notes=[
                        f"{bench.texts.name}'s dev sentences sorted by length, in lots of 32, and of every so many "
                        "lots one; all of them in the one call, of which peers are timed on a part. All pad to the "
                        "batch's longest but the TF-Hub interface, which has 128 tokens always"
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
