"""A step of masked-LM pretraining: forward, backward, gradient clipping, AdamW; 20 predictions per row."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.contestant import Entry
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner

MODULES = {KERAS_BERT: "keras_bert_partitioned", "KerasHub": "kerashub", "Hugging Face": "huggingface"}
FORMS = {KERAS_BERT: [""], "KerasHub": ["", "XLA"], "Hugging Face": ["eager", "compile"]}
# Compiling takes minutes at size base, so each peer has one form there: the faster one at size mini. In float32 the two
# forms of Hugging Face are nearly equal at size mini; eager needs no compiling.
FORMS_OF_BASE = {
    "float32": {KERAS_BERT: [""], "KerasHub": ["XLA"], "Hugging Face": ["eager"]},
    "bfloat16": {KERAS_BERT: [""], "KerasHub": [""], "Hugging Face": ["compile"]},
}
LENGTH, POSITIONS, DROPOUT = 128, 20, 0.1


def make_entries(forms: dict[str, list[str]], precision: str) -> list[Entry]:
    """List the entries of the given forms."""
    return [Entry(peer, MODULES[peer], precision, form) for peer, names in forms.items() for form in names]


def measure(bench):
    """Yield a row per size and precision."""
    sizes = [("mini", inputs.MINI, 32, 5), ("base", inputs.BASE, 8, 2)]
    for name, config, batch, rounds in sizes[:1] if bench.quick else sizes:
        config = bench.size(config)
        rows = inputs.full_rows(config, batch, LENGTH, POSITIONS)
        task = {
            "workload": "pretraining",
            "config": config,
            "weights": bench.weights(config),
            "batch": bench.save(f"pretraining-{name}", rows),
            "learning_rate": 1e-4,
        }
        logits = None  # those of float32, which both precisions are compared with
        for precision in PRECISIONS:
            bench.log(f"pretraining {name}, {precision}")
            details = {**task, "dropout": DROPOUT, "check_steps": 0}
            entries = bench.entries("pretraining", make_entries(FORMS, precision))
            if name == "base":
                entries = make_entries(FORMS_OF_BASE[precision], precision)
            with Runner(entries) as runner:
                results, logits = runner.run(details, {"step": min(bench.rounds, rounds)}, bench.seconds, logits)
            bench.record(results)
            if (name, precision) == ("mini", "float32"):
                # Losses of whole steps without dropout compare the gradients and the optimizers too. The compiled forms
                # of the peers are not compared: their logits were compared above.
                plain = make_entries({peer: names[:1] for peer, names in FORMS.items()}, precision)
                with Runner(plain) as runner:
                    checked, _ = runner.run({**task, "dropout": 0.0, "check_steps": 3}, {}, 0)
                errors = {result.entry.peer: result.error for result in checked}
                for result in results:
                    result.error = result.error or errors[result.entry.peer]
            forward = flops.masked_lm(config, [LENGTH] * batch, POSITIONS)
            yield make_row(
                f"pretraining step, {name}, {batch} x {LENGTH}, dropout {DROPOUT}",
                results,
                case="step",
                unit="tokens/s",
                amount=batch * LENGTH,
                precision=precision,
                flops=flops.training(forward),
                peak=bench.peaks.get(precision),
                notes=["a wrapper around Hugging Face's model gathers the masked positions"],
            )
