"""SQuAD files are read or rejected; scores equal those of the official scripts (squad_scores.json)."""

import json
from pathlib import Path

import pytest

import keras_bert as kb
from keras_bert.data.squad import Question, load_squad, normalise, overlap, score, score_answers

CASES = json.loads((Path(__file__).parent / "squad_scores.json").read_text(encoding="utf-8"))["cases"]


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
        ("{", "`path` must be a readable JSON file"),
        ("[]", "`path` must have SQuAD's fields"),
        ('{"data": []}', "`path`.*0 questions"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', "`path`.*0 questions"),
        ('{"data": [{"paragraphs": [{"qas": [{"id": 1}]}]}]}', "`path`.*no 'context'"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": ["q"]}]}]}', "`path`.*no 'id'"),
        ('{"data": [{"paragraphs": [{"context": ["a"], "qas": [{}]}]}]}', r"`path`.*'context': \['a'\]"),
        ('{"data": [{"paragraphs": {"context": "a"}}]}', "`path`.*'paragraphs': {'context': 'a'}"),
        ("[" * 100_000, "`path` must be a readable JSON file"),
    ],
)
def test_rejects_other_formats(content, message, tmp_path):
    (tmp_path / "s.json").write_text(content, encoding="utf-8")
    with pytest.raises(kb.InputError, match=message) as error:
        load_squad(tmp_path / "s.json")
    assert "\n" not in str(error.value)


def test_rejects_wrong_answer_start(tmp_path):
    message = "`answer_start`.*'Paris'.*answer_start=3, where the context has ' rive' .*question q"
    with pytest.raises(kb.InputError, match=message):
        load_squad(write(tmp_path / "s.json", question(start=3)))
    with pytest.raises(kb.InputError, match="`id`.*q twice"):
        load_squad(write(tmp_path / "s.json", question(), question()))
    with pytest.raises(kb.InputError, match="`path`.*nothing.json"):
        load_squad(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": 7}, "`path`.*'question': 7"),
        ({"answers": None}, "`path`.*no 'answers'"),
        ({"answers": ["Paris"]}, "`path`.*no 'text'"),
        ({"answers": [{"text": "Paris", "answer_start": "29"}]}, "`path`.*'answer_start': '29'"),
        ({"answers": [{"text": "Paris", "answer_start": True}]}, "`path`.*'answer_start': True"),
        ({"answers": [{"text": "The", "answer_start": -35}]}, "`answer_start`.*answer_start=-35"),
        ({"question": "\ud800"}, "`question`.*lone surrogate"),
    ],
)
def test_rejects_fields_of_other_types(change, message, tmp_path):
    with pytest.raises(kb.InputError, match=message) as error:
        load_squad(write(tmp_path / "s.json", {**question(), **change}))
    assert "\n" not in str(error.value)


def test_empty_context_and_byte_order_mark(tmp_path):
    with pytest.raises(kb.InputError, match="`context`.*context='  ' .*question q"):
        load_squad(write(tmp_path / "s.json", question(), context="  "))
    path = write(tmp_path / "s.json", question())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load_squad(path)) == 1


def test_scores_by_hand():
    asked = [
        Question("a", "", "", (("the Norse leader Rollo", 0), ("Rollo", 0))),
        Question("b", "", "", (("10th and 11th centuries", 0),)),
        Question("c", "", "", ()),
        Question("d", "", "", ()),
    ]
    found = score_answers(asked, {"a": "rollo!", "b": "the 11th centuries", "c": "", "d": "something"})
    assert found["exact_match"] == 50.0 and found["answerable_exact_match"] == 50.0
    assert found["f1"] == pytest.approx(100 * (1 + 2 * 1 * 0.5 / 1.5 + 1 + 0) / 4)
    assert (found["unanswerable_exact_match"], found["unanswerable_f1"]) == (50.0, 50.0)
    assert "answerable_f1" not in score_answers(asked[:2], {"a": "", "b": ""})
    with pytest.raises(kb.InputError, match="none to c, of 2"):
        score_answers(asked, {"a": "", "b": ""})


def test_answers_are_counted_as_by_the_official_scripts():
    """320 answers of nasty words, with exact match and F1 by 1.1's script and by 2.0's."""
    assert sum(case["v1"] not in (case["v2"], None) for case in CASES) > 20
    for case in CASES:
        said, meant = case["said"], case["meant"]
        assert score(said, meant, none_counts=True) == pytest.approx(tuple(case["v2"])), case
        if meant:
            assert score(said, meant, none_counts=False) == pytest.approx(tuple(case["v1"])), case
    for version, cases in (("v1", [case for case in CASES if case["meant"]]), ("v2", CASES)):
        asked = [Question(str(i), "", "", tuple((text, 0) for text in c["meant"])) for i, c in enumerate(cases)]
        found = score_answers(asked, {str(i): case["said"] for i, case in enumerate(cases)})
        for i, name in enumerate(("exact_match", "f1")):
            assert found[name] == pytest.approx(100 * sum(case[version][i] for case in cases) / len(cases))


def test_scores_of_1_1_by_hand():
    """Where every question has an answer, evaluate-v1.1 counts: nothing said is wrong, no word shared is an F1 of 0."""
    asked = [
        Question(name, "", "", ((text, 0),)) for name, text in zip("abcd", ("Rollo", "The", "!", "cat"), strict=True)
    ]
    found = score_answers(asked, {"a": "the Rollo", "b": "", "c": "an", "d": ""})
    # a is right; b and c are equal once nothing is left, which is an exact match but no overlap; d is wrong
    assert (found["exact_match"], found["f1"]) == (75.0, 25.0)
    found = score_answers(asked, {"a": "Rollo of Rouen"})
    assert (found["exact_match"], found["f1"]) == (0.0, pytest.approx(100 * 0.5 / 4))  # 1 of 3 words, 1 of 1: 1 / 2
    none = [*asked, Question("e", "", "", ())]
    found = score_answers(none, {"a": "Rollo", "b": "", "c": "an", "d": "", "e": ""})
    assert (found["exact_match"], found["f1"]) == (80.0, 80.0)  # 2.0's script: b and c count as rightly unanswered


def test_what_is_the_same():
    assert normalise("The  Cat, a dog: an `x`!") == "cat dog x"
    assert overlap("", "") == 1.0 and overlap("the", "a") == 1.0 and overlap("x", "") == 0.0
    assert overlap("one two two", "two two three") == pytest.approx(2 / 3)
