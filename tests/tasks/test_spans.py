"""Answers in texts: rows of questions, a model that learns to point, and its answers as they stand in the text."""

import json

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.squad import Question, load_squad, score_answers
from keras_bert.tasks.preprocessor import Preprocessor
from keras_bert.tasks.spans import SpanTask, answer, span_rows

NAMES = ["Anna", "Bert", "Carl", "Dora", "Emil", "Fred"]
PLACES = ["Rome", "Oslo", "Bern", "Kiev"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "where", "?", "lives", "in", "."]
VOCABULARY += [word.lower() for word in (*NAMES, *PLACES)]


def write(path, count, seed, none=0.0):
    """Sentences "X lives in Y ." and the two questions about them; a share of questions about nobody."""
    rng = np.random.default_rng(seed)
    paragraphs = []
    for i in range(count):
        name, place = rng.choice(NAMES), rng.choice(PLACES)
        context = f"{name} lives in {place} ."
        asked = [("Who lives?", name), ("Where?", place)][i % 2]
        impossible = bool(rng.random() < none)
        question = {"id": f"{seed}-{i}", "question": "in?" if impossible else asked[0], "is_impossible": impossible}
        question["answers"] = [] if impossible else [{"text": asked[1], "answer_start": context.index(asked[1])}]
        paragraphs.append({"context": context, "qas": [question]})
    path.write_text(json.dumps({"version": "2.0", "data": [{"title": "t", "paragraphs": paragraphs}]}))


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "train.json", 60, 1)
    write(tmp_path / "dev.json", 20, 2)
    return tmp_path


def make(length=16):
    keras.utils.set_random_seed(3)
    config = kb.BertConfig(len(VOCABULARY), 32, 2, 2, 64, max_position_embeddings=length, initializer_range=0.1)
    return kb.BertEncoder(config), Preprocessor(tuple(VOCABULARY), True, length)


def test_it_learns_to_point_at_answers(folder):
    task = SpanTask(str(folder))
    assert task.sizes == (60, 20) and "Who lives?" in task.texts and task.label_names == ()
    encoder, reader = make()
    model = task.model(encoder)
    rows, held_out = task.rows(reader, seed=0, held_out=0.1)
    kb.finetune(model, *rows, *held_out, epochs=15, batch_size=8, learning_rate=3e-3, verbose=0)
    found = task.measure(model, reader)
    assert found["exact_match"] > 90 and found["f1"] >= found["exact_match"] and found["examples"] == 20
    questions = load_squad(folder / "dev.json")
    said = answer(model, questions, reader)
    for question, each in zip(questions, said, strict=True):
        assert question.context[each.start : each.end] == each.text


def test_whole_contexts_are_held_out(folder):
    task, (_, reader) = SpanTask(str(folder)), make()
    rows, held_out = task.rows(reader, seed=0, held_out=0.2)
    contexts = [{tuple(row[row > 8]) for row in part[0]["input_word_ids"]} for part in (rows, held_out)]
    assert contexts[0] and contexts[1] and not contexts[0] & contexts[1]


def test_the_best_epoch_answers_the_held_out_questions_best(folder):
    task, (encoder, reader) = SpanTask(str(folder)), make()
    held_out = task.parts(seed=0, held_out=0.2)[1]
    score = task.score(model := task.model(encoder), reader, seed=0, held_out=0.2)
    said = answer(model, held_out, reader)
    f1 = score_answers(held_out, {each.name: a.text for each, a in zip(held_out, said, strict=True)})["f1"]
    assert score() == f1 and 0 < len(held_out) < 60
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    assert score() != f1  # of the model as it stands


def test_questions_without_an_answer_point_at_cls():
    reader = make()[1]
    asked = [Question("a", "who?", "Anna lives", ()), Question("b", "who?", "Anna lives", (("Anna", 0),))]
    _, labels = span_rows(asked, reader)
    assert labels["start_logits"].tolist() == [0, 4] and labels["end_logits"].tolist() == [0, 4]


def test_whether_questions_without_an_answer_are_trained_on(folder):
    write(folder / "dev.json", 10, 2, none=1.0)
    assert SpanTask(str(folder)).no_answer is False  # dev only measures
    write(folder / "train.json", 60, 1, none=0.1)
    assert SpanTask(str(folder)).no_answer is True


def test_what_is_no_such_folder(folder, tmp_path):
    with pytest.raises(kb.InputError, match="answers have no classes"):
        SpanTask(str(folder), ["a"])
    (folder / "dev.json").unlink()
    with pytest.raises(kb.InputError, match="no dev.json"):
        SpanTask(str(folder))
