"""The bundled samples can be loaded by name, and have the numbers and properties that their README states."""

import collections
import re

import pytest

from keras_bert import InputError, load_labeled
from keras_bert.constants import SAMPLES
from keras_bert.data import sample_file
from keras_bert.data.conll import find_conll_files, load_conll
from keras_bert.data.samples import FILES, FOLDER, sample_files
from keras_bert.data.squad import load_squad
from keras_bert.metrics import find_scheme
from keras_bert.tasks import find_task


def five_grams(text):
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def test_every_file_has_a_name():
    assert {path.name for path in FOLDER.iterdir()} == {*FILES, "README.md"}
    assert all(sample_file(name).is_file() for name in FILES)


@pytest.mark.parametrize(
    ("name", "labels", "rows"),
    [("messages", ("promotion", "social", "spam"), (240, 90)), ("pairs", ("different", "paraphrase"), (160, 60))],
)
def test_labeled(name, labels, rows):
    data = load_labeled(f"sample-{name}")
    assert data.label_names == labels and data.name == f"sample-{name}"
    for part, count in zip((data.train_labels, data.dev_labels), rows, strict=True):
        assert collections.Counter(part.tolist()) == {i: count // len(labels) for i in range(len(labels))}
    order = labels[::-1]
    assert load_labeled(f"sample-{name}", order).label_names == order


def test_messages_of_dev_are_not_in_train():
    data = load_labeled("sample-messages")
    known = set().union(*map(five_grams, data.train_texts))
    assert not [text for text in data.dev_texts if five_grams(text) & known]


def test_pairs_have_different_sentences():
    data = load_labeled("sample-pairs")
    sentences = [text for part in (*data.train_texts, *data.dev_texts) for text in part]
    assert len(set(sentences)) == len(sentences) == 2 * (160 + 60)


def test_questions():
    data = find_task("spans").load("sample-questions")
    assert (len(data.train), len(data.dev), data.settings) == (150, 50, {"no_answer": True})
    contexts = [{each.context for each in part} for part in (data.train, data.dev)]
    assert list(map(len, contexts)) == [22, 8] and contexts[0].isdisjoint(contexts[1])
    assert all(60 <= len(context.split()) <= 110 for part in contexts for context in part)
    assert [sum(not each.answers for each in part) for part in (data.train, data.dev)] == [37, 13]
    for each in load_squad(sample_file("questions_dev.json")):
        for text, start in each.answers:  # an answer begins and ends with a whole word
            assert re.compile(rf"\b{re.escape(text)}\b").match(each.context, start)


def test_entities():
    data = find_task("tokens").load("sample-entities")
    assert (len(data.train), len(data.dev)) == (150, 50) and find_scheme(data.label_names)
    assert data.label_names == ("B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER", "O")
    tags = collections.defaultdict(set)
    for sentence in data.train:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            tags[word.lower()].add(tag)
    assert sum("O" in each and len(each) > 1 for each in tags.values()) >= 20
    assert data.dev == load_conll(sample_file("entities_dev.txt"))
    for sentence in (*data.train, *data.dev):
        for before, tag in zip(["O", *sentence.tags], sentence.tags, strict=False):
            assert not tag.startswith("I-") or before[2:] == tag[2:]  # an inner tag follows one of the same name


def test_rejects_other_names():
    with pytest.raises(InputError, match=r"^`name` must be one of prose.txt, .*entities_dev.txt. Received: .*'x.tsv'"):
        sample_file("x.tsv")
    names = "sample, sample-messages, sample-pairs, sst2"
    with pytest.raises(InputError, match=f"^`source` must be {names}.*Received: .*'sample-x'.*does not exist"):
        load_labeled("sample-x")
    with pytest.raises(InputError, match=f"^`source` must be {names}.*Received: .*'sample-questions'.*label"):
        load_labeled("sample-questions")
    with pytest.raises(InputError, match="^`dataset` must be sample-questions, or a folder.*Received: .*sample-pairs"):
        find_task("spans").load("sample-pairs")
    with pytest.raises(InputError, match="^`dataset` must be sample-entities, or a folder.*Received: .*sample-pairs"):
        find_conll_files("sample-pairs")


def test_files_of_samples():
    assert [path.name for name in SAMPLES for path in sample_files(name)] == list(FILES[1:])
