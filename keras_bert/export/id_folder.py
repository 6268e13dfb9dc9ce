"""What the exports that take token ids share: checks of the arguments, and the files of the tokenizer."""

import json
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.export.text_inputs import check_vectorizer, max_sequence_length
from keras_bert.models import BertEncoder
from keras_bert.models.pooling import pool_outputs
from keras_bert.models.pretrained_model import MODEL_CLASSES
from keras_bert.weights.formats.keras_folder import check_labels


def check_model(model, path, vectorizer, labels, pairs, no_answer, pool, normalize) -> dict:
    """Check the arguments of an export that takes token ids.

    Args:
        model: the model to export, see `kb.export_onnx`.
        path: the folder to write.
        vectorizer, labels, pairs, no_answer, pool, normalize: see `kb.export_onnx`.

    Returns:
        A dict of what `config.json` holds of the model, with the model's own values for arguments that are None.

    Raises:
        InputError: the model has another class, or an argument is invalid for it.
    """
    kind = next((kind for kind, cls in MODEL_CLASSES.items() if isinstance(model, cls)), None)
    if kind in (None, "feature_classifier"):
        raise InputError(
            "`model` must be a BertEncoder, BertPretrainer, BertClassifier, BertSpanLabeler or BertTokenClassifier. "
            f"Received: {type(model).__name__}"
        )
    check_pooling(model, pool, normalize)
    labels = check_labels(model, getattr(model, "labels", None) if labels is None else labels)
    if kind == "classifier" and model.problem_type != "regression" and labels is None:
        labels = [str(index) for index in range(model.num_classes)]
    if vectorizer is not None:
        check_vectorizer(vectorizer, getattr(model, "encoder", model))
    if Path(path).is_file():
        raise InputError(f"`path` must be a folder, not a file. Received: path={path}")
    return {
        "kind": kind,
        "labels": labels,
        "problem_type": getattr(model, "problem_type", None),
        "pairs": getattr(model, "pairs", None) if pairs is None else pairs,
        "no_answer": getattr(model, "no_answer", None) if no_answer is None else no_answer,
        **({"pool": pool, "normalize": normalize} if pool else {}),
    }


def check_pooling(model, pool: str | None, normalize: bool) -> None:
    """Check the arguments `pool` and `normalize` of an export.

    Raises:
        InputError: `pool` is unknown, does not fit the encoder or is given for a model with a head, or `normalize` is
            given without it.
    """
    if pool is None:
        if normalize:
            raise InputError("`normalize` must be False without `pool`. Received: normalize=True, pool=None")
    elif not isinstance(model, BertEncoder):
        raise InputError(
            f"`pool` must be None for a {type(model).__name__}, which is no encoder. Received: pool={pool!r}"
        )
    else:
        pool_outputs(model.output, model.input["input_mask"], pool)


def write_tokenizer(folder: Path, vectorizer, encoder, settings: dict) -> None:
    """Write `vocab.txt` and `config.json`: the vocabulary, how to use it, and `settings`."""
    from keras_bert.text.vocabulary import save_vocabulary

    save_vocabulary(vectorizer.get_vocabulary(), folder / "vocab.txt")
    settings = {
        "lowercase": bool(vectorizer.lowercase),
        "added_tokens": list(vectorizer.added_tokens),
        **vectorizer.splitting.changes(),
        "sequence_length": max_sequence_length(vectorizer, encoder),
        **settings,
    }
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
