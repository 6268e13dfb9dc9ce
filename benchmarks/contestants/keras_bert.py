"""keras_bert, through its public names."""

import contextlib
import time
from types import SimpleNamespace

import keras
import numpy as np

import keras_bert as kb
from benchmarks.contestants.fit import Fit
from benchmarks.contestants.protocol import keras_policy, serve
from benchmarks.contestants.serving import Tokenizer
from benchmarks.contestants.stepwise import StepwiseTraining
from keras_bert import ops
from keras_bert.constants import INPUT_KEYS
from keras_bert.inference import predict_logits
from keras_bert.tasks.losses import PER_EXAMPLE_FNS
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples
from keras_bert.training import MaskedBatches, bert_adamw
from keras_bert.training.common import jit_compile
from keras_bert.training.pretraining_metrics import compile_pretrainer


class StoredWeights:
    """An .npz file of weights, in the form of a loaded TF-Hub model, which `kb.load_weights` reads.

    Args:
        tensors: arrays by TF-Hub's name.
    """

    def __init__(self, tensors: dict):
        head = {name: value for name, value in tensors.items() if name.startswith("bert/cls/")}
        self.variables = [
            self._variable(name, value)
            for name, value in tensors.items()
            if name not in head and not name.startswith("classifier/")
        ]
        self.mlm = SimpleNamespace(variables=[self._variable(name, value) for name, value in head.items()])

    def __call__(self):
        raise TypeError("StoredWeights has no computation")

    @staticmethod
    def _variable(name, value):
        return SimpleNamespace(name=name, dtype=SimpleNamespace(is_floating=True), numpy=lambda: value)


def make_encoder(task: dict):
    """Create an encoder of the task's size and precision."""
    keras.backend.clear_session()
    dropout = task.get("dropout", 0.0)
    config = kb.BertConfig(**task["config"], hidden_dropout=dropout, attention_dropout=dropout)
    return kb.BertEncoder(config, dtype=keras_policy(task))


def load_classifier(task: dict):
    """Create a classifier with the weights of the benchmark."""
    tensors = dict(np.load(task["weights"]))
    model = kb.BertClassifier(make_encoder(task), num_classes=2, dropout=task.get("dropout", 0.0))
    kb.load_weights(model.encoder, StoredWeights(tensors))
    model.head.kernel.assign(tensors["classifier/kernel"])
    model.head.bias.assign(tensors["classifier/bias"])
    return model


class Pretraining:
    """Steps of masked LM, as `kb.pretrain` runs them."""

    def __init__(self, task: dict):
        # The form "without attention" disables the kernel "attention" in everything that this process traces.
        self.disabled = contextlib.ExitStack()
        if task["form"]:
            kernels = task["form"].removeprefix("without ").split(" and ")
            self.disabled.enter_context(ops.disable_kernels(*kernels))
        self.model = kb.BertPretrainer(make_encoder(task), sentence_task=None)
        kb.load_weights(self.model, StoredWeights(dict(np.load(task["weights"]))))
        compile_pretrainer(self.model, bert_adamw(task["learning_rate"]))
        rows = dict(np.load(task["batch"]))
        inputs = {name: rows[name] for name in (*INPUT_KEYS, "masked_lm_positions")}
        targets = rows["masked_lm_ids"]  # [B, P]
        self.batch = inputs, {"mlm_logits": targets}, {"mlm_logits": np.ones(targets.shape, np.float32)}
        self.train_on_batch = ops.train_on_batch(self.model, PER_EXAMPLE_FNS)
        self.steps = task["check_steps"]

    def outputs(self) -> dict:
        inputs = {name: value[:1] for name, value in self.batch[0].items()}
        logits = np.asarray(self.model(inputs, training=False)["mlm_logits"])  # [1, P, V]
        return {"logits": logits, "losses": np.array([self._step() for _ in range(self.steps)], np.float64)}

    def run(self, case: str, number: int) -> None:
        self._step()

    def _step(self) -> float:
        return float(self.train_on_batch(*self.batch)["loss"])


