"""Phrases of a held-out sentence are not trained on, unless another sentence has them too."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments.split_sentences import split

ROWS = [("a b c d e", "1"), ("b c d", "1"), ("c", "0"), ("f g c h i", "0"), ("g c", "0"), ("f g", "1"), ("x y", "0")]


@pytest.mark.parametrize("seed", range(4))
def test_holds_out_sentence_with_its_phrases(seed):
    train, dev = split(ROWS, 1, seed)
    (held,) = (text for text, _ in dev)
    kept = {text for text, _ in train}
    phrases = {"a b c d e": {"b c d"}, "f g c h i": {"g c", "f g"}}
    assert kept == {text for text, _ in ROWS} - {held} - phrases[held]
    assert "c" in kept and "x y" in kept, "shared phrases and short sentences stay in train"


def test_seed_selects_sentences():
    assert {split(ROWS, 1, seed)[1][0] for seed in range(8)} == {ROWS[0], ROWS[3]}


def test_rejects_too_few_sentences():
    with pytest.raises(ValueError):
        split(ROWS, 3, 0)


def test_command_writes_both_parts_or_nothing(tmp_path):
    source, out = tmp_path / "train.tsv", tmp_path / "out"
    source.write_text("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in ROWS))

    def run(*arguments):
        program = Path(__file__).resolve().parents[2] / "experiments" / "split_sentences.py"
        done = subprocess.run([sys.executable, program, *map(str, arguments)], capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        return done.returncode

    assert run(source, out, "--sentences", 9) == 2 and run(tmp_path / "none.tsv", out) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["train.tsv"]
    assert run(source, out, "--sentences", 1) == 0
    parts = [(out / name).read_text().splitlines() for name in ("train.tsv", "dev.tsv")]
    assert len(parts[0]) == 1 + len(split(ROWS, 1, 1)[0]) and len(parts[1]) == 2
    assert run(source, out, "--sentences", 1) == 2, "an existing folder is an error"
