"""The check against TF-Hub's BERT, whole: copy, run, compare, and look up what others published."""

import dataclasses

from keras_bert.weights.names import parts
from keras_bert.weights.parity import TOLERANCE, Parity, compare, parity_inputs
from keras_bert.weights.published import check_published, find_facts, is_published, read_facts
from keras_bert.weights.report import LoadReport
from keras_bert.weights.tfhub import encoder_from_tfhub, label, open_tfhub, vocabulary_file


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """What the check found.

    Attributes:
        source: what was checked against.
        parity: the differences.
        weights: what was copied, or None where a given encoder was compared as it is.
        published: the comparison with published values, or None where it was not made.
        published_note: one line: what was compared, or why it was not.
    """

    source: str
    parity: Parity
    weights: LoadReport | None
    published: dict | None
    published_note: str

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
            "tensors": self.weights.count if self.weights else None,
            "published": self.published,
            "published_note": self.published_note,
        }


def check(source, encoder=None, tolerance: float = TOLERANCE, published: bool | None = None) -> CheckReport:
    """Hold our encoder against a TF-Hub BERT on real and random inputs, with padding and pairs.

    Args:
        source: a TF-Hub handle, a SavedModel folder of that interface, or one already loaded.
        encoder: a `BertEncoder` to compare as it is; by default one of the source's size is built and filled.
        tolerance: the largest difference that passes.
        published: compare with published values of `bert_en_uncased_L-12_H-768_A-12` too: True where a folder holds
            that model, False never, None (default) where `source` is its handle. They are read from
            `$KERAS_BERT_DATA/data/published`.

    Returns:
        A `CheckReport`.

    Raises:
        InputError: the source cannot be reached or is no BERT, or a given encoder has other sizes.

    Source: the interface is https://www.tensorflow.org/hub/common_saved_model_apis/text; the files of published values
    name theirs.
    """
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


def _vectorizer(loaded):
    from keras_bert.text.vectorization import BertTextVectorization

    path, lowercase = vocabulary_file(loaded)
    if path is None:
        return None
    return BertTextVectorization(vocabulary=path, lowercase=lowercase, sequence_length=None)
