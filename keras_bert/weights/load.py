"""Loaders of weights and pretrained models from a name, a folder, a file or a handle."""

import dataclasses
import re
from pathlib import Path

from keras_bert.catalog.download import locate
from keras_bert.catalog.listing import similar_names
from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.layers.lora import has_lora
from keras_bert.models import kind_of
from keras_bert.models.pretrained_model import register_io
from keras_bert.text.pretrained import register_reader
from keras_bert.weights.canonical_names import HEADS, model_weights
from keras_bert.weights.formats import FORMATS, HUGGING_FACE, find_format
from keras_bert.weights.formats.format import Format
from keras_bert.weights.formats.huggingface_tokenizer import has_tokenizer
from keras_bert.weights.formats.keras_folder import save_pretrained
from keras_bert.weights.pretrained import Pretrained
from keras_bert.weights.report import LoadReport, assign_exactly_once
from keras_bert.weights.source import Source
from keras_bert.weights.spare_tokens import spare_tokens


def open_source(source) -> Source:
    """Read weights in any known format. No code of the source is run.

    Args:
        source: as for `load_weights`.

    Raises:
        InputError: the source does not exist, or is not in a known format.
    """
    source = locate(source)
    return _format_of(source).read(source)


def load_weights(model, source) -> LoadReport:
    """Load published weights into a model: every tensor exactly once, or an error and no change.

    Args:
        model: a `BertEncoder`, or a task model that contains one. A head is loaded too if the source has it.
        source: one of:

            - a name of `list_pretrained()`, such as `"bert-base-uncased"`; `hf://NAME` or `hf://NAME@REVISION` of the
              Hugging Face Hub; `kaggle://OWNER/MODEL/FRAMEWORK/VARIATION` of Kaggle, also with `/VERSION`; a TF-Hub
              handle. Only the needed files are downloaded, to the cache of the library of the hub;
            - a SavedModel with TF-Hub's encoder interface, its folder or loaded; the folder of one that takes text, as
              `kb.export_saved_model` writes it. The graph is not run;
            - a folder that `save_pretrained` wrote; a KerasHub preset or `.keras` file; a Hugging Face folder
              (`config.json` with `model.safetensors` or `pytorch_model.bin`); a checkpoint of google-research/bert or
              of the Model Garden (`bert_config.json` with `bert_model.ckpt.*`);
            - the `Source` that `open_source` returned.

    Returns:
        A `LoadReport`. `untouched` lists the model's weights that the source does not have, and `skipped` the heads of
        the source that the model does not have, the state of a training (slots of the optimizer, counters), and a
        masked-LM head whose decoder is not the token table.

    Raises:
        InputError: the source is not available or not in a known format; its activation or epsilon differs from the
            model's; or a tensor is missing, unexpected or has another shape (the message names it).

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> kb.load_weights(kb.BertEncoder(config), "bert_en_uncased_minl")
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: `source` must be ... Did you mean bert_en_uncased_mini ...? ...

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text (the interface); the canonical names are those
    of `tensorflow/bert_en_uncased_L-12_H-768_A-12/4`.
    """
    targets = model_weights(model)
    if has_lora(model):
        raise InputError(
            "`model` must not have LoRA enabled when weights are loaded. Received: a model with LoRA. Call "
            "`enable_lora` afterwards."
        )
    found = source if isinstance(source, Source) else open_source(source)
    _check_same_computation(getattr(model, "encoder", model).config, found)
    shared = [part for part in ("encoder", *HEADS) if part in targets and part in found.parts]
    weights = {name: weight for part in shared for name, weight in targets[part].items()}
    tensors = {name: tensor for part in shared for name, tensor in found.parts[part].items()}
    loaded = {id(weight) for weight in weights.values()}
    untouched = [weight.path for weight in model.trainable_variables if id(weight) not in loaded]
    report = assign_exactly_once(weights, tensors, found.label, untouched)
    skipped = [part for part in found.parts if part not in targets]
    return dataclasses.replace(report, skipped=[*skipped, *found.skipped])


