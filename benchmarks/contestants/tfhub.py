"""Two SavedModels, as TF-Hub publishes them: preprocessing, then an encoder with TF-Hub's interface.

The preprocessing is Google's own SavedModel if the data folder has it, otherwise the same built with tensorflow_text.
Rows have the 128 tokens of that interface. The encoder of sizes mini and base is KerasHub's, saved with that interface.
The one with two layers is Google's own SavedModel, whose weights all contestants then load. The dense layer and the
softmax follow in the same graph.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from benchmarks.contestants.protocol import INPUT_KEYS, serve
from benchmarks.contestants.serving import TextServer

LENGTH = 128


def load_preprocessing(task: dict):
    """Return a function from strings to the three inputs."""
    if task["preprocessing"]:
        return tf.saved_model.load(task["preprocessing"])
    lines = Path(task["vocabulary"]).read_text(encoding="utf-8").split("\n")
    tokenizer = tf_text.BertTokenizer(task["vocabulary"], token_out_type=tf.int32, lower_case=True)
    cls_and_sep = lines.index("[CLS]"), lines.index("[SEP]")

    def preprocess(texts):
        tokens = tokenizer.tokenize(texts).merge_dims(1, -1)[:, : LENGTH - 2]
        ids, types = tf_text.combine_segments([tokens], *cls_and_sep)
        ids, mask = tf_text.pad_model_inputs(ids, LENGTH)
        types, _ = tf_text.pad_model_inputs(types, LENGTH)
        return dict(zip(INPUT_KEYS, (ids, mask, types), strict=True))

    return preprocess


class TwoModels(TextServer):
    """Preprocessing, encoder and head as one function."""

    STRIDE = 14  # every row has 128 tokens, so all batches take equally long

    def __init__(self, task: dict):
        super().__init__(task)
        self.preprocess, self.encoder = load_preprocessing(task), tf.saved_model.load(task["files"]["tfhub"])
        with np.load(task["weights"]) as stored:
            kernel, bias = tf.constant(stored["classifier/kernel"]), tf.constant(stored["classifier/bias"])

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def call(texts):
            pooled = self.encoder(self.preprocess(texts))["pooled_output"]  # [B, H]
            return tf.nn.softmax(pooled @ kernel + bias)  # [B, C]

        self.call = call

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return self.call(tf.constant(texts)).numpy()


class Forward:
    """The encoder on rows without padding; a case is a batch size."""

    def __init__(self, task: dict):
        self.encoder = tf.saved_model.load(task["files"]["tfhub"])
        with np.load(task["batch"]) as stored:
            rows = {name: stored[name] for name in INPUT_KEYS}
        self.inputs = {
            case: {name: tf.constant(value[: int(case)]) for name, value in rows.items()} for case in task["cases"]
        }

    def outputs(self) -> dict:
        return {case: self.encoder(inputs)["sequence_output"].numpy() for case, inputs in self.inputs.items()}

    def run(self, case: str, number: int) -> None:
        self.encoder(self.inputs[case])["sequence_output"].numpy()


class Export:
    """Not a contestant: writes a file with the weights of Google's encoder, and random ones for the heads."""

    def __init__(self, task: dict):
        tensors = dict(np.load(task["weights"]))
        for variable in tf.saved_model.load(task["source"]).variables:
            name = variable.name.removesuffix(":0")
            if variable.dtype.is_floating:
                tensors[name] = variable.numpy().reshape(tensors[name].shape)
        np.savez(task["file"], **tensors)

    def outputs(self) -> dict:
        return {}


if __name__ == "__main__":
    serve({"forward": Forward, "text_to_probabilities": TwoModels, "export": Export})
