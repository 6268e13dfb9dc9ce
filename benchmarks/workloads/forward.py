"""The encoder's forward pass on full rows of 128 tokens, as a model and as a file: base, 8 rows and 1 row."""

from pathlib import Path

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row
from benchmarks.runtimes import beside, tables

LENGTH, BATCHES = 128, (8, 1)
RUNTIMES = {
    "float32": {"TF-Hub interface": "tfhub", "ONNX Runtime": "onnx_runtime", "OpenVINO": "openvino"},
    "bfloat16": {"OpenVINO": "openvino"},
}


def measure(bench):
    config = bench.size(inputs.BASE)
    task = {
        "work": "forward",
        "config": config,
        "weights": bench.weights(config),
        "batch": bench.save("forward", inputs.full_rows(config, max(BATCHES), LENGTH)),
        "cases": [str(size) for size in BATCHES],
        "model": "encoder",
    }
    task["files"] = exported(bench, task)
    reference = None
    for precision in PRECISIONS:
        bench.say(f"forward base, {precision}")
        entries = [Entry("ours", "ours", precision)]
        entries += [Entry("KerasHub", "kerashub", precision, form) for form in ("", "XLA")]
        entries += [Entry("Hugging Face", "huggingface", precision, form) for form in ("eager", "compile")]
        entries += [Entry(peer, worker, precision) for peer, worker in RUNTIMES[precision].items()]
        with Race(bench.entries("forward", beside(entries))) as race:
            cases = dict.fromkeys(task["cases"], bench.rounds)
            results, reference = race.run(task, cases, bench.seconds, reference)
        bench.collect(results)
        for size in BATCHES:
            for where, found in tables(results):
                for unit, amount in (("tokens/s", size * LENGTH), ("ms", None))[: 2 if size == 1 else 1]:
                    yield row(
                        f"forward, base, {size} x {LENGTH}{where}",
                        found,
                        case=str(size),
                        unit=unit,
                        amount=amount,
                        precision=precision,
                        flops=flops.encoder(config, [LENGTH] * size),
                        peak=bench.peaks.get(precision),
                    )


def exported(bench, task: dict) -> dict:
    """The folders of what the runtimes and TensorFlow load."""
    makers = {
        "onnx": Entry("ours", "ours_onnx"),
        "exchange": Entry("Hugging Face", "exchange"),
        "tfhub": Entry("KerasHub", "kerashub"),
    }
    files = {kind: str(bench.folder / f"forward-{kind}") for kind in makers}
    for folder in files.values():
        Path(folder).mkdir(exist_ok=True)
    bench.export((entry, {**task, "folder": files[kind]}) for kind, entry in makers.items())
    return files
