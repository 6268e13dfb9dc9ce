"""No phrase of a held-out sentence may be trained on, unless another sentence has it too."""

import pytest

from benchmarks.split_sentences import split

ROWS = [("a b c d e", "1"), ("b c d", "1"), ("c", "0"), ("f g c h i", "0"), ("g c", "0"), ("f g", "1"), ("x y", "0")]


@pytest.mark.parametrize("seed", range(4))
def test_phrases_leave_with_their_sentence(seed):
    train, dev = split(ROWS, 1, seed)
    (held,) = (text for text, _ in dev)
    kept = {text for text, _ in train}
    own = {"a b c d e": {"b c d"}, "f g c h i": {"g c", "f g"}}
    assert kept == {text for text, _ in ROWS} - {held} - own[held]
    assert "c" in kept and "x y" in kept, "shared phrases stay; what is too short is not held out"


def test_the_seed_decides():
    assert {split(ROWS, 1, seed)[1][0] for seed in range(8)} == {ROWS[0], ROWS[3]}
    with pytest.raises(ValueError):
        split(ROWS, 3, 0)
