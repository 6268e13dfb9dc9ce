"""Embeddings from co-occurrences, compared with a slow count by hand and with numpy's SVD."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples, pack_examples
from keras_bert.training import pretrain
from keras_bert.training.embedding_init import cooccurrences, initialize_embeddings, ppmi, ppmi_embeddings, sinusoids

WORDS = 40
VOCABULARY = [*SPECIAL_TOKENS, *(f"w{i}" for i in range(WORDS))]
MASKING = Masking.from_vocabulary(VOCABULARY)
UNSEEN = len(VOCABULARY) - 1


@pytest.fixture(scope="module")
def examples() -> PretrainingExamples:
    """Create examples of two topics with disjoint words; the last word of the vocabulary never occurs."""
    rng = np.random.default_rng(0)
    documents = [[rng.integers(5 + topic * 20, 25 + topic * 19, 30).tolist()] for topic in [0, 1] * 150]
    return pack_examples(documents, 16, cls_id=2, sep_id=3, sentence_task=None)


def test_counts_match_slow_count(examples):
    found, frequencies = cooccurrences(examples, len(VOCABULARY), MASKING.maskable)
    slow = np.zeros(found.shape)
    for row in examples.input_word_ids.astype(int):
        for i, left in enumerate(row):
            for j, right in enumerate(row):
                if 0 < abs(i - j) <= 5 and left > 4 and right > 4:
                    slow[left, right] += 1 / abs(i - j)
    np.testing.assert_allclose(found.toarray(), slow, rtol=1e-4)
    np.testing.assert_array_equal(
        frequencies[5:], np.bincount(examples.input_word_ids.ravel(), minlength=len(VOCABULARY))[5:]
    )
    assert not frequencies[:5].any()


def test_ppmi_and_factorization(examples):
    counts = cooccurrences(examples, len(VOCABULARY), MASKING.maskable)[0][5:UNSEEN, 5:UNSEEN]
    dense = counts.toarray().astype(float)
    words = dense.sum(1) / dense.sum()
    contexts = dense.sum(0) ** 0.75 / (dense.sum(0) ** 0.75).sum()
    with np.errstate(divide="ignore"):
        expected = np.maximum(0, np.log(dense / dense.sum() / np.outer(words, contexts)))
    np.testing.assert_allclose(ppmi(counts).toarray(), expected, atol=1e-4)
    left, values, _ = np.linalg.svd(expected)
    vectors = ppmi_embeddings(counts, 3, seed=0)
    np.testing.assert_allclose(vectors @ vectors.T, (left[:, :3] * values[:3]) @ left[:, :3].T, atol=1e-3)


def pretrainer(hidden_size=8):
    config = kb.BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=hidden_size,
        num_layers=1,
        num_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
    )
    return kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None)


def test_nearest_words_share_topic(examples):
    model = pretrainer()
    embeddings = model.encoder.embeddings
    before = np.array(embeddings.word_embeddings.embeddings)
    initialize_embeddings(model, examples, MASKING)
    table = np.array(embeddings.word_embeddings.embeddings)
    unchanged = [*range(5), UNSEEN]
    np.testing.assert_array_equal(table[unchanged], before[unchanged])
    seen = table[5:UNSEEN]
    assert abs(seen.mean(axis=0)).max() < 1e-6 and abs(seen.std() - 0.04) < 1e-6
    unit = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    similarity = unit @ unit.T
    topic = np.arange(5, UNSEEN) >= 25
    assert similarity[topic][:, topic].mean() > 0.3 and similarity[topic][:, ~topic].mean() < -0.3
    np.testing.assert_allclose(
        np.array(embeddings.position_embeddings.embeddings), 0.03 * sinusoids((16, 8)), atol=1e-7
    )
    frequencies = np.exp(np.array(model.mlm_head.output_bias))
    assert abs(frequencies.sum() - 1) < 1e-3 and frequencies[5:UNSEEN].min() > 5 * frequencies[UNSEEN]


@pytest.mark.slow
def test_resumed_run_does_not_initialize_again(examples, tmp_path, monkeypatch):
    settings = {
        "batch_size": 8,
        "embedding_init": "ppmi",
        "checkpoint_dir": tmp_path,
        "verbose": 0,
        "learning_rate": 1e-9,
    }
    model = pretrainer()
    pretrain(model, examples, MASKING, steps=2, **settings)
    table = np.array(model.encoder.embeddings.word_embeddings.embeddings)[5:UNSEEN]
    assert abs(table.std() - 0.04) < 1e-4
    monkeypatch.setattr("keras_bert.training.embedding_init.cooccurrences", None)
    pretrain(pretrainer(), examples, MASKING, steps=2, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"embedding_init": "glove"}, "`embedding_init`.*'glove'"),
        ({"embedding_init": "ppmi", "hidden": 64}, r"^`embedding_init`.*\b64\b.*Received: .*\b39\b"),
    ],
)
def test_rejects_invalid_embedding_init(examples, settings, message):
    settings = dict(settings)
    model = pretrainer(settings.pop("hidden", 8))
    with pytest.raises(kb.InputError, match=message):
        pretrain(model, examples, MASKING, steps=1, verbose=0, **settings)
