"""keras_bert on JAX: the model, loss and optimizer of the package, with the training step that `fit` uses.

The form is the random generator of dropout: `threefry` is JAX's default; `philox` also accepts Keras's seeds.
"""

import sys

import jax
import keras
import numpy as np

import keras_bert as kb
from benchmarks.accelerator.hlo import summary, timeline
from benchmarks.contestants.keras_bert import StoredWeights, make_encoder
from benchmarks.contestants.protocol import serve
from keras_bert.constants import INPUT_KEYS
from keras_bert.training import bert_adamw
from keras_bert.training.pretraining_metrics import compile_pretrainer

GENERATORS = {"threefry": "threefry2x32", "philox": "philox4x32"}


class Pretraining:
    """Whole training steps. A repetition is several steps without communication with the host."""

    def __init__(self, task: dict):
        jax.config.update("jax_default_prng_impl", GENERATORS[task["form"]])
        if task["precision"] == "float32":  # without this a GPU computes float32 products in TF32
            jax.config.update("jax_default_matmul_precision", "highest")
        sys.modules.setdefault("tensorflow", None)  # Keras would import it to set its seed, which takes seconds
        keras.utils.set_random_seed(0)
        model = kb.BertPretrainer(make_encoder(task), sentence_task=None)
        kb.load_weights(model, StoredWeights(dict(np.load(task["weights"]))))
        compile_pretrainer(model, bert_adamw(task["learning_rate"]))
        model.optimizer.build(model.trainable_variables)
        batch = task["batch_sizes"][task["form"]]
        rows = {name: value[:batch] for name, value in np.load(task["batch"]).items()}
        inputs = {name: rows[name] for name in (*INPUT_KEYS, "masked_lm_positions")}
        targets = rows["masked_lm_ids"]  # [B, P]
        data = inputs, {"mlm_logits": targets}, {"mlm_logits": np.ones(targets.shape, np.float32)}
        model._symbolic_build(data_batch=data)  # creates the variables of the metrics, as `fit` does
        self.data = jax.device_put(data)
        # `train_step` is Keras's stateless step. The buffers of the old state are donated to the new one.
        self.step = jax.jit(model.train_step, donate_argnums=0)
        variables = model.trainable_variables, model.non_trainable_variables, model.optimizer.variables
        self.state = tuple([variable.value for variable in group] for group in variables)
        self.metrics = [np.asarray(variable) for variable in model.metrics_variables]
        self.check_steps, self.steps = task["check_steps"], max(1, task["rows"] // batch)
        self.notes = [f"batch size {batch}"]

    def outputs(self) -> dict:
        losses = np.array([self._run_steps(1) for _ in range(1 + self.check_steps)])
        return {"losses": losses, "changes": losses - losses[0]}

    def run(self, case: str, number: int) -> None:
        self._run_steps(self.steps)

    def peak_mib(self) -> float | None:
        stats = jax.local_devices()[0].memory_stats()  # None on a CPU
        return stats["peak_bytes_in_use"] / 2**20 if stats else None

    def _run_steps(self, count: int) -> float:
        """Run some steps and return the mean of their losses, in nats."""
        metrics = jax.device_put(self.metrics)
        with jax.transfer_guard("disallow"):  # any transfer between host and device is an error
            for _ in range(count):
                logs, (*self.state, metrics) = self.step((*self.state, metrics), self.data)
        return float(logs["loss"])


class Profile(Pretraining):
    """Not timed: writes the contents of the compiled step and the time of each operation as text."""

    def __init__(self, task: dict):
        super().__init__(task)
        self.file = task["files"][task["form"]]

    def outputs(self) -> dict:
        metrics = jax.device_put(self.metrics)
        compiled = self.step.lower((*self.state, metrics), self.data).compile()
        self._run_steps(3)
        programs = self.step._cache_size()
        with timeline() as recorded:
            self._run_steps(3)
        with open(self.file, "w") as file:
            file.write(f"{summary(compiled)}\nprograms compiled in 3 steps: {programs}\n\n3 steps:\n{recorded}\n")
        return {}


if __name__ == "__main__":
    serve({"pretraining": Pretraining, "profile": Profile})
