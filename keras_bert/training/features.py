"""The feature-based approach: only a small head learns, from vectors that were worked out once."""

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.models import BertFeatureClassifier
from keras_bert.tasks import task_for
from keras_bert.training.pretrain import jit_compile


def fit_features(
    classifier: BertFeatureClassifier,
    train_features,
    train_labels,
    validation_features,
    validation_labels,
    *,
    epochs: int = 100,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    verbose: int = 0,
) -> keras.callbacks.History:
    """Train a classifier's head on vectors of texts; the encoder does not run, so that an epoch takes little time.

    The head is trained in place, by Keras's `fit` and Adam; the classifier then says of ids what its head says of their
    vectors. The weights of the epoch with the lowest `val_loss` stay. Order and dropout follow
    `keras.utils.set_random_seed`.

    Args:
        classifier: a `BertFeatureClassifier`.
        train_features: float `[N, D]`: `embed(classifier.encoder, ids, classifier.pool)`. Pooling comes before all
            that learns, so that with max-pooling a text's H maxima are kept and not its tokens, `[T, H]`.
        train_labels: int `[N]`, 0 … C - 1.
        validation_features, validation_labels: the same, of texts never trained on.
        epochs: times through the rows.
        batch_size: B.
        learning_rate: Adam's, constant.
        verbose: 0 is quiet, 1 shows progress, as in Keras.

    Returns:
        A Keras `History` with an entry an epoch: `loss`, `accuracy`, `val_loss`, `val_accuracy`.

    Raises:
        InputError: no `BertFeatureClassifier`; features that are not finite or not `[N, D]` of the head; labels that
            are not one a row or lie outside 0 … C - 1; no row; `epochs` or `batch_size` below 1.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> classifier = kb.BertFeatureClassifier(kb.BertEncoder(config), num_classes=2, pool="max")
    >>> ids = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> features = kb.embed(classifier.encoder, rows, classifier.pool)  # once
    >>> history = kb.fit_features(classifier, features, [0, 1], features, [0, 1], epochs=3)
    >>> len(history.history["val_loss"]), kb.evaluate(classifier, rows, [0, 1])["examples"]
    (3, 2)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3.
    """
    if not isinstance(classifier, BertFeatureClassifier):
        raise InputError(f"a BertFeatureClassifier is expected. Received: {type(classifier).__name__}")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise InputError(f"{name} must be at least 1. Received: {value}")
    rows = _check(classifier, train_features, train_labels)
    held_out = _check(classifier, validation_features, validation_labels)
    trained = keras.Model(classifier.head.inputs, classifier.head.outputs)  # no optimizer is saved with the head
    trained.compile(
        keras.optimizers.Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=jit_compile(),
    )
    best = keras.callbacks.EarlyStopping("val_loss", patience=epochs, restore_best_weights=True)
    return trained.fit(
        *rows, batch_size=batch_size, epochs=epochs, validation_data=held_out, callbacks=[best], verbose=verbose
    )


def _check(classifier, features, labels) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 `[N, D]` and labels int32 `[N]`, or an InputError."""
    features, width = np.asarray(features, np.float32), classifier.head.input_shape[-1]
    if features.ndim != 2 or features.shape[1] != width or not len(features):
        raise InputError(
            f"features are [N, {width}], what embed gives with pool={classifier.pool!r}. "
            f"Received: shape {list(features.shape)}"
        )
    if not np.isfinite(features).all():
        raise InputError("features are finite numbers. Received: some that are not")
    return features, task_for(classifier).targets(classifier, {"input_word_ids": features}, labels)[0]
