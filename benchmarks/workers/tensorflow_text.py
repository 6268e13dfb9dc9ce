"""tensorflow_text: `FastBertTokenizer` (form `fast`) and `BertTokenizer`, in one graph with packing and padding."""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from benchmarks.workers.protocol import serve


class Tokenising:
    """Texts to the three inputs, in batches."""

    def __init__(self, task: dict):
        lines = Path(task["vocabulary"]).read_text(encoding="utf-8").removesuffix("\n").split("\n")
        length, ends = task["length"], (lines.index("[CLS]"), lines.index("[SEP]"))
        if task["form"] == "fast":
            tokenizer = tf_text.FastBertTokenizer(lines, token_out_type=tf.int32, lower_case_nfd_strip_accents=True)
        else:
            tokenizer = tf_text.BertTokenizer(task["vocabulary"], token_out_type=tf.int32, lower_case=True)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def call(texts):
            tokens = tokenizer.tokenize(texts)
            tokens = tokens.merge_dims(1, -1) if tokens.ragged_rank > 1 else tokens
            ids, types = tf_text.combine_segments([tokens[:, : length - 2]], *ends)
            ids, mask = tf_text.pad_model_inputs(ids, length)
            types, _ = tf_text.pad_model_inputs(types, length)
            return ids, mask, types

        self.call, texts = call, task["texts"]
        self.batches = [texts[i : i + task["batch_size"]] for i in range(0, len(texts), task["batch_size"])]

    def answers(self) -> dict:
        return {"ids": np.concatenate([self.call(tf.constant(b))[0].numpy() for b in self.batches])}

    def run(self, case: str, number: int) -> None:
        for batch in self.batches:
            self.call(tf.constant(batch))


if __name__ == "__main__":
    serve({"tokenising": Tokenising})
