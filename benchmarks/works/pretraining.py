"""A step of masked-word pretraining: forward, backward, clipping, AdamW; 20 predictions a row."""

from benchmarks import flops, inputs
from benchmarks.bench import PRECISIONS
from benchmarks.race import Entry, Race
from benchmarks.rows import row

FORMS = {
    "ours": ("ours", [""]),
    "KerasHub": ("kerashub", ["", "XLA"]),
    "Hugging Face": ("huggingface", ["eager", "compile"]),
}
LENGTH, POSITIONS, DROPOUT = 128, 20, 0.1


def contestants(bench, precision: str) -> list[Entry]:
    every = [Entry(peer, worker, precision, form) for peer, (worker, kinds) in FORMS.items() for form in kinds]
    return bench.entries("pretraining", every)


def measure(bench):
    works = [("mini", inputs.MINI, 32, 5), ("base", inputs.BASE, 8, 3)]
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
        logits = losses = None  # float32's, which both precisions are compared with
        for precision in PRECISIONS:
            bench.say(f"pretraining {name}, {precision}")
            details = {**task, "dropout": DROPOUT, "check_steps": 0}
            with Race(contestants(bench, precision)) as race:
                results, logits = race.run(details, {"step": min(bench.rounds, rounds)}, bench.seconds, logits)
            bench.collect(results)
            if name == "mini":  # the losing forms stay at home from here on
                bench.learn("pretraining", results, "step")
                # Without dropout the losses of whole steps are compared, so the gradient and the optimizer too; of the
                # peers in their plain forms: what compiles them is theirs, and its logits were compared above.
                plain = [Entry(peer, worker, precision, kinds[0]) for peer, (worker, kinds) in FORMS.items()]
                with Race(plain) as race:
                    checked, losses = race.run({**task, "dropout": 0.0, "check_steps": 3}, {}, 0, losses)
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
