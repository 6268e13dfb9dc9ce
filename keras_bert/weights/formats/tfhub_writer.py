"""Writer of encoders as SavedModels with the interface of TF-Hub's BERT encoders."""

import json
import tempfile
from pathlib import Path

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.models import check_vocabulary_size
from keras_bert.text.vocabulary import save_vocabulary
from keras_bert.weights.canonical_names import encoder_and_pretrainer, encoder_weights, masked_lm_weights
from keras_bert.weights.formats.saved_model import ADDED_TOKENS_ASSET, CONFIG_ASSET, SPLITTING_ASSET
from keras_bert.weights.formats.saved_model_writer import require_tensorflow_backend, write_saved_model


def save_tfhub(model, path, vectorizer=None) -> Path:
    """Write an encoder or a pretrainer as a SavedModel with the interface of TF-Hub's BERT encoders.

    The loaded object is called with a dict of three int32 inputs. It returns `pooled_output`, `default` (the same
    tensor), `sequence_output` and the list `encoder_outputs`. Its attributes are `variables`, `trainable_variables`
    and `regularization_losses`. With a vectorizer, it also has `vocab_file` and `do_lower_case`. For a pretrainer, it
    also has `mlm`, which takes `masked_lm_positions` and returns `mlm_logits`. The interface has no next-sentence head.
    Calls with `training=True` apply dropout, so `hub.KerasLayer(path, trainable=True)` can fine-tune the encoder.

    The asset `keras_bert_added_tokens` lists the vectorizer's added tokens, if it has any, and the asset
    `keras_bert_splitting` has its settings that differ from those of the original tokenizer, if it has any. The asset
    `keras_bert_config` contains the `BertConfig`, because fields such as the activation cannot be inferred from the
    tensors. This package reads all three when it loads the SavedModel; other programs can ignore the config, and would
    tokenize as the original code does.

    Args:
        model: a `BertEncoder` with a pooler, or a `BertPretrainer`.
        path: the folder to write. An existing folder is replaced when the new one is complete.
        vectorizer: the `BertTextVectorization` of the encoder's vocabulary, or None.

    Returns:
        The folder's path.

    Raises:
        InputError: the model is neither of these, has no pooler, is quantized or has LoRA enabled, or the vocabulary
            has another size; or Keras runs on another backend than TensorFlow.
        OSError: the disk is full or not writable. No partial folder remains.

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text; the variables are named as in
    `tensorflow/bert_en_uncased_L-12_H-768_A-12/4`.
    """
    import keras

    require_tensorflow_backend()
    import tensorflow as tf

    encoder, pretrainer = encoder_and_pretrainer(model)
    if encoder.pooler is None:
        raise InputError(
            "`model` must have a pooler, because TF-Hub's interface returns `pooled_output`. "
            "Received: an encoder without a pooler"
        )
    if vectorizer is not None:
        check_vocabulary_size(encoder, vectorizer.vocabulary_size())
    variables = {}  # id of a Keras variable: its tf.Variable
    weights = _plain_variables(encoder_weights(encoder))
    if encoder.config.share_blocks:  # the names of ALBERT's shared block contain no block index
        weights = {name.replace("transformer/layer_0/", "transformer/"): weight for name, weight in weights.items()}
    encoder_variables = _create_variables(weights, variables)
    # Adapters, for example, have weights that have no name in TF-Hub's BERT.
    unnamed = {weight.path: weight for weight in encoder.weights if id(weight) not in variables}
    encoder_variables += _create_variables(_plain_variables(unnamed), variables)

    root = tf.train.Checkpoint()
    call = _make_callable(root, encoder, INPUT_KEYS, variables, encoder_variables, _encoder_outputs)
    if vectorizer is not None:
        root.do_lower_case = tf.Variable(bool(vectorizer.lowercase), trainable=False)
        root.variables = [*encoder_variables, root.do_lower_case]
    if pretrainer is not None:
        root.mlm = tf.train.Checkpoint()
        head_variables = _create_variables(_plain_variables(masked_lm_weights(pretrainer)), variables)
        positions = keras.Input((None,), dtype="int32", name="masked_lm_positions")
        encoded = encoder(encoder.input)
        logits = pretrainer.mlm_head(encoded["sequence_output"], positions)  # [B, P, V]
        masked_lm = keras.Model({**encoder.input, positions.name: positions}, {**encoded, "mlm_logits": logits})
        keys = (*INPUT_KEYS, positions.name)
        _make_callable(root.mlm, masked_lm, keys, variables, [*encoder_variables, *head_variables], _masked_lm_outputs)
    # A signature cannot return a list, so it returns each layer's output separately.
    signature = tf.function(lambda **inputs: _without_list(call(inputs)), autograph=False)
    signature = signature.get_concrete_function(**_input_specs(INPUT_KEYS))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{CONFIG_ASSET}.json"
        file.write_text(json.dumps(encoder.config.to_dict(), indent=2) + "\n", encoding="utf-8")
        setattr(root, CONFIG_ASSET, tf.saved_model.Asset(str(file)))
        if vectorizer is not None:
            file = Path(folder) / "vocab.txt"
            save_vocabulary(vectorizer.get_vocabulary(), file)
            root.vocab_file = tf.saved_model.Asset(str(file))
            if vectorizer.added_tokens:
                file = Path(folder) / f"{ADDED_TOKENS_ASSET}.txt"
                file.write_text("".join(token + "\n" for token in vectorizer.added_tokens), encoding="utf-8")
                setattr(root, ADDED_TOKENS_ASSET, tf.saved_model.Asset(str(file)))
            if vectorizer.splitting.changes():
                file = Path(folder) / f"{SPLITTING_ASSET}.json"
                file.write_text(json.dumps(vectorizer.splitting.changes()), encoding="utf-8")
                setattr(root, SPLITTING_ASSET, tf.saved_model.Asset(str(file)))
        return write_saved_model(root, path, {"serving_default": signature})


