"""The recipe of the small encoder, at toy size: every stage runs, and the files between the stages fit each other."""

import json
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import keras_bert as kb
from tools.small_model import healing, sentiment
from tools.small_model.finetuning import finetune
from tools.small_model.logits import collect, find_logits
from tools.small_model.masked_words import words_to_mask
from tools.small_model.texts import model_inputs, read_corpus, save, tokenize_corpus
from tools.small_model.trimming import trim

WORDS = ["a", "fine", "dull", "film", "story", "was", "it", "not"]
VOCABULARY = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(33, 65)), *map(chr, range(91, 127)),
    *(f"##{chr(code)}" for code in [*range(33, 65), *range(91, 127)]), *WORDS[1:],
]  # fmt: skip


@pytest.fixture
def teacher(tmp_path):
    keras.utils.set_random_seed(0)  # a small network does not learn from every start
    config = kb.BertConfig(len(VOCABULARY), 8, 1, 2, 16, max_position_embeddings=128)
    save(kb.BertEncoder(config), VOCABULARY, tmp_path / "teacher")
    return tmp_path / "teacher"


def test_logits_are_found_by_text(tmp_path):
    (tmp_path / "a.tsv").write_text("sentence\tlabel\na fine film \t1\na dull film\t0\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("it was fine\n", encoding="utf-8")
    for number, logits in ((1, [[0, 2], [3, 0], [1, 1]]), (2, [[0, 4], [1, 0], [1, 3]])):
        np.savez(tmp_path / f"{number}.npz", logits=np.array(logits, np.float16))
    out = tmp_path / "logits.npz"
    collect(
        SimpleNamespace(
            texts=[tmp_path / "a.tsv", tmp_path / "b.txt"], logits=[tmp_path / "1.npz", tmp_path / "2.npz"], out=out
        )
    )
    logits, found = find_logits(out, ["it was fine", "unknown", "a fine film"])
    assert found.tolist() == [True, False, True]
    np.testing.assert_array_equal(logits[found], [[1, 2], [0, 3]])


def test_inputs_equal_those_of_the_vectorizer(teacher):
    texts = ["A fine film, wasn't it?", "dull"]
    found = model_inputs(teacher, texts, length=16)
    expected = kb.BertTextVectorization(VOCABULARY, sequence_length=16)(texts)
    for name, array in found.items():
        np.testing.assert_array_equal(array, np.asarray(expected[name])[:, : array.shape[1]])


def test_corpus_keeps_paragraphs_and_documents(teacher, tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("a fine film\nit was not dull\n\na story\n", encoding="utf-8")
    documents = tokenize_corpus(read_corpus(path), teacher)
    assert documents.document_starts.tolist() == [0, 2, 3] and documents.sentence_starts.tolist() == [0, 3, 7, 9]


def test_masked_words_are_the_same_in_both_vocabularies():
    vocabularies = (
        ["[MASK]", "a", "fine", "film", "##s", "dull", "."],
        ["[MASK]", "fi", "##ne", "a", "film", "##s", "dull", "."],
    )
    rows = np.array([1, 2, 3, 4, 5, 6]), np.array([3, 1, 2, 4, 5, 6, 7])  # a fine film ##s dull .
    chosen = set()
    for seed in range(20):
        plan = words_to_mask([np.tile(row, 4) for row in rows], vocabularies, seed)
        words = [[vocabularies[k][ids[i]] for i in places] for k, (ids, places) in enumerate(plan)]
        assert words[0] == words[1] and len(words[0]) == 1  # 15 % of 8 words
        chosen |= {*words[0]}
    assert chosen == {"a", "dull"}  # "fine" and "films" have two pieces in one of them, "." is not a word


@pytest.mark.slow
def test_all_stages(teacher, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    corpus, table = tmp_path / "corpus.txt", tmp_path / "train.tsv"
    paragraphs = [" ".join(rng.choice(WORDS, 40)) for _ in range(24)]
    corpus.write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")
    table.write_text("sentence\tlabel\n" + "a fine film\t1\na dull story\t0\n" * 8, encoding="utf-8")
    trimmed, healed = tmp_path / "trimmed", tmp_path / "healed"
    size = len(VOCABULARY) - 2
    assert trim(SimpleNamespace(model=teacher, texts=table, corpus=corpus, size=size, out=trimmed))["pieces"] == size

    monkeypatch.setattr(healing, "HELD_OUT", 0.25)
    settings = {"batch_size": 4, "learning_rate": 1e-2, "seed": 1, "dtype": "float32"}
    found = healing.heal(
        SimpleNamespace(
            model=trimmed, teacher=teacher, corpus=corpus, out=healed, steps=20, length=128, masking_rate=0.2,
            hidden_weight=10.0, pooled_weight=1.0, **settings,
        )
    )  # fmt: skip
    assert found["loss"][-1] < found["loss"][0] and 0 <= found["held_out_mlm_accuracy"] <= 1
    pretrained = kb.load_pretrained(healed)
    assert pretrained.kind == "pretrainer" and pretrained.encoder.config.hidden_dropout == 0.1

    np.savez(tmp_path / "1.npz", logits=np.array([[-2, 2], [2, -2]] * 8, np.float16))
    logits = tmp_path / "logits.npz"
    collect(SimpleNamespace(texts=[table], logits=[tmp_path / "1.npz"], out=logits))
    facts = finetune(
        SimpleNamespace(
            model=healed, data=table, texts=[], max_texts=1, logits=logits, validation=table, test=[table], length=16,
            width_step=1, dropout=0.0, epochs=30, out=tmp_path / "classifier", **settings | {"learning_rate": 3e-3},
        )
    )  # fmt: skip
    assert facts["train"] == facts["validation"][-1] == 1.0
    assert json.loads((tmp_path / "classifier" / "finetuning.json").read_text()) == facts

    measured = tmp_path / "measured.json"
    measured.write_text('{"kept": 1}', encoding="utf-8")
    monkeypatch.setattr(sentiment, "MEASURED", measured)
    for seed in (2, 1):
        folder = tmp_path / f"student-{seed}"
        shutil.copytree(tmp_path / "classifier", folder)
        (folder / "finetuning.json").write_text(json.dumps({**facts, "seed": seed, "dev": 1 - seed / 10}))
        found = sentiment.students(SimpleNamespace(students=[folder]))["students"]
    assert [run["seed"] for run in found["runs"]] == [1, 2] and found["mean"] == pytest.approx(0.85)
    out = tmp_path / "sentiment"
    found = sentiment.sentiment(SimpleNamespace(model=folder, validation=table, test=table, out=out))
    assert found["bundled_seed"] == 1 and found["rounding"]["changed_predictions"] == 0
    assert json.loads(measured.read_text()).keys() == {"kept", "students", *found}
    labels = [row["label"] for row in kb.Predictor(out)(["a fine film", "a dull story"])]
    assert labels == ["positive", "negative"]
