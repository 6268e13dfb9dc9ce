"""The check against another implementation, whole: copy, run, compare, and look up what others published."""

import dataclasses
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.parity.compare import TOLERANCE, Parity, compare, parity_inputs
from keras_bert.parity.published_outputs import check_published, find_facts, is_published, read_facts
from keras_bert.weights.canonical_names import parts
from keras_bert.weights.formats import huggingface
from keras_bert.weights.formats import keras_hub as kerashub
from keras_bert.weights.formats.tfhub import encoder_from_tfhub, label, open_tfhub, vocabulary_file
from keras_bert.weights.report import LoadReport
from keras_bert.weights.source import Source, load_weights, open_source
from keras_bert.weights.source import is_external as is_external_folder


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """What the check found.

    Attributes:
        source: what was checked against.
        parity: the differences.
        weights: what was copied, or None where a given encoder was compared as it is.
        published: the comparison with published values, or None where it was not made.
        published_note: one line: what was compared, or why it was not.
        reference: who computed the other side.
    """

    source: str
    parity: Parity
    weights: LoadReport | None
    published: dict | None
    published_note: str
    reference: str = "the SavedModel itself"

    @property
    def passed(self) -> bool:
        """True if every difference is within its tolerance, the published values' too where they were compared."""
        return self.parity.passed and (self.published is None or self.published["passed"])

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        return {
            **self.parity.to_dict(),
            "passed": self.passed,
            "source": self.source,
            "reference": self.reference,
            "tensors": self.weights.count if self.weights else None,
            "published": self.published,
            "published_note": self.published_note,
        }


def check(source, encoder=None, tolerance: float = TOLERANCE, published: bool | None = None) -> CheckReport:
    """Hold our encoder against another implementation on real and random inputs, with padding and pairs.

    A TF-Hub BERT is called itself. Weights of Hugging Face are opened and run by transformers where it is installed,
    KerasHub's by KerasHub. All others are run by KerasHub too, but as we read them: that checks what is computed, and
    not which tensor is which.

    Args:
        source: as for `load_weights`.
        encoder: a `BertEncoder` to compare as it is; by default one of the source's size is built and filled.
        tolerance: the largest difference that passes.
        published: compare with published values of `bert_en_uncased_L-12_H-768_A-12` too: True where a folder holds
            that model, False never, None (default) where `source` is its handle. They are read from
            `$KERAS_BERT_DATA/data/published`.

    Returns:
        A `CheckReport`.

    Raises:
        InputError: the source cannot be reached or is of no known format, a given encoder has other sizes, or nobody is
            there to compute the other side.

    Source: the interface is https://www.tensorflow.org/hub/common_saved_model_apis/text; the files of published values
    name theirs.
    """
    if _has_no_graph(source):
        return _check_with_another(open_source(source), encoder, tolerance)
    loaded = open_tfhub(source)
    weights = None
    if encoder is None:
        encoder, weights = encoder_from_tfhub(loaded)
        weights = dataclasses.replace(weights, source=label(source))
    encoder, _ = parts(encoder)
    vectorizer = _vectorizer(loaded)
    parity = compare(encoder, loaded, parity_inputs(encoder.config, vectorizer), tolerance)
    facts_at, result = find_facts(), None
    if not (is_published(source) if published is None else published):
        note = "published values were not checked: the source is not the handle of the published L-12 model"
    elif facts_at is None:
        note = "published values were not checked: set KERAS_BERT_DATA to the folder that holds data/published"
    else:
        result = check_published(encoder, vectorizer, read_facts(facts_at))
        note = "compared with the values that others printed of the published model"
    return CheckReport(label(source), parity, weights, result, note)


def _has_no_graph(source) -> bool:
    """Whether a source has weights alone, and no graph to call."""
    if not isinstance(source, (str, Path)) or "://" in str(source):
        return False
    path = Path(source)
    return is_external_folder(path) and not (path / "saved_model.pb").is_file()


def _check_with_another(found: Source, encoder, tolerance: float) -> CheckReport:
    from keras_bert.models import BertEncoder

    copy, weights = BertEncoder(found.config), None
    copied = load_weights(copy, found)
    if encoder is None:
        encoder, weights = copy, copied
    encoder, _ = parts(encoder)
    if found.format == "huggingface" and all(find_spec(name) for name in ("torch", "transformers")):
        reference, name = huggingface.open_with_transformers(found), f"transformers {version('transformers')}"
    elif found.format == "kerashub":
        reference, name = kerashub.open_backbone(found), f"KerasHub {version('keras-hub')}, which opened it itself"
    else:
        try:  # nobody else opens these files: what is wrong with our reading of them does not show here
            reference = kerashub.to_keras_hub(copy)
            name = f"KerasHub {version('keras-hub')}, holding the weights as we read them"
        except InputError as error:
            hint = " (pip install torch transformers)" if found.format == "huggingface" else ""
            raise InputError(f"nobody is there to compute the other side{hint}: {error}") from None
    vectorizer = None
    if found.vocabulary is not None:
        from keras_bert.text.vectorization import BertTextVectorization

        vectorizer = BertTextVectorization(found.vocabulary, lowercase=found.lowercase, sequence_length=None)
    parity = compare(encoder, reference, parity_inputs(found.config, vectorizer), tolerance)
    note = "published values were not checked: the source is not the handle of the published L-12 model"
    return CheckReport(found.label, parity, weights, None, note, name)


def _vectorizer(loaded):
    from keras_bert.text.vectorization import BertTextVectorization

    path, lowercase = vocabulary_file(loaded)
    if path is None:
        return None
    return BertTextVectorization(vocabulary=path, lowercase=lowercase, sequence_length=None)