def _plain_variables(weights: dict) -> dict:
    """Return the weights; raise InputError if one of them is quantized or merged with LoRA weights."""
    import keras

    for name, weight in weights.items():
        # With LoRA, a layer's `kernel` is the sum of several variables and no variable itself.
        if not isinstance(weight, keras.Variable) or not keras.backend.is_float_dtype(weight.dtype):
            raise InputError(
                "`model` must be neither quantized nor have LoRA enabled to be written with TF-Hub's interface. "
                f"Received: a model with modified weights in {name}. `encoder.merge_lora()` merges LoRA weights."
            )
    return weights


def _create_variables(weights: dict, variables: dict) -> list:
    """Create a `tf.Variable` for each of `weights` (name to Keras variable), and add it to `variables` by id."""
    import tensorflow as tf

    created = [tf.Variable(weight.numpy(), name=name) for name, weight in weights.items()]
    variables.update(zip(map(id, weights.values()), created, strict=True))
    return created


def _make_callable(owner, model, keys, variables: dict, weights: list, arrange_outputs):
    """Set the attributes of TF-Hub's common interface on `owner`: `__call__`, `variables`, and so on."""
    import tensorflow as tf

    def value_of(variable):
        if id(variable) in variables:
            return variables[id(variable)]
        # All others are seeds of dropout layers. With a random seed at each call, their state need not be saved.
        return tf.cast(tf.random.uniform(variable.shape, maxval=2**31 - 1, dtype=tf.int32), variable.dtype)

    def call(inputs, training=False):
        values = [[value_of(v) for v in group] for group in (model.trainable_variables, model.non_trainable_variables)]
        outputs, _ = model.stateless_call(*values, inputs, training=training)
        return arrange_outputs({key: tf.cast(value, tf.float32) for key, value in outputs.items()})

    owner.__call__ = tf.function(call, autograph=False)
    for training in (False, True):
        owner.__call__.get_concrete_function(_input_specs(keys), training=training)
    owner.variables, owner.trainable_variables, owner.regularization_losses = list(weights), list(weights), []
    return owner.__call__


def _input_specs(keys) -> dict:
    import tensorflow as tf

    return {key: tf.TensorSpec([None, None], tf.int32, name=key) for key in keys}


def _encoder_outputs(outputs: dict) -> dict:
    """Arrange an encoder's outputs as TF-Hub's BERT returns them."""
    count = sum(key.startswith("encoder_outputs_") for key in outputs)
    return {
        "pooled_output": outputs["pooled_output"],
        "default": outputs["pooled_output"],
        "sequence_output": outputs["sequence_output"],
        "encoder_outputs": [outputs[f"encoder_outputs_{i}"] for i in range(count)],
    }


def _masked_lm_outputs(outputs: dict) -> dict:
    arranged = _encoder_outputs(outputs)
    del arranged["default"]  # TF-Hub's `mlm` has no such output
    return {**arranged, "mlm_logits": outputs["mlm_logits"]}


def _without_list(outputs: dict) -> dict:
    """Replace the list `encoder_outputs` by one entry per layer."""
    layers = {f"encoder_outputs_{i}": layer for i, layer in enumerate(outputs["encoder_outputs"])}
    return {**{key: value for key, value in outputs.items() if key != "encoder_outputs"}, **layers}
