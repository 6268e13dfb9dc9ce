"""KerasHub: its own models and tokenizer, compiled with `compile`; the form `XLA` is `jit_compile=True`."""

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from benchmarks import weights
from benchmarks.batching import LengthGroupedRows
from benchmarks.contestants.fit import Fit
from benchmarks.contestants.protocol import keras_policy, serve
from benchmarks.contestants.serving import TextServer, Tokenizer, softmax

NAMES = {"token_ids": "input_word_ids", "padding_mask": "input_mask", "segment_ids": "input_type_ids"}


def tanh_gelu(x):
    """Compute the approximate GELU of published BERT models."""
    return keras.activations.gelu(x, approximate=True)


def make_backbone(task: dict):
    """Create a backbone of the task's size and precision."""
    keras.backend.clear_session()
    config = task["config"]
    return keras_hub.models.BertBackbone(
        vocabulary_size=config["vocab_size"],
        num_layers=config["num_layers"],
        num_heads=config["num_heads"],
        hidden_dim=config["hidden_size"],
        intermediate_dim=config["intermediate_size"],
        dropout=task.get("dropout", 0.0),
        max_sequence_length=config["max_position_embeddings"],
        num_segments=config["type_vocab_size"],
        dtype=keras_policy(task),
    )


def load_weights(model, task: dict) -> None:
    """Assign the weights of the benchmark to every variable of a model."""
    tensors = weights.to_keras_hub(dict(np.load(task["weights"])))
    for variable in model.trainable_variables:
        variable.assign(tensors[variable.path])


def adamw(task: dict):
    """Create the optimizer."""
    optimizer = keras.optimizers.AdamW(
        task["learning_rate"], weight_decay=0.01, beta_2=0.999, epsilon=1e-6, global_clipnorm=1.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def rename_inputs(rows: dict) -> dict:
    """Return the three inputs under KerasHub's names."""
    return {name: rows[key] for name, key in NAMES.items()}


class Pretraining:
    """`BertMaskedLM.train_on_batch`. The head gathers the masked positions."""

    def __init__(self, task: dict):
        self.model = keras_hub.models.BertMaskedLM(make_backbone(task), preprocessor=None)
        # KerasHub's head uses the exact GELU and another epsilon than published BERT models.
        head = self.model.masked_lm_head
        head._intermediate_dense.activation = tanh_gelu
        head._intermediate_layer_norm.epsilon = 1e-12
        load_weights(self.model, task)
        self.model.compile(
            adamw(task),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy()],
            jit_compile=task["form"] == "XLA",
        )
        rows = dict(np.load(task["batch"]))
        inputs = {**rename_inputs(rows), "mask_positions": rows["masked_lm_positions"]}
        self.batch = inputs, rows["masked_lm_ids"], np.ones(rows["masked_lm_ids"].shape, np.float32)
        self.steps = task["check_steps"]

    def outputs(self) -> dict:
        logits = np.asarray(self.model.predict_on_batch({k: v[:1] for k, v in self.batch[0].items()}), np.float32)
        return {"logits": logits, "losses": np.array([self._step() for _ in range(self.steps)], np.float64)}

    def run(self, case: str, number: int) -> None:
        self._step()

    def _step(self) -> float:
        loss = float(self.model.train_on_batch(*self.batch, return_dict=True)["loss"])
        self.model.reset_metrics()
        return loss


def load_classifier(task: dict):
    """Create a classifier with the weights of the benchmark."""
    model = keras_hub.models.BertTextClassifier(
        make_backbone(task), num_classes=2, preprocessor=None, dropout=task.get("dropout", 0.0)
    )
    load_weights(model, task)
    return model


class Finetuning:
    """`BertTextClassifier` on batches of similar length, padded to their longest row."""

    def __init__(self, task: dict):
        self.model = load_classifier(task)
        self.model.compile(
            adamw(task),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy()],
            jit_compile=False,  # XLA would compile for every length
        )
        rows = dict(np.load(task["rows"]))
        self.first = rename_inputs({name: value[:32] for name, value in rows.items()})
        self.batches, self.steps = LengthGroupedRows(rows, task["batch_size"]), task["steps"]

    def outputs(self) -> dict:
        return {"logits": np.asarray(self.model.predict_on_batch(self.first), np.float32)}

    def run(self, case: str, number: int) -> None:
        for _ in range(self.steps[case]):
            rows = next(self.batches)
            float(self.model.train_on_batch(rename_inputs(rows), rows["labels"], return_dict=True)["loss"])


def fit(task: dict) -> Fit:
    """Return the contestant: `BertTextClassifier.fit`."""
    return Fit(task, load_classifier(task), adamw(task), rename_inputs)


