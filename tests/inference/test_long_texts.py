"""Texts longer than the positions of the encoder: truncated with a warning, or predicted in several rows."""

import warnings

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.errors import InputWarning
from keras_bert.inference import predict_logits
from keras_bert.inference.sentence_pairs import predict_sentence_pairs
from keras_bert.inference.teacher_logits import read_teacher_logits
from tests.helpers import randomize

WORDS = ["a", "fine", "film", "who", "is", "it", "?", "."]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
POSITIONS = 16
LONG = " ".join(WORDS * 20)
SHORT = "a fine film"
SLOW = pytest.param(None, marks=pytest.mark.slow)
LENGTHS = [64, SLOW]  # of the vectorizer: more than the positions, or none


@pytest.fixture(scope="module")
def save(tmp_path_factory):
    def run(cls, length, labels=None, **settings):
        keras.utils.set_random_seed(3)
        config = kb.BertConfig(len(VOCABULARY), 16, 1, 2, 32, max_position_embeddings=POSITIONS)
        encoder = kb.BertEncoder(config)
        model = randomize(encoder if cls is kb.BertEncoder else cls(encoder, **settings), 5)
        vectorizer = kb.BertTextVectorization(VOCABULARY, sequence_length=length)
        return kb.save_pretrained(model, tmp_path_factory.mktemp("models") / "m", vectorizer, labels)

    return run


def rows_of(texts, length):
    return kb.BertTextVectorization(VOCABULARY, sequence_length=min(length or POSITIONS, POSITIONS))(texts)


@pytest.mark.slow
@pytest.mark.parametrize("length", LENGTHS)
def test_texts_and_pairs_are_truncated_with_one_warning(save, length, tmp_path):
    predictor = kb.Predictor(save(kb.BertClassifier, length, ["bad", "good"], num_classes=2))
    limit = min(length or POSITIONS, POSITIONS)
    cut = " ".join(LONG.split()[: limit - 2])
    predictor.chunk_size = 2  # one warning about all chunks
    with pytest.warns(InputWarning, match=f"^2 of 5 texts are longer than {limit} tokens and were truncated") as caught:
        found = predictor([SHORT, LONG, cut, LONG, SHORT])
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a text that fills its row exactly is not truncated
        expected = predictor([SHORT, cut])
    for row, other in zip(found, (0, 1, 1, 1, 0), strict=True):
        assert row["probabilities"] == pytest.approx(expected[other]["probabilities"], abs=1e-6)
    half = (limit - 3) // 2
    pair = " ".join(LONG.split()[: limit - 3 - half]), " ".join(LONG.split()[:half])
    with pytest.warns(InputWarning, match=f"^1 of 3 pairs of texts are longer than {limit} tokens"):
        pairs = predictor([(LONG, LONG), pair, (SHORT, SHORT)])
    assert pairs[0]["probabilities"] == pytest.approx(pairs[1]["probabilities"], abs=1e-6)
    path = tmp_path / "dev.tsv"
    path.write_text(f"sentence\tlabel\n{LONG}\tgood\n{SHORT}\tbad\n")
    with pytest.warns(InputWarning, match="^1 of 2 texts"):
        metrics = predictor.evaluate(path)
    with pytest.warns(InputWarning, match="^1 of 2 texts"):
        same = kb.evaluate(predictor.model, [LONG, SHORT], ["good", "bad"])
    if length != 64:
        assert metrics["loss"] == pytest.approx(same["loss"], abs=1e-6)


@pytest.mark.parametrize("length", LENGTHS)
def test_embed_is_truncated(save, length):
    predictor = kb.Predictor(save(kb.BertEncoder, length))
    with pytest.warns(InputWarning, match="^1 of 2 texts"):
        vectors = [row["embedding"] for row in predictor([LONG, SHORT])]
    np.testing.assert_allclose(vectors, kb.embed(predictor.model, rows_of([LONG, SHORT], length)), atol=1e-6)
    with pytest.warns(InputWarning, match="^1 of 2 texts"):
        kb.embed(predictor.model, [LONG, SHORT])


@pytest.mark.parametrize("length", LENGTHS)
def test_sentence_pairs_are_truncated(save, length):
    folder = save(kb.BertPretrainer, length, sentence_task="next")
    with pytest.warns(InputWarning, match="^1 of 2 pairs of texts"):
        logits = predict_sentence_pairs(kb.load_pretrained(folder), [LONG, "a"], [LONG, "film"])
    with pytest.warns(InputWarning, match="^1 of 2 pairs of texts"):
        found = kb.Predictor(folder)([(LONG, LONG), ("a", "film")])
    assert [row["label"] for row in found] == [("follows", "random")[i] for i in logits.argmax(-1)]


