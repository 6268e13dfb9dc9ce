"""Windows cover the whole context, labels point at the answers, and decoding returns the answer of the text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_bert as kb
from keras_bert.constants import SPECIAL_TOKENS
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
