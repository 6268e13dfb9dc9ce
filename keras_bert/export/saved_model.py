"""`export_saved_model`: choose the kind of SavedModel by the arguments, check them, and write it."""

from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.export.extra_outputs import check_extra_outputs
from keras_bert.export.id_folder import check_pooling
from keras_bert.export.preprocessing import export_preprocessing
from keras_bert.export.text_inputs import check_max_text_length, check_vectorizer
from keras_bert.export.text_model import export_classifier, export_encoder
from keras_bert.models import BertClassifier, BertEncoder, BertFeatureClassifier, BertPretrainer
from keras_bert.models.cast import cast_model
from keras_bert.models.two_classes import as_two_classes
from keras_bert.weights.formats.saved_model_writer import require_tensorflow_backend
from keras_bert.weights.formats.tfhub_writer import save_tfhub

CLASSIFIERS = (BertClassifier, BertFeatureClassifier)
INTERFACES = ("text", "tfhub")
DTYPES = ("float32", "bfloat16")


def export_saved_model(
    model,
    path,
    vectorizer=None,
    labels=None,
    interface: str | None = None,
    dtype: str | None = None,
    pool: str | None = None,
    normalize: bool = False,
    max_text_length: int | None = None,
    outputs=(),
) -> Path:
    """Write a SavedModel that runs with TensorFlow only: without this package, Keras and custom operations.

    The model and the other arguments choose the interface:

    - A `BertClassifier` or `BertFeatureClassifier` with a vectorizer takes text. `serving_default` returns
      `probabilities` and `logits` `[B, C]` and `label` `[B]`. A binary classifier with one logit x is exported as its
      equivalent with the two logits (0, x). A multi-label classifier returns no `label`; a regression model returns
      only `numbers` `[B, C]`. Further signatures are `tokenize`, `encode`, `pool` and, of a model with
      classes, `labels`, which takes nothing and returns the names `[C]`.
    - A `BertEncoder` with a vectorizer takes text. `serving_default` is the same as `encode` and returns
      `pooled_output` `[B, H]` and `sequence_output` `[B, T, H]`. Further signatures are `tokenize` and `pool`. With the
      argument `pool`, `serving_default` is the same as `pool` and returns only `embedding` `[B, D]`.
    - A `BertEncoder` or `BertPretrainer` without a vectorizer, or with one and `interface="tfhub"`, has the interface
      of TF-Hub's BERT encoders. A pretrainer adds `.mlm`, a vectorizer adds `vocab_file` and `do_lower_case`.
    - A `BertTextVectorization` has the interface of TF-Hub's BERT preprocessing models.

    Signatures for text take `text`, strings `[B]`. Texts longer than the vectorizer's `sequence_length` or the
    encoder's positions are truncated. `tokenize` and `encode` pad to the longest text of the batch. `pool` and a
    classifier's `serving_default` group texts of similar length and pad each group to its longest text. Where only the
    first position is read, they compute no other in the last block.

    Without the argument `pool`, the signature `pool` returns `pooled_output` `[B, H]`. If the pooler was never trained
    (its bias is 0, as after pretraining with a masked LM alone), or if there is none, it returns `embedding` `[B, H]`,
    the mean over the tokens.

    The graph traces the model's own call, so custom blocks and modified layers are exported as they are.

    Args:
        model: one of the objects above.
        path: the folder to write. An existing folder is replaced when the new one is complete.
        vectorizer: a `BertTextVectorization` of the encoder's vocabulary. For a classifier, the default is its own.
        labels: list of C class names, in the order of the logits. The default is `model.labels`, else `"0"`, `"1"` and
            so on.
        interface: `"text"` or `"tfhub"`. The default is `"text"` with a vectorizer, and `"tfhub"` without.
        dtype: `"float32"` or `"bfloat16"`: the dtype of the weights and of the computation of a model that takes text.
            The default is the model's own. The outputs are float32. bfloat16 halves the size, and the weights are cast
            once, not at each call.
        pool: of an encoder that takes text, how the vectors of the tokens become one vector, see `kb.embed`.
        normalize: with `pool`, scale each vector to length 1, so that a dot product of two vectors is their cosine.
        max_text_length: number of characters after which each text is cut before it is tokenized, for models that take
            text and for preprocessing. It bounds the time of one request. None uses the whole text, of any length.
        outputs: list of further outputs of the signature `encode` of a model that takes text, `"attentions"` and
            `"hidden_states"`: one tensor per layer, named as by `export_onnx`. Of an encoder without `pool`,
            `serving_default` returns them, too.

    Returns:
        The folder's path.

    Raises:
        InputError: an argument is invalid for the model, or Keras runs on another backend than TensorFlow.
        OSError: the disk is full or not writable. Nothing is left behind.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film"]
    >>> vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=16)
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config))
    >>> path = kb.export_saved_model(classifier, tempfile.mkdtemp(), vectorizer, labels=["negative", "positive"])
    >>> import tensorflow as tf
    >>> outputs = tf.saved_model.load(str(path)).signatures["serving_default"](tf.constant(["a fine film"]))
    >>> sorted(outputs), outputs["probabilities"].shape.as_list()
    (['label', 'logits', 'probabilities'], [1, 2])

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text, for the two TF-Hub interfaces.
    """
    require_tensorflow_backend()
    model = as_two_classes(model)
    from keras_bert.text.vectorization import BertTextVectorization

    name = type(model).__name__
    if not isinstance(model, (BertEncoder, BertPretrainer, BertTextVectorization, *CLASSIFIERS)):
        raise InputError(
            "`model` must be a BertEncoder, BertPretrainer, BertClassifier, BertFeatureClassifier or "
            f"BertTextVectorization. Received: {name}"
        )
    if interface not in (None, *INTERFACES):
        raise InputError(f'`interface` must be "text" or "tfhub". Received: interface={interface!r}')
    if dtype not in (None, *DTYPES):
        raise InputError(f'`dtype` must be "float32" or "bfloat16". Received: dtype={dtype!r}')
    check_pooling(model.encoder if isinstance(model, BertPretrainer) else model, pool, normalize)
    check_max_text_length(max_text_length)
    outputs = check_extra_outputs(outputs)
    if labels is not None and not isinstance(model, CLASSIFIERS):
        raise InputError(f"`labels` must be None for a model without classes. Received: labels with a {name}")
    if isinstance(model, CLASSIFIERS):  # of other models, None chooses the interface
        vectorizer = model.vectorizer if vectorizer is None else vectorizer
        labels = model.labels if labels is None else labels
    interface = interface or ("tfhub" if vectorizer is None else "text")
    if dtype and (interface == "tfhub" or isinstance(model, BertTextVectorization)):
        raise InputError(f"`dtype` must be None for TF-Hub's interfaces, which are float32. Received: dtype={dtype!r}")
    if outputs and (interface == "tfhub" or isinstance(model, BertTextVectorization)):
        raise InputError(
            f"`outputs` must be empty for TF-Hub's interfaces, whose outputs are fixed. Received: outputs={outputs!r}"
        )
    if isinstance(model, BertTextVectorization):
        if vectorizer is not None:
            raise InputError(f"`vectorizer` must be None if `model` is one. Received: {type(vectorizer).__name__}")
        return export_preprocessing(model, path, max_text_length)
    encoder = model if isinstance(model, BertEncoder) else model.encoder
    if vectorizer is not None:
        check_vectorizer(vectorizer, encoder)
    if isinstance(model, CLASSIFIERS):
        if vectorizer is None:
            raise InputError("`vectorizer` must be given for a classifier, which takes text. Received: vectorizer=None")
        if interface == "tfhub":
            raise InputError(f"`model` must be an encoder or a pretrainer for TF-Hub's interface. Received: {name}")
        return export_classifier(
            cast_model(model, dtype) if dtype else model, path, vectorizer, labels, max_text_length, outputs
        )
    if interface == "tfhub":
        for argument, value in (("pool", pool), ("max_text_length", max_text_length)):
            if value is not None:
                raise InputError(
                    f"`{argument}` must be None for TF-Hub's encoders, which take ids. Received: {value!r}"
                )
        return save_tfhub(model, path, vectorizer)
    if vectorizer is None:
        raise InputError('`vectorizer` must be given for `interface="text"`. Received: vectorizer=None')
    encoder = cast_model(encoder, dtype) if dtype else encoder
    return export_encoder(encoder, path, vectorizer, pool, normalize, max_text_length, outputs)
