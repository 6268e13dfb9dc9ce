"""Write a vectorizer as a SavedModel with the interface of TF-Hub's BERT preprocessing models."""

from pathlib import Path

from keras_bert.export.text_inputs import tokenize
from keras_bert.weights.formats.saved_model_writer import write_saved_model

DEFAULT_LENGTH = 128  # of TF-Hub's preprocessing models


def export_preprocessing(vectorizer, path, max_text_length: int | None = None) -> Path:
    """Write a vectorizer as a SavedModel with the interface of TF-Hub's `bert_en_uncased_preprocess`.

    The loaded object is called with strings `[B]` and returns the encoder's three inputs. `.tokenize(strings)` returns
    ids `[B, (words), (tokens)]`. `.bert_pack_inputs([ids], seq_length=...)` packs one or two such segments, also
    without the axis of words. `.tokenize.get_special_tokens_dict()` returns the special ids. Unlike TF-Hub's models, it
    runs without tensorflow_text. The signature also takes one scalar string, as a batch of one.

    `.tokenize` owns the tables of the vocabulary too, so a model that contains only this part can be saved.

    Args:
        vectorizer: a `BertTextVectorization`. Its `sequence_length` is the default length, or 128 if it is None.
        path: the folder to write. An existing folder is replaced when the new one is complete.
        max_text_length: see `export_saved_model`.

    Returns:
        The folder's path.
    """
    import tensorflow as tf

    default_length = vectorizer.sequence_length or DEFAULT_LENGTH
    continues_word = tf.constant([token.startswith("##") for token in vectorizer.get_vocabulary()])  # [V]
    sentences = tf.TensorSpec([None], tf.string, name="sentences")
    special_tokens = {
        "start_of_sequence_id": vectorizer.cls_id,
        "end_of_segment_id": vectorizer.sep_id,
        "padding_id": vectorizer.pad_id,
        "mask_id": vectorizer.mask_id,
        "vocab_size": vectorizer.vocabulary_size(),
    }

    def tokenize_words(sentences):
        tokens = tokenize(vectorizer, sentences, max_text_length)  # [B, (tokens)]
        starts = tf.where(~tf.gather(continues_word, tokens.values))[:, 0]  # [W] index of each word's first token
        size = tf.size(tokens.values, tf.int64)
        words = tf.RaggedTensor.from_row_starts(tokens.values, starts, validate=False)  # [W, (tokens)]
        splits = tf.searchsorted(starts, tokens.row_splits, out_type=tf.int64)  # [B + 1] words before each row
        splits = tf.where(tokens.row_splits == size, tf.size(starts, tf.int64), splits)  # [B + 1]
        return tf.RaggedTensor.from_row_splits(words, splits, validate=False)  # [B, (words), (tokens)]

    def pack(inputs, seq_length=default_length):
        segments = [ids.merge_dims(1, -1) if ids.ragged_rank > 1 else ids for ids in inputs]  # [B, (tokens)] each
        return vectorizer.pack(segments, seq_length)

    def preprocess(sentences):
        packed = vectorizer.pack([tokenize(vectorizer, sentences, max_text_length)], default_length)
        return {key: tf.ensure_shape(value, [None, default_length]) for key, value in packed.items()}  # [B, T] each

    root = tf.train.Checkpoint()
    root.tokenize = tf.train.Checkpoint()
    for part in (root, root.tokenize):
        part.vectorizer = vectorizer  # a SavedModel finds lookup tables through the object that owns them
        part.variables, part.trainable_variables, part.regularization_losses = [], [], []
    root.__call__ = tf.function(preprocess, input_signature=[sentences], autograph=False)
    root.tokenize.__call__ = tf.function(tokenize_words, input_signature=[sentences], autograph=False)
    root.tokenize.get_special_tokens_dict = tf.train.Checkpoint()
    root.tokenize.get_special_tokens_dict.__call__ = tf.function(
        lambda: {name: tf.constant(number) for name, number in special_tokens.items()}, input_signature=[]
    )
    root.bert_pack_inputs = tf.train.Checkpoint()
    root.bert_pack_inputs.__call__ = tf.function(pack, autograph=False)
    for rank in (2, 3):  # without and with the axis of words
        for count in (1, 2):
            segments = [tf.RaggedTensorSpec([None] * rank, tf.int32) for _ in range(count)]
            root.bert_pack_inputs.__call__.get_concrete_function(segments, seq_length=tf.TensorSpec([], tf.int32))
    signature = root.__call__.get_concrete_function()
    return write_saved_model(root, path, {"serving_default": signature})
