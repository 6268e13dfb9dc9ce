"""The base class of layers that consist of sublayers, each of which a user may replace or change."""

import contextlib
import contextvars
import inspect

import keras

from keras_bert import keras_internals
from keras_bert.errors import InputError
from keras_bert.layers.layer_state import describe, restore, set_dtype_policy
from keras_bert.layers.lora import keep_lora_weights

# The config of a layer is compared with that of a new layer; meanwhile, configs contain only constructor arguments.
_arguments_only: contextvars.ContextVar[bool] = contextvars.ContextVar("arguments_only", default=False)
# These entries of a config are a state, see `layer_state`, or have no effect on what a layer computes.
NOT_COMPUTATION = ("name", "dtype", "trainable", "lora_rank", "lora_alpha", "quantization_config")


class CompositeLayer(keras.layers.Layer):
    """Base class of the layers of this package that consist of sublayers.

    A sublayer may be replaced at any time, also in a built layer, with `layer.attention = MyAttention(...)`. The new
    one is built if necessary, and has its place in `weights`. `get_config` contains every sublayer that is not the one
    that the constructor makes, and what LoRA, quantization, dtype policies and freezing changed. So all of this
    is kept by saving and copying.

    The dtype policy of a layer is also that of its sublayers. A class other than Keras's must be registered with
    `keras.saving.register_keras_serializable`, or be given as `custom_objects`, to be loaded.

    Attributes:
        SUBLAYERS: names of the attributes that are sublayers, in order.

    Example:

    >>> from keras_bert.layers import TransformerBlock
    >>> block = TransformerBlock(hidden_size=8, num_heads=2, intermediate_size=32)
    >>> block.build((None, None, 8))
    >>> block.intermediate = keras.layers.Dense(32, use_bias=False)
    >>> copy = TransformerBlock.from_config(block.get_config())
    >>> copy.intermediate.use_bias
    False
    """

    SUBLAYERS: tuple[str, ...] = ()

    def sublayer_shapes(self) -> dict[str, tuple]:
        """Return the input shapes of the sublayers that have weights, by name."""
        raise NotImplementedError(f"{type(self).__name__} must implement `sublayer_shapes`.")

    def build_sublayers(self) -> None:
        """Build all sublayers, and restore the states in the config."""
        for name, shapes in self.sublayer_shapes().items():
            build_layer(getattr(self, name), shapes)
        self._restore_states(vars(self).pop("_states", {}))

    def __setattr__(self, name, value):
        if name in type(self).SUBLAYERS:
            old = getattr(self, name, None)
            if value is not None and self.built:
                with contextlib.ExitStack() as scopes:  # so that the paths of its weights begin with that of this layer
                    for part in self.path.split("/"):
                        scopes.enter_context(keras.name_scope(part))
                    build_layer(value, self.sublayer_shapes().get(name, ()))
            if value is not old:
                keras_internals.replace_layer(self, old, value)
        super().__setattr__(name, value)
        if name in type(self).SUBLAYERS:
            keras_internals.order_layers(self, [getattr(self, each, None) for each in type(self).SUBLAYERS])

    @property
    def dtype_policy(self):
        return super().dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value):
        if self.built and not hasattr(self, "_first_policy"):  # the weights keep its variable dtype
            keras_internals.set_untracked(self, "_first_policy", self.dtype_policy)
        keras.layers.Layer.dtype_policy.fset(self, value)
        for layer in keras_internals.layers_in(self):
            set_dtype_policy(layer, self.dtype_policy)

    def get_config(self):
        config = super().get_config()
        config["dtype"] = keras.dtype_policies.serialize(getattr(self, "_first_policy", self.dtype_policy))
        if not _arguments_only.get() and (changes := self._changes()):
            config["sublayers"] = changes
        return config

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        changes = config.pop("sublayers", {})
        layer = cls(**config)
        layer.restore_sublayers(changes)
        return layer

    def restore_sublayers(self, changes: dict) -> None:
        """Replace and change sublayers as the entry `sublayers` of a config describes.

        Raises:
            InputError: the class of a sublayer is not registered.
        """
        changes = dict(changes)
        if policy := changes.pop("", None):  # of this layer alone; its sublayers have their own
            keras_internals.set_untracked(self, "_first_policy", self.dtype_policy)
            keras.layers.Layer.dtype_policy.fset(self, policy["dtype"])
        for name, change in changes.items():
            if "layer" in change:
                setattr(self, name, _deserialize(change["layer"], name))
        states = {name: change["states"] for name, change in changes.items() if "states" in change}
        if self.built:
            self._restore_states(states)
        else:
            keras_internals.set_untracked(self, "_states", states)

    def _restore_states(self, states: dict) -> None:
        for name, each in states.items():
            restore_states(getattr(self, name), each)

    def save_own_variables(self, store):
        keep_lora_weights(self)  # Keras calls this before it saves the sublayers
        super().save_own_variables(store)

    def load_own_variables(self, store):
        keep_lora_weights(self)  # Keras calls this before it loads the sublayers
        super().load_own_variables(store)

    def _changes(self) -> dict:
        token = _arguments_only.set(True)
        try:
            new = type(self).from_config(self.get_config())
        except TypeError:  # a subclass without the `get_config` that loading needs; Keras's error says so
            return {}
        finally:
            _arguments_only.reset(token)
        if self.built and not all(hasattr(new, name) for name in type(self).SUBLAYERS):  # made in `build`
            new.build_from_config(self.get_build_config())
        changes = {}
        if self.dtype_policy.name != new.dtype_policy.name:
            changes[""] = {"dtype": self.dtype_policy.name}
        for name in type(self).SUBLAYERS:
            layer, reference, change = getattr(self, name, None), getattr(new, name, None), {}
            if layer is None:
                continue
            if reference is None or computation(layer) != computation(reference):
                change["layer"] = keras.saving.serialize_keras_object(layer)
                change["layer"].pop("build_config", None)  # this layer builds it
                policy = policy_of_weights(layer)
                change["layer"]["config"]["dtype"] = keras.dtype_policies.serialize(policy)
            else:
                policy = reference.dtype_policy
            if states := describe_states(layer, policy.name):
                change["states"] = states
            if change:
                changes[name] = change
        self._check_other_layers()
        return changes

    def _check_other_layers(self) -> None:
        """Raise InputError for what a subclass would lose: states of layers that are not in `SUBLAYERS`."""
        known = {id(getattr(self, name, None)) for name in type(self).SUBLAYERS}
        for layer in keras_internals.layers_in(self, recursive=False):
            for state in describe_states(layer, self.dtype_policy.name).values() if id(layer) not in known else ():
                if "lora" in state or "_from_" in state.get("dtype", ""):
                    raise InputError(
                        f"`SUBLAYERS` of {type(self).__name__} must contain {layer.name}, to be saved or copied with "
                        f"LoRA or quantization. Received: SUBLAYERS={type(self).SUBLAYERS}"
                    )


