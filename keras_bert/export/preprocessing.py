"""The vectorizer with the interface of TF-Hub's `bert_en_uncased_preprocess`, in core operations only."""

from pathlib import Path

from keras_bert.export.graph import write

DEFAULT_LENGTH = 128  # of TF-Hub's preprocessing models


def export_preprocessing(vectorizer, path) -> Path:
    """Write a vectorizer as TF-Hub's preprocessing models are written.

    The restored object is called on strings `[B]`; `.tokenize(strings)` gives ids `[B, (words), (pieces)]`,
    `.bert_pack_inputs([ids], seq_length=…)` takes one or two such segments (or flat ones), and
    `.tokenize.get_special_tokens_dict()` gives the special ids. Unlike TF-Hub's own it needs no tensorflow_text.
    """
    import tensorflow as tf

    default_length = vectorizer.sequence_length or DEFAULT_LENGTH
    further = tf.constant([token.startswith("##") for token in vectorizer.get_vocabulary()])
    sentences = tf.TensorSpec([None], tf.string, name="sentences")
    specials = {
        "start_of_sequence_id": vectorizer.cls_id,
        "end_of_segment_id": vectorizer.sep_id,
        "padding_id": vectorizer.pad_id,
        "mask_id": vectorizer.mask_id,
        "vocab_size": vectorizer.vocabulary_size(),
    }

    def tokenize(sentences):
        tokens = vectorizer.tokenize(sentences)  # [B, (pieces)]
        starts = tf.where(~tf.gather(further, tokens.values))[:, 0]  # [W] the pieces that begin a word
        size = tf.size(tokens.values, tf.int64)
        words = tf.RaggedTensor.from_row_starts(tokens.values, starts, validate=False)  # [W, (pieces)]
        rows = tf.searchsorted(starts, tokens.row_splits, out_type=tf.int64)  # words before each row
        rows = tf.where(tokens.row_splits == size, tf.size(starts, tf.int64), rows)
        return tf.RaggedTensor.from_row_splits(words, rows, validate=False)  # [B, (words), (pieces)]

    def pack(inputs, seq_length=default_length):
        segments = [ids.merge_dims(1, -1) if ids.ragged_rank > 1 else ids for ids in inputs]
        return vectorizer.pack(segments, seq_length)

    def preprocess(sentences):
        packed = vectorizer.pack([vectorizer.tokenize(sentences)], default_length)
        return {key: tf.ensure_shape(value, [None, default_length]) for key, value in packed.items()}

    root = tf.train.Checkpoint()
    root.vectorizer = vectorizer  # its tables are resources, which a SavedModel finds by their owner
    root.__call__ = tf.function(preprocess, input_signature=[sentences], autograph=False)
    root.tokenize = tf.train.Checkpoint()
    root.tokenize.__call__ = tf.function(tokenize, input_signature=[sentences], autograph=False)
    root.tokenize.get_special_tokens_dict = tf.train.Checkpoint()
    root.tokenize.get_special_tokens_dict.__call__ = tf.function(
        lambda: {name: tf.constant(number) for name, number in specials.items()}, input_signature=[]
    )
    root.bert_pack_inputs = tf.train.Checkpoint()
    root.bert_pack_inputs.__call__ = tf.function(pack, autograph=False)
    for rank in (2, 3):
        for count in (1, 2):
            segments = [tf.RaggedTensorSpec([None] * rank, tf.int32) for _ in range(count)]
            root.bert_pack_inputs.__call__.get_concrete_function(segments, seq_length=tf.TensorSpec([], tf.int32))
    for part in (root, root.tokenize):
        part.variables, part.trainable_variables, part.regularization_losses = [], [], []
    signature = root.__call__.get_concrete_function()
    return write(root, path, {"serving_default": signature})
