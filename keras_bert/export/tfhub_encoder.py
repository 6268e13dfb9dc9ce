"""Our encoder with the interface of TF-Hub's BERT: whatever loads theirs loads ours."""

import json
import tempfile
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.export.graph import write
from keras_bert.models import check_vocabulary_size
from keras_bert.text.vocabulary import save_vocabulary
from keras_bert.weights.canonical_names import encoder_weights, masked_lm_weights, parts
from keras_bert.weights.formats.tfhub import CONFIG

KEYS = ("input_word_ids", "input_mask", "input_type_ids")


def export_tfhub_encoder(model, path, vectorizer=None) -> Path:
    """Write an encoder (or a pretrainer, which adds `.mlm`) as TF-Hub's BERT is written.

    The restored object is called with the dict of three int32 inputs and gives `pooled_output`, `default` (the same),
    `sequence_output` and the list `encoder_outputs`; it has `variables`, `trainable_variables` and
    `regularization_losses`, and with a vectorizer `vocab_file` and `do_lower_case`. Called with `training=True` it
    drops out, so that `hub.KerasLayer(path, trainable=True)` fine-tunes it. The next-sentence head has no place there.
    One asset more, `keras_bert_config`, says what tensors do not, such as the activation: we read it back, others need
    not.
    """
    import keras
    import tensorflow as tf

    encoder, pretrainer = parts(model)
    if encoder.pooler is None:
        raise InputError("TF-Hub's interface gives a pooled_output. Received: an encoder without a pooler")
    variables = {}  # id of a Keras variable -> the tf.Variable that bears Google's name

    def named(weights: dict) -> list:
        created = [tf.Variable(weight.numpy(), name=name) for name, weight in weights.items()]
        variables.update(zip(map(id, weights.values()), created, strict=True))
        return created

    root = tf.train.Checkpoint()
    weights = encoder_weights(encoder)
    if encoder.config.share_blocks:  # ALBERT's one block has no number there
        weights = {name.replace("transformer/layer_0/", "transformer/"): weight for name, weight in weights.items()}
    shared = named(weights)
    call = _callable(root, encoder, KEYS, variables, shared, _encoder_outputs)
    if vectorizer is not None:
        check_vocabulary_size(encoder, vectorizer)
        root.do_lower_case = tf.Variable(bool(vectorizer.lowercase), trainable=False)
        root.variables = [*shared, root.do_lower_case]
    if pretrainer is not None:
        root.mlm = tf.train.Checkpoint()
        head = named(masked_lm_weights(pretrainer))
        positions = keras.Input((None,), dtype="int32", name="masked_lm_positions")
        encoded = encoder(encoder.input)
        logits = pretrainer.mlm_head(encoded["sequence_output"], positions)  # [B, P, V]
        both = keras.Model({**encoder.input, positions.name: positions}, {**encoded, "mlm_logits": logits})
        _callable(root.mlm, both, (*KEYS, "masked_lm_positions"), variables, [*shared, *head], _masked_lm_outputs)
    # A signature has no lists: the layers go by their flat names there.
    serve = tf.function(lambda **inputs: _flat(call(inputs)), autograph=False)
    signature = serve.get_concrete_function(**_specs(KEYS))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{CONFIG}.json"
        file.write_text(json.dumps(encoder.config.to_dict(), indent=2) + "\n", encoding="utf-8")
        setattr(root, CONFIG, tf.saved_model.Asset(str(file)))
        if vectorizer is not None:
            file = Path(folder) / "vocab.txt"
            save_vocabulary(vectorizer.get_vocabulary(), file)
            root.vocab_file = tf.saved_model.Asset(str(file))
        return write(root, path, {"serving_default": signature})


def _callable(owner, model, keys, variables: dict, weights: list, arrange):
    """Make `owner` what TF-Hub's common interface asks for: callable, with its weights in view."""
    import tensorflow as tf

    def value_of(variable):
        if id(variable) in variables:
            return variables[id(variable)]
        # What is left are the dropout layers' seeds: fresh ones at every call, so that no state has to be saved.
        return tf.cast(tf.random.uniform(variable.shape, maxval=2**31 - 1, dtype=tf.int32), variable.dtype)

    def call(inputs, training=False):
        values = [[value_of(v) for v in group] for group in (model.trainable_variables, model.non_trainable_variables)]
        outputs, _ = model.stateless_call(*values, inputs, training=training)
        return arrange({key: tf.cast(value, tf.float32) for key, value in outputs.items()})

    owner.__call__ = tf.function(call, autograph=False)
    for training in (False, True):
        owner.__call__.get_concrete_function(_specs(keys), training=training)
    owner.variables, owner.trainable_variables, owner.regularization_losses = list(weights), list(weights), []
    return owner.__call__


def _specs(keys) -> dict:
    import tensorflow as tf

    return {key: tf.TensorSpec([None, None], tf.int32, name=key) for key in keys}


def _encoder_outputs(flat: dict) -> dict:
    layers = [flat[f"encoder_outputs_{i}"] for i in range(sum(key.startswith("encoder_outputs_") for key in flat))]
    pooled = flat["pooled_output"]
    return {
        "pooled_output": pooled,
        "default": pooled,
        "sequence_output": flat["sequence_output"],
        "encoder_outputs": layers,
    }


def _masked_lm_outputs(flat: dict) -> dict:
    outputs = _encoder_outputs(flat)
    del outputs["default"]  # as at TF-Hub
    return {**outputs, "mlm_logits": flat["mlm_logits"]}


def _flat(outputs: dict) -> dict:
    layers = {f"encoder_outputs_{i}": layer for i, layer in enumerate(outputs["encoder_outputs"])}
    return {**{key: value for key, value in outputs.items() if key != "encoder_outputs"}, **layers}
