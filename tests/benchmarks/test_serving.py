"""Contestants that take texts in batches."""

import numpy as np

from benchmarks import inputs
from benchmarks.contestants.plain_tokenizer import PlainTokenizer
from benchmarks.contestants.serving import TextServer
from benchmarks.workloads.tokenization import LENGTH, reference_ids

BATCHES = [["a"] * 3, ["b"] * 3, ["c"] * 3, ["d"] * 2]


class Server(TextServer):
    def __init__(self, takes_all):
        super().__init__({"texts": {"8": BATCHES, "all": BATCHES}, "length": 128})
        self.takes_all, self.calls = takes_all, []

    def probabilities(self, texts):
        self.calls.append(texts)


def test_server_takes_all_texts_in_one_call():
    server = Server(takes_all=True)
    assert server.run("all", 0) == 1 and server.calls == [[text for batch in BATCHES for text in batch]]
    server.calls.clear()
    assert server.run("8", 0) == 1 and server.calls == BATCHES


def test_server_is_timed_on_a_part():
    server = Server(takes_all=False)
    assert server.run("all", 0) == 3 / 11 and server.calls == [BATCHES[2]]


def test_plain_tokenizer_begins_each_pass_with_an_empty_cache(tmp_path):
    texts = ["a fine film", "Fine films! \u4e2d", "a"] * 2
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(inputs.make_vocabulary(texts, 60)) + "\n", encoding="utf-8")
    tokenizer = PlainTokenizer({"vocabulary": str(vocabulary), "texts": texts, "length": LENGTH, "batch_size": 4})
    np.testing.assert_array_equal(tokenizer.outputs()["ids"], reference_ids(texts, str(vocabulary)))
    words = tokenizer.tokenize.cache_size()
    tokenizer.tokenize("another word")
    tokenizer.run("pass", 0)
    assert tokenizer.tokenize.cache_size() == words > 0
