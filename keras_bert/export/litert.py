"""Write models as LiteRT files (formerly TensorFlow Lite), from token ids to logits or vectors."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.export.id_folder import check_model, write_tokenizer
from keras_bert.export.id_outputs import id_outputs
from keras_bert.export.text_inputs import max_sequence_length
from keras_bert.files import atomic_write
from keras_bert.models.cast import cast_model
from keras_bert.models.two_classes import as_two_classes
from keras_bert.text.model_inputs import check_sequence_length
from keras_bert.weights.formats.saved_model_writer import require_tensorflow_backend

DEFAULT_LENGTH = 128
DTYPES = ("float32", "int8")


def export_litert(
    model,
    path,
    vectorizer=None,
    labels=None,
    sequence_length: int | None = None,
    dtype: str = "float32",
    pairs=None,
    no_answer=None,
    pool: str | None = None,
    normalize: bool = False,
) -> Path:
    """Write a folder with `model.tflite` and, with a vectorizer, the `vocab.txt` and `config.json` of its tokenizer.

    The only signature, `serving_default`, takes `input_word_ids`, `input_mask` and `input_type_ids`, int32 `[B, T]`.
    The length T is fixed when the model is exported, and texts are padded to it. B is free: the interpreter's
    `get_signature_runner` resizes the inputs; a call with zero rows returns zero rows. The file contains only
    operations that are built into LiteRT, so it needs neither TensorFlow's operations ("flex") nor custom ones.

    The outputs are those of `kb.export_onnx`:

    - A `BertClassifier` returns `logits` and `probabilities` `[B, C]`; a regression model returns only `logits`.
    - A `BertEncoder` returns `sequence_output` `[B, T, H]` and `pooled_output` `[B, H]`, or with `pool` only
      `embedding` `[B, D]`, one vector per text.
    - A `BertPretrainer` also takes `masked_lm_positions`, int32 `[B, P]` for any P. It returns `mlm_logits` `[B, P, V]`
      and, with a sentence head, `nsp_logits` or `sop_logits` `[B, 2]`.
    - A `BertSpanLabeler` returns `start_logits` and `end_logits` `[B, T]`.
    - A `BertTokenClassifier` returns `logits` `[B, T, C]`.

    The graph traces the model's own call, so custom blocks and modified layers are exported as they are.

    Args:
        model: one of the models above. A model of a mixed dtype policy is exported in float32.
        path: the folder to write. An existing folder is replaced when the new one is complete.
        vectorizer: a `BertTextVectorization` of the encoder's vocabulary. `config.json` then holds its `lowercase`, the
            length T as `sequence_length`, and the `labels`.
        labels: list of C class names, in the order of the logits. The default is as for `kb.export_onnx`.
        sequence_length: T, at least 3 and at most the encoder's positions. The default is that of the vectorizer, or
            128 without one, but at most the encoder's positions.
        dtype: `"float32"`, or `"int8"`: the kernels and tables in 8 bits, about a quarter of the size. This is LiteRT's
            dynamic range quantization, which needs no calibration data.
        pairs: of a classifier, whether it was trained on pairs of texts, stored for `Predictor`. None if unknown.
        no_answer: of a span labeler, whether it may predict that there is no answer, also stored for `Predictor`.
        pool: of an encoder, how the vectors of the tokens become one vector, see `kb.embed`.
        normalize: with `pool`, scale each vector to length 1, so that a dot product of two vectors is their cosine.

    Returns:
        The folder's path. `kb.Predictor` opens it if it was written with a vectorizer.

    Raises:
        InputError: an argument is invalid for the model, a layer computes something that LiteRT has no operation for,
            or Keras runs on another backend than TensorFlow.
        OSError: the disk is full or not writable. Nothing is left behind.

    Example:

    >>> import tempfile, numpy as np, tensorflow as tf, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config))
    >>> folder = kb.export_litert(classifier, tempfile.mkdtemp() + "/classifier", sequence_length=8)
    >>> run = tf.lite.Interpreter(str(folder / "model.tflite")).get_signature_runner()
    >>> ids = np.array([[2, 7, 4, 3, 0, 0, 0, 0]], "int32")
    >>> run(input_word_ids=ids, input_mask=np.int32(ids > 0), input_type_ids=0 * ids)["probabilities"].shape
    (1, 2)

    Source: https://ai.google.dev/edge/litert. On a device the package `ai-edge-litert` has the same interpreter.
    """
    require_tensorflow_backend("export a LiteRT model")
    import tensorflow as tf

    model = as_two_classes(model)
    settings = check_model(model, path, vectorizer, labels, pairs, no_answer, pool, normalize)
    encoder = getattr(model, "encoder", model)
    if dtype not in DTYPES:
        raise InputError(f'`dtype` must be "float32" or "int8". Received: dtype={dtype!r}')
    positions = encoder.config.max_position_embeddings
    check_sequence_length(sequence_length)
    if sequence_length is None:
        sequence_length = max_sequence_length(vectorizer, encoder) if vectorizer else min(DEFAULT_LENGTH, positions)
    elif sequence_length > positions:
        raise InputError(
            f"`sequence_length` must be at most the encoder's {positions} positions. "
            f"Received: sequence_length={sequence_length}"
        )

    model = cast_model(model, "float32")
    inputs = {name: tf.TensorSpec([None, sequence_length], tf.int32, name=name) for name in INPUT_KEYS}
    if settings["kind"] == "pretrainer":
        inputs["masked_lm_positions"] = tf.TensorSpec([None, None], tf.int32, name="masked_lm_positions")
    outputs = id_outputs(model, pool, normalize)
    function = tf.function(lambda **ids: outputs(ids), autograph=False).get_concrete_function(**inputs)
    root = tf.train.Checkpoint(weights=[weight.value for weight in model.weights])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], root)
    if dtype == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with atomic_write(path) as draft:
        draft.mkdir()
        (draft / "model.tflite").write_bytes(_convert(converter))
        if vectorizer is not None:
            write_tokenizer(draft, vectorizer, encoder, {**settings, "sequence_length": int(sequence_length)})
    return Path(path)


def _convert(converter) -> bytes:
    """Convert; raise InputError with the names of the operations that LiteRT does not have."""
    with _hidden_stderr():
        try:
            return converter.convert()
        except Exception as error:  # the converter raises its own errors, and sometimes others
            missing = sorted(set(re.findall(r"'tf\.(\w+)' op is neither", str(error))))
            reason = f"the operations {', '.join(missing)}" if missing else type(error).__name__
    raise InputError(
        f"`model` must compute only what LiteRT has operations for. Received: a model with {reason}. "
        "`kb.export_saved_model` exports every model."
    )


@contextlib.contextmanager
def _hidden_stderr() -> Iterator[None]:
    """Hide what the converter's C++ code writes to the standard error of the process: pages for each operation."""
    with tempfile.TemporaryFile() as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
