"""Raw text to probabilities: the dev sentences of SST-2, 1, 8, 32 or all of them per call."""

from pathlib import Path

from benchmarks import flops, inputs
from benchmarks.contestant import Entry
from benchmarks.rows import KERAS_BERT, make_row, split_by_form
from benchmarks.runner import Runner
from benchmarks.runtimes import KERAS_BERT_FILE

LENGTH = 128
SAVED_MODEL, PREDICTOR = "SavedModel", "kb.Predictor"  # two ways to use a model of keras_bert, with a row each
WITH_OPENVINO = f"{PREDICTOR}, OpenVINO"  # runtime="openvino"
ONE_THREAD = f"{SAVED_MODEL}, one thread"  # for small models: the threads of an operation wait longer than they compute
PEERS = {
    "float32": [
        Entry(KERAS_BERT, "saved_model", form=SAVED_MODEL),
        Entry(KERAS_BERT, "saved_model", form=ONE_THREAD),
        Entry(KERAS_BERT, "predictor", form=PREDICTOR),
        Entry(KERAS_BERT, "predictor", form=WITH_OPENVINO),
        Entry("TF-Hub interface", "tfhub"),
        Entry("KerasHub", "kerashub"),
        Entry("Hugging Face", "huggingface", form="eager"),  # compiling for many lengths would take minutes
        Entry("ONNX Runtime", "onnx_runtime"),
        Entry("OpenVINO", "openvino"),
    ],
    "bfloat16": [
        Entry(KERAS_BERT, "saved_model", "bfloat16", SAVED_MODEL),
        Entry(KERAS_BERT, "predictor", "bfloat16", PREDICTOR),
        Entry("KerasHub", "kerashub", "bfloat16"),
        Entry("Hugging Face", "huggingface", "bfloat16", "eager"),
        Entry("OpenVINO", "openvino", "bfloat16"),
    ],
    # The int8 model of keras_bert is an ONNX file, which ONNX Runtime also runs.
    "int8": [
        Entry(KERAS_BERT, "onnx_runtime", "int8", KERAS_BERT_FILE),
        Entry(KERAS_BERT, "predictor", "int8", PREDICTOR),
        Entry("ONNX Runtime", "onnx_runtime", "int8"),
    ],
}
GOOGLE_ENCODER = "bert_en_uncased_L-2_H-128_A-2"  # written by Google's exporter; measured if the data folder has it
GOOGLE_SIZE = "L2 H128"


def measure(bench):
    """Yield rows by size, precision, batch size and form of keras_bert."""
    sizes = [
        ("mini", bench.size(inputs.MINI), 12, PEERS),
        ("small", inputs.SMALL, 12, {"int8": PEERS["int8"]}),
        ("base", inputs.BASE, 28, PEERS),
    ]
    google = bench.data / "reference" / "tfhub" / GOOGLE_ENCODER if bench.data else None
    if google and (google / "saved_model.pb").is_file():
        peers = {"float32": [Entry(KERAS_BERT, "saved_model", form=SAVED_MODEL), Entry("Google's encoder", "tfhub")]}
        sizes.append((GOOGLE_SIZE, {**inputs.size(2, 128), "type_vocab_size": 16}, 6, peers))
    for name, config, stride, peers in sizes:
        if bench.quick and name not in ("mini", GOOGLE_SIZE):
            continue
        sampled, all_texts = sample(bench.texts.dev, stride), sorted(bench.texts.dev, key=len)
        if bench.quick:
            sampled, all_texts = sampled[:32], sampled[:32]
        texts = {"1": sampled[:: 4 if name == "base" else 2], "8": sampled, "32": sampled, "all": all_texts}
        task = prepare_task(bench, name, config, google if name == GOOGLE_SIZE else None)
        task["texts"] = {case: batches(found, 32 if case == "all" else int(case)) for case, found in texts.items()}
        task["texts"]["check"] = batches(sampled, 8)
        rounds = dict.fromkeys(texts, 2 if name == "base" else min(bench.rounds, 3)) | {"all": 2}
        reference = None
        for precision, entries in peers.items():
            bench.log(f"text to probabilities, {name}, {precision}")
            if name == "base":
                entries = [entry for entry in entries if entry.form != ONE_THREAD]
            with Runner(entries) as runner:
                results, reference = runner.run(
                    {**task, "workload": "text_to_probabilities"}, rounds, bench.seconds, reference, warm=("all",)
                )
            bench.record(results)
            for case, found in texts.items():
                batching = "all in one call (peers: batches of 32)" if case == "all" else f"batch {case}"
                lengths = bench.texts.rows(found, LENGTH)["input_mask"].sum(axis=1)  # [N]
                for form, measured in split_by_form(results):
                    yield make_row(
                        f"text to probabilities, {name}, {batching}, {form}",
                        measured,
                        case=case,
                        unit="sentences/s",
                        amount=len(found),
                        precision=precision,
                        flops=flops.classifier(config, lengths, 2),
                        peak=bench.peaks.get(precision),
                        notes=[
                            f"the dev sentences of {bench.texts.name}, sorted by length; a sample of groups of 32, or "
                            "all in one call, of which peers are timed on a part; rows are padded to the longest of "
                            "the batch, those of the TF-Hub interface to 128 tokens; kb.Predictor opens an ONNX "
                            "folder, with ONNX Runtime if the row does not name OpenVINO and is not bfloat16"
                        ],
                    )