def build_layer(layer, shapes: tuple) -> None:
    """Build a layer if it is not built, with as many of the shapes as its `build` takes."""
    if layer is None or layer.built:
        return
    parameters = inspect.signature(type(layer).build).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        layer.build(*shapes)
    else:
        layer.build(*shapes[: len(parameters) - 1])  # one is `self`


def describe_states(layer, dtype: str) -> dict[str, dict]:
    """Call `layer_state.describe`. A `CompositeLayer` has the states of the layers inside it in its own config."""
    return describe(layer, dtype, _is_composite)


def restore_states(layer, states: dict[str, dict]) -> None:
    """Call `layer_state.restore` with what `describe_states` returned."""
    restore(layer, states, _is_composite)


def _is_composite(layer) -> bool:
    return isinstance(layer, CompositeLayer)


def computation(layer) -> tuple:
    """Return the class and the config of a layer, without what has no effect on its outputs."""
    config = without_ids(keras.saving.serialize_keras_object(layer)["config"])
    config = {name: value for name, value in config.items() if name not in NOT_COMPUTATION}
    if isinstance(config.get("axis"), list | tuple) and len(config["axis"]) == 1:
        (config["axis"],) = config["axis"]  # building a LayerNormalization makes a list of it
    if "attention_axes" in config:
        config["attention_axes"] = list(config["attention_axes"] or (1,))  # building a MultiHeadAttention sets it
    return type(layer), config


def policy_of_weights(layer):
    """Return the dtype policy of a layer or, if it was changed after the layer was built, one that fits its weights."""
    dtypes = {weight.dtype for weight in layer.weights if keras.backend.is_float_dtype(weight.dtype)}
    if layer.quantization_mode or len(dtypes) != 1 or layer.dtype_policy.variable_dtype in dtypes:
        return layer.dtype_policy
    return keras.dtype_policies.get(dtypes.pop())


def without_ids(config):
    """Return a config without the ids by which Keras finds objects that are shared within one file."""
    if isinstance(config, list):
        return [without_ids(value) for value in config]
    if not isinstance(config, dict):
        return config
    return {name: without_ids(value) for name, value in config.items() if name != "shared_object_id"}


def _deserialize(config: dict, name: str):
    try:
        return keras.saving.deserialize_keras_object(config)
    except TypeError as error:
        if "Could not locate class" not in str(error):
            raise
        raise InputError(
            f"`{name}` must be a layer of a registered class. Received: class {config['class_name']}. Decorate it with "
            "keras.saving.register_keras_serializable and import it before loading, or pass `custom_objects`."
        ) from None
