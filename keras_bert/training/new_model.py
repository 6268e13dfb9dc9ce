"""The model that `finetune` trains: a given one, or a new classifier on a pretrained encoder."""

from pathlib import Path

import keras

from keras_bert import keras_internals
from keras_bert.data.examples import Examples
from keras_bert.errors import InputError
from keras_bert.models import BertClassifier, BertFeatureClassifier
from keras_bert.models.encoder_of import encoder_of, is_user_model
from keras_bert.models.task_model import class_count as named_classes
from keras_bert.models.task_model import head_weights
from keras_bert.tasks.class_names import has_names, infer_head, names_of
from keras_bert.weights import load_pretrained


def open_model(model, examples: Examples, label_names, seed: int):
    """Return a model to train on labeled examples.

    Args:
        model: a Keras model, which is returned; or a name or folder for `kb.load_pretrained`. A folder with a head
            gives its model. An encoder or a pretrained model gets a new `BertClassifier`, with the problem type and the
            number of classes that the labels need.
        examples: the training examples.
        label_names: names of the classes in order, or None.
        seed: seed of the initial weights of a new head.

    Raises:
        InputError: the source cannot be loaded, or the labels need no `BertClassifier`.
    """
    if not isinstance(model, str | Path):
        return model
    pretrained = load_pretrained(model)
    if pretrained.kind not in ("encoder", "pretrainer"):
        return pretrained.model
    problem_type, num_classes, names = infer_head(examples.labels, label_names or examples.label_names)
    encoder = pretrained.encoder
    classifier = BertClassifier(encoder, num_classes, encoder.config.hidden_dropout, problem_type)
    for i, weight in enumerate(head_weights(classifier)):
        if len(weight.shape) > 1:  # a kernel; the same for a seed, and the global seed of Keras is left alone
            initializer = keras.initializers.TruncatedNormal(stddev=encoder.config.initializer_range, seed=seed + i)
            weight.assign(initializer(weight.shape))
    classifier.labels = names
    return classifier


def set_class_names(model, examples: Examples, label_names) -> None:
    """Set `model.labels` to the names that are given, that the model has, or that the examples have, in this order.

    Raises:
        InputError: the number of names is not the number of classes.
    """
    names = label_names or getattr(model, "labels", None) or examples.label_names
    if names is None and has_names(examples.labels):
        names = names_of(examples.labels)
    if names is None:
        return
    names, classes = [str(name) for name in names], class_count(model)
    if classes is None or len(names) != classes or len(set(names)) != classes:
        expected = (
            "None for a model without classes" if classes is None else f"{classes} different names, one per class"
        )
        raise InputError(f"`label_names` must be {expected}. Received: {names!r:.80}")
    keras_internals.set_untracked(model, "labels", names)


def class_count(model) -> int | None:
    """Return the number of classes of a model with a single output, or None for regression and spans."""
    if is_user_model(model):
        return model.output.shape[-1]
    return None if isinstance(model.output, dict) else named_classes(model)


def set_text_attributes(model, examples: Examples, vectorizer) -> None:
    """Set the vectorizer of the encoder, and whether the model was trained on pairs, for prediction and saving."""
    if vectorizer is not None:
        encoder_of(model).vectorizer = vectorizer
    if examples.are_pairs is not None and isinstance(model, BertClassifier | BertFeatureClassifier):
        model.pairs = examples.are_pairs
