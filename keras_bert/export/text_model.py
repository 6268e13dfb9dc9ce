"""SavedModels from text to probabilities or features."""

from pathlib import Path

from keras_bert.export.length_buckets import run_length_bucketed
from keras_bert.export.text_inputs import max_sequence_length, serving_ids
from keras_bert.weights.formats.keras_folder import check_labels
from keras_bert.weights.formats.saved_model_writer import write_saved_model


def export_classifier(classifier, path, vectorizer, labels=None) -> Path:
    """Write a classifier and its vectorizer as a SavedModel: from text to probabilities, with the encoder's signatures.

    `export_saved_model` documents the signatures and the arguments.
    """
    import tensorflow as tf

    labels = check_labels(classifier, labels) or [str(index) for index in range(classifier.num_classes)]
    has_classes = classifier.problem_type != "regression"

    def serve(text):
        logits = _run_texts(
            classifier.encoder,
            vectorizer,
            text,
            lambda ids: classifier(ids, training=False),
            columns=classifier.num_classes,
        )  # [B, C]
        if not has_classes:
            return {"numbers": logits}
        if classifier.problem_type == "multi_label":
            return {"probabilities": tf.sigmoid(logits), "logits": logits}  # [B, C]
        return {
            "probabilities": tf.nn.softmax(logits),  # [B, C]
            "logits": logits,  # [B, C]
            "label": tf.gather(tf.constant(labels), tf.argmax(logits, axis=-1)),  # [B]
        }

    return _export(
        classifier, classifier.encoder, path, vectorizer, {"serving_default": serve}, labels if has_classes else None
    )


def export_encoder(encoder, path, vectorizer) -> Path:
    """Write an encoder and its vectorizer as a SavedModel: from text to features.

    `export_saved_model` documents the signatures and the arguments.
    """
    return _export(encoder, encoder, path, vectorizer, {})


def _export(model, encoder, path, vectorizer, functions: dict, labels: list[str] | None = None) -> Path:
    """Write a SavedModel with the signatures of an encoder and with `functions`, a dict of name to function of text.

    With `labels`, the signature `labels` returns them.
    """
    import tensorflow as tf

    def tokenize(text):
        return serving_ids(vectorizer, text, max_sequence_length(vectorizer, encoder))

    def encode(text):
        outputs = encoder(tokenize(text), training=False)
        names = ("pooled_output", "sequence_output")
        return {name: tf.cast(outputs[name], tf.float32) for name in names if name in outputs}

    def pool(text):
        def pool_first_token(ids):
            first = tf.zeros((tf.shape(ids["input_word_ids"])[0], 1), tf.int32)  # [R, 1]
            return encoder.pooler(encoder(ids, training=False, positions=first))  # [R, H]

        return {"pooled_output": _run_texts(encoder, vectorizer, text, pool_first_token, encoder.config.hidden_size)}

    functions = {"serving_default": encode, **functions, "tokenize": tokenize, "encode": encode}
    if encoder.pooler is not None:
        functions["pool"] = pool
    text = tf.TensorSpec([None], tf.string, name="text")
    root = tf.train.Checkpoint()
    root.weights = [weight.value for weight in model.weights]
    root.vectorizer = vectorizer  # a SavedModel finds lookup tables through the object that owns them
    signatures = {
        name: tf.function(function, input_signature=[text], autograph=False).get_concrete_function()
        for name, function in functions.items()
    }
    if labels is not None:
        names = tf.function(lambda: {"labels": tf.constant(labels)}, input_signature=[])  # [C]
        signatures["labels"] = names.get_concrete_function()
    return write_saved_model(root, path, signatures)


def _run_texts(encoder, vectorizer, text, function, columns: int):
    """Apply a function of the three encoder inputs to texts, bucketed by length; return float32 `[B, C]`."""
    import tensorflow as tf

    return run_length_bucketed(
        lambda ids: tf.cast(function(ids), tf.float32),
        columns,
        vectorizer.tokenize(text),
        vectorizer.pack,
        max_sequence_length(vectorizer, encoder),
    )
