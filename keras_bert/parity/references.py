"""Open and run other implementations of BERT, and name their outputs as `BertEncoder` does."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.weights.formats import keras_hub
from keras_bert.weights.formats.tfhub import open_tfhub


def open_reference(source, encoder) -> tuple:
    """Open the reference implementation of a source that holds weights only, and no graph.

    Folders of Hugging Face are opened by transformers if it is installed, presets of KerasHub by KerasHub. For other
    formats, the weights of `encoder` are copied into KerasHub. Such a reference checks the computation, but not that
    each tensor was read correctly.

    Args:
        source: the opened `Source`.
        encoder: a `BertEncoder` with the weights of `source`.

    Returns:
        A pair of the reference and its description.

    Raises:
        InputError: no installed reference implementation computes the same.
    """
    if source.format == "huggingface" and find_spec("torch") and find_spec("transformers"):
        return open_transformers(source), f"transformers {version('transformers')}"
    if source.format == "keras_hub":
        return keras_hub.open_backbone(source), f"KerasHub {version('keras-hub')}, which opened the file"
    try:
        backbone = keras_hub.to_keras_hub(encoder)
    except InputError as error:
        hint = " Install one with pip install torch transformers." if source.format == "huggingface" else ""
        raise InputError(
            f"`source` must be a model that an installed reference implementation can run. Received: "
            f"source={source.label} ({error}).{hint}"
        ) from None
    return backbone, f"KerasHub {version('keras-hub')}, with the weights that this package read"


def open_transformers(source):
    """Open a Hugging Face source with transformers; return its encoder.

    Args:
        source: the opened `Source`, whose `label` is the folder.
    """
    import transformers

    pooler = {} if source.config.type_vocab_size == 0 else {"add_pooling_layer": source.config.pooler}
    settings = {"local_files_only": True, "trust_remote_code": False, **pooler}
    return transformers.AutoModel.from_pretrained(source.label, **settings).eval()


def run_reference(reference, inputs: dict) -> dict:
    """Run a reference on the three encoder inputs.

    Args:
        reference: as in `compare`.
        inputs: a dict of int32 arrays `[B, T]`.

    Returns:
        A dict of outputs, named as those of `BertEncoder`.

    Raises:
        InputError: the reference is of another kind or takes other inputs.
    """
    import keras

    if isinstance(reference, keras.Model):
        names = {tensor.name for tensor in reference.inputs or ()}
        if {"token_ids", "padding_mask"} <= names:
            return run_keras_hub(reference, inputs)
        if names != set(INPUT_KEYS):
            raise InputError(
                f"`reference` must take the inputs {', '.join(INPUT_KEYS)} if it is a Keras model. "
                f"Received: {reference.name}, which takes {', '.join(sorted(names)) or 'no dict'}"
            )
        return reference.predict_on_batch(inputs)
    if type(reference).__module__.startswith("transformers."):
        return run_transformers(reference, inputs)
    if not isinstance(reference, (str, Path)) and not hasattr(reference, "variables"):
        raise InputError(
            "`reference` must be a TF-Hub handle or SavedModel, a Keras model or a transformers model. "
            f"Received: {type(reference).__name__}"
        )
    return run_tfhub(reference, inputs)


def run_tfhub(reference, inputs: dict) -> dict:
    """Run an encoder with TF-Hub's interface: a handle, a folder or a loaded SavedModel."""
    import tensorflow as tf

    outputs = dict(open_tfhub(reference)({key: tf.constant(value) for key, value in inputs.items()}))
    layers = outputs.pop("encoder_outputs", [])
    outputs.pop("default", None)  # the same as pooled_output
    return {**outputs, **{f"encoder_outputs_{i}": layer for i, layer in enumerate(layers)}}


def run_transformers(model, inputs: dict) -> dict:
    """Run an encoder of transformers."""
    import torch

    names = {"input_ids": "input_word_ids", "attention_mask": "input_mask", "token_type_ids": "input_type_ids"}
    if model.config.model_type == "distilbert":
        del names["token_type_ids"]
    tensors = {name: torch.tensor(inputs[key]).long() for name, key in names.items()}  # [B, T] each
    with torch.no_grad():
        found = model(**tensors, output_hidden_states=True)
    outputs = {f"encoder_outputs_{i}": layer.numpy() for i, layer in enumerate(found.hidden_states[1:])}  # [B, T, H]
    outputs["sequence_output"] = found.last_hidden_state.numpy()  # [B, T, H]
    if getattr(found, "pooler_output", None) is not None:
        outputs["pooled_output"] = found.pooler_output.numpy()  # [B, H]
    return outputs


def run_keras_hub(backbone, inputs: dict) -> dict:
    """Run a backbone of KerasHub; return also the outputs of its layers."""
    import keras

    outputs = {**backbone.output} if isinstance(backbone.output, dict) else {"sequence_output": backbone.output}
    for layer in backbone.layers:
        if layer.name.startswith("transformer_layer_"):
            outputs[f"encoder_outputs_{layer.name.removeprefix('transformer_layer_')}"] = layer.output
    names = {"token_ids": "input_word_ids", "segment_ids": "input_type_ids", "padding_mask": "input_mask"}
    model = keras.Model(backbone.input, outputs)
    return model.predict_on_batch({name: inputs[names[name]] for name in backbone.input})
