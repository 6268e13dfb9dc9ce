"""Ours on JAX: the package's own model, loss and optimizer, stepped as `fit` does, and nothing else.

Forms, the generator that dropout draws from: `threefry` is JAX's own; `philox` another that takes Keras' seeds.
"""

import jax
import keras
import numpy as np

import keras_bert as kb
from benchmarks.accelerator.hlo import summary, timeline
from benchmarks.contestants.ours import INPUTS, Stored, encoder
from benchmarks.contestants.protocol import serve
from keras_bert.training import bert_adamw
from keras_bert.training.pretraining_metrics import compile_pretrainer

GENERATORS = {"threefry": "threefry2x32", "philox": "philox4x32"}


class Pretraining:
    """Whole training steps; a unit is as many as `unit_rows` fill, with no word to the host in between."""

    def __init__(self, task: dict):
        jax.config.update("jax_default_prng_impl", GENERATORS[task["form"]])
        if task["precision"] == "float32":  # not TF32, which is what a GPU takes for float32 by itself
            jax.config.update("jax_default_matmul_precision", "highest")
        keras.utils.set_random_seed(0)
        model = kb.BertPretrainer(encoder(task), sentence_task=None)
        kb.load_weights(model, Stored(dict(np.load(task["weights"]))))
        compile_pretrainer(model, bert_adamw(task["learning_rate"]))
        model.optimizer.build(model.trainable_variables)
        batch = task["batch_sizes"][task["form"]]
        rows = {name: value[:batch] for name, value in np.load(task["batch"]).items()}
        inputs = {name: rows[name] for name in (*INPUTS, "masked_lm_positions")}
        targets = rows["masked_lm_ids"]
        data = inputs, {"mlm_logits": targets}, {"mlm_logits": np.ones(targets.shape, np.float32)}
        model._symbolic_build(data_batch=data)  # what `fit` does first: the metrics get their variables
        self.data = jax.device_put(data)
        # `train_step` is Keras' stateless step: state in, state out, in the same buffers, which are donated.
        self.step = jax.jit(model.train_step, donate_argnums=0)
        every = model.trainable_variables, model.non_trainable_variables, model.optimizer.variables
        self.state = tuple([variable.value for variable in some] for some in every)
        self.metrics = [np.asarray(variable) for variable in model.metrics_variables]
        self.steps, self.unit = task["check_steps"], max(1, task["unit_rows"] // batch)
        self.notes = [f"{batch} rows a step"]

    def answers(self) -> dict:
        losses = np.array([self._steps(1) for _ in range(1 + self.steps)])
        return {"losses": losses, "moved": losses - losses[0]}

    def run(self, case: str, number: int) -> None:
        self._steps(self.unit)

    def peak_mib(self) -> float | None:
        found = jax.local_devices()[0].memory_stats()  # None on a CPU
        return found["peak_bytes_in_use"] / 2**20 if found else None

    def _steps(self, count: int) -> float:
        """That many steps; the mean of their losses, in nats."""
        metrics = jax.device_put(self.metrics)
        with jax.transfer_guard("disallow"):  # whatever waited for the host, or fed from it, would be an error
            for _ in range(count):
                logs, (*self.state, metrics) = self.step((*self.state, metrics), self.data)
        return float(logs["loss"])


class Profile(Pretraining):
    """Not raced: what the compiled step consists of and where its time goes, as text."""

    def __init__(self, task: dict):
        super().__init__(task)
        self.file = task["files"][task["form"]]

    def answers(self) -> dict:
        metrics = jax.device_put(self.metrics)
        compiled = self.step.lower((*self.state, metrics), self.data).compile()
        self._steps(3)
        programs = self.step._cache_size()
        with timeline() as found:
            self._steps(3)
        with open(self.file, "w") as file:
            file.write(f"{summary(compiled)}\nprograms compiled in 3 steps: {programs}\n\n3 steps:\n{found}\n")
        return {}


if __name__ == "__main__":
    serve({"pretraining": Pretraining, "profile": Profile})
