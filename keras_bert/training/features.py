"""Training of a head on precomputed features of a frozen encoder."""

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.models import BertFeatureClassifier
from keras_bert.tasks import task_for
from keras_bert.training.common import jit_compile
from keras_bert.training.config import is_integer, is_positive
from keras_bert.training.finite import StopAtNonFinite


def fit_features(
    model: BertFeatureClassifier,
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
    """Train the head of a model on features that are computed once. The encoder does not run, so epochs are fast.

    The head is trained in place by Keras's `fit` and Adam. The weights of the epoch with the lowest `val_loss` are
    kept. `keras.utils.set_random_seed` determines the order of the examples and dropout. The model itself is not
    compiled: call `compile` before its `fit`. `finetune` trains all its layers.

    Args:
        model: a `BertFeatureClassifier`, or another model with a `head` on pooled features and a `pool`.
        train_features: float `[N, D]`: `embed(model.encoder, ids, model.pool)`. Encoder and pooling are
            not trained, so one vector per text is enough.
        train_labels: labels of the model's task, for a `BertFeatureClassifier` int `[N]` in 0 … C - 1.
        validation_features, validation_labels: the same for examples that are not trained on.
        epochs: passes over the training examples.
        batch_size: examples per batch.
        learning_rate: constant learning rate of Adam.
        verbose: 0 is silent, 1 shows progress, as in Keras.

    Returns:
        A Keras `History` with one entry per epoch: `loss`, `accuracy`, `val_loss`, `val_accuracy`.

    Raises:
        InputError: the model has no `head` or `pool`, features or labels do not fit it, `epochs` or `batch_size` is
            below 1, or `learning_rate` is not a finite number above 0.
        NonFiniteError: a loss or a weight is not finite. The head has the weights of the last complete epoch.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertFeatureClassifier(kb.BertEncoder(config), num_classes=2, pool="max")
    >>> words = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> ids = {"input_word_ids": words, "input_mask": words > 0, "input_type_ids": 0 * words}
    >>> features = kb.embed(model.encoder, ids, model.pool)
    >>> history = kb.fit_features(model, features, [0, 1], features, [0, 1], epochs=3)
    >>> len(history.history["val_loss"]), kb.evaluate(model, ids, [0, 1])["examples"]
    (3, 2)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3.
    """
    if not (hasattr(model, "pool") and hasattr(model, "head")):
        raise InputError(f"`model` must be a BertFeatureClassifier. Received: {type(model).__name__}")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not is_integer(value) or value < 1:
            raise InputError(f"`{name}` must be an integer, 1 or more. Received: {name}={value!r}")
    if not is_positive(learning_rate):
        raise InputError(f"`learning_rate` must be a finite number above 0. Received: learning_rate={learning_rate!r}")
    task = task_for(model)
    train = _features_and_targets(task, model, "train_features", train_features, train_labels)
    validation = _features_and_targets(task, model, "validation_features", validation_features, validation_labels)
    # Compile a second model of the same layers, so that the optimizer does not become a part of `model`.
    head = keras.Model(model.head.inputs, model.head.outputs[0])
    task.compile(head, keras.optimizers.Adam(learning_rate), jit_compile())
    keep_best = keras.callbacks.EarlyStopping("val_loss", patience=epochs, restore_best_weights=True)
    return head.fit(
        *train,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=validation,
        callbacks=[StopAtNonFinite(-(-len(train[0]) // batch_size), epochs), keep_best],
        verbose=verbose,
    )


def _features_and_targets(task, model, name: str, features, labels) -> tuple:
    """Return features float32 `[N, D]` and the task's targets for them."""
    features, width = np.asarray(features, np.float32), model.head.input_shape[-1]
    if features.ndim != 2 or features.shape[1] != width or not len(features):
        raise InputError(
            f"`{name}` must have shape (N, {width}), as `embed` returns for pool={model.pool!r}. "
            f"Received: shape={features.shape}"
        )
    if not np.isfinite(features).all():
        raise InputError(
            f"`{name}` must be finite numbers. Received: {np.isfinite(features).sum()} finite of {features.size}"
        )
    return features, task.targets(model, {"input_word_ids": features}, labels)[0]
