"""Question answering: rows, training, answers, and the selection metric."""

import json

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.squad import Question, load_squad
from keras_bert.inference import predict_logits
from keras_bert.metrics import squad_metrics
from keras_bert.tasks import TASKS, Preprocessor, TrainedModel
from keras_bert.tasks.spans import answer_questions, span_rows, split_questions

NAMES = ["Anna", "Bert", "Carl", "Dora", "Emil", "Fred"]
PLACES = ["Rome", "Oslo", "Bern", "Kiev"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "where", "?", "lives", "in", "."]
VOCABULARY += [word.lower() for word in (*NAMES, *PLACES)]
SPANS = TASKS["spans"]


def write(path, count, seed, none=0.0):
    """Write sentences "X lives in Y ." with one of two questions about each; a fraction of questions has no answer."""
    rng = np.random.default_rng(seed)
    paragraphs = []
    for i in range(count):
        name, place = rng.choice(NAMES), rng.choice(PLACES)
        context = f"{name} lives in {place} ."
        text, answer = [("Who lives?", name), ("Where?", place)][i % 2]
        impossible = bool(rng.random() < none)
        question = {"id": f"{seed}-{i}", "question": "in?" if impossible else text, "is_impossible": impossible}
        question["answers"] = [] if impossible else [{"text": answer, "answer_start": context.index(answer)}]
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


def trained_model(model, preprocessor):
    return TrainedModel(lambda ids, batch_size: predict_logits(model, ids, batch_size), preprocessor)


@pytest.mark.slow
def test_training_and_evaluation(folder):
    data = SPANS.load(str(folder))
    assert (len(data.train), len(data.dev)) == (60, 20) and "Who lives?" in data.texts and data.label_names == ()
    encoder, preprocessor = make()
    model = SPANS.build_model(encoder, data)
    rows, held_out = SPANS.train_validation_rows(data, preprocessor, seed=0, fraction=0.1)
    kb.finetune(model, *rows, *held_out, epochs=15, batch_size=8, learning_rate=3e-3, verbose=0)
    trained = trained_model(model, preprocessor)
    metrics = SPANS.evaluate(trained, data.dev)
    assert metrics["exact_match"] > 90 and metrics["f1"] >= metrics["exact_match"] and metrics["examples"] == 20
    questions = load_squad(folder / "dev.json")
    answers = answer_questions(trained, questions)
    for question, answer in zip(questions, answers, strict=True):
        assert question.context[answer.start : answer.end] == answer.text
    predictions = SPANS.predict(trained, [(each.question, each.context) for each in questions])
    assert [each["answer"] for each in predictions] == [answer.text for answer in answers]


def test_whole_contexts_are_held_out(folder):
    data, (_, preprocessor) = SPANS.load(str(folder)), make()
    rows, held_out = SPANS.train_validation_rows(data, preprocessor, seed=0, fraction=0.2)
    contexts = [{tuple(row[row > 8]) for row in part[0]["input_word_ids"]} for part in (rows, held_out)]
    assert contexts[0] and contexts[1] and not contexts[0] & contexts[1]


def test_selection_metric_is_f1_of_held_out_questions(folder):
    data, (encoder, preprocessor) = SPANS.load(str(folder)), make()
    questions = split_questions(data.train, seed=0, fraction=0.2)[1]
    model = SPANS.build_model(encoder, data)
    trained = trained_model(model, preprocessor)
    metric = SPANS.selection_metric(trained, data, seed=0, fraction=0.2)
    answers = answer_questions(trained, questions)
    expected = {each.name: [text for text, _ in each.answers] for each in questions}
    f1 = squad_metrics(expected, {q.name: a.text for q, a in zip(questions, answers, strict=True)})["f1"]
    assert metric() == f1 and 0 < len(questions) < 60
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    assert metric() != f1  # of the current weights


def test_questions_without_answer_point_at_cls():
    preprocessor = make()[1]
    questions = [Question("a", "who?", "Anna lives", ()), Question("b", "who?", "Anna lives", (("Anna", 0),))]
    _, labels = span_rows(questions, preprocessor)
    assert labels["start_logits"].tolist() == [0, 4] and labels["end_logits"].tolist() == [0, 4]


def test_no_answer_setting_comes_from_training_data(folder):
    write(folder / "dev.json", 10, 2, none=1.0)
    assert SPANS.load(str(folder)).settings == {"no_answer": False}
    write(folder / "train.json", 60, 1, none=0.1)
    assert SPANS.load(str(folder)).settings == {"no_answer": True}


def test_rejects_label_names_and_missing_files(folder):
    with pytest.raises(kb.InputError, match="`label_names`"):
        SPANS.load(str(folder), ["a"])
    (folder / "dev.json").unlink()
    with pytest.raises(kb.InputError, match="^`dataset`.*Received: dataset=.*dev.json"):
        SPANS.load(str(folder))
