"""Calibration of a classifier: one number that makes its probabilities as high as they are often correct."""

import keras
import numpy as np

from keras_bert.data.examples import read_examples
from keras_bert.errors import InputError
from keras_bert.inference.predict import predict_logits
from keras_bert.inference.rows import model_rows
from keras_bert.metrics.calibration import calibration_error
from keras_bert.models.classifier import BertClassifier
from keras_bert.models.copy_weights import assign_weights
from keras_bert.models.feature_classifier import BertFeatureClassifier
from keras_bert.tasks.classification import softmax

STEPS = 60  # halvings of the interval of log T, more than float32 can show
LOWEST, HIGHEST = 0.05, 20.0
PROBLEM_TYPES = ("single_label", "binary")


def calibrate(model: keras.Model, inputs, labels=None, vectorizer=None) -> dict[str, float]:
    """Divide the logits of a classifier by the temperature with the lowest loss on examples (temperature scaling).

    The weights of the last layer are divided by the temperature, so every exported model has it, and the predicted
    classes stay the same. Use examples that the model was not trained on.

    Args:
        model: a `BertClassifier` or `BertFeatureClassifier` with classes: of the problem type `"single_label"` or
            `"binary"`. It is changed in place.
        inputs: texts, pairs of texts, token ids or a dataset, as for `kb.finetune`.
        labels: class names, or int `[N]` in 0 … C - 1; None if `inputs` is a dataset that has them.
        vectorizer: `BertTextVectorization` for texts. None uses the model's own.

    Returns:
        A dict of `temperature`, and of the expected calibration error on the examples before and after:
        `calibration_error_before` and `calibration_error`.

    Raises:
        InputError: the model has no classes, its last layer is quantized or has LoRA, or there are no labels.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> keras.utils.set_random_seed(0)
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config), num_classes=2)
    >>> ids = np.random.default_rng(0).integers(5, 100, (64, 8))
    >>> inputs = {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": 0 * ids}
    >>> found = calibrate(classifier, inputs, np.arange(64) % 2)
    >>> sorted(found)
    ['calibration_error', 'calibration_error_before', 'temperature']

    Source: Guo et al. 2017 (arXiv:1706.04599), section 4.2.
    """
    if not isinstance(model, BertClassifier | BertFeatureClassifier) or model.problem_type not in PROBLEM_TYPES:
        kind = getattr(model, "problem_type", None) or type(model).__name__
        raise InputError(f"`model` must be a classifier with one class per text. Received: {kind}")
    if getattr(model.head, "lora_enabled", False) or model.head.quantization_mode:
        raise InputError(
            "`model` must have a last layer without LoRA and quantization. Received: a modified layer. Calibrate "
            "before `quantize`, or merge LoRA weights first."
        )
    examples = read_examples(inputs, labels)
    if examples.labels is None:
        raise InputError("`labels` must be given unless `inputs` is a dataset with labels. Received: labels=None")
    ids, labels = model_rows(model, examples, vectorizer)
    logits = np.asarray(predict_logits(model, ids), np.float64)  # [N, C]
    labels = np.asarray(labels).reshape(-1).astype(np.int64)  # [N]
    if model.problem_type == "binary":  # one logit x is the same as the two logits (0, x)
        logits = np.concatenate([np.zeros_like(logits), logits], -1)  # [N, 2]
    temperature = best_temperature(logits, labels)
    assign_weights(model.head.weights, [keras.ops.convert_to_numpy(w) / temperature for w in model.head.weights])
    return {
        "temperature": temperature,
        "calibration_error_before": _calibration_error(logits, labels),
        "calibration_error": _calibration_error(logits / temperature, labels),
    }


def best_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature in 0.05 … 20 with the lowest cross-entropy.

    The cross-entropy is convex in 1 / T: the sign of its derivative tells on which side of a value the minimum is.

    Args:
        logits: float `[N, C]`.
        labels: int `[N]`.

    Example:

    >>> logits = np.array([[2.0, -2.0]] * 4)  # a probability of 0.98, but 3 of 4 are correct
    >>> temperature = best_temperature(logits, np.array([0, 0, 0, 1]))
    >>> round(4 / temperature, 3)  # the difference of the logits is now log(3)
    1.099
    """
    low, high = np.log(LOWEST), np.log(HIGHEST)
    expected = logits[np.arange(len(labels)), labels]  # [N]
    for _ in range(STEPS):
        middle = (low + high) / 2
        # The derivative by 1 / T: the mean logit under the model's probabilities minus that of the expected class.
        if (np.sum(softmax(logits / np.exp(middle)) * logits, -1) - expected).mean() > 0:
            low = middle  # too confident: a higher temperature is better
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def _calibration_error(logits: np.ndarray, labels: np.ndarray) -> float:
    return calibration_error(softmax(logits).max(-1), logits.argmax(-1) == labels)