@pytest.mark.slow
@pytest.mark.parametrize("length", LENGTHS)
def test_masks_of_long_texts_are_predicted_from_the_tokens_around_them(save, length):
    folder = save(kb.BertPretrainer, length, sentence_task=None)
    pretrained, limit = kb.load_pretrained(folder), min(length or POSITIONS, POSITIONS)
    size = limit - 2
    words = LONG.split()
    text = " ".join(["[MASK]", *words, "[MASK]", *words, "[MASK]"])
    places = (0, len(words) + 1, 2 * len(words) + 2)
    starts = (0, len(words) + 1 - size // 2, 2 * len(words) + 3 - size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = kb.fill_mask(pretrained, [text, "a [MASK] film", LONG + " [MASK]"], top_k=3)
    assert [mask["position"] for mask in found[0]["masks"]] == [place + 1 for place in places]
    windows = [" ".join(text.split()[start : start + size]) for start in starts]
    *alone, short = kb.fill_mask(pretrained, [*windows, "a [MASK] film"], top_k=3)
    for mask, place, start, row in zip(found[0]["masks"], places, starts, alone, strict=True):
        assert [each["position"] for each in row["masks"]] == [place - start + 1]
        for one, other in zip(mask["predictions"], row["masks"][0]["predictions"], strict=True):
            assert one["token"] == other["token"]
            assert one["probability"] == pytest.approx(other["probability"], abs=1e-6)
    assert found[1] == short
    predicted = kb.Predictor(folder)([text, "a [MASK] film"], top_k=3)
    assert [len(row["masks"]) for row in predicted] == [3, 1]
    assert predicted[0]["masks"][1]["predictions"] == found[0]["masks"][1]["predictions"]
    with pytest.raises(kb.InputError, match=r"^`texts` must have \[MASK\] in each text"):
        kb.Predictor(folder)([LONG])


@pytest.mark.parametrize("length", LENGTHS)
def test_answers_and_tags_use_several_rows(save, length):
    predictor = kb.Predictor(save(kb.BertSpanLabeler, length))
    context = " ".join(f"{LONG} {i}" for i in range(3))
    with pytest.warns(InputWarning, match="^1 of 3 questions are longer than [0-9]+ tokens and were truncated"):
        answers = predictor([("who is it ?", context), (LONG, context), ("who ?", "a film")])
    for row, text in zip(answers, (context, context, "a film"), strict=True):
        assert row["answer"] == text[row["start"] : row["end"]] != ""
    assert predictor([("who ?", "a film")])[0]["answer"] == answers[2]["answer"]
    tagger = kb.Predictor(save(kb.BertTokenClassifier, length, ["B-X", "O"], num_classes=2))
    rows = tagger([LONG, SHORT])
    assert [len(row["tags"]) for row in rows] == [160, 3] and rows[1] == tagger([SHORT])[0]


@pytest.mark.slow
def test_a_teacher_reads_truncated_texts(save):
    folder = save(kb.BertClassifier, None, ["bad", "good"], num_classes=2)
    with pytest.warns(InputWarning, match="^1 of 2 texts"):
        logits = read_teacher_logits([folder], [LONG, SHORT], ["bad", "good"])
    expected = predict_logits(kb.load_pretrained(folder).model, rows_of([LONG, SHORT], None))
    np.testing.assert_allclose(logits, expected, atol=1e-6)


@pytest.mark.slow
def test_command_line_warns(save, capfd):
    folder = str(save(kb.BertClassifier, None, ["bad", "good"], num_classes=2))
    assert main(["predict", "--model", folder, LONG, SHORT, "--json"]) == 0
    error = capfd.readouterr().err
    assert "warning: 1 of 2 texts are longer than 16 tokens and were truncated.\n" in error
    folder = str(save(kb.BertPretrainer, None, sentence_task=None))
    assert main(["fill-mask", "--model", folder, f"{LONG} [MASK]"]) == 0


@pytest.mark.slow
def test_onnx_warns(save, tmp_path):
    pytest.importorskip("onnxruntime")
    pretrained = kb.load_pretrained(save(kb.BertClassifier, 64, ["bad", "good"], num_classes=2))
    kb.export_onnx(pretrained.model, tmp_path / "onnx", vectorizer=pretrained.vectorizer)
    with pytest.warns(InputWarning, match="^1 of 2 texts are longer than 16 tokens"):
        kb.Predictor(tmp_path / "onnx")([LONG, SHORT])
