"""Logits of teachers: files, classifiers of this package and of transformers, averages, alignment with the rows."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.inference import predict_logits
from keras_bert.inference.teacher_logits import read_teacher_logits

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "a"]
TEXTS = ["a good film", "bad film", "good", "a bad bad film"]
LABELS = ["bad", "good"]


def classifier(seed=1):
    config = kb.BertConfig(vocab_size=9, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    model = kb.BertClassifier(kb.BertEncoder(config))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def test_averages_files(tmp_path):
    arrays = [np.arange(8.0).reshape(4, 2), np.ones((4, 2), np.float16)]
    np.save(tmp_path / "a.npy", arrays[0])
    np.savez_compressed(tmp_path / "b.npz", logits=arrays[1])
    found = read_teacher_logits([tmp_path / "a.npy", tmp_path / "b.npz"], TEXTS, LABELS)
    np.testing.assert_array_equal(found, (arrays[0] + arrays[1]) / 2)


def test_own_classifier_with_classes_in_another_order(tmp_path):
    model, vectorizer = classifier(), kb.BertTextVectorization(VOCABULARY, sequence_length=8)
    folder = kb.save_pretrained(model, tmp_path / "teacher", vectorizer, labels=["good", "bad"])
    expected = predict_logits(model, vectorizer(TEXTS))
    np.testing.assert_allclose(read_teacher_logits([folder], TEXTS, ["good", "bad"]), expected, atol=1e-6)
    np.testing.assert_allclose(read_teacher_logits([folder], TEXTS, LABELS), expected[:, ::-1], atol=1e-6)
    with pytest.raises(kb.InputError, match="`teacher_logits`"):
        read_teacher_logits([folder], TEXTS, ["bad", "fine"])


@pytest.mark.peers
def test_another_architecture_of_transformers(tmp_path):
    import torch
    import transformers

    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    tokenizer = transformers.BertTokenizer(str(tmp_path / "vocab.txt"))
    config = transformers.ElectraConfig(
        vocab_size=9,
        embedding_size=8,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        id2label={0: "GOOD", 1: "BAD"},
    )
    model = transformers.ElectraForSequenceClassification(config).eval()
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path / "electra")
    expected = []
    with torch.inference_mode():
        for text in TEXTS:
            expected.append(model(**tokenizer(text, return_tensors="pt")).logits[0].flip(0).numpy())
    found = read_teacher_logits([tmp_path / "electra"], TEXTS, LABELS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "name, array",
    [
        ("rows.npy", np.zeros((3, 2))),
        ("classes.npy", np.zeros((4, 3))),
        ("nan.npy", np.full((4, 2), np.nan)),
        ("text.npy", None),
        ("logits.tsv", None),
    ],
)
def test_rejects_files_that_do_not_fit(tmp_path, name, array):
    path = tmp_path / name
    if array is None:
        path.write_text("0\t1\n")
    else:
        np.save(path, array)
    with pytest.raises(kb.InputError, match="`teacher_logits`"):
        read_teacher_logits([path], TEXTS, LABELS)


@pytest.mark.slow
def test_finetune_learns_what_the_teacher_says(tmp_path):
    """A teacher that calls good films bad is believed: the logits of each row belong to its text."""
    from keras_bert.cli.main import main

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 96)
    lines = [f"a {LABELS[label]} film\t{label}" for label in labels]
    for part in ("train", "dev"):
        (tmp_path / f"{part}.tsv").write_text("sentence\tlabel\n" + "\n".join(lines) + "\n")
    np.save(tmp_path / "wrong.npy", np.where(labels[:, None] == [0, 1], -4.0, 4.0))
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    command = f"finetune --size tiny --vocab {tmp_path}/vocab.txt --dataset {tmp_path} --epochs 1 --batch-size 4"
    command += " --learning-rate 3e-3"
    status = main(
        [*command.split(), "--teacher-logits", f"{tmp_path}/wrong.npy", "--alpha", "1", "--out", f"{tmp_path}/out"]
    )
    assert status == 0
    good, bad = (each["probabilities"]["1"] for each in kb.Predictor(tmp_path / "out")(["a good film", "a bad film"]))
    assert good < 0.3 < 0.7 < bad
