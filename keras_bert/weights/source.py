"""What any published format comes down to: a config, tensors by our names, and the vocabulary that came along."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.models import kind_of
from keras_bert.weights.canonical_names import HEADS, model_weights
from keras_bert.weights.formats.keras_folder import Pretrained
from keras_bert.weights.report import LoadReport, assign_exactly_once


@dataclasses.dataclass
class Source:
    """Weights that came out of some format.

    Attributes:
        label: what to call it in messages.
        format: `"tfhub"`, `"google"`, `"garden"`, `"huggingface"` or `"kerashub"`.
        parts: `"encoder"` and those of `names.HEADS` it has, each a dict of our name to array of our shape.
        read_config: gives the `BertConfig`.
        says_config: whether the format states what shapes do not show, such as the activation.
        vocabulary: list of WordPiece tokens, or None.
        lowercase: whether text is lower-cased before it is split.
        labels: the classes' names, or None.
        problem_type: of a classifier, as `BertClassifier` has it.
        classifier_dropout: the rate before the head of a classifier of texts or tokens; None for the encoder's.
    """

    label: str
    format: str
    parts: dict[str, dict]
    read_config: Callable[[], BertConfig]
    says_config: bool = True
    vocabulary: list[str] | None = None
    lowercase: bool = True
    labels: list[str] | None = None
    problem_type: str = "single_label"
    classifier_dropout: float | None = None

    @functools.cached_property
    def config(self) -> BertConfig:
        """The sizes and the rest."""
        return self.read_config()


def open_source(source) -> Source:
    """Read weights of any known format; no code of the source runs.

    Args:
        source: a TF-Hub handle, a SavedModel loaded or in a folder, a folder of Hugging Face, or one of a checkpoint by
            google-research/bert.

    Raises:
        InputError: nothing there, or nothing of a known format.
    """
    from keras_bert.weights.formats import google_research as google
    from keras_bert.weights.formats import huggingface, tfhub
    from keras_bert.weights.formats import keras_hub as kerashub

    if not isinstance(source, (str, Path)) or "://" in str(source):
        return tfhub.read_source(source)
    path = Path(source)
    if (path / "saved_model.pb").is_file():
        return tfhub.read_source(source)
    for room in (kerashub, huggingface, google):
        if room.matches(path):
            return room.read_source(path)
    return tfhub.read_source(source)  # whose errors say what is expected


def is_external(path: Path) -> bool:
    """Whether a folder is of a format that `open_source` reads."""
    from keras_bert.weights.formats import google_research as google
    from keras_bert.weights.formats import huggingface
    from keras_bert.weights.formats import keras_hub as kerashub

    return (path / "saved_model.pb").is_file() or any(room.matches(path) for room in (kerashub, huggingface, google))


def load_weights(model, source) -> LoadReport:
    """Copy published weights into a model of ours: every tensor exactly once, or an error and nothing changed.

    Args:
        model: a `BertEncoder`, or a model on one, whose head is filled too where the source has it.
        source: a TF-Hub handle, a SavedModel folder of that interface or such a model already loaded; a folder of
            Hugging Face (`config.json` with `model.safetensors` or `pytorch_model.bin`); or one of a TensorFlow 1
            checkpoint by Google (`bert_config.json`, `bert_model.ckpt.*`).

    Returns:
        A `LoadReport`. Its `untouched` names the model's weights that the source does not have, its `left` the heads
        that the model has no place for.

    Raises:
        InputError: the source cannot be reached or is of no known format; it computes otherwise than the model
            (activation, epsilon); or a tensor is missing, left over or of another shape (it says which).

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> kb.load_weights(kb.BertEncoder(config), "no/such/folder")
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: expected a SavedModel folder or ... Received: no/such/folder, which is not there

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text (the interface); the names are those of
    `tensorflow/bert_en_uncased_L-12_H-768_A-12/4`.
    """
    ours = model_weights(model)
    found = source if isinstance(source, Source) else open_source(source)
    _check_computation(getattr(model, "encoder", model).config, found)
    shared = [part for part in ("encoder", *HEADS) if part in ours and part in found.parts]
    targets, tensors = ({n: w for part in shared for n, w in side[part].items()} for side in (ours, found.parts))
    known = {id(variable) for variable in targets.values()}
    untouched = [weight.path for weight in model.trainable_variables if id(weight) not in known]
    report = assign_exactly_once(targets, tensors, found.label, untouched)
    return dataclasses.replace(report, left=[part for part in found.parts if part not in ours])


def pretrained_from(source) -> Pretrained:
    """A model with the heads that a source has, holding its weights, and the vocabulary that came with it.

    Args:
        source: as for `load_weights`, or a `Source`.

    Raises:
        InputError: as `load_weights`; no WordPiece vocabulary in the source, or one of another size.
    """
    found = source if isinstance(source, Source) else open_source(source)
    if found.vocabulary is None:
        raise InputError(f"a source that holds its vocabulary is expected. Received: {found.label} without one")
    if found.config.vocab_size != len(found.vocabulary):
        raise InputError(
            f"an encoder and its vocabulary are of one size. Received: vocab_size={found.config.vocab_size} and "
            f"{len(found.vocabulary)} tokens in {found.label}"
        )
    model = model_of(found)
    labels = found.labels if hasattr(model, "num_classes") else None
    return Pretrained(model, kind_of(model), labels, found.vocabulary, found.lowercase, None, found.label)


def model_of(found: Source):
    """A new model with the heads that a source has, holding its weights."""
    from keras_bert.models import BertClassifier, BertEncoder, BertPretrainer, BertSpanLabeler, BertTokenClassifier

    model = encoder = BertEncoder(found.config)
    dropout = found.config.hidden_dropout if found.classifier_dropout is None else found.classifier_dropout
    if "masked_lm" in found.parts:
        tasks = {"next_sentence": "next", "sentence_order": "order"}
        model = BertPretrainer(encoder, next((task for part, task in tasks.items() if part in found.parts), None))
    elif "classifier" in found.parts:
        classes = len(found.parts["classifier"]["classifier/bias"])
        model = BertClassifier(encoder, classes, dropout, found.problem_type)
    elif "tokens" in found.parts:
        classes = len(found.parts["tokens"]["tokens/bias"])
        model = BertTokenClassifier(encoder, classes, dropout)
    elif "spans" in found.parts:
        model = BertSpanLabeler(encoder)
    load_weights(model, found)
    return model


def _check_computation(config: BertConfig, found: Source) -> None:
    """InputError if the same weights would give other numbers in the model than at the source."""
    if not found.says_config:
        return
    for field in ("activation", "layer_norm_epsilon"):
        ours, theirs = getattr(config, field), getattr(found.config, field)
        if ours != theirs:
            raise InputError(f"{found.label} computes with {field}={theirs!r}. Received: a model with {field}={ours!r}")