def sample(texts: list[str], stride: int) -> list[str]:
    """Sort texts by length, divide them into groups of 32, and return the middle one of every `stride` groups."""
    groups = batches(sorted(texts, key=len), 32)
    return [text for group in groups[min(stride, len(groups)) // 2 :: stride] for text in group]


def batches(texts: list[str], size: int) -> list[list[str]]:
    """Divide texts into batches."""
    return [texts[i : i + size] for i in range(0, len(texts), size)]


def prepare_task(bench, name: str, config: dict, google: Path | None = None) -> dict:
    """Write the files that contestants load, at the first call of a size.

    Args:
        bench: the `Bench`.
        name: name of the size.
        config: the fields of a `BertConfig`.
        google: a SavedModel of Google's; all contestants then load its weights.

    Returns:
        A task without texts.
    """
    if name not in bench.prepared:
        bench.prepared[name] = _prepare_task(bench, name, config, google)
    return dict(bench.prepared[name])


def _prepare_task(bench, name: str, config: dict, google: Path | None) -> dict:
    task = {
        "config": config,
        "weights": bench.weights(config),
        "vocabulary": str(bench.texts.vocabulary),
        "length": LENGTH,
        "model": "classifier",
    }
    preprocessing = bench.data / "reference" / "tfhub" / "bert_en_uncased_preprocess" if bench.data else Path()
    task["preprocessing"] = str(preprocessing) if (preprocessing / "saved_model.pb").is_file() else None
    exporters = {
        "float32": Entry(KERAS_BERT, "keras_bert"),
        "bfloat16": Entry(KERAS_BERT, "keras_bert", "bfloat16"),
        "tfhub": Entry("KerasHub", "kerashub"),
        "huggingface": Entry("Hugging Face", "huggingface_export"),
        "keras_bert_onnx": Entry(KERAS_BERT, "keras_bert_onnx"),
    }
    if google:
        exporters = {"float32": exporters["float32"]}
        file, entry = str(bench.folder / "google.npz"), Entry("TF-Hub interface", "tfhub")
        bench.export([(entry, {**task, "source": str(google), "file": file})])
        task["weights"] = file
    task["files"] = {kind: str(bench.folder / f"{name}-{kind}") for kind in exporters}
    for folder in task["files"].values():
        Path(folder).mkdir(exist_ok=True)
    bench.export((entry, {**task, "folder": task["files"][kind]}) for kind, entry in exporters.items())
    if google:
        task["files"]["tfhub"] = str(google)
    return task
