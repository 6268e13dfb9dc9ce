"""tensorflow_text: `FastBertTokenizer` (form `fast`) or `BertTokenizer`, in one graph with packing and padding."""

from pathlib import Path

import tensorflow as tf
import tensorflow_text as tf_text

from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import Tokenizer


def tokenization(task: dict) -> Tokenizer:
    """Return the contestant: texts to the three inputs."""
    lines = Path(task["vocabulary"]).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    length, cls_and_sep = task["length"], (lines.index("[CLS]"), lines.index("[SEP]"))
    if task["form"] == "fast":
        tokenizer = tf_text.FastBertTokenizer(lines, token_out_type=tf.int32, lower_case_nfd_strip_accents=True)
    else:
        tokenizer = tf_text.BertTokenizer(task["vocabulary"], token_out_type=tf.int32, lower_case=True)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def call(texts):
        tokens = tokenizer.tokenize(texts)
        tokens = tokens.merge_dims(1, -1) if tokens.ragged_rank > 1 else tokens
        ids, types = tf_text.combine_segments([tokens[:, : length - 2]], *cls_and_sep)
        ids, mask = tf_text.pad_model_inputs(ids, length)
        types, _ = tf_text.pad_model_inputs(types, length)
        return ids, mask, types

    return Tokenizer(task, lambda texts: call(tf.constant(texts)), lambda arrays: arrays[0])


if __name__ == "__main__":
    serve({"tokenization": tokenization})
