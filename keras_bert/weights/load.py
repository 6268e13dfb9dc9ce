"""Pretrained models by name: what ships in `saved_models/`, what TF-Hub has, and one door to both and to any folder."""

import dataclasses
from pathlib import Path

from keras_bert.catalog.bundled import BUNDLED, ENCODER, SENTIMENT, find_bundled, is_bundled
from keras_bert.config import PRESETS
from keras_bert.errors import InputError
from keras_bert.models.pretrained_model import register_io
from keras_bert.weights.formats.keras_folder import Pretrained, read_folder, save_pretrained
from keras_bert.weights.source import is_external, pretrained_from

VERSIONS = {"small_bert": 2}  # of the handles; 4 is that of all others


@dataclasses.dataclass(frozen=True)
class PretrainedInfo:
    """A model that can be had by name.

    Attributes:
        name: what `load_pretrained` and `BertEncoder.from_pretrained` take.
        what: one line.
        source: the folder of a model that ships, or the TF-Hub handle of one that is fetched.
        ships: whether it needs no network.
    """

    name: str
    what: str
    source: str
    ships: bool


def list_pretrained() -> list[PretrainedInfo]:
    """The models that ship with this installation, then those that TF-Hub publishes.

    Returns:
        A list of `PretrainedInfo`.

    Example:

    >>> [listed.name for listed in list_pretrained() if not listed.ships][0]
    'bert_en_uncased_L-12_H-768_A-12'

    Source: the handles of https://tfhub.dev/google/collections/bert.
    """
    shipped = [
        PretrainedInfo(name, what, str(find_bundled(name)), True) for name, what in BUNDLED.items() if is_bundled(name)
    ]
    return shipped + [
        PretrainedInfo(name, "Google's encoder, fetched from TF-Hub", _handle(name), False) for name in PRESETS
    ]


def load_pretrained(source) -> Pretrained:
    """A pretrained model and its vocabulary, from wherever it is.

    Args:
        source: a folder that `save_pretrained` wrote, on any Keras backend; or, on a machine with TensorFlow, the name
            of an encoder in `list_pretrained()`, or a SavedModel folder or handle with the interface of TF-Hub's BERT.

    Returns:
        A `Pretrained`: a SavedModel with an `.mlm` part gives a `BertPretrainer` without next sentences.

    Raises:
        InputError: no such folder, a file of it missing or damaged, something else than a model of ours or TF-Hub's
            BERT, or a vocabulary of another size than the encoder's.

    Example:

    >>> import tempfile
    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> folder = kb.save_pretrained(kb.BertEncoder(config), tempfile.mkdtemp() + "/bert", vectorizer)
    >>> kb.load_pretrained(folder).encoder.config.num_layers
    1

    Source: the Keras 3 format, keras.io/api/models/model_saving_apis;
    https://www.tensorflow.org/hub/common_saved_model_apis/text.
    """
    source = find(source)
    if "://" in str(source) or is_external(Path(source)):
        return pretrained_from(source)
    return read_folder(source)


def find(source):
    """The folder or handle that a name of `list_pretrained()` stands for; anything else is given back."""
    name = str(source)
    if not Path(name).exists():
        if name == SENTIMENT:
            raise InputError(f"an encoder is expected; {SENTIMENT} is a served graph, for predict. Received: {name}")
        if name == ENCODER:
            return find_bundled(name)
        if name in PRESETS:
            return _handle(name)
    return source


def _handle(name: str) -> str:
    return f"https://tfhub.dev/tensorflow/{name}/{VERSIONS.get(name.split('/')[0], 4)}"


register_io(load_pretrained, save_pretrained)
