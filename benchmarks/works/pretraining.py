"""A step of masked-word pretraining: forward, backward, clipping, AdamW; 20 predictions a row."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row

FORMS = {"ours": ("ours", [""]), "KerasHub": ("kerashub", ["", "XLA"]), "Hugging Face": ("huggingface", [])}
HUGGING_FACE = {"float32": ["eager", "compile", "plain"], "bfloat16": ["eager", "compile"]}
LENGTH, POSITIONS = 128, 20


def contestants(bench, precision: str) -> list[Entry]:
    forms = {**FORMS, "Hugging Face": ("huggingface", HUGGING_FACE[precision])}
    every = [Entry(peer, worker, precision, form) for peer, (worker, kinds) in forms.items() for form in kinds]
    return bench.entries("pretraining", every)


def measure(bench):
    works = [("mini", inputs.MINI, 32, (0.1, 0.0)), ("base", inputs.BASE, 8, (0.1,))]
    for name, config, batch, rates in works[:1] if bench.quick else works:
        config = bench.size(config)
        rows = inputs.full_rows(config, batch, LENGTH, POSITIONS)
        task = {
            "work": "pretraining",
            "config": config,
            "weights": bench.weights(config),
            "batch": bench.save(f"pretraining-{name}", rows),
            "learning_rate": 1e-4,
        }
        references = {}
        for precision in PRECISIONS:
            for rate in rates:
                bench.say(f"pretraining {name}, {precision}, dropout {rate}")
                # Without dropout the losses of whole steps are compared, so the gradient and the optimizer too.
                details = {**task, "dropout": rate, "check_steps": 3 if rate == 0 else 0}
                with Race(contestants(bench, precision)) as race:
                    results, references[rate] = race.run(
                        details, {"step": bench.rounds}, bench.seconds, references.get(rate)
                    )
                bench.collect(results)
                if name == "mini" and rate:  # the losing forms stay at home from here on
                    bench.learn("pretraining", results, "step")
                forward = flops.masked_words(config, [LENGTH] * batch, POSITIONS)
                yield row(
                    f"pretraining step, {name}, {batch} x {LENGTH}, dropout {rate}",
                    results,
                    case="step",
                    unit="tokens/s",
                    amount=batch * LENGTH,
                    precision=precision,
                    flops=flops.training(forward),
                    peak=bench.peaks.get(precision),
                    notes=["Hugging Face gathers the masked positions in a thin wrapper; `plain` does not"],
                )
