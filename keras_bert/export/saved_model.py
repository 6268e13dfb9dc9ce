"""One door to every SavedModel: what is given decides what is written."""

from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.export.graph import need_tensorflow
from keras_bert.export.preprocessing import export_preprocessing
from keras_bert.export.text_model import export_classifier, export_encoder
from keras_bert.export.tfhub_encoder import export_tfhub_encoder
from keras_bert.models import BertClassifier, BertEncoder, BertFeatureClassifier, BertPretrainer
from keras_bert.models.cast import cast_model

CLASSIFIERS = (BertClassifier, BertFeatureClassifier)


def export_saved_model(
    model, path, vectorizer=None, labels=None, interface: str | None = None, dtype: str | None = None
) -> Path:
    """Write a SavedModel that any TensorFlow loads, without this package, Keras code or a custom operation.

    - A `BertClassifier` or `BertFeatureClassifier` with a vectorizer: text in. `serving_default` gives `probabilities`
      and `logits` `[B, C]` and `label` `[B]`; where several labels may apply there is no `label`, for regression only
      `numbers` `[B, C]`. The further signatures are `tokenize`, `encode` and `pool`.
    - A `BertEncoder` with a vectorizer: text in. `serving_default` is `encode`, giving `pooled_output` `[B, H]` and
      `sequence_output` `[B, T, H]`; there are `tokenize` and `pool` too.
    - A `BertEncoder` or `BertPretrainer` alone, or with a vectorizer and `interface="tfhub"`: the interface of TF-Hub's
      BERT encoders. A pretrainer adds `.mlm`, a vectorizer `vocab_file` and `do_lower_case`.
    - A `BertTextVectorization`: the interface of TF-Hub's BERT preprocessing.

    Text signatures take `text`, strings `[B]`; what is beyond the vectorizer's `sequence_length` or the encoder's
    positions is cut. `tokenize` and `encode`, which give rows of tokens, pad to the longest text of the batch. A
    classifier's `serving_default`, and `pool` (`pooled_output` `[B, H]` alone), run texts of like length together and
    pad to the longest of these; of the last block they compute the first row only, the one that is read.

    Args:
        model: as above.
        path: the folder; one that is there is replaced when the new one is complete.
        vectorizer: a `BertTextVectorization` of the encoder's vocabulary.
        labels: the classes' names in the order of the logits; `"0"`, `"1"`, … by default.
        interface: `"text"` or `"tfhub"`; by default text where a vectorizer is given.
        dtype: `"float32"` or `"bfloat16"`, what a text model's weights are stored and multiplied in; by default as the
            model has it. What comes out is float32. bfloat16 takes half the space, and is cast once and not at
            every call.

    Returns:
        The folder's path.

    Raises:
        InputError: a model that is none of these, a classifier without a vectorizer, sizes or labels that do not fit,
            or Keras not on the TensorFlow backend.
        OSError: the disk is full or not writable; nothing is left behind.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film"]
    >>> vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=16)
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config))
    >>> path = kb.export_saved_model(classifier, tempfile.mkdtemp(), vectorizer, labels=["negative", "positive"])
    >>> import tensorflow as tf
    >>> served = tf.saved_model.load(str(path)).signatures["serving_default"](tf.constant(["a fine film"]))
    >>> sorted(served), served["probabilities"].shape.as_list()
    (['label', 'logits', 'probabilities'], [1, 2])

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text, for the two TF-Hub interfaces.
    """
    need_tensorflow()
    from keras_bert.text.vectorization import BertTextVectorization

    if interface not in (None, "text", "tfhub"):
        raise InputError(f'interface must be "text" or "tfhub". Received: {interface!r}')
    if vectorizer is not None and not isinstance(vectorizer, BertTextVectorization):
        raise InputError(f"a vectorizer is a BertTextVectorization. Received: {type(vectorizer).__name__}")
    if labels is not None and not isinstance(model, CLASSIFIERS):
        raise InputError(f"labels belong to a classifier. Received: labels with a {type(model).__name__}")
    interface = interface or ("tfhub" if vectorizer is None else "text")
    if dtype not in (None, "float32", "bfloat16"):
        raise InputError(f'dtype must be "float32" or "bfloat16". Received: {dtype!r}')
    if dtype and (interface == "tfhub" or isinstance(model, BertTextVectorization)):
        raise InputError(f"dtype belongs to a text model: TF-Hub's interfaces have one. Received: dtype={dtype!r}")
    if isinstance(model, BertTextVectorization) and vectorizer is None:
        return export_preprocessing(model, path)
    if isinstance(model, CLASSIFIERS):
        if interface == "tfhub" or vectorizer is None:
            raise InputError("a classifier is exported with its vectorizer, text in. Received: a classifier without it")
        return export_classifier(cast_model(model, dtype) if dtype else model, path, vectorizer, labels)
    if not isinstance(model, (BertEncoder, BertPretrainer)):
        raise InputError(f"expected an encoder, pretrainer, classifier or vectorizer. Received: {type(model).__name__}")
    if interface == "tfhub":
        return export_tfhub_encoder(model, path, vectorizer)
    if vectorizer is None:
        raise InputError("a text model needs its vectorizer. Received: none")
    encoder = model if isinstance(model, BertEncoder) else model.encoder
    return export_encoder(cast_model(encoder, dtype) if dtype else encoder, path, vectorizer)