class Finetuning:
    """`kb.finetune` itself, a number of steps at a time."""

    def __init__(self, task: dict):
        self.model = load_classifier(task)
        rows = dict(np.load(task["rows"]))
        labels = rows.pop("labels")
        self.first = {name: value[:32] for name, value in rows.items()}
        self.steps, self.training = task["steps"], None

        def train(callback) -> None:
            kb.finetune(
                self.model,
                rows,
                labels,
                self.first,
                labels[:32],
                epochs=100,
                batch_size=task["batch_size"],
                learning_rate=task["learning_rate"],
                callbacks=[callback],
                verbose=0,
            )

        self.train = train

    def outputs(self) -> dict:
        return {"logits": predict_logits(self.model, self.first)}

    def run(self, case: str, number: int) -> None:
        self.training = self.training or StepwiseTraining(self.train)
        self.training.run(self.steps[case])


def fit(task: dict) -> Fit:
    """Return the contestant: `BertClassifier.fit` with the optimizer of a user of Keras."""
    optimizer = keras.optimizers.AdamW(
        task["learning_rate"], weight_decay=0.01, beta_2=0.999, epsilon=1e-6, global_clipnorm=1.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return Fit(task, load_classifier(task), optimizer)


class Forward:
    """`predict_on_batch` of the encoder on rows without padding; a case is a batch size."""

    def __init__(self, task: dict):
        encoder = make_encoder(task)
        kb.load_weights(encoder, StoredWeights(dict(np.load(task["weights"]))))
        self.model = keras.Model(encoder.input, encoder(encoder.input)["sequence_output"])
        self.model.compile(jit_compile=jit_compile())
        rows = dict(np.load(task["batch"]))
        self.inputs = {case: {name: rows[name][: int(case)] for name in INPUT_KEYS} for case in task["cases"]}

    def outputs(self) -> dict:
        return {case: self.model.predict_on_batch(inputs) for case, inputs in self.inputs.items()}

    def run(self, case: str, number: int) -> None:
        self.model.predict_on_batch(self.inputs[case])


def tokenization(task: dict) -> Tokenizer:
    """Return the contestant: `BertTextVectorization`, from texts to the three inputs."""
    vectorizer = kb.BertTextVectorization(task["vocabulary"], sequence_length=task["length"])
    return Tokenizer(task, vectorizer, lambda inputs: inputs["input_word_ids"])


class Pipeline:
    """Masked batches from packed rows, without training."""

    def __init__(self, task: dict):
        rows = dict(np.load(task["rows"]))
        ids = rows["input_word_ids"].astype(np.uint16)
        examples = PretrainingExamples(ids, rows["input_type_ids"].astype(np.int8), rows["lengths"], None)
        masking = Masking.from_vocabulary(kb.load_vocabulary(task["vocabulary"]), max_predictions=task["positions"])
        self.batches, self.count = MaskedBatches(examples, masking, task["batch_size"]), task["batches"]

    def outputs(self) -> dict:
        weights = np.concatenate([self.batches.batch(0, i)[2]["mlm_logits"] for i in range(self.count)])
        return {"predictions per row": np.array(float(weights.sum(axis=1).mean()))}

    def run(self, case: str, number: int) -> None:
        for i in range(self.count):
            self.batches.batch(0, i)


class Export:
    """Not a contestant: writes the SavedModel that `saved_model` and `cold` load."""

    def __init__(self, task: dict):
        vectorizer = kb.BertTextVectorization(task["vocabulary"], sequence_length=task["length"])
        start = time.perf_counter()
        kb.export_saved_model(load_classifier(task), task["folder"], vectorizer=vectorizer, dtype=task["precision"])
        self.notes = [f"exported in {time.perf_counter() - start:.0f} s"]

    def outputs(self) -> dict:
        return {}


if __name__ == "__main__":
    serve(
        {
            "pretraining": Pretraining,  # without partitioned CPU threads, for the ablation
            "fit": fit,
            "forward": Forward,
            "tokenization": tokenization,
            "pipeline": Pipeline,
            "export": Export,
        }
    )
