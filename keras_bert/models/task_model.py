"""The base class of all models with a head on a `BertEncoder`, and the checks that the heads share."""

import inspect
import numbers

import keras

from keras_bert import keras_internals
from keras_bert.errors import InputError
from keras_bert.layers.initializers import kernel_initializer
from keras_bert.models.change_config import custom_classes
from keras_bert.models.copy_weights import assign_weights
from keras_bert.models.encoder import BertEncoder
from keras_bert.models.head_changes import changes, description, head_layers, restore_heads
from keras_bert.models.pretrained_model import PretrainedModel, kind_of
from keras_bert.models.text_attributes import HEAD_ATTRIBUTES, copy_text_attributes

CHANGEABLE_ARGUMENTS = ("dropout", "name", "trainable")  # `from_pretrained` may change these of a saved head


class TaskModel(PretrainedModel):
    """Base class of the models that consist of a `BertEncoder` and a head.

    A subclass checks its arguments, makes its layers, calls this constructor with the outputs, and sets its attributes
    after that (PyTorch does not allow attributes before). Its `get_config` adds its own arguments to those of this
    class. The class attribute `kind` registers it for saving and loading, see `PretrainedModel`.

    Args:
        encoder: a `BertEncoder`. It is shared, not copied.
        outputs: the symbolic outputs of the head: a tensor or a dict.
        inputs: the symbolic inputs. Default: those of the encoder, int32 `[B, T]` each.
        name: name of the model.
        trainable: if False, all layers start frozen.

    Attributes:
        encoder: the `BertEncoder`.

    Example:

    >>> import keras_bert as kb
    >>> class TokenScorer(TaskModel):
    ...     kind = "token_scorer"
    ...
    ...     def __init__(self, encoder, name=None, trainable=True):
    ...         check_encoder(encoder)
    ...         head = logits_layer(encoder, 1, name="scores")
    ...         scores = head(encoder(encoder.input)["sequence_output"])  # [B, T, 1]
    ...         super().__init__(encoder, scores, name=name, trainable=trainable)
    ...         self.head = head
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> TokenScorer(kb.BertEncoder(config)).output.shape
    (None, None, 1)

    Source: `Task` of KerasHub.
    """

    def __init__(self, encoder, outputs, inputs=None, name=None, trainable=True):
        inputs = encoder.input if inputs is None else inputs
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.encoder = encoder
        self.dtype_policy = encoder.dtype_policy
        keras_internals.set_untracked(
            self, "_new_heads", {layer.name: description(layer) for layer in head_layers(self)}
        )

    def get_config(self):
        config = {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "name": self.name,
            "trainable": self.trainable,
        }
        heads = {layer.name: changes(layer, self._new_heads[layer.name]) for layer in head_layers(self)}
        if heads := {name: each for name, each in heads.items() if each}:
            config["heads"] = heads
        return config

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        heads = config.pop("heads", {})
        model = cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
        restore_heads(model, heads)
        return model

    def with_encoder(self, encoder, model_class=None, **arguments):
        """Return the same model on another encoder, with a copy of the weights of this head.

        Args:
            encoder: a `BertEncoder` of the same sizes.
            model_class: class of the new model. Default: the class of this model.
            **arguments: constructor arguments to change, such as `dropout`. They must not change shapes.

        Returns:
            A new model that is not compiled. It shares no weights with this one.

        Example:

        >>> import keras_bert as kb
        >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
        >>> classifier = kb.BertClassifier(kb.BertEncoder(config), num_classes=3)
        >>> classifier.with_encoder(classifier.encoder.copy(), dropout=0.2).dropout_rate
        0.2
        """
        config = {**self.get_config(), **arguments, "encoder": encoder}
        heads = config.pop("heads", {})
        model = (model_class or type(self))(**config)
        with custom_classes(self):
            restore_heads(model, heads)
        assign_weights(head_weights(model), head_weights(self))
        copy_text_attributes(self, model, HEAD_ATTRIBUTES)
        return model

    @classmethod
    def _from_stored(cls, stored, block=None, dtype=None, dropout=None, **kwargs):
        """Return an instance of this class: with the head of the loaded model if it has one, else with a new head."""
        encoder = getattr(stored, "encoder", stored)
        new_encoder = type(encoder)._from_stored(encoder, block=block, dtype=dtype, dropout=dropout)
        if dropout is not None and "dropout" in inspect.signature(cls.__init__).parameters:
            kwargs["dropout"] = dropout
        if not isinstance(stored, cls) and kind_of(stored) != cls.kind:
            cls._check_complete(kwargs)
            return cls(new_encoder, **kwargs)
        changed = cls._changed_arguments(stored.get_config(), kwargs)
        if isinstance(stored, cls) and new_encoder is encoder and not changed:
            return stored
        return stored.with_encoder(new_encoder, cls, **changed)

    @classmethod
    def _check_complete(cls, arguments: dict) -> None:
        """Raise InputError if a required constructor argument is missing, besides the encoder."""
        for name, parameter in inspect.signature(cls.__init__).parameters.items():
            if parameter.default is parameter.empty and name not in ("self", "encoder", "kwargs", *arguments):
                raise InputError(f"`{name}` must be given for a new {cls.__name__}. Received: no {name}")

    @classmethod
    def _changed_arguments(cls, saved: dict, arguments: dict) -> dict:
        """Return the arguments that differ from the saved ones; raise InputError if one of them changes a shape."""
        changes = {name: value for name, value in arguments.items() if name not in saved or saved[name] != value}
        for name, value in changes.items():
            if name in saved and name not in CHANGEABLE_ARGUMENTS:
                raise InputError(
                    f"`{name}` must be {saved[name]!r}, the value of the saved model. Received: {name}={value!r}. "
                    f"Use `{cls.__name__}(BertEncoder.from_pretrained(...), {name}={value!r})` to make a new head."
                )
        return changes


