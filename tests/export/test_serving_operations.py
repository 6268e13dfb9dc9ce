"""The operations that one call of an exported classifier executes, counted with TensorFlow's profiler."""

import collections

import pytest
import tensorflow as tf

from benchmarks.serving_operations import serving_events

PLAIN = ["A fine film!"]  # its words are tokens of the vocabulary


@pytest.fixture(scope="module")
def count(exports):
    """Return the number of executed operations by kind, for a list of texts."""
    loaded = tf.saved_model.load(str(exports.text))

    def count(texts):
        events = serving_events(lambda texts: loaded.signatures["serving_default"](text=tf.constant(texts)), texts)
        return collections.Counter(event.kind for event in events)

    return count


def test_few_operations_for_plain_text(count, exports):
    layers = exports.classifier.encoder.config.num_layers
    kinds = count(PLAIN)
    reads = kinds.pop("ReadVariableOp")
    assert reads <= len(exports.classifier.weights)
    assert kinds.total() <= 90 + 36 * layers
    if any(kind.startswith("_Mkl") for kind in kinds):  # oneDNN computes scores, scale and mask in one operation
        assert kinds["_MklFusedBatchMatMulV2"] == layers


def test_plain_words_are_split_without_normalization(count):
    known, split, other = count(PLAIN), count(["A fine film! unbelievable"]), count(["Ça va?"])
    assert known["LookupTableFindV2"] < split["LookupTableFindV2"]
    assert not any(kind.startswith("UnicodeDecode") for kind in known + split)
    assert any(kind.startswith("UnicodeDecode") for kind in other)


def test_buckets_only_for_many_tokens(count):
    """A batch that fits into one bucket is neither sorted nor run in a loop."""
    assert "TopKV2" not in count(PLAIN * 8)
    assert "TopKV2" in count(["a fine film " * 10] * 100)
