"""The bundled samples: small datasets that were written for this project."""

from pathlib import Path

from keras_bert.constants import SAMPLES
from keras_bert.errors import InputError

FOLDER = Path(__file__).parent / "sample"
FILES = ("prose.txt", *(name for pair in SAMPLES.values() for name in pair))


def sample_file(name: str) -> Path:
    """Return the path of a file of the bundled samples.

    Args:
        name: `"prose.txt"`, or one of `reviews_train.tsv`, `messages_train.tsv`, `pairs_train.tsv`,
            `questions_train.json` and `entities_train.txt`, or of the same with `dev` in place of `train`.

    Returns:
        The path, for `read_table`, `load_squad`, `load_conll` or another reader.

    Raises:
        InputError: there is no such file.

    Example:

    >>> from keras_bert.data.squad import load_squad
    >>> load_squad(sample_file("questions_dev.json"))[0].question
    'Which temperature does the cave have?'
    """
    if name not in FILES:
        raise InputError(f"`name` must be one of {', '.join(FILES)}. Received: name={name!r}")
    return FOLDER / name


def sample_files(sample: str) -> tuple[Path, Path]:
    """Return the training file and the dev file of a sample.

    Args:
        sample: a key of `SAMPLES`.

    Example:

    >>> [path.name for path in sample_files("sample-entities")]
    ['entities_train.txt', 'entities_dev.txt']
    """
    train, dev = map(sample_file, SAMPLES[sample])
    return train, dev
