"""SQuAD files are read, and invalid files are rejected."""

import json

import pytest

import keras_bert as kb
from keras_bert.data.squad import Question, load_squad


def write(path, *qas, context="The river Seine runs through Paris."):
    paragraph = {"context": context, "qas": list(qas)}
    path.write_text(
        json.dumps({"version": "2.0", "data": [{"title": "t", "paragraphs": [paragraph]}]}), encoding="utf-8"
    )
    return path


def question(name="q", text="Paris", start=29, **more):
    return {"id": name, "question": "Where?", "answers": [{"text": text, "answer_start": start}], **more}


def test_reads_file(tmp_path):
    none = {"id": "n", "question": "Why?", "answers": [], "is_impossible": True, "plausible_answers": []}
    found = load_squad(write(tmp_path / "s.json", question(), none))
    assert found[0].answers == (("Paris", 29),) and found[0].context[29:34] == "Paris"
    assert found[1] == Question("n", "Why?", found[0].context, ())


def test_reads_real_files(shared_data):
    found = load_squad(shared_data / "SQuAD" / "train-v1.1-first-11-articles.json")
    assert len(found) == 3807 and all(each.answers for each in found)
    found = load_squad(shared_data / "SQuAD" / "dev-v2.0-5-articles.json")
    assert len(found) == 1407 and 0 < sum(not each.answers for each in found) < 1407


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "^`path`.*Received: path=.*s.json"),
        ("[]", "^`path`.*Received: path=.*'data'"),
        ('{"data": []}', r"^`path`.*Received: path=.*s.json .*\b0\b"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', r"^`path`.*Received: path=.*s.json .*\b0\b"),
        ('{"data": [{"paragraphs": [{"qas": [{"id": 1}]}]}]}', "^`path`.*Received: .*'context'"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": ["q"]}]}]}', "^`path`.*Received: .*'id'"),
        ('{"data": [{"paragraphs": [{"context": ["a"], "qas": [{}]}]}]}', r"`path`.*'context': \['a'\]"),
        ('{"data": [{"paragraphs": {"context": "a"}}]}', "`path`.*'paragraphs': {'context': 'a'}"),
        ("[" * 100_000, "^`path`.*Received: path=.*s.json"),
    ],
)
def test_rejects_other_formats(content, message, tmp_path):
    (tmp_path / "s.json").write_text(content, encoding="utf-8")
    with pytest.raises(kb.InputError, match=message) as error:
        load_squad(tmp_path / "s.json")
    assert "\n" not in str(error.value)


def test_rejects_wrong_answer_start(tmp_path):
    message = "^`answer_start`.*'Paris'.*Received: answer_start=3.*' rive' .*s.json.*q"
    with pytest.raises(kb.InputError, match=message):
        load_squad(write(tmp_path / "s.json", question(start=3)))
    with pytest.raises(kb.InputError, match="^`id`.*Received: id=q .*s.json"):
        load_squad(write(tmp_path / "s.json", question(), question()))
    with pytest.raises(kb.InputError, match="`path`.*nothing.json"):
        load_squad(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": 7}, "`path`.*'question': 7"),
        ({"answers": None}, "^`path`.*Received: .*'answers'"),
        ({"answers": ["Paris"]}, "^`path`.*Received: .*'text'"),
        ({"answers": [{"text": "Paris", "answer_start": "29"}]}, "`path`.*'answer_start': '29'"),
        ({"answers": [{"text": "Paris", "answer_start": True}]}, "`path`.*'answer_start': True"),
        ({"answers": [{"text": "The", "answer_start": -35}]}, "`answer_start`.*answer_start=-35"),
        ({"question": "\ud800"}, "^`context` .*`question`.*Received: .*s.json"),
    ],
)
def test_rejects_fields_of_other_types(change, message, tmp_path):
    with pytest.raises(kb.InputError, match=message) as error:
        load_squad(write(tmp_path / "s.json", {**question(), **change}))
    assert "\n" not in str(error.value)


def test_empty_context_and_byte_order_mark(tmp_path):
    with pytest.raises(kb.InputError, match="^`context`.*Received: context='  ' .*s.json.*q"):
        load_squad(write(tmp_path / "s.json", question(), context="  "))
    path = write(tmp_path / "s.json", question())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load_squad(path)) == 1
