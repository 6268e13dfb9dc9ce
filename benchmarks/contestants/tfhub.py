"""The published recipe of two SavedModels: TF-Hub's preprocessing, then an encoder with TF-Hub's interface.

The preprocessing is Google's own SavedModel where the data has it, else the same of tensorflow_text; rows have the
fixed 128 tokens of that interface. The encoder of mini and base is KerasHub's, saved with that interface; that of
two layers is Google's own SavedModel, whose weights all contestants then take. Dense layer and softmax follow in the
same graph.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import TextServer

LENGTH = 128


def preprocessing(task: dict):
    """Strings to the three inputs."""
    if task["preprocessing"]:
        return tf.saved_model.load(task["preprocessing"])
    lines = Path(task["vocabulary"]).read_text(encoding="utf-8").split("\n")
    tokenizer = tf_text.BertTokenizer(task["vocabulary"], token_out_type=tf.int32, lower_case=True)
    ends = lines.index("[CLS]"), lines.index("[SEP]")

    def preprocess(texts):
        tokens = tokenizer.tokenize(texts).merge_dims(1, -1)[:, : LENGTH - 2]
        ids, types = tf_text.combine_segments([tokens], *ends)
        ids, mask = tf_text.pad_model_inputs(ids, LENGTH)
        types, _ = tf_text.pad_model_inputs(types, LENGTH)
        return {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}

    return preprocess


class TwoModels(TextServer):
    """Both models and the head as one function."""

    EVERY = 14  # a sentence has 128 tokens whatever its length: all cost the same

    def __init__(self, task: dict):
        super().__init__(task)
        self.preprocess, self.encoder = preprocessing(task), tf.saved_model.load(task["files"]["tfhub"])
        with np.load(task["weights"]) as stored:
            kernel, bias = tf.constant(stored["classifier/kernel"]), tf.constant(stored["classifier/bias"])

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def call(texts):
            pooled = self.encoder(self.preprocess(texts))["pooled_output"]
            return tf.nn.softmax(pooled @ kernel + bias)

        self.call = call

    def probabilities(self, texts: list[str]) -> np.ndarray:
        return self.call(tf.constant(texts)).numpy()


class Forward:
    """The encoder on full rows."""

    def __init__(self, task: dict):
        self.encoder = tf.saved_model.load(task["files"]["tfhub"])
        with np.load(task["batch"]) as stored:
            rows = {name: stored[name] for name in ("input_word_ids", "input_mask", "input_type_ids")}
        self.inputs = {
            case: {name: tf.constant(value[: int(case)]) for name, value in rows.items()} for case in task["cases"]
        }  # a case is its batch size

    def answers(self) -> dict:
        return {case: self.encoder(inputs)["sequence_output"].numpy() for case, inputs in self.inputs.items()}

    def run(self, case: str, number: int) -> None:
        self.encoder(self.inputs[case])["sequence_output"].numpy()


class Export:
    """Not a contestant: the weights of Google's encoder, and the rest as the race has them, into one file."""

    def __init__(self, task: dict):
        tensors = dict(np.load(task["weights"]))
        for variable in tf.saved_model.load(task["source"]).variables:
            name = variable.name.removesuffix(":0")
            if variable.dtype.is_floating:
                tensors[name] = variable.numpy().reshape(tensors[name].shape)
        np.savez(task["file"], **tensors)

    def answers(self) -> dict:
        return {}


if __name__ == "__main__":
    serve({"forward": Forward, "text_to_probabilities": TwoModels, "export": Export})
