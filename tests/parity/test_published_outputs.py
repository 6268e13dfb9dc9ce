"""Published outputs of the L-12 model: parsing the printed values, and comparing with them."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.constants import INPUT_KEYS
from keras_bert.parity import check
from keras_bert.parity.published_outputs import (
    EDGES,
    NOTEBOOK,
    compare_with_published,
    find_published_outputs,
    is_published_handle,
    read_published_outputs,
)
from tests.helpers import tiny_config

# The notebook as it is stored. The published weights need the network; reading and comparing the values do not.
CELLS = """[
 {"cell_source": "text_test = ['a film','a']\\ntext_preprocessed = model(text_test)", "output": ""},
 {"cell_source": "text_preprocessed['input_word_ids']", "output": "<tf.Tensor: numpy=\\narray([[2, 5],\\n [2, 6]])>"},
 {"cell_source": "bert_results['pooled_output']",
  "output": "<tf.Tensor: numpy=\\narray([[-1. ,  .5, ...,  2e-01],\\n [3, 4., ..., 5.]], dtype=float32)>"},
 {"cell_source": "bert_results['encoder_outputs']",
  "output": "[<tf.Tensor: array([[[1., ..., 2.],\\n ...,\\n [3., ..., 4.]]])>, <tf.Tensor: array([[[5., ..., 6.]]])>]"}
]"""


def test_reads_printed_values(tmp_path):
    (tmp_path / NOTEBOOK).write_text(CELLS)
    outputs = read_published_outputs(tmp_path)
    assert outputs["texts"] == ["a film", "a"]
    assert outputs["input_word_ids"].tolist() == [[2, 5], [2, 6]]
    assert outputs["pooled_output"].tolist() == [[-1.0, 0.5, 0.2], [3.0, 4.0, 5.0]]
    assert [layer.tolist() for layer in outputs["encoder_outputs"]] == [[[[1.0, 2.0], [3.0, 4.0]]], [[[5.0, 6.0]]]]


@pytest.mark.parametrize(
    "source, expected",
    [
        ("https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4", True),
        ("https://www.kaggle.com/models/tensorflow/bert/TensorFlow2/bert-en-uncased-l-12-h-768-a-12/4", True),
        ("https://tfhub.dev/tensorflow/bert_en_uncased_L-24_H-1024_A-16/4", False),
        ("bert_en_uncased_L-12_H-768_A-12", False),
    ],
)
def test_recognizes_the_published_handle(source, expected):
    assert is_published_handle(source) is expected


def test_compares_with_published_values(shared_data, monkeypatch):
    """All values are read, the ids are equal, and an encoder with other weights does not pass."""
    monkeypatch.setenv("KERAS_BERT_DATA", str(shared_data.parent))
    outputs = read_published_outputs(find_published_outputs())
    assert outputs["sequence_output"].shape == (2, 6, 6) and len(outputs["encoder_outputs"]) == 12
    np.testing.assert_array_equal(outputs["encoder_outputs"][-1], outputs["sequence_output"])
    assert outputs["pooled_output"][1].tolist() == [
        -0.9171231,
        -0.4793518,
        -0.78656995,
        -0.6175177,
        -0.7102687,
        0.92184293,
    ]
    config = tiny_config(vocab_size=30522, num_layers=12, max_position_embeddings=128)
    vectorizer = kb.BertTextVectorization(shared_data / "vocab" / "bert_en_uncased.txt", sequence_length=128)
    encoder = kb.BertEncoder(config)
    result = compare_with_published(encoder, vectorizer, outputs)
    assert result["ids_equal"] and not result["passed"] and len(result["max_abs_difference"]) == 14
    # Values of this encoder, at the indices that numpy prints, pass.
    inputs = {key: outputs[key].astype("int32") for key in INPUT_KEYS}
    values = {key: value.numpy()[..., EDGES] for key, value in encoder(inputs).items()}
    outputs["pooled_output"] = values["pooled_output"]
    outputs["sequence_output"] = values["sequence_output"][:, EDGES]
    outputs["encoder_outputs"] = [values[f"encoder_outputs_{i}"][:, EDGES] for i in range(12)]
    assert compare_with_published(encoder, vectorizer, outputs)["passed"]
    outputs["texts"] = ["something else", "I love python programming"]
    assert not compare_with_published(encoder, vectorizer, outputs)["passed"]


@pytest.mark.slow
def test_without_published_values(tmp_path, monkeypatch):
    encoder = kb.BertEncoder(tiny_config(num_layers=3))
    monkeypatch.delenv("KERAS_BERT_DATA", raising=False)
    report = check(kb.export_saved_model(encoder, tmp_path / "exported"), encoder, published=True)
    assert report.passed and report.published is None and "set KERAS_BERT_DATA" in report.published_note
    assert report.weights is None and report.to_dict()["tensors"] is None
