"""Windows cover the whole context, labels point at the answers, and decoding returns the answer of the text."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_bert as kb
from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.metrics import squad_metrics
from keras_bert.tasks.span_decoding import best_answers
from keras_bert.text.windows import make_windows

WORDS = [f"w{i}" for i in range(40)]
VOCABULARY = [*SPECIAL_TOKENS, "who", "is", "it", "?", *WORDS]


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 40), length=st.integers(12, 50), doc_stride=st.integers(1, 5))
def test_every_token_has_max_context_once(count, length, doc_stride):
    context = " ".join(WORDS[:count])
    rows = make_windows(["who is it?"], [context], VOCABULARY, sequence_length=length, doc_stride=doc_stride)
    shown = {}
    for ids, mask, types, chars, is_max in zip(
        *rows.ids.values(), rows.token_to_char, rows.token_is_max_context, strict=True
    ):
        size = mask.sum()
        assert ids[0] == 2 and ids[5] == 3 and ids[size - 1] == 3 and (ids[size:] == 0).all()
        assert types[:6].sum() == 0 and types[6:size].all() and not types[size:].any()
        for position in np.flatnonzero(chars[:, 0] >= 0):
            begin, end = chars[position]
            assert VOCABULARY[ids[position]] == context[begin:end]
            if is_max[position]:
                shown[int(begin)] = shown.get(int(begin), 0) + 1
        assert ((chars[:, 0] >= 0) == ((types == 1) & (ids != 3))).all()
    begins = np.cumsum([0, *(len(word) + 1 for word in WORDS[:count])])[:-1]
    assert sorted(shown) == begins.tolist()
    assert set(shown.values()) <= {1, 2}  # two windows can have the same context around a token


@settings(max_examples=60, deadline=None)
@given(count=st.integers(3, 40), begin=st.integers(0, 39), size=st.integers(1, 6), length=st.integers(16, 40))
def test_exact_predictions_give_the_answer(count, begin, size, length):
    words = WORDS[:count]
    begin = min(begin, count - 1)
    answer = " ".join(words[begin : begin + size])
    context = " ".join(words)
    start = len(" ".join(words[:begin])) + (begin > 0)
    span = (start, start + len(answer))
    assert context[slice(*span)] == answer
    rows = make_windows(["who is it?"], [context], VOCABULARY, sequence_length=length, doc_stride=2)
    labels = rows.labels([span])
    logits = [np.eye(length)[labels[name]] * 9 for name in ("start_logits", "end_logits")]
    whole = labels["start_logits"] > 0
    assert whole.any() == (len(answer.split()) <= length - 7)
    for logit in logits:
        logit[~whole] = 0
    if whole.any():
        found = best_answers(rows, [context], *logits)[0]
        if rows.token_is_max_context[whole, labels["start_logits"][whole]].any():
            assert (found.text, found.start, found.end) == (answer, *span)


def test_answer_inside_a_token():
    rows = make_windows(["who?"], ["w10 w11 w12"], [*VOCABULARY], sequence_length=12, doc_stride=2)
    labels = rows.labels([(5, 6)])  # inside w11
    assert rows.ids["input_word_ids"][0, labels["start_logits"][0]] == VOCABULARY.index("w11")


def test_no_answer():
    context = "w1 w2 w3"
    rows = make_windows(["who?"], [context], VOCABULARY, sequence_length=12, doc_stride=2)
    assert rows.labels([None]) == {"start_logits": [0], "end_logits": [0]}
    starts, ends = np.zeros((2, 1, 12))
    starts[0, 0] = ends[0, 0] = 3
    starts[0, 4] = ends[0, 4] = 2
    answers = {
        above: best_answers(rows, [context], starts, ends, null_score_diff_threshold=above)[0]
        for above in (None, 1.0, 3.0)
    }
    assert [answers[above].text for above in (None, 1.0, 3.0)] == ["w1", "", "w1"]
    assert answers[None].null_score == 6.0 and answers[None].score == 4.0


def test_ignores_invalid_spans():
    context = " ".join(WORDS)
    rows = make_windows(["who?"], [context], VOCABULARY, sequence_length=60, doc_stride=2)
    starts, ends = np.zeros((2, 1, 60))
    starts[0, 20], ends[0, 10] = 9, 9  # backwards
    ends[0, 22] = 5
    assert best_answers(rows, [context], starts, ends)[0].text == "w16 w17 w18"
    ends[0, 43] = 8  # 24 tokens on
    assert len(best_answers(rows, [context], starts, ends, max_answer_length=30)[0].text.split()) == 24
    assert best_answers(rows, [context], starts, ends, max_answer_length=20)[0].text == "w16 w17 w18"
    starts[0, 1] = ends[0, 1] = 50  # in the question
    assert best_answers(rows, [context], starts, ends, max_answer_length=20)[0].text == "w16 w17 w18"


def test_rejects_invalid_arguments():
    with pytest.raises(kb.InputError, match="`contexts`.*2.*Received: 1"):
        make_windows(["a", "b"], ["c"], VOCABULARY)
    with pytest.raises(kb.InputError, match=r"^`doc_stride`.*\b5\b.*Received: doc_stride=6"):
        make_windows(["who is it?"], ["w1"], VOCABULARY, sequence_length=12, doc_stride=6)
    with pytest.raises(kb.InputError, match="^`contexts`.*Received: '  '"):
        make_windows(["who?"], ["  "], VOCABULARY)


MARKED = {  # words that end with characters that are no tokens
    "NFD accents": ("cafe\u0301 wa\u0301 cafe\u0301", "cafe\u0301"),
    "vowel signs": (
        "\u0939\u093f\u0928\u094d\u0926\u0941 \u092d\u093e\u0937\u093e",
        "\u0939\u093f\u0928\u094d\u0926\u0941",
    ),
    "vowel points": ("\u05e9\u05b8\u05dc\u05d5\u05b9 \u05e8\u05b7\u05d1", "\u05e9\u05b8\u05dc\u05d5\u05b9"),
    "several marks": ("Tu\u031b\u0323 \u0e01\u0e34\u0e48", "\u0e01\u0e34\u0e48"),
    "voiced kana": ("\u304b\u3099 \u304b", "\u304b\u3099"),
    "joiner": ("\u0d28\u0d4d\u200d \u0d28", "\u0d28\u0d4d\u200d"),
    "variation selector": ("\u2764\ufe0f x", "\u2764\ufe0f"),
    "precomposed": ("caf\xe9 x", "caf\xe9"),
}


@pytest.mark.parametrize("lowercase", [True, False], ids=["uncased", "cased"])
@pytest.mark.parametrize("name", MARKED)
def test_correct_answer_with_stripped_marks_scores_one(name, lowercase):
    """An answer at the beginning, in the middle and at the end of a context."""
    context, answer = MARKED[name]
    tokens = sorted({char for char in unicodedata.normalize("NFD", context.lower()) + context if char.strip()})
    vocabulary = [*SPECIAL_TOKENS, "who", "?", "end", *tokens, *("##" + char for char in tokens)]
    for text in (context, f"end {context}", f"end {answer} end", f"end {answer}"):
        start = text.index(answer)
        rows = make_windows(["who?"], [text], vocabulary, lowercase, sequence_length=32, doc_stride=2)
        labels = rows.labels([(start, start + len(answer))])
        assert labels["start_logits"][0] > 0
        logits = [np.eye(32)[labels[name]] for name in ("start_logits", "end_logits")]
        found = best_answers(rows, [text], *logits)[0]
        assert found.text == answer and text[found.start : found.end] == answer
        scores = squad_metrics({"q": [answer]}, {"q": found.text})
        assert (scores["exact_match"], scores["f1"]) == (100, 100)


def test_zero_width_space_is_not_part_of_an_answer():
    rows = make_windows(["who?"], ["w1\u200b w2"], VOCABULARY, sequence_length=12, doc_stride=2)
    assert rows.token_to_char[0, 4].tolist() == [0, 2]


def test_answer_that_ends_after_the_last_token():
    """The stripped characters around a context are in no window, and its answer is still whole."""
    context = "\u200b" + " ".join(WORDS[:20]) + "\u200b"
    rows = make_windows(["who?"], [context], VOCABULARY, sequence_length=12, doc_stride=2)
    first, last = rows.labels([(0, 3)]), rows.labels([(len(context) - 4, len(context))])
    assert first["start_logits"][0] == 4 and not first["start_logits"][1:].any()
    assert last["end_logits"][-1] > 4
