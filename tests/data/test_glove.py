"""Word vectors in GloVe's text format."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.glove import load_word_vectors


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_reads_words_and_numbers(tmp_path):
    text = "the 0.5 -1\n, 1e-2 2\n. . 3 4\nna\x85ïve 5 6\nthe 9 9\n"
    for content in (text, "5 2\n" + text, text.replace("\n", "\r\n")):
        rows, vectors = load_word_vectors(write(tmp_path / "vectors.txt", content))
        assert rows == {"the": 0, ",": 1, ". .": 2, "na\x85ïve": 3}
        np.testing.assert_array_equal(vectors, np.array([[0.5, -1], [0.01, 2], [3, 4], [5, 6]], "float32"))


def test_equals_numpy_on_real_vectors(shared_data):
    path = shared_data / "GloVe" / "glove.6B.50d.top10k.txt"
    rows, vectors = load_word_vectors(path)
    assert vectors.shape == (len(rows), 50) == (10_000, 50)
    expected = np.loadtxt(path, usecols=range(1, 51), comments=None, max_rows=200, encoding="utf-8")
    np.testing.assert_allclose(vectors[:200], expected, rtol=1e-6)


@pytest.mark.parametrize(
    "content, match",
    [
        ("the 1 2\nof 1\n", "line 2: 'of 1'"),
        ("the 1 2\nof 1 2x\n", "line 2"),
        ("the 1 2\nof 1 nan\n", "line 2"),
        ("2 2\nthe 1 2\n 1 2\n", "line 3"),
        ("the\n", "line 1"),
        ("\n", "no vectors"),
    ],
)
def test_errors_name_the_line(content, match, tmp_path):
    with pytest.raises(kb.InputError, match=f"^`path`.*vectors.txt.*{match}") as error:
        load_word_vectors(write(tmp_path / "vectors.txt", content))
    assert "\n" not in str(error.value)


def test_rejects_other_files(tmp_path):
    with pytest.raises(kb.InputError, match="^`path`.*No such file"):
        load_word_vectors(tmp_path / "missing.txt")
    with pytest.raises(kb.InputError, match="^`path`.*UTF-8"):
        load_word_vectors(write(tmp_path / "latin.txt", "naïve 1 2\n", "latin-1"))
