"""Text in, probabilities or features out: one graph, nothing of ours needed to run it."""

from pathlib import Path

from keras_bert.export.graph import serving_ids, write
from keras_bert.weights.folder import check_labels, check_sizes


def export_classifier(classifier, path, vectorizer, labels=None) -> Path:
    """A classifier with its vectorizer as a SavedModel: `serving_default`, `tokenize` and `encode`, from strings."""
    import tensorflow as tf

    labels = check_labels(classifier, labels) or [str(index) for index in range(classifier.num_classes)]

    def serve(text):
        logits = tf.cast(classifier(_ids(classifier.encoder, vectorizer, text), training=False), tf.float32)  # [B, C]
        return {
            "probabilities": tf.nn.softmax(logits),  # [B, C]
            "logits": logits,
            "label": tf.gather(tf.constant(labels), tf.argmax(logits, axis=-1)),  # [B]
        }

    return _export(classifier, classifier.encoder, path, vectorizer, {"serving_default": serve})


def export_encoder(encoder, path, vectorizer) -> Path:
    """An encoder with its vectorizer as a SavedModel: `serving_default` is `encode`; `tokenize` too."""
    return _export(encoder, encoder, path, vectorizer, {})


def _export(model, encoder, path, vectorizer, functions: dict) -> Path:
    import tensorflow as tf

    check_sizes(encoder, vectorizer.vocabulary_size())

    def tokenize(text):
        return _ids(encoder, vectorizer, text)

    def encode(text):
        outputs = encoder(_ids(encoder, vectorizer, text), training=False)
        return {key: tf.cast(outputs[key], tf.float32) for key in ("pooled_output", "sequence_output")}

    functions = {"serving_default": encode, **functions, "tokenize": tokenize, "encode": encode}
    text = tf.TensorSpec([None], tf.string, name="text")
    root = tf.train.Checkpoint()
    root.weights = [weight.value for weight in model.weights]
    root.vectorizer = vectorizer  # its tables are resources, which a SavedModel finds by their owner
    signatures = {
        name: tf.function(function, input_signature=[text], autograph=False).get_concrete_function()
        for name, function in functions.items()
    }
    return write(root, path, signatures)


def _ids(encoder, vectorizer, text) -> dict:
    return serving_ids(vectorizer, text, encoder.config.max_position_embeddings)
