"""The forward pass of the encoder on rows of 128 tokens, as a model and from a file: base, 8 rows and 1 row."""

from pathlib import Path

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.contestant import Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner
from benchmarks.runtimes import add_keras_bert_files, split_by_runtime

LENGTH, BATCHES = 128, (8, 1)
RUNTIMES = {
    "float32": {"TF-Hub interface": "tfhub", "ONNX Runtime": "onnx_runtime", "OpenVINO": "openvino"},
    "bfloat16": {"OpenVINO": "openvino"},
}


def measure(bench):
    """Yield rows by precision, batch size, runtime and unit."""
    config = bench.size(inputs.BASE)
    task = {
        "workload": "forward",
        "config": config,
        "weights": bench.weights(config),
        "batch": bench.save("forward", inputs.full_rows(config, max(BATCHES), LENGTH)),
        "cases": [str(size) for size in BATCHES],
        "model": "encoder",
    }
    task["files"] = export_files(bench, task)
    reference = None
    for precision in PRECISIONS:
        bench.log(f"forward base, {precision}")
        entries = [Entry(KERAS_BERT, "keras_bert", precision)]
        entries += [Entry("KerasHub", "kerashub", precision, form) for form in ("", "XLA")]
        entries += [Entry("Hugging Face", "huggingface", precision, form) for form in ("eager", "compile")]
        entries += [Entry(peer, module, precision) for peer, module in RUNTIMES[precision].items()]
        with Runner(bench.entries("forward", add_keras_bert_files(entries))) as runner:
            cases = dict.fromkeys(task["cases"], bench.rounds)
            results, reference = runner.run(task, cases, bench.seconds, reference)
        bench.record(results)
        for size in BATCHES:
            for suffix, selected in split_by_runtime(results):
                for unit, amount in (("tokens/s", size * LENGTH), ("ms", None))[: 2 if size == 1 else 1]:
                    yield make_row(
                        f"forward, base, {size} x {LENGTH}{suffix}",
                        selected,
                        case=str(size),
                        unit=unit,
                        amount=amount,
                        precision=precision,
                        flops=flops.encoder(config, [LENGTH] * size),
                        peak=bench.peaks.get(precision),
                    )


def export_files(bench, task: dict) -> dict:
    """Write the files that the runtimes and TensorFlow load; return their folders."""
    exporters = {
        "keras_bert_onnx": Entry(KERAS_BERT, "keras_bert_onnx"),
        "huggingface": Entry("Hugging Face", "huggingface_export"),
        "tfhub": Entry("KerasHub", "kerashub"),
    }
    files = {kind: str(bench.folder / f"forward-{kind}") for kind in exporters}
    for folder in files.values():
        Path(folder).mkdir(exist_ok=True)
    bench.export((entry, {**task, "folder": files[kind]}) for kind, entry in exporters.items())
    return files
