"""A step of masked-word pretraining: forward, backward, clipping, AdamW; 20 predictions a row."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row

WORKERS = {"ours": "ours_training", "KerasHub": "kerashub", "Hugging Face": "huggingface"}
FORMS = {"ours": [""], "KerasHub": ["", "XLA"], "Hugging Face": ["eager", "compile"]}
# At base compiling takes minutes: one form each, as mini's races have them, but that Hugging Face, whose two forms are
# near each other there in float32, is not compiled for it.
FORMS_OF_BASE = {
    "float32": {"ours": [""], "KerasHub": ["XLA"], "Hugging Face": ["eager"]},
    "bfloat16": {"ours": [""], "KerasHub": [""], "Hugging Face": ["compile"]},
}
LENGTH, POSITIONS, DROPOUT = 128, 20, 0.1


def contestants(forms: dict[str, list[str]], precision: str) -> list[Entry]:
    return [Entry(peer, WORKERS[peer], precision, form) for peer, found in forms.items() for form in found]


def measure(bench):
    works = [("mini", inputs.MINI, 32, 5), ("base", inputs.BASE, 8, 2)]
    for name, config, batch, rounds in works[:1] if bench.quick else works:
        config = bench.size(config)
        rows = inputs.full_rows(config, batch, LENGTH, POSITIONS)
        task = {
            "work": "pretraining",
            "config": config,
            "weights": bench.weights(config),
            "batch": bench.save(f"pretraining-{name}", rows),
            "learning_rate": 1e-4,
        }
        logits = None  # float32's, which both precisions are compared with
        for precision in PRECISIONS:
            bench.say(f"pretraining {name}, {precision}")
            details = {**task, "dropout": DROPOUT, "check_steps": 0}
            entries = bench.entries("pretraining", contestants(FORMS, precision))
            if name == "base":
                entries = contestants(FORMS_OF_BASE[precision], precision)
            with Race(entries) as race:
                results, logits = race.run(details, {"step": min(bench.rounds, rounds)}, bench.seconds, logits)
            bench.collect(results)
            if (name, precision) == ("mini", "float32"):
                # Without dropout the losses of whole steps are compared, so the gradient and the optimizer too; of the
                # peers in their plain forms: what compiles them is theirs, and its logits were compared above.
                plain = contestants({peer: found[:1] for peer, found in FORMS.items()}, precision)
                with Race(plain) as race:
                    checked, _ = race.run({**task, "dropout": 0.0, "check_steps": 3}, {}, 0)
                errors = {result.entry.peer: result.error for result in checked}
                for result in results:
                    result.error = result.error or errors[result.entry.peer]
            forward = flops.masked_words(config, [LENGTH] * batch, POSITIONS)
            yield row(
                f"pretraining step, {name}, {batch} x {LENGTH}, dropout {DROPOUT}",
                results,
                case="step",
                unit="tokens/s",
                amount=batch * LENGTH,
                precision=precision,
                flops=flops.training(forward),
                peak=bench.peaks.get(precision),
                notes=["Hugging Face gathers the masked positions in a thin wrapper"],
            )
