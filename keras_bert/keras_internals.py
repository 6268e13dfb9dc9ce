"""Access to private attributes of Keras.

No other file of the package uses private attributes of Keras. Each function here has a test, so after an upgrade of
Keras a failing test shows which attribute has changed.
"""

import keras
from keras.src.backend.common.masking import get_keras_mask
from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope


def momentums(optimizer) -> list:
    """Return the first-moment variables of a built `keras.optimizers.AdamW`, one per trainable variable."""
    return optimizer._momentums


def velocities(optimizer) -> list:
    """Return the second-moment variables of a built `keras.optimizers.AdamW`, one per trainable variable."""
    return optimizer._velocities


def variable_index(optimizer, variable) -> int:
    """Return the index of a `keras.Variable`, or of its backend variable, in `optimized_variables`."""
    return optimizer._get_variable_index(variable)


def optimized_variables(optimizer) -> list:
    """Return the variables that a built optimizer updates."""
    return optimizer._trainable_variables


def uses_weight_decay(optimizer, variable) -> bool:
    """Return whether weight decay applies to a variable: False if `exclude_from_weight_decay` excludes it."""
    return optimizer._use_weight_decay(variable)


def clipped(optimizer, gradients: list) -> list:
    """Return gradients clipped by the optimizer's `clipnorm`, `global_clipnorm` or `clipvalue`."""
    return optimizer._clip_gradients(gradients)


def schedule_of(optimizer):
    """Return the `LearningRateSchedule` that an optimizer was created with, or None for a constant learning rate."""
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


class AdamWithHooks(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW` with two of its private methods under public names, which a subclass may override."""

    def decay_weights(self, variables) -> None:
        """Apply the weight decay to variables, before their update."""
        super()._apply_weight_decay(variables)

    def current_learning_rate(self):
        """Return the learning rate of the current step: the variable, or the value of the schedule."""
        return super()._get_current_learning_rate()

    def _apply_weight_decay(self, variables) -> None:
        self.decay_weights(variables)

    def _get_current_learning_rate(self):
        return self.current_learning_rate()


def all_layers(layer) -> list:
    """Return a layer or model and all its sublayers, at every depth, each once: parents before their sublayers."""
    return list(layer._flatten_layers())


def sublayers(layer) -> list:
    """Return the direct sublayers of a layer or model, in the order in which it tracks them."""
    return list(layer._flatten_layers(include_self=False, recursive=False))


def seed_generators(layer) -> list:
    """Return the `keras.random.SeedGenerator` objects of a layer or model and its sublayers, each once."""
    found = {id(each): each for sublayer in all_layers(layer) for each in sublayer._seed_generators}
    return list(found.values())


def own_weights(layer) -> list:
    """Return the weights of a layer without those of its sublayers."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def call_shapes(layer) -> tuple[list[tuple], list[tuple]]:
    """Return the shapes of the inputs and the outputs of a layer's first call in a functional model, if it has one."""
    if not layer._inbound_nodes:
        return [], []
    node = layer._inbound_nodes[0]
    return [tuple(each.shape) for each in node.input_tensors], [tuple(each.shape) for each in node.output_tensors]


def keep_inputs(layer) -> None:
    """Make Keras pass the call arguments of a layer on as they are, also strings, and not convert them to its dtype."""
    layer._convert_input_args = False
    layer._allow_non_tensor_positional_args = True


def initial_epoch(model) -> int | None:
    """Return the epoch that `keras.callbacks.BackupAndRestore` has restored, or None."""
    return model._initial_epoch


def set_initial_epoch(model, epoch: int | None) -> None:
    """Set the epoch that `Model.fit` begins with; None for its own argument."""
    model._initial_epoch = epoch


def is_rematerialized(layer) -> bool:
    """Return whether a layer was created in a `keras.RematScope`."""
    return layer._remat_mode is not None


def attention_softmax(attention):
    """Return the softmax layer of a built `keras.layers.MultiHeadAttention`."""
    return attention._softmax


def attention_dropout(attention):
    """Return the dropout layer of a built `keras.layers.MultiHeadAttention`, which acts on the probabilities."""
    return attention._dropout_layer


def has_attention_options(attention) -> bool:
    """Return whether a `keras.layers.MultiHeadAttention` uses flash attention, a gate or a sliding window."""
    return bool(attention._flash_attention or attention._use_gate or attention._sliding_window)


def keras_mask(x):
    """Return the mask that a layer such as `keras.layers.Masking` attached to a tensor, or None."""
    return get_keras_mask(x)  # JAX's arrays have no attributes, so there it is not `x._keras_mask`


def uncast_value(variable):
    """Return the value of a variable in its stored dtype, also inside a layer that casts its variables.

    The result is the backend's variable. In a `keras.StatelessScope` (for example during an export), it is the value
    that the scope has for the variable.
    """
    if in_stateless_scope():
        value = get_stateless_scope().get_current_value(variable)
        if value is not None:
            return value
    return variable._value


def set_untracked(layer, name: str, value) -> None:
    """Set an attribute that Keras does not track: the weights of `value` do not become weights of `layer`."""
    object.__setattr__(layer, name, value)


def layers_in(layer, recursive: bool = True) -> list:
    """Return the layers inside a layer, each once: all of them, or only those one level below."""
    return layer._flatten_layers(include_self=False, recursive=recursive)


def own_variables(layer, trainable_only: bool = True) -> list:
    """Return the weights that a layer itself added, without those of the layers inside it.

    With `trainable_only`, those that were added as trainable; a caller may have frozen them since.
    """
    return [*layer._trainable_variables, *([] if trainable_only else layer._non_trainable_variables)]


def stored_kernel(layer):
    """Return the variable of a `Dense`, `EinsumDense` or `Embedding`, without the LoRA weights that Keras adds."""
    return layer._embeddings if isinstance(layer, keras.layers.Embedding) else layer._kernel


def replace_layer(owner, old, new) -> None:
    """Track the layer `new` in place of `old`, also in a layer that is built. One of them may be None.

    Keras would keep the weights of the old layer, and reject the change in a built layer.
    """
    tracker = owner._tracker
    was_locked = tracker.locked
    tracker.unlock()
    if old is not None:
        tracker.untrack(old)
    if new is not None:
        tracker.track(new)
    if was_locked:
        tracker.lock()


def order_layers(owner, first: list) -> None:
    """Order the layers inside a layer, and so its weights: those in `first`, then the others."""
    ranks = {id(layer): rank for rank, layer in enumerate(first)}
    owner._layers.sort(key=lambda layer: ranks.get(id(layer), len(ranks)))


def unwrap_quantize(layer) -> None:
    """Let `layer.quantize` call the method of the class, which Keras hides behind its own checks on every instance."""
    vars(layer).pop("quantize", None)
