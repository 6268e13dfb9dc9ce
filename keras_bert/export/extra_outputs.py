"""Further outputs of an export: the hidden states and the attention probabilities of every layer."""

from keras_bert.errors import InputError

EXTRA_OUTPUTS = ("attentions", "hidden_states")
EMBEDDINGS = "embeddings"  # name of the input of the first block in an ONNX graph


def check_extra_outputs(outputs) -> tuple[str, ...]:
    """Return the names of further outputs, each once.

    Raises:
        InputError: a name is unknown, or `outputs` is a single string.

    Example:

    >>> check_extra_outputs(["attentions", "attentions"])
    ('attentions',)
    """
    if isinstance(outputs, str) or not all(name in EXTRA_OUTPUTS for name in outputs):
        names = " and ".join(f'"{name}"' for name in EXTRA_OUTPUTS)
        raise InputError(f"`outputs` must be a list of some of {names}. Received: outputs={outputs!r:.80}")
    return tuple(dict.fromkeys(outputs))


def layer_outputs(encoder, names: tuple[str, ...]):
    """Return the function that computes the outputs of an encoder and those of its layers.

    Args:
        encoder: a `BertEncoder`.
        names: some of `EXTRA_OUTPUTS`, see `kb.export_onnx`.

    Returns:
        A function of the encoder's inputs. It returns a pair of dicts: the outputs of the encoder, and the further
        outputs.

    Raises:
        InputError: a custom block does not return attention scores.
    """
    model = encoder.with_attention_scores() if "attentions" in names else encoder

    def run(ids: dict) -> tuple[dict, dict]:
        found, extra = model(ids, training=False), {}
        for i in range(encoder.config.num_layers):
            if "attentions" in names:
                extra[f"attentions.{i}"] = found[f"attention_scores_{i}"]  # [B, A, T, T]
            if "hidden_states" in names:
                extra[f"hidden_states.{i + 1}"] = found[f"encoder_outputs_{i}"]  # [B, T, H]
        if "hidden_states" in names:
            embeddings = encoder.embeddings(ids["input_word_ids"], ids["input_type_ids"], training=False)
            extra["hidden_states.0"] = embeddings  # [B, T, H]
        return found, extra

    return run


def onnx_layer_outputs(graph, config, names: tuple[str, ...]) -> dict:
    """Make hidden states and attention probabilities outputs of an ONNX graph, with the names of Optimum.

    Args:
        graph: the `Graph`, in which all blocks compute all positions.
        config: the `BertConfig`.
        names: some of `EXTRA_OUTPUTS`, see `kb.export_onnx`.

    Returns:
        A dict of the outputs' names to their axes.
    """
    blocks = range(config.num_layers)
    sources = {
        "attentions": [f"block_{i}/probabilities" for i in blocks],  # [B, A, T, T]
        "hidden_states": [EMBEDDINGS, *(f"block_{i}/output_layer_norm" for i in blocks)],  # [B, T, H]
    }
    axes = {"attentions": ("B", config.num_heads, "T", "T"), "hidden_states": ("B", "T", config.hidden_size)}
    outputs = {}
    for name in names:
        for i, source in enumerate(sources[name]):
            graph.op("Identity", source, name=f"{name}.{i}")
            outputs[f"{name}.{i}"] = axes[name]
    return outputs
