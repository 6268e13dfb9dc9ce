"""What the tasks have in common: how they are trained, and by what the best epoch is told."""

import keras

from keras_bert.training import finetune
from keras_bert.training.finetuning import selection_key


class Task:
    """A task on an encoder that learns with it, whose best epoch has the most held-out rows right."""

    label_names: tuple[str, ...] = ()
    pairs: bool | None = None
    no_answer: bool | None = None

    def score(self, model, reader, seed: int, held_out: float):
        """A function that says how good the model is on what is held out; None where the rows' accuracy does."""
        return None

    def fit(self, model, rows: tuple, held_out: tuple, **settings) -> keras.callbacks.History:
        """`finetune`."""
        return finetune(model, *rows, *held_out, **settings)

    def best(self, history: dict[str, list[float]]) -> int:
        """The epoch, from 0, whose weights the model was left with."""
        epochs = range(len(history["loss"]))
        return max(epochs, key=lambda i: selection_key({name: values[i] for name, values in history.items()}))
