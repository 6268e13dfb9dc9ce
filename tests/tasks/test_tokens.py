"""Token classification: labels at the first token of words, sentences longer than a row, entities."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.conll import TaggedSentence
from keras_bert.inference import predict_logits
from keras_bert.tasks import TASKS, Preprocessor, TrainedModel
from keras_bert.tasks.tokens import predict_tags, tag_rows
from keras_bert.tasks.word_rows import word_rows
from tests.helpers import randomize

TOKENS = TASKS["tokens"]

VOCABULARY = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "john",
    "##ny",
    "lives",
    "in",
    "london",
    "mary",
    "paris",
    ".",
]


def write(path, count, seed):
    rng, lines = np.random.default_rng(seed), []
    for _ in range(count):
        name, place = rng.choice(["John", "Johnny", "Mary"]), rng.choice(["London", "Paris"])
        if rng.random() < 0.5:
            lines += [f"{name} NNP B-PER", "lives VBZ O", "in IN O", f"{place} NNP B-LOC", ". . O", ""]
        else:
            lines += ["in IN O", f"{place} NNP B-LOC", f"{place} NNP I-LOC", "lives VBZ O", f"{name} NNP B-PER", ""]
    path.write_text("\n".join(lines))


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "train.txt", 60, 1)
    write(tmp_path / "dev.txt", 20, 2)
    return tmp_path


def make(length=16):
    keras.utils.set_random_seed(3)
    config = kb.BertConfig(len(VOCABULARY), 32, 2, 2, 64, max_position_embeddings=length, initializer_range=0.1)
    return kb.BertEncoder(config), Preprocessor(tuple(VOCABULARY), True, length)


def trained_model(model, preprocessor, labels):
    return TrainedModel(lambda ids, batch_size: predict_logits(model, ids, batch_size), preprocessor, labels)


@pytest.mark.slow
def test_training_and_evaluation(folder):
    data = TOKENS.load(str(folder))
    assert data.label_names == ("B-LOC", "B-PER", "I-LOC", "O") and (len(data.train), len(data.dev)) == (60, 20)
    encoder, preprocessor = make()
    model = TOKENS.build_model(encoder, data)
    rows, held_out = TOKENS.train_validation_rows(data, preprocessor, seed=0, fraction=0.1)
    kb.finetune(model, *rows, *held_out, epochs=12, batch_size=8, learning_rate=3e-3, verbose=0)
    trained = trained_model(model, preprocessor, data.label_names)
    metrics = TOKENS.evaluate(trained, data.dev)
    assert metrics["f1"] > 0.9 and metrics["examples"] == 20 and set(metrics["types"]) == {"LOC", "PER"}
    assert predict_tags(trained, [["Johnny", "lives"]]) == [["B-PER", "O"]]
    (prediction,) = TOKENS.predict(trained, ["Johnny lives in London"])
    entities = [{"text": "Johnny", "label": "PER", "start": 0, "end": 1}]
    entities += [{"text": "London", "label": "LOC", "start": 3, "end": 4}]
    assert prediction["entities"] == entities and prediction["tags"] == ["B-PER", "O", "O", "B-LOC"]


def test_labels_are_at_first_tokens():
    preprocessor = make()[1]
    sentences = [
        TaggedSentence(("Johnny", "\x00", "lives"), ("B-PER", "O", "O")),
        TaggedSentence(("london",), ("B-LOC",)),
    ]
    ids, labels = tag_rows(sentences, ("B-LOC", "B-PER", "O"), preprocessor)
    assert ids["input_word_ids"].tolist() == [[2, 5, 6, 7, 3], [2, 9, 3, 0, 0]]
    assert labels.tolist() == [[-1, 1, -1, 2, -1], [-1, 0, -1, -1, -1]]  # the word without tokens has no label
    assert word_rows([s.words for s in sentences], preprocessor)[1] == [[(0, 1), None, (0, 3)], [(1, 1)]]


def test_long_sentence_continues_in_next_row():
    preprocessor = Preprocessor(tuple(VOCABULARY), True, 5)
    words = ("john", "lives", "in", "johnny", "london")
    ids, labels = tag_rows(
        [TaggedSentence(words, ("P", "O", "O", "P", "L")), TaggedSentence(("mary",), ("P",))],
        ("L", "O", "P"),
        preprocessor,
    )
    assert ids["input_word_ids"].tolist() == [[2, 5, 7, 8, 3], [2, 5, 6, 9, 3], [2, 10, 3, 0, 0]]
    assert ids["input_mask"].tolist() == [[1] * 5, [1] * 5, [1, 1, 1, 0, 0]]
    assert labels.tolist() == [[-1, 2, 1, 1, -1], [-1, 2, -1, 0, -1], [-1, 2, -1, -1, -1]]


def test_each_word_of_long_sentence_has_its_tag():
    encoder, preprocessor = make()
    model = randomize(kb.BertTokenClassifier(encoder, 4), seed=3)  # a tag depends on the neighboring words
    names, words = ("B-LOC", "B-PER", "I-LOC", "O"), ["john", "paris", "lives", "in", "mary", "london"]
    narrow = Preprocessor(tuple(VOCABULARY), True, 4)
    wide_model, narrow_model = (trained_model(model, each, names) for each in (preprocessor, narrow))
    by_twos = sum(predict_tags(wide_model, [words[:2], words[2:4], words[4:]]), [])
    assert len(set(by_twos)) > 2 and predict_tags(wide_model, [words]) != [by_twos]
    assert predict_tags(narrow_model, [words]) == [by_twos]


def test_word_longer_than_row_is_truncated():
    ids, places = word_rows([["in", "johnny", "in"]], Preprocessor(tuple(VOCABULARY), True, 3))
    assert ids["input_word_ids"].tolist() == [[2, 8, 3], [2, 5, 3], [2, 8, 3]]
    assert places == [[(0, 1), (1, 1), (2, 1)]]


def test_rejects_unknown_tags_and_missing_files(folder):
    (folder / "dev.txt").write_text("John NNP B-ORG\n")
    with pytest.raises(kb.InputError, match="^`tags` .*dev.txt .*B-LOC, B-PER, I-LOC, O.*Received: 'B-ORG'"):
        TOKENS.load(str(folder))
    (folder / "train.txt").write_text("John NNP O\n")
    with pytest.raises(kb.InputError, match=r"^`dataset`.*Received: 1\b.*train.txt"):
        TOKENS.load(str(folder))
    (folder / "dev.txt").unlink()
    with pytest.raises(kb.InputError, match="^`dataset`.*Received: dataset=.*dev.txt"):
        TOKENS.load(str(folder))


POS = ("DT", "NN", "VBZ")


def test_parts_of_speech_have_no_entities(tmp_path):
    """An untrained model that gives all words one tag: accuracy and F1 per tag, in every place that reports them."""
    encoder, preprocessor = make()
    model = kb.BertTokenClassifier(encoder, 3)
    model.get_layer("logits").set_weights([np.zeros((32, 3)), np.array([0.0, 9.0, 0.0])])  # always NN
    trained = trained_model(model, preprocessor, POS)
    sentences = [TaggedSentence(("mary", "lives", "."), ("NN", "VBZ", "DT")), TaggedSentence(("john",), ("NN",))]
    metrics = TOKENS.evaluate(trained, sentences)
    assert metrics["accuracy"] == 0.5 and not {"f1", "types", "entities"} & set(metrics)
    assert [metrics["tags"][tag]["f1"] for tag in POS] == [0, pytest.approx(2 / 3), 0]
    prediction = TOKENS.predict(trained, ["mary lives"])[0]
    assert prediction["entities"] == [] and TOKENS.cells(prediction) == ("NN NN", "mary lives")
    ids, labels = tag_rows(sentences, POS, preprocessor)
    report = kb.evaluate(model, ids, labels, label_names=POS)
    assert report["tags"] == metrics["tags"] and "f1" not in report
    (tmp_path / "dev.conllu").write_text("1\tmary\tmary\tNN" + "\t_" * 6 + "\n")
    assert TOKENS.read(tmp_path / "dev.conllu", POS)[0].tags == ("NN",)
    with pytest.raises(kb.InputError, match="^`tags` .*dev.conllu must be among DT"):
        TOKENS.read(tmp_path / "dev.conllu", POS, tag_column="xpos")


def test_suffixes_and_other_letters_give_entities():
    encoder, preprocessor = make()
    model = kb.BertTokenClassifier(encoder, 2)
    model.get_layer("logits").set_weights([np.zeros((32, 2)), np.array([9.0, 0.0])])
    for names in (("PER_U", "O"), ("W:PER", "O")):
        trained = trained_model(model, preprocessor, names)
        assert [each["label"] for each in TOKENS.predict(trained, ["mary john"])[0]["entities"]] == ["PER", "PER"]
        assert TOKENS.evaluate(trained, [TaggedSentence(("mary", "in"), (names[0], "O"))])["f1"] == pytest.approx(2 / 3)
