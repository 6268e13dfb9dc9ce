"""This package, by its public names."""

import contextlib
import threading
import time
from types import SimpleNamespace

import keras
import numpy as np

import keras_bert as kb
from benchmarks.contestants.protocol import keras_policy, serve
from benchmarks.contestants.serving import Tokeniser
from keras_bert import ops
from keras_bert.inference import predict_logits
from keras_bert.tasks.losses import PER_EXAMPLE_FNS
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples
from keras_bert.training import MaskedBatches, bert_adamw
from keras_bert.training.common import jit_compile
from keras_bert.training.pretraining_metrics import compile_pretrainer

INPUTS = ("input_word_ids", "input_mask", "input_type_ids")


class Stored:
    """An .npz of weights, in the shape that `kb.load_weights` reads: a loaded TF-Hub BERT."""

    def __init__(self, tensors: dict):
        head = {name: value for name, value in tensors.items() if name.startswith("bert/cls/")}
        self.variables = [
            self._variable(name, value)
            for name, value in tensors.items()
            if name not in head and not name.startswith("classifier/")
        ]
        self.mlm = SimpleNamespace(variables=[self._variable(name, value) for name, value in head.items()])

    def __call__(self):
        raise TypeError("of this one only the weights are read")

    @staticmethod
    def _variable(name, value):
        return SimpleNamespace(name=name, dtype=SimpleNamespace(is_floating=True), numpy=lambda: value)


def encoder(task: dict):
    keras.backend.clear_session()
    rate = task.get("dropout", 0.0)
    config = kb.BertConfig(**task["config"], hidden_dropout=rate, attention_dropout=rate)
    return kb.BertEncoder(config, dtype=keras_policy(task))


def classifier(task: dict):
    """A classifier that holds the race's weights."""
    tensors = dict(np.load(task["weights"]))
    made = kb.BertClassifier(encoder(task), num_classes=2, dropout=task.get("dropout", 0.0))
    kb.load_weights(made.encoder, Stored(tensors))
    made.head.kernel.assign(tensors["classifier/kernel"])
    made.head.bias.assign(tensors["classifier/bias"])
    return made


class Pretraining:
    """Steps of masked-word prediction, as `kb.pretrain` takes them."""

    def __init__(self, task: dict):
        # A form such as "without dense" disables that kernel for the graphs that are traced here.
        self.disabled = contextlib.ExitStack()
        if task["form"]:
            self.disabled.enter_context(ops.disable_kernels(*task["form"].removeprefix("without ").split(" and ")))
        self.model = kb.BertPretrainer(encoder(task), sentence_task=None)
        kb.load_weights(self.model, Stored(dict(np.load(task["weights"]))))
        compile_pretrainer(self.model, bert_adamw(task["learning_rate"]))
        rows = dict(np.load(task["batch"]))
        inputs = {name: rows[name] for name in (*INPUTS, "masked_lm_positions")}
        targets = rows["masked_lm_ids"]
        self.batch = inputs, {"mlm_logits": targets}, {"mlm_logits": np.ones(targets.shape, np.float32)}
        self.train_on_batch = ops.train_on_batch(self.model, PER_EXAMPLE_FNS)
        self.steps = task["check_steps"]

    def answers(self) -> dict:
        inputs = {name: value[:1] for name, value in self.batch[0].items()}
        logits = np.asarray(self.model(inputs, training=False)["mlm_logits"])
        return {"logits": logits, "losses": np.array([self._step() for _ in range(self.steps)], np.float64)}

    def run(self, case: str, number: int) -> None:
        self._step()

    def _step(self) -> float:
        return float(self.train_on_batch(*self.batch)["loss"])