def load_pretrained(source) -> Pretrained:
    """Load a pretrained model with its vocabulary and labels.

    Args:
        source: as for `load_weights`; the source must contain a vocabulary. Folders that `save_pretrained` wrote work
            on every Keras backend. SavedModels, also those of TF-Hub, need TensorFlow.

    Returns:
        A `Pretrained`. Its model has the heads of the source: a SavedModel with an `.mlm` part, for example, gives a
        `BertPretrainer` without a next-sentence head. If the encoder has more token embeddings than the vocabulary has
        tokens, the others are named in `spare_tokens`, and the vocabulary contains these names.

    Raises:
        InputError: the source does not exist, is damaged or is not in a known format; it contains no WordPiece
            vocabulary; or the vocabulary has more tokens than the encoder has token embeddings.

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
    found = source if isinstance(source, Source) else open_source(source)
    if found.vocabulary is None:
        problem = found.vocabulary_problem or (
            f"`source` must contain a vocabulary. Received: source={found.label} (no vocabulary)"
        )
        raise InputError(f"{problem}. Use `kb.load_weights` to load the weights alone.")
    spare = spare_tokens(found.vocabulary, found.config.vocab_size, found.label)
    model = build_model(found)
    return Pretrained(
        model=model,
        kind=kind_of(model),
        labels=found.labels if hasattr(model, "num_classes") else None,
        vocabulary=[*found.vocabulary, *spare],
        lowercase=found.lowercase,
        sequence_length=found.sequence_length,
        path=found.label,
        pairs=found.pairs,
        no_answer=found.no_answer,
        added_tokens=found.added_tokens,
        splitting=found.splitting,
        skipped=found.skipped,
        spare_tokens=spare,
        pool=found.pool,
        normalize=found.normalize,
    )


def build_model(found: Source):
    """Build a new model with the heads and the weights of a `Source`."""
    from keras_bert.models import BertClassifier, BertEncoder, BertPretrainer, BertSpanLabeler, BertTokenClassifier

    if found.model is not None:
        return found.model
    model = encoder = BertEncoder(found.config)
    dropout = found.config.hidden_dropout if found.classifier_dropout is None else found.classifier_dropout
    if "masked_lm" in found.parts:
        # A sentence head needs the pooler; `load_weights` reports it as skipped.
        tasks = {"next_sentence": "next", "sentence_order": "order"} if found.config.pooler else {}
        model = BertPretrainer(encoder, next((task for part, task in tasks.items() if part in found.parts), None))
    elif "classifier" in found.parts:
        num_classes = len(found.parts["classifier"]["classifier/bias"])
        model = BertClassifier(encoder, num_classes, dropout, found.problem_type)
    elif "tokens" in found.parts:
        model = BertTokenClassifier(encoder, len(found.parts["tokens"]["tokens/bias"]), dropout)
    elif "spans" in found.parts:
        model = BertSpanLabeler(encoder)
    load_weights(model, found)
    return model


def _format_of(source) -> Format:
    found = find_format(source)
    if found is not None:
        return found
    if not Path(source).exists():
        similar = " or ".join(similar_names(str(source)))
        if not similar and re.fullmatch(r"[\w.-]+/[\w.-]+", str(source)):
            similar = f"hf://{source}"
        hint = f" Did you mean {similar}?" if similar else ""
        raise InputError(
            "`source` must be a name, an address (hf://, kaggle:// or https://), or an existing folder or file. "
            f"Received: source={source}.{hint} Use `kb.list_pretrained()` to see the names."
        )
    known = "; ".join(f"{each.name} ({', '.join(each.marker_files)})" for each in FORMATS)
    raise InputError(
        f"`source` must be a .keras file or a folder in one of these formats: {known}. Received: source={source}"
    )


def _check_same_computation(config: BertConfig, found: Source) -> None:
    """Raise InputError if the model computes other outputs than the source with the same weights."""
    if not found.has_full_config:
        return
    for field in ("activation", "layer_norm_epsilon"):
        expected, received = getattr(found.config, field), getattr(config, field)
        if expected != received:
            raise InputError(
                f"`model` must have {field}={expected!r}, as {found.label} has. Received: {field}={received!r}"
            )


def read_vectorizer(source) -> dict:
    """Read the arguments of the vectorizer of a source, see `BertTextVectorization.from_pretrained`."""
    source = locate(source, weights=False)
    if isinstance(source, str | Path) and Path(source).is_file() and Path(source).suffix != ".keras":
        raise InputError(
            f"`source` must be a name, a folder or a handle. Received: source={source} (a file). Use "
            "`BertTextVectorization(file)` for a vocabulary file."
        )
    is_tokenizer = isinstance(source, str | Path) and has_tokenizer(Path(source)) and find_format(source) is None
    found = (HUGGING_FACE if is_tokenizer else _format_of(source)).read_vectorizer(source)
    if found["vocabulary"] is None:
        raise InputError(f"`source` must contain a vocabulary. Received: source={source} (no vocabulary)")
    rows = found.pop("vocab_size", None)
    spare = [] if rows is None else spare_tokens(found["vocabulary"], rows, str(source))
    return {**found, "vocabulary": [*found["vocabulary"], *spare]}


register_io(load_pretrained, save_pretrained)
register_reader(read_vectorizer)
