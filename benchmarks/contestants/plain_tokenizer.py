"""The tokenizer of keras_bert without TensorFlow, which `kb.Predictor` uses for ONNX folders."""

import numpy as np

from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import Tokenizer
from keras_bert.text import load_vocabulary
from keras_bert.text.cached_tokenizer import CachedTokenizer
from keras_bert.text.plain_inputs import pack_lists


class PlainTokenizer(Tokenizer):
    """Texts to the three inputs. Each pass begins with an empty cache, so each text is a new one.

    Args:
        task: see `workloads/tokenization.py`.
    """

    def __init__(self, task: dict):
        vocabulary = load_vocabulary(task["vocabulary"])
        self.tokenize = CachedTokenizer(vocabulary)
        cls_id, sep_id, pad_id = (vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
        length = task["length"]

        def call(texts: list[str]) -> list[np.ndarray]:
            inputs, _ = pack_lists([[self.tokenize(text) for text in texts]], length, cls_id, sep_id, pad_id)
            return [
                np.pad(rows, ((0, 0), (0, length - rows.shape[1])), constant_values=value)
                for rows, value in zip(inputs.values(), (pad_id, 0, 0), strict=True)
            ]

        super().__init__(task, call, lambda arrays: arrays[0])

    def run(self, case: str, number: int) -> None:
        self.tokenize.clear_cache()
        super().run(case, number)


if __name__ == "__main__":
    serve({"tokenization": PlainTokenizer})