class Forward:
    """`predict_on_batch` of the backbone on rows without padding; a case is a batch size."""

    def __init__(self, task: dict):
        backbone = make_backbone(task)
        load_weights(backbone, task)
        self.model = keras.Model(backbone.input, backbone.output["sequence_output"])
        self.model.compile(jit_compile=task["form"] == "XLA")
        rows = dict(np.load(task["batch"]))
        self.inputs = {case: rename_inputs({k: v[: int(case)] for k, v in rows.items()}) for case in task["cases"]}

    def outputs(self) -> dict:
        outputs = {case: self.model.predict_on_batch(inputs) for case, inputs in self.inputs.items()}
        return {case: np.asarray(output, np.float32) for case, output in outputs.items()}

    def run(self, case: str, number: int) -> None:
        self.model.predict_on_batch(self.inputs[case])


def tokenization(task: dict) -> Tokenizer:
    """Return the contestant: `BertTextClassifierPreprocessor`, from texts to the three inputs."""
    return Tokenizer(task, make_preprocessor(task), lambda inputs: inputs["token_ids"])


def make_preprocessor(task: dict):
    """Create the preprocessor of a vocabulary."""
    tokenizer = keras_hub.models.BertTokenizer(task["vocabulary"], lowercase=True, strip_accents=True)
    return keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=task["length"])


class TextToProbabilities(TextServer):
    """The preprocessor, then `predict_on_batch` on rows that are trimmed to the longest of the batch."""

    def __init__(self, task: dict):
        super().__init__(task)
        self.model = load_classifier(task)
        self.model.compile(jit_compile=False)
        self.preprocess = make_preprocessor(task)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        inputs = {name: np.asarray(value) for name, value in self.preprocess(texts).items()}
        length = int(inputs["padding_mask"].sum(axis=1).max())
        logits = self.model.predict_on_batch({name: value[:, :length] for name, value in inputs.items()})
        return softmax(np.asarray(logits, np.float32))


class Pipeline:
    """`MaskedLMMaskGenerator` mapped over a tf.data pipeline of packed rows."""

    def __init__(self, task: dict):
        rows = dict(np.load(task["rows"]))
        vocabulary = [line.rstrip("\n") for line in open(task["vocabulary"], encoding="utf-8")]
        special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        self.mask = keras_hub.layers.MaskedLMMaskGenerator(
            vocabulary_size=len(vocabulary),
            mask_selection_rate=0.15,
            mask_token_id=vocabulary.index("[MASK]"),
            mask_selection_length=task["positions"],
            unselectable_token_ids=[vocabulary.index(token) for token in special],
        )
        inputs = {name: rows[name] for name in NAMES.values()}
        data = tf.data.Dataset.from_tensor_slices(inputs).shuffle(len(rows["lengths"]), seed=0).repeat()
        data = data.batch(task["batch_size"], drop_remainder=True)
        data = data.map(
            lambda batch: {**batch, **self.mask(batch["input_word_ids"])}, num_parallel_calls=tf.data.AUTOTUNE
        )
        self.batches, self.count = iter(data.prefetch(tf.data.AUTOTUNE)), task["batches"]

    def outputs(self) -> dict:
        weights = np.concatenate([np.asarray(next(self.batches)["mask_weights"]) for _ in range(self.count)])
        return {"predictions per row": np.array(float(weights.sum(axis=1).mean()))}

    def run(self, case: str, number: int) -> None:
        for _ in range(self.count):
            next(self.batches)


class Export:
    """Not a contestant: writes the encoder as a SavedModel with TF-Hub's interface, for `tfhub`."""

    def __init__(self, task: dict):
        model = load_classifier(task)
        root = tf.Module()
        root.kept = [variable.value for variable in model.variables]
        spec = {key: tf.TensorSpec([None, None], tf.int32, name=key) for key in NAMES.values()}

        def call(inputs):
            outputs = model.backbone(rename_inputs(inputs), training=False)
            return {name: outputs[name] for name in ("pooled_output", "sequence_output")}

        root.__call__ = tf.function(call, input_signature=[spec], autograph=False)
        tf.saved_model.save(root, task["folder"])

    def outputs(self) -> dict:
        return {}


if __name__ == "__main__":
    serve(
        {
            "pretraining": Pretraining,
            "finetuning": Finetuning,
            "fit": fit,
            "forward": Forward,
            "tokenization": tokenization,
            "text_to_probabilities": TextToProbabilities,
            "pipeline": Pipeline,
            "export": Export,
        }
    )
