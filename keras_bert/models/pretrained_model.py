"""The base class of the encoder and of all task models, with loading and saving."""

import warnings

import keras
import numpy as np

from keras_bert import keras_internals
from keras_bert.errors import InputError
from keras_bert.layers.layer_state import short_garbage_collections
from keras_bert.layers.lora import keep_lora_weights
from keras_bert.models.change_config import custom_classes
from keras_bert.models.quantization import check_quantization
from keras_bert.models.text_attributes import TextAttributes, copy_text_attributes

MODEL_CLASSES: dict[str, type] = {}  # kind -> class; filled by `PretrainedModel.__init_subclass__`
_IO = {}  # "load" and "save"; filled by `register_io`


class PretrainedModel(TextAttributes, keras.Model):
    """Base class of the models that can be loaded by name and saved to a folder.

    A subclass that sets the class attribute `kind` is registered in `MODEL_CLASSES` under that name. The kind is
    written to a saved folder, so that loading it gives the same class. A subclass without its own `kind` inherits the
    kind of its base class and is loaded with `from_pretrained` of the subclass.

    Attributes:
        kind: name of the kind of model, such as `"classifier"`; None for abstract classes.
        vectorizer, labels, pairs, no_answer: see `TextAttributes`.
    """

    kind = None

    def __new__(cls, *args, **kwargs):
        model = super().__new__(cls, *args, **kwargs)
        keras_internals.unwrap_quantize(model)
        return model

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "kind" not in cls.__dict__:
            return
        registered = MODEL_CLASSES.get(cls.kind, cls)
        if (registered.__module__, registered.__qualname__) != (cls.__module__, cls.__qualname__):
            raise InputError(
                f"`kind` must be a name that no other model class has. Received: kind={cls.kind!r} for {cls.__name__}, "
                f"which is the kind of {registered.__name__}"
            )
        MODEL_CLASSES[cls.kind] = cls

    @classmethod
    def from_pretrained(cls, source, block=None, dtype=None, dropout=None, **kwargs):
        """Load a pretrained model of this class.

        `BertEncoder.from_pretrained` gives the encoder of any source. A task model is loaded with its head where the
        source has a head of the same kind; otherwise a new head is built on the encoder of the source.

        Args:
            source: a name in `kb.list_pretrained()`, such as `"bert-base-uncased"`; `hf://NAME`, `kaggle://...` or a
                TF-Hub handle; or a folder of any supported format.
            block: custom transformer block, see `BertEncoder`, for example a function that adds adapters. The weights
                of the standard sublayers are loaded; all others keep their initial values.
            dtype: dtype policy, such as `"mixed_bfloat16"`. Default: the policy that the model was saved with.
            dropout: dropout rate in the encoder and before the head. Default: the saved rates.
            **kwargs: arguments of the class, such as `num_classes`. Where the source has a head of this kind, they must
                be equal to those of that head.

        Returns:
            An instance of this class.

        Raises:
            InputError: if `source` cannot be loaded, if `kwargs` differ from the arguments of the saved head, or if a
                new head needs an argument that is missing.

        Example:

        >>> import keras_bert as kb
        >>> classifier = kb.BertClassifier.from_pretrained("bert_en_uncased_mini", num_classes=3)
        >>> classifier.encoder.config.hidden_size, classifier.num_classes
        (256, 3)

        Source: `from_preset` of KerasHub and `from_pretrained` of Hugging Face transformers.
        """
        return cls._from_stored(_io("load")(source).model, block=block, dtype=dtype, dropout=dropout, **kwargs)

    def save_pretrained(self, path, vectorizer=None, labels=None, **settings):
        """Save the model and its vocabulary to a folder, see `kb.save_pretrained`.

        Args:
            path: the folder to write. An existing model folder is replaced.
            vectorizer: the `BertTextVectorization` that the model was trained with. Default: the model's own.
            labels: names of the C classes, in the order of the logits; for classifiers. Default: the model's own.
            **settings: other arguments of `kb.save_pretrained`.

        Returns:
            The folder as a `pathlib.Path`.

        Raises:
            InputError: if there is no vectorizer, the sizes of encoder and vocabulary differ, or `labels` do not fit
                the model.

        Example:

        >>> import tempfile, keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
        >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
        >>> classifier = kb.BertClassifier(kb.BertEncoder(config), num_classes=2)
        >>> folder = classifier.save_pretrained(tempfile.mkdtemp() + "/model", vectorizer, labels=["bad", "good"])
        >>> kb.BertClassifier.from_pretrained(folder).num_classes
        2

        Source: `save_to_preset` of KerasHub and `save_pretrained` of Hugging Face transformers.
        """
        return _io("save")(self, path, vectorizer, labels=labels, **settings)

    def quantize(self, mode=None, config=None, filters=None, **kwargs):
        """Quantize the weights, see `keras.Model.quantize`. Layers that cannot be quantized keep their dtype.

        Args:
            mode: `"int8"`, `"int4"`, or `"float8"` for training in mixed precision.
            config: a `keras.quantizers.QuantizationConfig`, in place of `mode`.
            filters: which layers, by name; all by default.

        Raises:
            InputError: `mode` is none of these, or the model is already quantized.

        Example:

        >>> import keras_bert as kb
        >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
        >>> encoder = kb.BertEncoder(config)
        >>> encoder.quantize("int8")
        >>> encoder.blocks[0].intermediate.quantization_mode
        'int8'
        """
        mode = check_quantization(self, mode, config)
        # Keras warns of each layer without such weights, such as Dropout.
        with short_garbage_collections(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have a `quantize` method|Invalid quantization mode")
            super().quantize(mode, config=config, filters=filters, **kwargs)

    def save_own_variables(self, store):
        keep_lora_weights(self)  # Keras calls this before it saves the layers
        super().save_own_variables(store)

    def load_own_variables(self, store):
        keep_lora_weights(self)  # Keras calls this before it loads the layers
        super().load_own_variables(store)

    def __call__(self, inputs, *args, **kwargs):
        return super().__call__(self._with_type_ids(inputs), *args, **kwargs)

    def call(self, inputs, training=None, mask=None):
        return super().call(self._with_type_ids(inputs), training=training, mask=mask)  # JAX calls it directly

    def _with_type_ids(self, inputs):
        """Add `input_type_ids`, which a model without segment embeddings ignores, if they are missing."""
        config = getattr(getattr(self, "encoder", self), "config", None)
        if not isinstance(inputs, dict) or "input_type_ids" in inputs or getattr(config, "type_vocab_size", 1):
            return inputs
        ids = inputs["input_word_ids"]
        zeros = np.zeros_like(ids) if isinstance(ids, np.ndarray | list) else keras.ops.zeros_like(ids)
        return {**inputs, "input_type_ids": zeros}

    def __setattr__(self, name, value):
        old = getattr(self, name, None) if isinstance(value, keras.layers.Layer) else None
        if isinstance(old, keras.layers.Layer) and old is not value:
            raise InputError(
                f"`{name}` must be the layer that the model was made with, because its graph contains it. Received: "
                f"another {type(value).__name__}. Replace a sublayer of it, or make the model with other arguments."
            )
        super().__setattr__(name, value)

    def __deepcopy__(self, memo):
        load, arguments = self.__reduce__()
        with custom_classes(self):
            copied = load(*arguments)
        copy_text_attributes(self, copied)
        return copied

    @classmethod
    def _from_stored(cls, stored, block=None, dtype=None, dropout=None, **kwargs):
        """Return an instance of this class with the weights of a loaded model."""
        raise NotImplementedError(f"{cls.__name__} must implement `_from_stored`.")


def kind_of(model) -> str:
    """Return the kind of a model, a key of `MODEL_CLASSES`.

    Args:
        model: a `BertEncoder` or a task model.

    Returns:
        The kind, such as `"encoder"`.

    Raises:
        InputError: if `model` is not an instance of a registered class.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> kind_of(kb.BertEncoder(config))
    'encoder'
    """
    if not isinstance(model, PretrainedModel) or model.kind is None:
        names = ", ".join(cls.__name__ for cls in MODEL_CLASSES.values())
        raise InputError(f"`model` must be one of {names}. Received: model of type {type(model).__name__}")
    return model.kind


def register_io(load, save) -> None:
    """Register the functions behind `from_pretrained` and `save_pretrained`.

    The package `keras_bert.weights` calls this when it is imported, so that models do not import any file format.

    Args:
        load: function of a source; returns an object with the attribute `model`.
        save: function of `(model, path, vectorizer, labels=None, **settings)`; returns the path.
    """
    _IO.update(load=load, save=save)


def _io(name: str):
    """Return a function given to `register_io`: `"load"` or `"save"`."""
    if name not in _IO:
        raise RuntimeError("No file formats are registered. Run `import keras_bert.weights` first.")
    return _IO[name]
