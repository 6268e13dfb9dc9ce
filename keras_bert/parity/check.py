"""Check of an encoder: copy the weights of a published model, run both, and compare the outputs."""

import dataclasses

from keras_bert.catalog.download import locate
from keras_bert.catalog.listing import resolve
from keras_bert.parity.compare import TOLERANCE, ParityReport, compare
from keras_bert.parity.published_outputs import (
    compare_with_published,
    find_published_outputs,
    is_published_handle,
    read_published_outputs,
)
from keras_bert.parity.references import open_reference
from keras_bert.text.splitting import ORIGINAL, Splitting
from keras_bert.weights.canonical_names import encoder_and_pretrainer
from keras_bert.weights.formats import find_format
from keras_bert.weights.formats.tfhub import encoder_from_tfhub, label, open_tfhub, read_tfhub, read_vocabulary
from keras_bert.weights.load import load_weights, open_source
from keras_bert.weights.parity_inputs import parity_inputs
from keras_bert.weights.report import LoadReport

NOT_COMPARED = "Published values were not compared: the source is not the handle of the published L-12 model."


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """The result of `check`.

    Attributes:
        source: the model that was checked against.
        parity: the `ParityReport`.
        weights: the `LoadReport` of the copied weights, or None if a given encoder was compared.
        published: the comparison with published values, or None if it was not made.
        published_note: one sentence: what was compared, or why nothing was.
        reference: the implementation that computed the expected outputs.
    """

    source: str
    parity: ParityReport
    weights: LoadReport | None
    published: dict | None
    published_note: str
    reference: str = "the SavedModel itself"

    @property
    def passed(self) -> bool:
        """True if every difference is within its tolerance, also those from published values if they were compared."""
        return self.parity.passed and (self.published is None or self.published["passed"])

    def to_dict(self) -> dict:
        """Return all results as a dict that JSON can write."""
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
    """Compare an encoder with another implementation of the same model, on real and random inputs.

    A SavedModel with TF-Hub's interface contains its computation, a program. It is loaded and called, so check only
    one that you trust; its weights and its vocabulary are read from the files. Weights of Hugging Face are opened and
    run by transformers if it is installed, presets of KerasHub by KerasHub. Weights in other formats are run by
    KerasHub too, with the weights that this package read. This checks the computation, not that each tensor was read
    correctly.

    Args:
        source: as in `load_weights`.
        encoder: a `BertEncoder` to compare. By default, one with the config and the weights of the source is built.
        tolerance: the largest difference that passes.
        published: also compare with published values of `bert_en_uncased_L-12_H-768_A-12`: True for a folder with that
            model, False for never. By default, they are compared if `source` is its handle. They are read from
            `$KERAS_BERT_DATA/data/published`.

    Returns:
        A `CheckReport`.

    Raises:
        InputError: the source cannot be read, a given encoder has another size, or no reference implementation for the
            source is installed.

    Source: the interface is https://www.tensorflow.org/hub/common_saved_model_apis/text. The files of published values
    name their origin.
    """
    address = resolve(source)
    source = locate(address)
    if _has_weights_only(source):
        return _check_weights(open_source(source), encoder, tolerance)
    weights = None
    if encoder is None:
        encoder, weights = encoder_from_tfhub(source)
    encoder, _ = encoder_and_pretrainer(encoder)
    vectorizer = _new_vectorizer(*read_vocabulary(read_tfhub(source)))
    # Only this runs the source. Everything that is wrong with its files is reported before.
    parity = compare(encoder, open_tfhub(source), parity_inputs(encoder.config, vectorizer), tolerance)
    folder, result = find_published_outputs(), None
    if not (is_published_handle(address) if published is None else published):
        note = NOT_COMPARED
    elif folder is None:
        note = "Published values were not compared: set KERAS_BERT_DATA to the folder that holds data/published."
    else:
        result = compare_with_published(encoder, vectorizer, read_published_outputs(folder))
        note = "Compared with outputs of the published model, printed in a public notebook."
    return CheckReport(label(address), parity, weights, result, note)


def _has_weights_only(source) -> bool:
    """Return whether a source is a folder or file of weights, without a graph to call."""
    found = find_format(source)
    return found is not None and found.name != "tfhub"


def _check_weights(source, encoder, tolerance: float) -> CheckReport:
    """Compare an encoder with the reference implementation of a source that has weights only."""
    from keras_bert.models import BertEncoder

    copy, weights = BertEncoder(source.config), None
    report = load_weights(copy, source)
    if encoder is None:
        encoder, weights = copy, report
    encoder, _ = encoder_and_pretrainer(encoder)
    reference, description = open_reference(source, copy)
    vectorizer = _new_vectorizer(source.vocabulary, source.lowercase, source.added_tokens, source.splitting)
    parity = compare(encoder, reference, parity_inputs(source.config, vectorizer), tolerance)
    return CheckReport(source.label, parity, weights, None, NOT_COMPARED, description)


def _new_vectorizer(vocabulary, lowercase: bool, added_tokens=(), splitting: Splitting = ORIGINAL):
    """Create a vectorizer without a fixed length from a vocabulary (tokens, or a file); None without a vocabulary."""
    if vocabulary is None:
        return None
    from keras_bert.text.vectorization import BertTextVectorization

    settings = {"lowercase": lowercase, "added_tokens": added_tokens, **splitting.changes()}
    return BertTextVectorization(vocabulary, sequence_length=None, **settings)
