"""Further outputs of an export: the hidden states and the attention probabilities of every layer."""

from keras_bert.errors import InputError

EXTRA_OUTPUTS = ("attentions", "hidden_states")


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
