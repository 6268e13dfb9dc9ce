"""Text in, probabilities or features out: one graph, nothing of ours needed to run it."""

from pathlib import Path

from keras_bert.export.graph import longest_row, serving_ids, write
from keras_bert.export.length_buckets import run_length_bucketed
from keras_bert.models import check_vocabulary_size
from keras_bert.weights.formats.keras_folder import check_labels


def export_classifier(classifier, path, vectorizer, labels=None) -> Path:
    """A classifier with its vectorizer as a SavedModel: text to probabilities, and the encoder's signatures."""
    import tensorflow as tf

    labels = check_labels(classifier, labels) or [str(index) for index in range(classifier.num_classes)]

    def serve(text):
        logits = _by_length(
            classifier.encoder,
            vectorizer,
            text,
            lambda ids: classifier(ids, training=False),
            columns=classifier.num_classes,
        )  # [B, C]
        if classifier.problem_type == "regression":
            return {"numbers": logits}
        if classifier.problem_type == "multi_label":
            return {"probabilities": tf.sigmoid(logits), "logits": logits}  # [B, C], in the order of the labels
        return {
            "probabilities": tf.nn.softmax(logits),  # [B, C]
            "logits": logits,
            "label": tf.gather(tf.constant(labels), tf.argmax(logits, axis=-1)),  # [B]
        }

    return _export(classifier, classifier.encoder, path, vectorizer, {"serving_default": serve})


def export_encoder(encoder, path, vectorizer) -> Path:
    """An encoder with its vectorizer as a SavedModel: `serving_default` is `encode`; `tokenize` and `pool` too."""
    return _export(encoder, encoder, path, vectorizer, {})


def _export(model, encoder, path, vectorizer, functions: dict) -> Path:
    import tensorflow as tf

    check_vocabulary_size(encoder, vectorizer)

    def tokenize(text):
        return _ids(encoder, vectorizer, text)

    def encode(text):
        outputs = encoder(_ids(encoder, vectorizer, text), training=False)
        names = ("pooled_output", "sequence_output")
        return {name: tf.cast(outputs[name], tf.float32) for name in names if name in outputs}

    def pool(text):
        def first_rows(ids):
            first = tf.zeros((tf.shape(ids["input_word_ids"])[0], 1), tf.int32)  # [R, 1]
            return encoder.pooler(encoder(ids, training=False, positions=first))  # [R, H]

        return {"pooled_output": _by_length(encoder, vectorizer, text, first_rows, encoder.config.hidden_size)}

    functions = {"serving_default": encode, **functions, "tokenize": tokenize, "encode": encode}
    if encoder.pooler is not None:
        functions["pool"] = pool
    text = tf.TensorSpec([None], tf.string, name="text")
    root = tf.train.Checkpoint()
    root.weights = [weight.value for weight in model.weights]
    root.vectorizer = vectorizer  # its tables are resources, which a SavedModel finds by their owner
    signatures = {
        name: tf.function(function, input_signature=[text], autograph=False).get_concrete_function()
        for name, function in functions.items()
    }
    return write(root, path, signatures)


def _by_length(encoder, vectorizer, text, function, columns):
    """`function` of the three inputs, over texts of like length at a time; float32 `[B, C]`."""
    import tensorflow as tf

    limit = longest_row(vectorizer, encoder.config.max_position_embeddings)
    tokens = vectorizer.tokenize(text)
    return run_length_bucketed(lambda ids: tf.cast(function(ids), tf.float32), columns, tokens, vectorizer.pack, limit)


def _ids(encoder, vectorizer, text) -> dict:
    return serving_ids(vectorizer, text, encoder.config.max_position_embeddings)
