"""SQuAD files that are read, and files that are rejected with one line."""

import json

import pytest

import keras_bert as kb
from keras_bert.data.squad import Question, load_squad


def write(path, *qas, context="The river Seine runs through Paris."):
    paragraph = {"context": context, "qas": list(qas)}
    path.write_text(json.dumps({"version": "2.0", "data": [{"title": "t", "paragraphs": [paragraph]}]}))
    return path


def question(name="q", text="Paris", start=29, **more):
    return {"id": name, "question": "Where?", "answers": [{"text": text, "answer_start": start}], **more}


def test_a_file(tmp_path):
    none = {"id": "n", "question": "Why?", "answers": [], "is_impossible": True, "plausible_answers": []}
    found = load_squad(write(tmp_path / "s.json", question(), none))
    assert found[0].answers == (("Paris", 29),) and found[0].context[29:34] == "Paris"
    assert found[1] == Question("n", "Why?", found[0].context, ())


def test_real_files(shared_data):
    found = load_squad(shared_data / "SQuAD" / "train-v1.1-first-11-articles.json")
    assert len(found) == 3807 and all(each.answers for each in found)
    found = load_squad(shared_data / "SQuAD" / "dev-v2.0-5-articles.json")
    assert len(found) == 1407 and 0 < sum(not each.answers for each in found) < 1407


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "a SQuAD file is JSON that can be read"),
        ("[]", "SQuAD's layout is data"),
        ('{"data": []}', "questions are expected. Received: none"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', "questions are expected"),
        ('{"data": [{"paragraphs": [{"qas": [{"id": 1}]}]}]}', "no 'context'"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": ["q"]}]}]}', "no 'id'"),
        ('{"data": [{"paragraphs": [{"context": ["a"], "qas": [{}]}]}]}', r"Received: \['a'\] as 'context'"),
        ('{"data": [{"paragraphs": {"context": "a"}}]}', "Received: {'context': 'a'} as 'paragraphs'"),
        ("[" * 100_000, "a SQuAD file is JSON that can be read"),
    ],
)
def test_no_such_file(content, words, tmp_path):
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(kb.InputError, match=words) as error:
        load_squad(tmp_path / "s.json")
    assert "\n" not in str(error.value)


def test_an_answer_that_is_not_in_its_context(tmp_path):
    words = "question q: .* at character 3. Received: 'Paris' where the context has ' rive'"
    with pytest.raises(kb.InputError, match=words):
        load_squad(write(tmp_path / "s.json", question(start=3)))
    with pytest.raises(kb.InputError, match="Received: q twice"):
        load_squad(write(tmp_path / "s.json", question(), question()))
    with pytest.raises(kb.InputError, match="can be read"):
        load_squad(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"question": 7}, "Received: 7 as 'question'"),
        ({"answers": None}, "no 'answers'"),
        ({"answers": ["Paris"]}, "no 'text'"),
        ({"answers": [{"text": "Paris", "answer_start": "29"}]}, "Received: '29' as 'answer_start'"),
        ({"answers": [{"text": "Paris", "answer_start": True}]}, "Received: True as 'answer_start'"),
        ({"answers": [{"text": "The", "answer_start": -35}]}, "at character -35"),
        ({"question": "\ud800"}, "half of a surrogate pair"),
    ],
)
def test_fields_of_other_kinds(change, words, tmp_path):
    with pytest.raises(kb.InputError, match=words) as error:
        load_squad(write(tmp_path / "s.json", {**question(), **change}))
    assert "\n" not in str(error.value)


def test_a_context_without_a_word_and_a_byte_order_mark(tmp_path):
    with pytest.raises(kb.InputError, match="question q: a context holds at least one word. Received: '  '"):
        load_squad(write(tmp_path / "s.json", question(), context="  "))
    path = write(tmp_path / "s.json", question())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load_squad(path)) == 1
