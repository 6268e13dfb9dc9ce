"""`model.fit` of a Keras classifier on rows of one length, as users of Keras call it."""

from collections.abc import Callable

import keras
import numpy as np


class Fit:
    """Epochs over a few batches. The form `XLA` is `jit_compile=True`.

    Args:
        task: what the contestant receives.
        model: classifier from the model's inputs to logits.
        optimizer: of the training.
        rename: function from the three inputs to those of the model.
    """

    def __init__(self, task: dict, model, optimizer, rename: Callable[[dict], dict] = dict):
        self.model, self.batch_size = model, task["batch_size"]
        rows = dict(np.load(task["rows"]))
        self.labels = rows.pop("labels")
        self.inputs = rename(rows)
        self.model.compile(
            optimizer,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy()],
            jit_compile=task["form"] == "XLA",
        )

    def outputs(self) -> dict:
        first = {name: value[: self.batch_size] for name, value in self.inputs.items()}
        return {"logits": np.asarray(self.model.predict_on_batch(first), np.float32)}

    def run(self, case: str, number: int) -> None:
        self.model.fit(self.inputs, self.labels, batch_size=self.batch_size, shuffle=False, verbose=0)