class Turns(keras.callbacks.Callback):
    """Lets a training that runs in a thread of its own go on for so many batches at a time."""

    def __init__(self, train):
        super().__init__()
        self._go, self._done, self._left, self._error = threading.Event(), threading.Event(), 0, None
        threading.Thread(target=self._run, args=(train,), daemon=True).start()

    def take(self, batches: int) -> None:
        self._left = batches
        self._done.clear()
        self._go.set()
        self._done.wait()
        if self._error is not None:
            raise self._error

    def on_train_begin(self, logs=None):
        self._wait()

    def on_train_batch_end(self, batch, logs=None):
        self._left -= 1
        if self._left == 0:
            self._done.set()
            self._wait()

    def _wait(self) -> None:
        self._go.wait()
        self._go.clear()

    def _run(self, train) -> None:
        try:
            train(self)
            self._error = RuntimeError("the training ended before the race")
        except Exception as error:  # it is raised where the batches are asked for
            self._error = error
        self._done.set()


class Finetuning:
    """`kb.finetune` itself, batches and all; a unit is as many of its steps as the task says."""

    def __init__(self, task: dict):
        self.model = classifier(task)
        rows = dict(np.load(task["rows"]))
        labels = rows.pop("labels")
        self.first = {name: value[:32] for name, value in rows.items()}
        self.count, self.turns = task["count"], None

        def train(turns) -> None:
            kb.finetune(
                self.model,
                rows,
                labels,
                self.first,
                labels[:32],
                epochs=100,
                batch_size=task["batch_size"],
                learning_rate=task["learning_rate"],
                callbacks=[turns],
                verbose=0,
            )

        self.train = train

    def answers(self) -> dict:
        return {"logits": predict_logits(self.model, self.first)}

    def run(self, case: str, number: int) -> None:
        self.turns = self.turns or Turns(self.train)
        self.turns.take(self.count[case])


class Forward:
    """The encoder on full rows: what `model.predict_on_batch` gives."""

    def __init__(self, task: dict):
        self.model = encoder(task)
        kb.load_weights(self.model, Stored(dict(np.load(task["weights"]))))
        self.model = keras.Model(self.model.input, self.model(self.model.input)["sequence_output"])
        self.model.compile(jit_compile=jit_compile())
        rows = dict(np.load(task["batch"]))
        self.inputs = {
            case: {name: rows[name][: int(case)] for name in INPUTS} for case in task["cases"]
        }  # a case is its batch size

    def answers(self) -> dict:
        return {case: self.model.predict_on_batch(inputs) for case, inputs in self.inputs.items()}

    def run(self, case: str, number: int) -> None:
        self.model.predict_on_batch(self.inputs[case])


def tokenising(task: dict) -> Tokeniser:
    """`BertTextVectorization`: texts to the three inputs."""
    vectorizer = kb.BertTextVectorization(task["vocabulary"], sequence_length=task["length"])
    return Tokeniser(task, vectorizer, lambda found: found["input_word_ids"])


class Pipeline:
    """Masked batches from packed rows, nothing trained."""

    def __init__(self, task: dict):
        rows = dict(np.load(task["rows"]))
        ids = rows["input_word_ids"].astype(np.uint16)
        examples = PretrainingExamples(ids, rows["input_type_ids"].astype(np.int8), rows["lengths"], None)
        masking = Masking.from_vocabulary(kb.load_vocabulary(task["vocabulary"]), max_predictions=task["positions"])
        self.batches = MaskedBatches(examples, masking, task["batch_size"])

    def answers(self) -> dict:
        weights = np.concatenate([self.batches.batch(0, i)[2]["mlm_logits"] for i in range(20)])
        return {"predictions a row": np.array(float(weights.sum(axis=1).mean()))}

    def run(self, case: str, number: int) -> None:
        for i in range(20):
            self.batches.batch(0, i)


class Export:
    """Not a contestant: writes the SavedModel that `saved_model` and `cold` load."""

    def __init__(self, task: dict):
        vectorizer = kb.BertTextVectorization(task["vocabulary"], sequence_length=task["length"])
        begun = time.perf_counter()
        kb.export_saved_model(classifier(task), task["folder"], vectorizer=vectorizer, dtype=task["precision"])
        self.notes = [f"exported in {time.perf_counter() - begun:.0f} s"]

    def answers(self) -> dict:
        return {}


if __name__ == "__main__":
    works = {
        "pretraining": Pretraining,  # whole batches, for the ablation
        "forward": Forward,
        "tokenising": tokenising,
        "pipeline": Pipeline,
        "export": Export,
    }
    serve(works)