def head_weights(model: TaskModel) -> list:
    """Return the weights of a task model that are not weights of its encoder, in the order of the layers."""
    encoder_weights = {id(weight) for weight in model.encoder.weights}
    return [weight for weight in model.weights if id(weight) not in encoder_weights]


def logits_layer(encoder: BertEncoder, units: int, name: str = "logits") -> keras.layers.Dense:
    """Create the dense layer of a head. Under a mixed dtype policy it computes float32 logits.

    Args:
        encoder: the `BertEncoder`, for the `initializer_range` and the dtype policy.
        units: number of logits.
        name: name of the layer.
    """
    return keras.layers.Dense(
        units,
        kernel_initializer=kernel_initializer(encoder.config.initializer_range),
        dtype=encoder.dtype_policy.variable_dtype,
        name=name,
    )


def check_encoder(encoder) -> None:
    """Raise an `InputError` if `encoder` is not a `BertEncoder`."""
    if not isinstance(encoder, BertEncoder):
        raise InputError(f"`encoder` must be a BertEncoder. Received: encoder of type {type(encoder).__name__}")


def check_num_classes(num_classes, minimum: int = 2) -> None:
    """Raise an `InputError` if `num_classes` is not an integer of at least `minimum`."""
    if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < minimum:
        raise InputError(
            f"`num_classes` must be an integer of at least {minimum}. Received: num_classes={num_classes!r}"
        )


def class_count(model) -> int | None:
    """Return the number of classes that names exist for: 2 for a binary classifier, None if there are no classes."""
    problem_type = getattr(model, "problem_type", None)
    return {"binary": 2, "regression": None}.get(problem_type, getattr(model, "num_classes", None))


def check_dropout(dropout) -> None:
    """Raise an `InputError` if `dropout` is not a number in [0, 1)."""
    if isinstance(dropout, bool) or not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
        raise InputError(f"`dropout` must be a number of at least 0 and below 1. Received: dropout={dropout!r}")
