"""A tag for every word: labels at first pieces, sentences longer than a row, names that are found."""

import keras
import numpy as np
import pytest
from helpers import randomize

import keras_bert as kb
from keras_bert.data.conll import TaggedSentence
from keras_bert.tasks.preprocessor import Preprocessor
from keras_bert.tasks.tags import TagTask, tag, tag_rows, word_rows

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


def test_it_learns_names(folder):
    task = TagTask(str(folder))
    assert task.label_names == ("B-LOC", "B-PER", "I-LOC", "O") and task.sizes == (60, 20)
    encoder, reader = make()
    model = task.model(encoder)
    rows, held_out = task.rows(reader, seed=0, held_out=0.1)
    kb.finetune(model, *rows, *held_out, epochs=12, batch_size=8, learning_rate=3e-3, verbose=0)
    found = task.measure(model, reader)
    assert found["f1"] > 0.9 and found["examples"] == 20 and set(found["kinds"]) == {"LOC", "PER"}
    assert tag(model, [["Johnny", "lives"]], task.label_names, reader) == [["B-PER", "O"]]


def test_labels_stand_at_first_pieces():
    reader = make()[1]
    sentences = [
        TaggedSentence(("Johnny", "\x00", "lives"), ("B-PER", "O", "O")),
        TaggedSentence(("london",), ("B-LOC",)),
    ]
    ids, labels = tag_rows(sentences, ("B-LOC", "B-PER", "O"), reader)
    assert ids["input_word_ids"].tolist() == [[2, 5, 6, 7, 3], [2, 9, 3, 0, 0]]
    assert labels.tolist() == [[-1, 1, -1, 2, -1], [-1, 0, -1, -1, -1]]  # the word of no piece has none
    assert word_rows([s.words for s in sentences], reader)[1] == [[(0, 1), None, (0, 3)], [(1, 1)]]


def test_a_long_sentence_goes_on_in_another_row():
    reader = Preprocessor(tuple(VOCABULARY), True, 5)
    words = ("john", "lives", "in", "johnny", "london")
    ids, labels = tag_rows(
        [TaggedSentence(words, ("P", "O", "O", "P", "L")), TaggedSentence(("mary",), ("P",))], ("L", "O", "P"), reader
    )
    assert ids["input_word_ids"].tolist() == [[2, 5, 7, 8, 3], [2, 5, 6, 9, 3], [2, 10, 3, 0, 0]]
    assert ids["input_mask"].tolist() == [[1] * 5, [1] * 5, [1, 1, 1, 0, 0]]
    assert labels.tolist() == [[-1, 2, 1, 1, -1], [-1, 2, -1, 0, -1], [-1, 2, -1, -1, -1]]


def test_every_word_of_a_long_sentence_gets_its_own_tag():
    encoder, reader = make()
    model = randomize(kb.BertTokenClassifier(encoder, 4), seed=3)  # a word's tag hangs on the words beside it
    names, words = ("B-LOC", "B-PER", "I-LOC", "O"), ["john", "paris", "lives", "in", "mary", "london"]
    narrow = Preprocessor(tuple(VOCABULARY), True, 4)
    by_twos = sum(tag(model, [words[:2], words[2:4], words[4:]], names, reader), [])
    assert len(set(by_twos)) > 2 and tag(model, [words], names, reader) != [by_twos]
    assert tag(model, [words], names, narrow) == [by_twos]


def test_a_word_longer_than_a_row_is_cut():
    ids, places = word_rows([["in", "johnny", "in"]], Preprocessor(tuple(VOCABULARY), True, 3))
    assert ids["input_word_ids"].tolist() == [[2, 8, 3], [2, 5, 3], [2, 8, 3]]
    assert places == [[(0, 1), (1, 1), (2, 1)]]


def test_what_is_no_such_folder(folder):
    (folder / "dev.txt").write_text("John NNP B-ORG\n")
    with pytest.raises(kb.InputError, match="dev.txt: a tag is one of B-LOC, B-PER, I-LOC, O. Received: 'B-ORG'"):
        TagTask(str(folder))
    (folder / "train.txt").write_text("John NNP O\n")
    with pytest.raises(kb.InputError, match="at least two tags"):
        TagTask(str(folder))
    (folder / "dev.txt").unlink()
    with pytest.raises(kb.InputError, match="no dev.txt"):
        TagTask(str(folder))
